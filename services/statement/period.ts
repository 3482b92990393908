// What an entry is to a seller, and the sums of a month of them. Pure.
import { balanceNamed, type Balance } from './accounts.ts'
import type { LedgerEntry } from '../ledger/contract.ts'

/** Minor units; balances as the seller sees them: what is owed to them is positive. */
export type Sums = Record<Balance, number> & {
  orders: number
  gross: number
  commission: number
  earned: number
  tips: number
  refunds: number
  paidOut: number
  other: number
}
export const nothing = (): Sums => ({
  clearing: 0,
  available: 0,
  inPayout: 0,
  held: 0,
  orders: 0,
  gross: 0,
  commission: 0,
  earned: 0,
  tips: 0,
  refunds: 0,
  paidOut: 0,
  other: 0,
})

export const plus = (one: Sums, other: Sums): Sums => {
  const sum = { ...one }
  for (const name of Object.keys(sum) as (keyof Sums)[]) sum[name] += other[name]
  return sum
}

/** Sellers and currencies that an entry touches. */
export const touchedBy = ({ legs }: Pick<LedgerEntry, 'legs'>): { seller: string; currency: string }[] => {
  const found = new Map<string, { seller: string; currency: string }>()
  for (const { account, currency } of legs) {
    const owned = balanceNamed(account)
    if (owned) found.set(`${owned.seller}/${currency}`, { seller: owned.seller, currency })
  }
  return [...found.values()]
}

type Of = { seller: string; currency: string }
export const changesOf = ({ legs }: Pick<LedgerEntry, 'legs'>, { seller, currency }: Of): Record<Balance, number> => {
  const changes = { clearing: 0, available: 0, inPayout: 0, held: 0 }
  for (const leg of legs) {
    const owned = balanceNamed(leg.account)
    if (owned?.seller === seller && leg.currency === currency) changes[owned.balance] -= leg.amount
  }
  return changes
}

/** What an entry adds to a seller's sums. A kind that is not known here is `other`, so that all of it is somewhere. */
export const sumsOf = (entry: Pick<LedgerEntry, 'kind' | 'legs'>, of: Of): Sums => {
  const changes = changesOf(entry, of)
  const own = changes.clearing + changes.available + changes.inPayout + changes.held
  const commission = entry.legs
    .filter(({ account, currency }) => account === 'rev:commission' && currency === of.currency)
    .reduce((sum, { amount }) => sum - amount, 0)
  const sums: Sums = { ...nothing(), ...changes }
  switch (entry.kind) {
    case 'complete':
      return { ...sums, orders: 1, earned: own, commission, gross: own + commission }
    case 'tip':
      return { ...sums, tips: own, commission, gross: own + commission }
    // A bank that takes a payment back for good gives it back to the buyer; one that returns it later undoes that.
    case 'refund':
    case 'chargeback_lost':
    case 'chargeback_won':
      return { ...sums, refunds: 0 - own, commission, gross: own + commission }
    case 'payout_paid':
      return { ...sums, paidOut: 0 - own }
    case 'payout_returned':
      return { ...sums, paidOut: 0 - own }
    default:
      return { ...sums, other: own }
  }
}

export const monthOf = (at: number): string => new Date(at).toISOString().slice(0, 7)
export const quarterOf = (month: string): number => Math.ceil(Number(month.slice(5)) / 3)

/** As DAC7 has it: what was paid or credited, less what went back. */
export const considerationOf = ({ earned, tips, refunds }: Pick<Sums, 'earned' | 'tips' | 'refunds'>): number =>
  earned + tips - refunds
