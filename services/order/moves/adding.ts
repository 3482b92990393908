// Extras bought during work: a payment of its own, and only once it is paid do they count, in price, fees and time. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { refuse } from '../../errors.ts'
import type { Extra } from '../../gig/contract.ts'
import { charged } from '../../ledger/contract.ts'
import { iso, type Money } from '../../shapes.ts'
import { portion, withMore, type Price } from '../price.ts'
import { leadsTo } from '../process.ts'
import { purchasesOf, type OrderDoc, type Purchase } from '../state.ts'
import { DAY_MS, isFrozen, PAY_WITHIN_MS } from '../timing.ts'
import { sendingBack } from './refunding.ts'
import { forbidden, posted, take, type By, type Change, type Moved } from './taking.ts'
import type { Paid } from './paying.ts'

/** Purchases one order may have, those that came to nothing too. */
export const PURCHASES_MAX = 20
/** Extras one order may have in all. */
export const EXTRAS_MAX = 20

export const mayAddExtras = (order: OrderDoc): boolean =>
  leadsTo('extras_begun', order.status) !== null &&
  purchasesOf(order).length < PURCHASES_MAX &&
  order.extras.length < EXTRAS_MAX

/** What it costs: the extras times the order's quantity, and the service fee's percentage of that. */
export const costOf = (
  { quantity, policy }: OrderDoc,
  extras: readonly Extra[],
): Pick<Price, 'subtotal' | 'serviceFee'> => {
  const subtotal = extras.reduce((sum, { price }) => sum + price.amount, 0) * quantity
  return { subtotal, serviceFee: portion(subtotal, policy.serviceFeeBasisPoints) }
}

/** The intent, kept before anything is asked of the provider. */
export const beginExtras = (
  order: OrderDoc,
  by: By,
  { id, wanted, offered }: { id: string; wanted: readonly string[]; offered: readonly Extra[] },
  now: number,
  command?: string,
): Moved => {
  if (!mayAddExtras(order)) throw forbidden(order, 'adding extras')
  const extras = wanted.map((one) => {
    const found = offered.find((extra) => extra.id === one)
    const known = order.extras.some((extra) => extra.id === one) || isPending(order, one)
    if (found && !known && found.price.currency === order.price.currency) return found
    throw refuse('validation_failed', known ? `${one} is part of the order already` : `this gig has no extra ${one}`, {
      errors: [
        { path: 'extras', message: known ? `${one} is part of it already` : `${one} is not offered by this gig` },
      ],
    })
  })
  if (order.extras.length + extras.length > EXTRAS_MAX)
    throw refuse('invalid_transition', `an order has at most ${EXTRAS_MAX} extras`)
  const cost = costOf(order, extras)
  const purchase: Purchase = {
    id,
    extras,
    ...cost,
    status: 'awaiting_payment',
    at: now,
    expiresAt: now + PAY_WITHIN_MS,
  }
  return take(order, {
    step: 'extras_begun',
    by,
    now,
    command,
    data: { purchase: id, extras: wanted, amount: amountOf(order, purchase) },
    change: { purchases: [...purchasesOf(order), purchase] },
  })
}

const isPending = (order: OrderDoc, extra: string): boolean =>
  purchasesOf(order).some(
    ({ status, extras }) => status === 'awaiting_payment' && extras.some(({ id }) => id === extra),
  )

export const amountOf = ({ price }: OrderDoc, { subtotal, serviceFee }: Purchase): Money => ({
  amount: subtotal + serviceFee,
  currency: price.currency,
})

/** Its payment came: they count from now on. Where nobody works on it any more the money goes straight back. */
export const extrasPaid = (order: OrderDoc, id: string, { payment, amount, fee }: Paid, now: number): Moved | null => {
  const purchase = purchasesOf(order).find((one) => one.id === id)
  if (!purchase || hasArrived(order, id)) return null
  const charge = posted(charged({ order: order.id, charge: id, payment, amount, fee, at: now }))
  const how = { by: { role: 'system' as const }, now, data: { purchase: id, payment, amount } }
  const known = purchase.extras.some(({ id: extra }) => order.extras.some((one) => one.id === extra))
  if (known || isFrozen(order) || leadsTo('extras_added', order.status) === null) {
    const back = sendingBack(order, id, amount.amount, now)
    return take(order, {
      ...how,
      step: 'extras_paid_too_late',
      change: { ...back.change, ...changed(order, id, { status: 'dropped' }) },
      say: [charge, ...back.say],
    })
  }
  const days = purchase.extras.reduce((sum, { addedDays }) => sum + addedDays, 0)
  const dueAt = order.dueAt && order.dueAt + days * DAY_MS
  return take(order, {
    ...how,
    step: 'extras_added',
    data: { ...how.data, extras: purchase.extras, ...(dueAt !== null && { dueAt: iso(dueAt) }) },
    change: {
      ...changed(order, id, { status: 'paid' }),
      extras: [...order.extras, ...purchase.extras],
      price: withMore(order.price, order.policy, purchase),
      dueAt,
      late: order.late && (dueAt ?? 0) <= now,
    },
    say: [charge],
  })
}
/** Has its payment been heard of? */
export const hasArrived = (order: OrderDoc, id: string): boolean =>
  order.timeline.some(({ type, data }) => ARRIVED.has(type) && data['purchase'] === id)
const ARRIVED: ReadonlySet<string> = new Set(['extras_added', 'extras_paid_too_late'])

/** Declined, or not paid in time: nothing may be charged for it any more. */
export const dropExtras = (
  order: OrderDoc,
  id: string,
  how: { step: 'extras_declined' | 'extras_expired'; by: By; now: number; data?: Record<string, unknown> },
): Moved | null => {
  if (!purchasesOf(order).some((one) => one.id === id && one.status === 'awaiting_payment')) return null
  const abandoned: Said = { name: 'order.abandoned', data: { order: order.id, charge: id } }
  return take(order, {
    ...how,
    data: { purchase: id, ...how.data },
    change: changed(order, id, { status: 'dropped' }),
    say: [abandoned],
  })
}

const changed = (order: OrderDoc, id: string, change: Partial<Purchase>): Change => ({
  purchases: purchasesOf(order).map((one) => (one.id === id ? { ...one, ...change } : one)),
})
