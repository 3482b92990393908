// The sums at the end of a pass: what the provider holds, what the books say it holds, and what is owed to people from it.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import type { Money } from '../shapes.ts'
import { openSuspense, type Balance, type StateDoc, type SuspenseDoc } from './store.ts'

/** Kinds of accounts that people have a right to. */
export const OWED = ['escrow', 'clearing', 'available', 'in_payout', 'held', 'refund_pending', 'buyer_credit']
/** Money that is on its way to them is no longer in the platform's balance, and no longer needs to be. */
export const ON_ITS_WAY = ['connected', 'transit']

type Row = { account: string; balance: Money }

export const compared = (
  provider: Readonly<Record<string, number>>,
  rows: readonly Row[],
  inSuspense: Readonly<Record<string, number>>,
): Balance[] => {
  const sumOf = (accounts: readonly string[], currency: string) =>
    rows
      .filter(({ account, balance }) => accounts.includes(account) && balance.currency === currency)
      .reduce((sum, { balance }) => sum + balance.amount, 0)
  const currencies = new Set([
    ...Object.keys(provider),
    ...Object.keys(inSuspense),
    ...rows.map(({ balance }) => balance.currency),
  ])
  return [...currencies].sort().map((currency) => {
    const theirs = provider[currency] ?? 0
    const books = sumOf(['psp'], currency)
    const suspended = inSuspense[currency] ?? 0
    const owed = 0 - sumOf(OWED, currency) - sumOf(ON_ITS_WAY, currency)
    return {
      currency,
      provider: theirs,
      books,
      suspense: suspended,
      unexplained: theirs - books - suspended,
      owed,
      coverage: owed > 0 ? theirs / owed : null,
    }
  })
}

/** What the provider's balance has more than the books because of what is in suspense, by currency; added to `sums`. */
export const suspended = (
  docs: readonly Pick<SuspenseDoc, 'reason' | 'ours' | 'theirs'>[],
  sums: Record<string, number> = {},
): Record<string, number> => {
  const add = (currency: string, amount: number) => (sums[currency] = (sums[currency] ?? 0) + amount)
  for (const { reason, ours, theirs } of docs) {
    if (theirs) add(theirs.currency, theirs.amount)
    // The entry of a second payment is the first one's: the second has none.
    if (ours && reason !== 'duplicate') add(ours.currency, 0 - ours.amount)
  }
  return sums
}

export const balancesOf = async (documents: Documents, call: Call): Promise<Balance[]> => {
  const sums: Record<string, number> = {}
  for await (const docs of openSuspense(documents)) suspended(docs, sums)
  const [{ balance }, { data }] = await Promise.all([call('payment.providerBalance', {}), call('ledger.totals', {})])
  return compared(balance, data, sums)
}

/** A difference that stays the same is one; money on the move is not. */
export const unexplainedSince = (
  before: StateDoc['unexplained'],
  balances: readonly Balance[],
  { now, graceMs }: { now: number; graceMs: number },
): StateDoc['unexplained'] => {
  const after: StateDoc['unexplained'] = {}
  for (const { currency, unexplained: amount } of balances) {
    if (amount === 0) continue
    const known = before[currency]
    const since = known?.amount === amount ? known.since : now
    after[currency] = { amount, since, alarmed: now - since >= graceMs }
  }
  return after
}
