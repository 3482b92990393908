// From the answers to the accepted delivery: what buyer and seller do while work is under way. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { refuse } from '../../errors.ts'
import { completed } from '../../ledger/contract.ts'
import { sharesOf, taxShareOf } from '../allocation.ts'
import { goneOf, type OrderDoc } from '../state.ts'
import { AUTO_COMPLETE_MS, DAY_MS, REVISION_MS } from '../timing.ts'
import { clearsAt } from './clearing.ts'
import { forbidden, posted, take, type By, type Change, type Moved } from './taking.ts'

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
export const workingMs = ({ chosen, extras }: OrderDoc): number =>
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
    change: { late: false, extension: null, autoCompleteAt: now + AUTO_COMPLETE_MS },
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

export const complete = (
  order: OrderDoc,
  step: 'accepted' | 'auto_completed',
  by: By,
  now: number,
  command?: string,
): Moved => take(order, { step, by, now, command, ...releasing(order, now) })

/** What is left of the held money is earned and begins to clear. */
export const releasing = (order: OrderDoc, now: number): { change: Change; say: Said[] } => {
  const { id, seller, price, policy } = order
  const shares = sharesOf(price, policy, goneOf(order))
  const released = completed({
    order: id,
    seller: seller.id,
    currency: price.currency,
    subtotal: shares.seller + shares.commission,
    serviceFee: shares.serviceFee,
    commission: shares.commission,
    tax: taxShareOf(shares, policy),
    at: now,
  })
  const about = { order: id, gig: order.gig.id, buyer: order.buyer.id, seller: seller.id, at: now }
  return {
    say: [posted(released), { name: 'order.completed', data: about }],
    change: {
      autoCompleteAt: null,
      cancel: null,
      refundOffer: null,
      completedAt: now,
      clearsAt: clearsAt(order, now),
    },
  }
}
