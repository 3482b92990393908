// Operations and webhooks in numbers.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Metrics } from '../../mixins/metrics.ts'
import { STANDINGS } from './contract.ts'
import { operations } from './operations.ts'
import { paymentEvents } from './webhooks.ts'

export const gauges = (registry: Metrics, documents: Documents, now: () => number) => {
  const standing = registry.gauge('gigwire_payment_operations', 'Operations with an open call, by how they stand')
  const oldest = registry.gauge('gigwire_payment_oldest_seconds', 'How long the oldest of them has stood so')
  const open = registry.gauge('gigwire_payment_webhooks_open', 'Events of the provider not worked on yet')()
  const late = registry.gauge('gigwire_payment_webhooks_oldest_seconds', 'How long the oldest of them is overdue')()
  return {
    look: async () => {
      for (const one of STANDINGS) {
        const found = { index: 'byStanding', equals: { standing: one } }
        const { docs } = await documents.find(operations, { ...found, limit: 1 })
        standing({ standing: one }).set(await documents.count(operations, found))
        const since = docs[0]?.standingAt
        oldest({ standing: one }).set(since ? Math.max(0, now() - since) / 1000 : 0)
      }
      const { docs } = await documents.find(paymentEvents, { index: 'byOpen', limit: 1 })
      open.set(await documents.count(paymentEvents, { index: 'byOpen' }))
      late.set(docs[0]?.openAt ? Math.max(0, Date.now() - docs[0].openAt) / 1000 : 0)
    },
  }
}
