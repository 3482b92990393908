// The next sellers of a run: what is known of each is gathered, then decided by the rules in plan.ts.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { inParallel } from '../../mixins/timers.ts'
import { BATCH_SELLERS, type Batch } from './batch.ts'
import { frozenAmong } from './freeze.ts'
import { choose, payeeSkip, payoutId, type Amounts } from './plan.ts'
import type { RunDoc } from './run.ts'
import { payoutSettings, publicSettings } from './schedule.ts'

export type Selection = {
  next(run: Pick<RunDoc, 'id' | 'covers' | 'currencies' | 'after' | 'batches'>): Promise<Batch>
  /** What all sellers with enough to be paid have together, by currency: no run comes to more. */
  total(currencies: readonly string[]): Promise<Record<string, number>>
}
type Parts = { documents: Documents; call: Call; minimums: Amounts }

/** Sellers the provider may be asked about at once. */
const PAYEES_AT_ONCE = 16
const TOTAL_SELLERS = 1000

export const openSelection = ({ documents, call, minimums }: Parts): Selection => ({
  next: async ({ id, covers, currencies, after, batches }) => {
    const currency = currencies[0]!
    const { data, next } = await call('ledger.payable', {
      currency,
      minimum: 1,
      limit: BATCH_SELLERS,
      ...(after && { after }),
    })
    const sellers = data.map(({ seller }) => seller)
    const [frozen, settings] = await Promise.all([
      frozenAmong(documents, sellers),
      documents.getMany(payoutSettings, sellers),
    ])
    const batch: Batch = { number: batches + 1, currency, after, next, claims: [], skips: [] }
    await inParallel([...data.entries()], PAYEES_AT_ONCE, async ([at, { seller, amount: available }]) => {
      const facts = {
        available: { amount: available, currency },
        settings: settings[at] ? publicSettings(settings[at]) : null,
        frozen: frozen.has(seller),
        covers,
      }
      const chosen = choose(facts, minimums)
      const payee = 'skip' in chosen ? null : await call('payment.payee', { user: seller })
      const code = 'skip' in chosen ? chosen.skip : payeeSkip(payee!)
      if (code) batch.skips.push({ seller, amount: available, code })
      else if ('amount' in chosen)
        batch.claims.push({
          payout: payoutId(id, seller, currency),
          seller,
          account: payee!.account!,
          amount: chosen.amount,
        })
    })
    batch.claims.sort(bySeller)
    batch.skips.sort(bySeller)
    return batch
  },
  total: async (currencies) => {
    const totals: Record<string, number> = {}
    for (const currency of currencies) {
      let after: string | null = null
      do {
        const page: { data: { seller: string; amount: number }[]; next: string | null } = await call('ledger.payable', {
          currency,
          minimum: minimums[currency] ?? 1,
          limit: TOTAL_SELLERS,
          ...(after && { after }),
        })
        for (const { amount } of page.data) totals[currency] = (totals[currency] ?? 0) + amount
        after = page.next
      } while (after)
    }
    return totals
  },
})

const bySeller = (one: { seller: string }, other: { seller: string }): number => (one.seller < other.seller ? -1 : 1)
