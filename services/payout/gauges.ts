// Runs and freezes in numbers.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Metrics } from '../../mixins/metrics.ts'
import { freezes } from './freeze.ts'
import { payoutRuns, type RunStatus } from './run.ts'

const OPEN: readonly RunStatus[] = ['estimating', 'awaiting_approval', 'planning', 'paying']

export const gauges = (registry: Metrics, documents: Documents, now: () => number) => {
  const begun = registry.counter(
    'gigwire_payout_runs_total',
    'Payout runs begun, by how: schedule, late (more than an hour after it was due), admin',
  )
  const open = registry.gauge('gigwire_payout_runs_open', 'Payout runs that are not over, by phase')
  const oldest = registry.gauge('gigwire_payout_run_age_seconds', 'How long the oldest of them has been open')
  const frozen = registry.gauge('gigwire_payout_freezes', 'Freezes in force, for everybody and for one seller each')()
  return {
    begun: (how: 'schedule' | 'late' | 'admin') => begun({ how }).add(),
    look: async () => {
      for (const phase of OPEN) {
        const found = { index: 'byStatus', equals: { status: phase } }
        const { docs } = await documents.find(payoutRuns, { ...found, limit: 1 })
        open({ phase }).set(await documents.count(payoutRuns, found))
        oldest({ phase }).set(docs[0] ? Math.max(0, now() - docs[0].createdAt) / 1000 : 0)
      }
      frozen.set(await documents.count(freezes, { index: 'bySince' }))
    },
  }
}
