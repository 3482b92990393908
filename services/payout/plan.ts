// Who is paid, and how much: the rules of a run and of a withdrawal. Pure.
import { refuse } from '../errors.ts'
import type { Money } from '../shapes.ts'
import { isDue, type Covers, type PayoutSettings } from './schedule.ts'

/** Minor units by currency. */
export type Amounts = Readonly<Record<string, number>>
/** The least that is paid out. A currency that is not here is not paid out. */
export const MINIMUMS: Amounts = { usd: 2000, eur: 2000, gbp: 2000, huf: 800_000, twd: 70_000 }
/** Banks take these currencies in whole units only, though they have two decimals; what is over stays available. */
export const MULTIPLES: Amounts = { huf: 100, twd: 100 }
/** A run over more than this in one currency is paid only when two people have said so. */
export const APPROVAL_LIMITS: Amounts = {
  usd: 10_000_000,
  eur: 10_000_000,
  gbp: 10_000_000,
  huf: 4_000_000_000,
  twd: 320_000_000,
}
export const APPROVERS = 2
/** Money goes on clearing while people decide: what they approve is up to this much more than was there. */
export const APPROVED_SLACK = 0.1

export type Payee = { account: string | null; payoutsEnabled: boolean }

/** Why somebody with money available is not paid in a run. */
export const REASONS = {
  frozen: 'payouts to this seller are stopped',
  below_minimum: 'less than the minimum is available',
  below_own_minimum: 'less than the seller wants paid out at once is available',
  not_due: 'the seller is not paid on this date by their own schedule',
  manual: 'the seller asks for payouts by hand',
  no_account: 'not onboarded: there is no account at the payment provider yet',
  not_enabled: 'not onboarded: the payment provider does not pay out to this account yet',
  in_flight: 'another payout is on its way',
  gone: 'the money was no longer available',
} as const
export type SkipCode = keyof typeof REASONS

export const codeOf = (reason: string | null): SkipCode =>
  (Object.keys(REASONS) as SkipCode[]).find((code) => REASONS[code] === reason) ?? 'gone'

/** What there is to know of a seller before the provider is asked. */
export type Facts = {
  available: Money
  settings: PayoutSettings | null
  frozen: boolean
  covers: Covers
}

/** What a run pays a seller, or why it does not. */
export const choose = (facts: Facts, minimums: Amounts): { amount: number } | { skip: SkipCode } => {
  const { available, settings, frozen, covers } = facts
  const { currency } = available
  const amount = payableOf(available)
  if (frozen) return { skip: 'frozen' }
  if (amount < (minimums[currency] ?? Infinity)) return { skip: 'below_minimum' }
  if (settings?.schedule === 'manual') return { skip: 'manual' }
  if (settings && !isDue(settings, covers)) return { skip: 'not_due' }
  const own = settings?.minimum
  if (own && own.currency === currency && amount < own.amount) return { skip: 'below_own_minimum' }
  return { amount }
}

export const payableOf = ({ amount, currency }: Money): number => amount - (amount % (MULTIPLES[currency] ?? 1))

export const payeeSkip = ({ account, payoutsEnabled }: Payee): SkipCode | null =>
  account ? (payoutsEnabled ? null : 'not_enabled') : 'no_account'

export const runId = (date: string): string => `run_${date}`
/** The same run and seller always give the same payout, so a repeated page pays nobody twice. */
export const payoutId = (run: string, seller: string, currency: string): string =>
  `po_${run}_${seller}${currency === 'usd' ? '' : `_${currency}`}`

export const isDate = (date: string): boolean => {
  const at = new Date(`${date}T00:00:00.000Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === date
}

/** The amount a withdrawal is over, or a refusal that says what is in the way. */
export const withdrawal = (asked: Money | undefined, has: Money, minimums: Amounts, payee: Payee): Money => {
  const { currency } = has
  const minimum = minimums[currency]
  if (minimum === undefined) throw refuse('conflict', `nothing is paid out in ${currency}`)
  const amount = asked?.amount ?? payableOf(has)
  if (amount > has.amount || (!asked && amount < minimum))
    throw refuse(
      'insufficient_balance',
      `${has.amount} ${currency} are available, at least ${Math.max(minimum, asked?.amount ?? 0)} are needed`,
    )
  const wrong = amount < minimum ? `must be at least ${minimum}` : multipleMistake(amount, currency)
  if (wrong)
    throw refuse('validation_failed', `amount: ${wrong}`, { errors: [{ path: 'amount.amount', message: wrong }] })
  const code = payeeSkip(payee)
  if (code) throw refuse('conflict', REASONS[code])
  return { amount, currency }
}

const multipleMistake = (amount: number, currency: string): string | null => {
  const multiple = MULTIPLES[currency] ?? 1
  return amount % multiple === 0 ? null : `must be a multiple of ${multiple}`
}

/** Is more to be paid in some currency than may be without approval? */
export const needsApproval = (totals: Amounts, limits: Amounts): boolean =>
  Object.entries(totals).some(([currency, total]) => total > (limits[currency] ?? 0))
