// What a look at reconciliation says in numbers; every node that looks says the same.
import type { Metrics } from '../../mixins/metrics.ts'
import type { Reason } from './contract.ts'
import type { StateDoc } from './store.ts'

const REASONS: readonly Reason[] = ['missing_entry', 'missing_transaction', 'amount', 'currency', 'duplicate']

export const gauges = (registry: Metrics) => {
  const inSuspense = registry.gauge(
    'gigwire_reconciliation_suspense',
    'Changes without their other side for longer than they may be, by reason',
  )
  const finished = registry.gauge('gigwire_reconciliation_finished_seconds', 'When the last pass ended, by kind')
  const unexplained = registry.gauge(
    'gigwire_reconciliation_unexplained',
    'What books and provider differ by without a reason, minor units, by currency',
  )
  const provider = registry.gauge('gigwire_money_platform', "The platform's balance at the provider, minor units")
  const owed = registry.gauge('gigwire_money_owed', 'What people have a right to from it, minor units')
  const coverage = registry.gauge('gigwire_money_coverage_ratio', 'What is there for each unit owed')
  const reconciled = registry.gauge('gigwire_reconciliation_lines', 'Read in the last pass: transactions, entries')
  return {
    show: ({ last, lastFull, balances, unexplained: since }: StateDoc, reasons: Readonly<Record<string, number>>) => {
      for (const reason of REASONS) inSuspense({ reason }).set(reasons[reason] ?? 0)
      if (last?.finishedAt) finished({ kind: 'any' }).set(last.finishedAt / 1000)
      if (lastFull?.finishedAt) finished({ kind: 'full' }).set(lastFull.finishedAt / 1000)
      if (last) reconciled({ side: 'provider' }).set(last.transactions)
      if (last) reconciled({ side: 'books' }).set(last.entries)
      for (const balance of balances) {
        const { currency } = balance
        provider({ currency }).set(balance.provider)
        owed({ currency }).set(balance.owed)
        if (balance.coverage !== null) coverage({ currency }).set(balance.coverage)
        unexplained({ currency }).set(since[currency]?.alarmed ? since[currency].amount : 0)
      }
    },
  }
}
