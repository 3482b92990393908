// Giving part of the money back while the order goes on: the seller offers and the buyer agrees, or an admin decides. Pure.
import { refuse } from '../../errors.ts'
import type { Money } from '../../shapes.ts'
import { leadsTo } from '../process.ts'
import { goneOf, type OrderDoc } from '../state.ts'
import { REFUND_OFFER_MS } from '../timing.ts'
import { leftOf, refunding } from './refunding.ts'
import { ENDED, forbidden, take, type By, type Change, type Moved } from './taking.ts'

/** Of what was paid, all agreed refunds together; more than that is cancelling, or a matter for an admin. */
export const REFUND_OFFER_PERCENT_MAX = 60

export type Asked = { amount?: Money | undefined; reason?: string | undefined }

/** The most the seller may offer now, minor units. */
export const offerableOf = (order: OrderDoc): number =>
  Math.max(0, Math.floor((order.price.total * REFUND_OFFER_PERCENT_MAX) / 100) - goneOf(order))

/** The seller's `refund-offer` proposes, the buyer's agrees to what is proposed. */
export const offerRefund = (order: OrderDoc, by: By, asked: Asked, now: number, command?: string): Moved =>
  by.role === 'seller' ? propose(order, by, asked, now, command) : agree(order, by, asked, now, command)

const propose = (order: OrderDoc, by: By, { amount, reason }: Asked, now: number, command?: string): Moved => {
  if (leadsTo('refund_offered', order.status) === null) throw forbidden(order, 'offering a refund')
  if (order.refundOffer) throw refuse('invalid_transition', 'the buyer has not answered the last offer yet')
  if (!amount || reason === undefined) {
    const missing = [...(amount ? [] : ['amount']), ...(reason === undefined ? ['reason'] : [])]
    throw refuse('validation_failed', 'a refund is offered with an amount and a reason', {
      errors: missing.map((path) => ({ path, message: 'is required' })),
    })
  }
  within(order, amount, offerableOf(order))
  return take(order, {
    step: 'refund_offered',
    by,
    now,
    command,
    data: { amount, reason },
    change: { refundOffer: { amount: amount.amount, reason, withdrawnAt: now + REFUND_OFFER_MS } },
  })
}

const agree = (order: OrderDoc, by: By, { amount }: Asked, now: number, command?: string): Moved => {
  const { refundOffer } = order
  if (!refundOffer) throw forbidden(order, 'agreeing to a refund')
  const { currency } = order.price
  // Nobody agrees to something else than they have seen.
  if (amount && (amount.amount !== refundOffer.amount || amount.currency !== currency))
    throw refuse('conflict', `the offer is ${refundOffer.amount} ${currency}, not ${amount.amount} ${amount.currency}`)
  const given = refunding(order, refundOffer.amount, now)
  return take(order, {
    step: 'refund_agreed',
    by,
    now,
    command,
    data: { amount: { amount: refundOffer.amount, currency } },
    change: { ...given.change, refundOffer: null },
    say: given.say,
  })
}

/** An offer over more than is left is no offer any more: agreed to, it would give back what is not there. */
export const offerWithin = ({ refundOffer }: OrderDoc, left: number): Change =>
  refundOffer && refundOffer.amount > left ? { refundOffer: null } : {}

/** An admin gives any of what is left back, also of what is completed, cleared or paid out. All of it ends the order. */
export const refundByAdmin = (
  order: OrderDoc,
  by: By,
  { amount, reason }: { amount: Money; reason: string },
  now: number,
  command?: string,
): Moved => {
  if (leadsTo('partly_refunded', order.status) === null) throw forbidden(order, 'a refund')
  const left = leftOf(order)
  within(order, amount, left)
  const given = refunding(order, amount.amount, now)
  const all = amount.amount === left
  return take(order, {
    step: all ? 'fully_refunded' : 'partly_refunded',
    by,
    now,
    command,
    data: { amount, reason },
    change: { ...given.change, ...offerWithin(order, left - amount.amount), ...(all && ENDED) },
    say: given.say,
  })
}

const within = ({ price: { currency } }: OrderDoc, amount: Money, most: number): void => {
  if (amount.currency === currency && amount.amount >= 1 && amount.amount <= most) return
  throw refuse('validation_failed', `a refund here is 1 to ${most} ${currency}`, {
    errors: [{ path: 'amount', message: `must be 1 to ${most} ${currency}` }],
  })
}
