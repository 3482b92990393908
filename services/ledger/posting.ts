// The rules of the books: which accounts there are, what each kind of posting may touch, when one may be entered. Pure.
import type { Leg, Posting } from './contract.ts'

/** A balance that this kind of account must never have after an entry: `debit` above zero, `credit` below zero. */
type AccountRule = { owned: boolean; never?: 'debit' | 'credit' }

/** Every account kind. Owned ones are kept per owner (`available:usr_1`) and can be paged through. */
export const ACCOUNTS: Readonly<Record<string, AccountRule>> = {
  psp: { owned: false },
  exp: { owned: false },
  rev: { owned: false },
  connected: { owned: true, never: 'credit' },
  transit: { owned: true, never: 'credit' },
  /** What a card's bank has taken back and may yet return. */
  dispute: { owned: true, never: 'credit' },
  escrow: { owned: true, never: 'debit' },
  clearing: { owned: true, never: 'debit' },
  in_payout: { owned: true, never: 'debit' },
  held: { owned: true, never: 'debit' },
  refund_pending: { owned: true, never: 'debit' },
  /** Per jurisdiction: what of the platform's fees is its state's. */
  tax: { owned: true, never: 'debit' },
  /** What the platform owes a buyer outside of any order. */
  buyer_credit: { owned: true, never: 'debit' },
  /** May be overdrawn, but by no reserve: that is what `guard` is for. */
  available: { owned: true },
}

/** What a kind of posting may touch; anything else is a mistake of whoever posts it. */
export const KINDS: Readonly<Record<string, readonly string[]>> = {
  charge: ['psp', 'exp', 'escrow'],
  complete: ['escrow', 'clearing', 'rev', 'tax'],
  tip: ['psp', 'exp', 'clearing', 'rev', 'tax'],
  refund: ['escrow', 'clearing', 'available', 'rev', 'tax', 'refund_pending'],
  refund_failed: ['refund_pending', 'psp', 'buyer_credit', 'exp'],
  refund_settled: ['refund_pending', 'psp'],
  chargeback: ['dispute', 'exp', 'psp', 'available', 'held'],
  chargeback_won: ['psp', 'dispute', 'held', 'available', 'rev', 'tax', 'buyer_credit', 'exp'],
  chargeback_lost: ['dispute', 'escrow', 'clearing', 'available', 'held', 'rev', 'tax', 'buyer_credit', 'exp'],
  clear: ['clearing', 'available'],
  hold: ['clearing', 'available', 'held'],
  reserve: ['available', 'in_payout'],
  release: ['in_payout', 'available'],
  transfer: ['connected', 'psp'],
  transfer_reversed: ['psp', 'connected'],
  payout: ['transit', 'connected'],
  payout_paid: ['in_payout', 'transit'],
  payout_failed: ['connected', 'in_payout', 'transit', 'available'],
  payout_returned: ['connected', 'available'],
  provider_fee: ['psp', 'exp'],
}

export const kindOf = (account: string): string => {
  const colon = account.indexOf(':')
  return colon < 0 ? account : account.slice(0, colon)
}
export const isOwned = (account: string): boolean => ACCOUNTS[kindOf(account)]?.owned === true

/** What is wrong with a posting whatever the balances are; null when nothing is. */
export const mistakeOf = ({ kind, legs, guard = [] }: Posting): string | null => {
  const allowed = KINDS[kind]
  if (!allowed) return `there is no kind of posting ${kind}`
  for (const { account, amount } of legs) {
    const rule = ACCOUNTS[kindOf(account)]
    if (!rule) return `there is no account ${account}`
    if (rule.owned && kindOf(account) === account) return `${account} needs an owner`
    if (!allowed.includes(kindOf(account))) return `a ${kind} does not touch ${account}`
    if (!Number.isSafeInteger(amount)) return `${amount} is no whole number of minor units`
  }
  if (guard.some((account) => !legs.some((leg) => leg.account === account)))
    return 'a guarded account must be one that is touched'
  return unbalanced(legs)
}

const unbalanced = (legs: readonly Leg[]): string | null => {
  const sums = new Map<string, number>()
  for (const { amount, currency } of legs) sums.set(currency, (sums.get(currency) ?? 0) + amount)
  for (const [currency, sum] of sums) if (sum !== 0) return `the legs in ${currency} sum to ${sum}, not to zero`
  return null
}

/** Signed sums, debit positive; an account in balance may be absent. */
export type BalanceOf = (account: string, currency: string) => number

/** The account that the posting would overdraw, or null. Judged after all its legs. */
export const overdrawn = ({ legs, guard = [] }: Posting, balanceOf: BalanceOf): string | null => {
  for (const [key, after] of balancesAfter(legs, balanceOf)) {
    const account = key.slice(0, key.lastIndexOf('/'))
    if (!Number.isSafeInteger(after)) return account
    if (guard.includes(account) && after > 0) return account
    const never = ACCOUNTS[kindOf(account)]?.never
    if ((never === 'debit' && after > 0) || (never === 'credit' && after < 0)) return account
  }
  return null
}

const balancesAfter = (legs: readonly Leg[], balanceOf: BalanceOf): Map<string, number> => {
  const after = new Map<string, number>()
  for (const { account, amount, currency } of legs) {
    const key = `${account}/${currency}`
    after.set(key, (after.get(key) ?? balanceOf(account, currency)) + amount)
  }
  return after
}

/** Two postings under one id must say the same; when they were made may differ. */
export const isSame = (one: Posting, other: Posting): boolean =>
  one.kind === other.kind &&
  one.legs.length === other.legs.length &&
  one.legs.every(({ account, amount, currency }, at) => {
    const twin = other.legs[at]!
    return account === twin.account && amount === twin.amount && currency === twin.currency
  })
