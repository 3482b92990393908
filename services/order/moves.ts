// Every move of an order as a pure decision: (order, who, what, now) → the next order, what it says, or a refusal.
import type { Said } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { charged, cleared, completed, refundAccepted, refundSettled } from '../ledger/contract.ts'
import type { Posting } from '../ledger/contract.ts'
import { iso, type Money } from '../shapes.ts'
import { leadsTo, type Role, type StepName } from './process.ts'
import { COMMANDS_MAX, TIMELINE_MAX, type OrderDoc, type TimelineEvent } from './state.ts'
import { AUTO_COMPLETE_MS, CANCEL_SILENCE_MS, DAY_MS, isTooLate, REVISION_MS, timersOf, wakeAtOf } from './timing.ts'

export type By = { role: Role; id?: string }
export type Moved = { next: OrderDoc; say: Said[] }
type Change = Partial<OrderDoc>
type Take = {
  step: StepName
  by: By
  now: number
  change?: Change
  data?: Record<string, unknown>
  say?: Said[]
  command?: string | undefined
}

/** Takes one step of the table: the status it leads to, the event it appends, the timer that is then next. */
const take = (order: OrderDoc, { step, by, now, change = {}, data = {}, say = [], command }: Take): Moved => {
  const status = leadsTo(step, order.status)
  if (status === null) throw forbidden(order, step)
  if (order.timeline.length >= TIMELINE_MAX) throw refuse('conflict', 'this order has seen too many moves')
  const event: TimelineEvent = { seq: order.timeline.length + 1, type: step, at: now, actor: by, data }
  const remembered = command ? remembering(order, command) : order
  const next: OrderDoc = { ...remembered, ...change, status, timeline: [...order.timeline, event] }
  return { next: { ...next, wakeAt: wakeAtOf(next) }, say: UNTOLD.has(step) ? say : [moved(order, step, by), ...say] }
}

/** Steps that are nobody's news. */
const UNTOLD: ReadonlySet<StepName> = new Set(['payment_failed'])
const moved = ({ id, buyer, seller, gig }: OrderDoc, step: StepName, by: By): Said => ({
  name: 'order.moved',
  data: { order: id, step, by: by.role, buyer: buyer.id, seller: seller.id, gig: gig.title },
})

/** The order with one more command known to it. */
export const remembering = (order: OrderDoc, command: string): OrderDoc => ({
  ...order,
  commands: [...order.commands, command].slice(-COMMANDS_MAX),
})

const forbidden = (order: OrderDoc, step: string) =>
  refuse('invalid_transition', `${step.replaceAll('_', ' ')} is not possible while the order is ${order.status}`)

// ---- what parties ask

export const answer = (
  order: OrderDoc,
  by: By,
  answers: readonly { id: string; answer: string }[],
  now: number,
  command?: string,
): Moved => {
  if (order.status !== 'awaiting_requirements') throw forbidden(order, 'requirements')
  const given = new Map(answers.map((one) => [one.id, one.answer.trim()]))
  const unknown = answers.filter(({ id }) => !order.requirements.some((asked) => asked.id === id))
  const missing = order.requirements.filter(({ id, required }) => required && !given.get(id))
  if (unknown.length + missing.length > 0) {
    const errors = [
      ...unknown.map(({ id }) => ({ path: `answers.${id}`, message: 'is not a question of this order' })),
      ...missing.map(({ id, question }) => ({ path: `answers.${id}`, message: `is required: ${question}` })),
    ]
    throw refuse('validation_failed', 'not every required question is answered', { errors })
  }
  const requirements = order.requirements.map((asked) => ({
    ...asked,
    ...(given.get(asked.id) && { answer: given.get(asked.id)! }),
  }))
  return take(order, {
    step: 'requirements_answered',
    by,
    now,
    command,
    change: { requirements, dueAt: now + workingMs(order) },
  })
}

/** The delivery clock's length: the package's days and what the extras add. */
const workingMs = ({ chosen, extras }: OrderDoc): number =>
  (chosen.deliveryDays + extras.reduce((days, { addedDays }) => days + addedDays, 0)) * DAY_MS

export const deliver = (
  order: OrderDoc,
  by: By,
  delivery: { message: string; files: string[] },
  now: number,
  command?: string,
): Moved =>
  take(order, {
    step: 'delivered',
    by,
    now,
    command,
    data: delivery,
    change: { late: false, autoCompleteAt: now + AUTO_COMPLETE_MS },
  })

export const revise = (order: OrderDoc, by: By, message: string, now: number, command?: string): Moved => {
  if (order.status === 'delivered' && order.revisionsLeft < 1)
    throw refuse('invalid_transition', 'no revisions are left in this package')
  return take(order, {
    step: 'revision_requested',
    by,
    now,
    command,
    data: { message },
    change: {
      revisionsLeft: order.revisionsLeft - 1,
      autoCompleteAt: null,
      dueAt: Math.max(order.dueAt ?? 0, now + REVISION_MS),
    },
  })
}

export const accept = (order: OrderDoc, by: By, now: number, command?: string): Moved =>
  complete(order, 'accepted', by, now, command)

const complete = (
  order: OrderDoc,
  step: 'accepted' | 'auto_completed',
  by: By,
  now: number,
  command?: string,
): Moved => {
  const { id, seller, price } = order
  const released = completed({
    order: id,
    seller: seller.id,
    currency: price.currency,
    subtotal: price.subtotal,
    serviceFee: price.serviceFee,
    commission: price.commission,
    at: now,
  })
  const about = { order: id, gig: order.gig.id, buyer: order.buyer.id, seller: seller.id, at: now }
  return take(order, {
    step,
    by,
    now,
    command,
    say: [posted(released), { name: 'order.completed', data: about }],
    change: { autoCompleteAt: null, cancel: null, completedAt: now, clearsAt: now + order.clearingMs },
  })
}

export const cancel = (order: OrderDoc, by: By, reason: string, now: number, command?: string): Moved => {
  const role = by.role as 'buyer' | 'seller'
  const asked = { by, now, command, data: { reason } }
  if (order.status === 'awaiting_payment') {
    if (role !== 'buyer') throw refuse('forbidden', 'only the buyer can cancel an order that is not paid')
    return take(order, {
      ...asked,
      step: 'cancelled_unpaid',
      say: [{ name: 'order.abandoned', data: { order: order.id } }],
    })
  }
  if (role === 'buyer' && order.status === 'awaiting_requirements')
    return cancelled(order, { ...asked, step: 'cancelled_before_work' })
  if (role === 'buyer' && isTooLate(order, now)) return cancelled(order, { ...asked, step: 'cancelled_late' })
  if (order.cancel && order.cancel.by !== role) return cancelled(order, { ...asked, step: 'cancelled' })
  if (order.cancel)
    throw refuse('invalid_transition', 'you have proposed to cancel already; the other party has not answered yet')
  return take(order, {
    ...asked,
    step: 'cancel_proposed',
    change: { cancel: { by: role, reason, agreedAt: now + CANCEL_SILENCE_MS } },
  })
}

/** Everything that was paid goes back, the service fee too. */
const cancelled = (order: OrderDoc, how: Take): Moved => {
  const refund = refundOf(order)
  return take(order, {
    ...how,
    say: refund.say(how.now),
    change: { refund: refund.state, cancel: null, dueAt: null, autoCompleteAt: null, late: false },
  })
}

const refundOf = (order: OrderDoc) => {
  const id = `${order.id}-refund-1`
  const amount: Money = { amount: order.price.total, currency: order.price.currency }
  return {
    state: { id, amount: amount.amount, settled: false },
    say: (at: number): Said[] => [
      posted(refundAccepted({ order: order.id, refund: id, amount, at })),
      { name: 'order.refund.requested', data: { order: order.id, refund: id, amount } },
    ],
  }
}

// ---- what payments tell

export type Paid = { payment: string; amount: Money; fee: Money }

export const paid = (order: OrderDoc, { payment, amount, fee }: Paid, now: number): Moved | null => {
  if (order.paidAt !== null) return null
  const charge = posted(charged({ order: order.id, payment, amount, fee, at: now }))
  const about = { by: { role: 'system' as const }, now, data: { payment, amount } }
  const change: Change = { paidAt: now, payment: order.payment && { ...order.payment, status: 'succeeded' } }
  if (order.status !== 'awaiting_payment') {
    const refund = refundOf(order)
    return take(order, {
      ...about,
      step: 'paid_too_late',
      change: { ...change, refund: refund.state },
      say: [charge, ...refund.say(now)],
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
  if (order.refund?.id !== refund || order.refund.settled) return null
  const settled = posted(refundSettled({ order: order.id, refund, amount, at: now }))
  return take(order, {
    step: 'refunded',
    by: { role: 'system' },
    now,
    data: { refund, amount },
    say: [settled],
    change: { refund: { ...order.refund, settled: true } },
  })
}

export const declined = (order: OrderDoc, by: By, code: string, now: number): Moved =>
  take(order, { step: 'payment_failed', by, now, data: { code } })

// ---- what the clock does

/** The due timer's step; null when none is due (the order moved on since it was found). */
export const wake = (order: OrderDoc, now: number): Moved | null => {
  const due = timersOf(order)[0]
  if (!due || due.at > now) return null
  const by: By = { role: 'clock' }
  switch (due.step) {
    case 'expired':
      return take(order, { step: 'expired', by, now, say: [{ name: 'order.abandoned', data: { order: order.id } }] })
    case 'late':
      return take(order, { step: 'late', by, now, change: { late: true }, data: { dueAt: iso(due.at) } })
    case 'auto_completed':
      return complete(order, 'auto_completed', by, now)
    case 'cancelled_by_silence':
      return cancelled(order, { step: 'cancelled_by_silence', by, now, data: { reason: order.cancel?.reason ?? '' } })
    case 'cleared': {
      const amount = { amount: order.price.subtotal - order.price.commission, currency: order.price.currency }
      const entry = cleared({ order: order.id, seller: order.seller.id, amount, at: now })
      return take(order, { step: 'cleared', by, now, say: [posted(entry)], change: { clearedAt: now } })
    }
  }
}

const posted = (entry: Posting): Said => ({ name: 'order.posted', data: { entries: [entry] } })
