// Who is paid: the rules of a run and of a withdrawal. Pure.
import { refuse } from '../errors.ts'
import type { Money } from '../shapes.ts'

/** The least that is paid out, minor units by currency. A currency that is not here is not paid out. */
export type Minimums = Readonly<Record<string, number>>
export const MINIMUMS: Minimums = { usd: 2000, eur: 2000, gbp: 2000 }

export type Payee = { account: string | null; payoutsEnabled: boolean }

/** Why a seller with enough money is not paid in this run; null: pay. */
export const skipReason = ({ account, payoutsEnabled }: Payee): string | null => {
  if (!account) return 'not onboarded: there is no account at the payment provider yet'
  return payoutsEnabled ? null : 'not onboarded: the payment provider does not pay out to this account yet'
}
export const IN_FLIGHT = 'another payout is on its way'
export const NO_LONGER_THERE = 'the money was no longer available'

export const runId = (date: string): string => `run_${date}`
/** The same run and seller always give the same payout, so a repeated page pays nobody twice. */
export const payoutId = (run: string, seller: string, currency: string): string =>
  `po_${run}_${seller}${currency === 'usd' ? '' : `_${currency}`}`

export const isDate = (date: string): boolean => {
  const at = new Date(`${date}T00:00:00.000Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === date
}

/** The amount a withdrawal is over, or a refusal that says what is in the way. */
export const withdrawal = (asked: Money | undefined, has: Money, minimums: Minimums, payee: Payee): Money => {
  const minimum = minimums[has.currency]
  if (minimum === undefined) throw refuse('conflict', `nothing is paid out in ${has.currency}`)
  const amount = asked?.amount ?? has.amount
  if (amount > has.amount || (!asked && amount < minimum))
    throw refuse(
      'insufficient_balance',
      `${has.amount} ${has.currency} are available, at least ${Math.max(minimum, asked?.amount ?? 0)} are needed`,
    )
  if (amount < minimum) {
    const message = `must be at least ${minimum}`
    throw refuse('validation_failed', `amount: ${message}`, { errors: [{ path: 'amount.amount', message }] })
  }
  const reason = skipReason(payee)
  if (reason) throw refuse('conflict', reason)
  return { amount, currency: has.currency }
}
