// What the payment actor tells: money came, was refused, went back. Pure; told twice is told once.
import { charged, refundFailed as credited, refundSettled } from '../../ledger/contract.ts'
import type { Money } from '../../shapes.ts'
import { refundsOf, type OrderDoc } from '../state.ts'
import { leftOf, refunding } from './refunding.ts'
import { posted, take, type By, type Change, type Moved } from './taking.ts'
import { workingMs } from './working.ts'

export type Paid = { payment: string; amount: Money; fee: Money }

export const paid = (order: OrderDoc, { payment, amount, fee }: Paid, now: number): Moved | null => {
  if (order.paidAt !== null) return null
  const charge = posted(charged({ order: order.id, payment, amount, fee, at: now }))
  const about = { by: { role: 'system' as const }, now, data: { payment, amount } }
  const change: Change = { paidAt: now, payment: order.payment && { ...order.payment, status: 'succeeded' } }
  if (order.status !== 'awaiting_payment') {
    const back = refunding(order, leftOf(order), now)
    return take(order, {
      ...about,
      step: 'paid_too_late',
      change: { ...change, ...back.change },
      say: [charge, ...back.say],
    })
  }
  if (order.requirements.some(({ required }) => required))
    return take(order, { ...about, step: 'paid', change, say: [charge] })
  return take(order, {
    ...about,
    step: 'paid_and_started',
    change: { ...change, dueAt: now + workingMs(order) },
    say: [charge],
  })
}

export const refunded = (order: OrderDoc, refund: string, amount: Money, now: number): Moved | null => {
  const known = refundsOf(order)
  if (!known.some(({ id, settled, failed }) => id === refund && !settled && !failed)) return null
  const settled = posted(refundSettled({ order: order.id, refund, amount, at: now }))
  return take(order, {
    step: 'refunded',
    by: { role: 'system' },
    now,
    data: { refund, amount },
    say: [settled],
    change: { refunds: known.map((one) => (one.id === refund ? { ...one, settled: true } : one)) },
  })
}

/** The money is still with us, or is back: it is kept as the buyer's credit until people find another way. */
export const refundFailed = (order: OrderDoc, refund: string, code: string, now: number): Moved | null => {
  const known = refundsOf(order)
  const found = known.find(({ id, failed }) => id === refund && !failed)
  if (!found) return null
  const amount: Money = { amount: found.amount, currency: order.price.currency }
  const { credited: before = 0, writtenOff = 0 } = order
  // What the card's bank has given them in the meantime they do not get again.
  const twice = Math.min(found.amount, writtenOff)
  const about = { order: order.id, refund, amount, buyer: order.buyer.id, wasSettled: found.settled, twice, at: now }
  return take(order, {
    step: 'refund_failed',
    by: { role: 'system' },
    now,
    data: { refund, amount, code },
    say: [posted(credited(about))],
    change: {
      refunds: known.map((one) => (one.id === refund ? { ...one, failed: true } : one)),
      credited: before + found.amount - twice,
      writtenOff: writtenOff - twice,
    },
  })
}

export const declined = (order: OrderDoc, by: By, code: string, now: number): Moved =>
  take(order, { step: 'payment_failed', by, now, data: { code } })
