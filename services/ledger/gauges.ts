// The books in numbers.
import type { Metrics } from '../../mixins/metrics.ts'
import { trialRows, type Balances } from './balances.ts'
import type { Position } from './chain.ts'

export const gauges = (registry: Metrics) => {
  const entries = registry.gauge('gigwire_ledger_entries', 'Entries in the book')
  const balance = registry.gauge(
    'gigwire_ledger_balance',
    "Sums per kind of account, the platform's own by name, minor units, debit positive",
  )
  const negative = registry.gauge(
    'gigwire_money_sellers_negative',
    'What sellers owe the market because more went back than they had, minor units',
  )
  let named = new Map<string, { account: string; currency: string }>()
  return {
    show: ({ balances, position }: { balances: Balances; position: Position }) => {
      entries().set(position.seq)
      const now = new Map<string, { account: string; currency: string }>()
      for (const { account, balance: sum } of trialRows(balances)) {
        now.set(`${account}/${sum.currency}`, { account, currency: sum.currency })
        balance({ account, currency: sum.currency }).set(sum.amount)
      }
      // What is in balance again is in no row any more.
      for (const [key, labels] of named) if (!now.has(key)) balance(labels).set(0)
      named = now
      for (const [currency, amount] of Object.entries(overdrawn(balances))) negative({ currency }).set(amount)
    },
  }
}

/** Per currency the sum of what single sellers have too little; 0 also where nobody has any more. */
const overdrawn = (balances: Balances): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const [, sum] of balances.kind('available'))
    for (const [currency, amount] of Object.entries(sum)) sums[currency] = (sums[currency] ?? 0) + Math.max(0, amount)
  return sums
}
