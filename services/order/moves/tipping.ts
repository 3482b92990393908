// Tips on a completed order: each a payment of its own, earned at once and clearing like the order. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { refuse } from '../../errors.ts'
import { tipCleared, tipped } from '../../ledger/contract.ts'
import type { Money } from '../../shapes.ts'
import { taxShareOf, tipShares } from '../allocation.ts'
import type { OrderDoc, Tip } from '../state.ts'
import { PAY_WITHIN_MS, TIP_WINDOW_MS } from '../timing.ts'
import { clearsAt } from './clearing.ts'
import { forbidden, posted, take, type By, type Change, type Moved } from './taking.ts'
import type { Paid } from './paying.ts'

/** Smallest tip, minor units. */
export const TIP_MIN = 100
/** Tips of one order together: its subtotal, but at least this much, minor units. */
export const TIPS_MAX_AT_LEAST = 50_000
/** Tips one order may have, those that came to nothing too. */
export const TIPS_MAX = 20

export const tipsOf = ({ tips }: OrderDoc): readonly Tip[] => tips ?? []

/** What may still be tipped, minor units. */
const room = (order: OrderDoc): number =>
  Math.max(order.price.subtotal, TIPS_MAX_AT_LEAST) -
  tipsOf(order).reduce((sum, { amount, status }) => sum + (status === 'dropped' ? 0 : amount), 0)

export const mayTip = (order: OrderDoc, now: number): boolean =>
  order.status === 'completed' &&
  order.completedAt !== null &&
  now <= order.completedAt + TIP_WINDOW_MS &&
  tipsOf(order).length < TIPS_MAX &&
  room(order) >= TIP_MIN

/** The intent, kept before anything is asked of the provider. */
export const beginTip = (
  order: OrderDoc,
  by: By,
  { id, amount }: { id: string; amount: Money },
  now: number,
  command?: string,
): Moved => {
  if (order.status !== 'completed') throw forbidden(order, 'a tip')
  if (!mayTip(order, now)) throw refuse('invalid_transition', 'no more tips can be given on this order')
  const { currency } = order.price
  const most = room(order)
  if (amount.currency !== currency || amount.amount < TIP_MIN || amount.amount > most)
    throw refuse('validation_failed', `a tip here is ${TIP_MIN} to ${most} ${currency}`, {
      errors: [{ path: 'amount', message: `must be ${TIP_MIN} to ${most} ${currency}` }],
    })
  const tip: Tip = {
    id,
    amount: amount.amount,
    commission: tipShares(amount.amount, amount.amount, order.policy).commission,
    status: 'awaiting_payment',
    at: now,
    expiresAt: now + PAY_WITHIN_MS,
    clearsAt: null,
  }
  return take(order, {
    step: 'tip_begun',
    by,
    now,
    command,
    data: { tip: id, amount },
    change: { tips: [...tipsOf(order), tip] },
  })
}

/** A tip's payment came. One that was given up and still paid is a tip all the same: the buyer meant it. */
export const tipPaid = (order: OrderDoc, id: string, { payment, amount, fee }: Paid, now: number): Moved | null => {
  const tip = tipsOf(order).find((one) => one.id === id)
  if (!tip || tip.status === 'paid' || tip.status === 'cleared' || tip.status === 'returned') return null
  const about = { order: order.id, tip: id, seller: order.seller.id, at: now }
  const shares = tipShares(tip.amount, tip.amount, order.policy)
  const { commission } = shares
  const entry = tipped({ ...about, payment, amount, fee, commission, tax: taxShareOf(shares, order.policy) })
  return take(order, {
    step: 'tipped',
    by: { role: 'system' },
    now,
    data: { tip: id, payment, amount },
    change: changed(order, id, { status: 'paid', clearsAt: clearsAt(order, now) }),
    say: [posted(entry)],
  })
}

/** Declined, or not paid in time: nothing may be charged for it any more. */
export const dropTip = (
  order: OrderDoc,
  id: string,
  how: { step: 'tip_declined' | 'tip_expired'; by: By; now: number; data?: Record<string, unknown> },
): Moved | null => {
  if (!tipsOf(order).some((tip) => tip.id === id && tip.status === 'awaiting_payment')) return null
  const abandoned: Said = { name: 'order.abandoned', data: { order: order.id, charge: id } }
  return take(order, {
    ...how,
    data: { tip: id, ...how.data },
    change: changed(order, id, { status: 'dropped' }),
    say: [abandoned],
  })
}

export const clearTip = (order: OrderDoc, id: string, now: number): Moved => {
  const earned: Money = {
    amount: earnedOf(
      tipsOf(order).find((tip) => tip.id === id)!,
      order,
    ),
    currency: order.price.currency,
  }
  return take(order, {
    step: 'tip_cleared',
    by: { role: 'clock' },
    now,
    data: { tip: id },
    change: changed(order, id, { status: 'cleared' }),
    say: [posted(tipCleared({ order: order.id, tip: id, seller: order.seller.id, amount: earned, at: now }))],
  })
}

/** The seller's part of a tip, less what the card's bank kept of it. */
const earnedOf = ({ amount, lost = 0 }: Tip, { policy }: OrderDoc): number =>
  tipShares(amount - lost, amount, policy).seller

const changed = (order: OrderDoc, id: string, change: Partial<Tip>): Change => ({
  tips: tipsOf(order).map((tip) => (tip.id === id ? { ...tip, ...change } : tip)),
})
