// When the parties cannot agree: everything stands still until the other side agrees, stays silent, or an admin decides.
// Pure. What was frozen goes on where it stood when the claimant withdraws.
import type { Said } from '../../../mixins/actor.ts'
import { refuse } from '../../errors.ts'
import { iso, type Money } from '../../shapes.ts'
import type { Dispute, OrderDoc } from '../state.ts'
import { DISPUTE_ANSWER_MS, shifted } from '../timing.ts'
import { leftOf, refunding } from './refunding.ts'
import { AT_REST, forbidden, take, type By, type Change, type Moved, type Take } from './taking.ts'
import { releasing } from './working.ts'

/** Disputes one order may have; opening and withdrawing must not stop its clocks for ever. */
export const DISPUTES_MAX = 3

export const mayDispute = (order: OrderDoc, role: 'buyer' | 'seller'): boolean =>
  (order.disputesOpened ?? 0) < DISPUTES_MAX &&
  (order.status === 'in_progress' ||
    order.status === 'delivered' ||
    (order.status === 'completed' && role === 'buyer' && order.clearedAt === null))

export type Claim = { id: string; reason: string; text?: string | undefined }

export const dispute = (order: OrderDoc, by: By, { id, reason, text }: Claim, now: number, command?: string): Moved => {
  const { status } = order
  if (status === 'completed' && by.role === 'seller')
    throw refuse('invalid_transition', 'only the buyer disputes what is completed')
  if (status === 'completed' && order.clearedAt !== null)
    throw refuse('invalid_transition', 'the money has cleared; there is nothing left to hold')
  if ((order.disputesOpened ?? 0) >= DISPUTES_MAX)
    throw refuse('invalid_transition', `this order has been disputed ${DISPUTES_MAX} times`)
  const deadlineAt = now + DISPUTE_ANSWER_MS
  const opened: Dispute = {
    id,
    by: by.role as 'buyer' | 'seller',
    reason,
    ...(text !== undefined && { text }),
    former: status,
    openedAt: now,
    deadlineAt,
  }
  return take(order, {
    step: status === 'completed' ? 'disputed_while_clearing' : 'disputed',
    by,
    now,
    command,
    data: { dispute: id, reason, ...(text !== undefined && { text }), deadlineAt: iso(deadlineAt) },
    change: {
      dispute: opened,
      disputeId: id,
      disputeStatus: 'open',
      disputedAt: now,
      disputesOpened: (order.disputesOpened ?? 0) + 1,
    },
  })
}

/** Agreeing ends it for the claimant; contesting leaves it to an admin. */
export const answerDispute = (
  order: OrderDoc,
  by: By,
  { agree, text }: { agree: boolean; text?: string | undefined },
  now: number,
  command?: string,
): Moved => {
  const open = openDispute(order, 'answering the dispute')
  if (open.by === by.role) throw refuse('forbidden', 'the other party answers a dispute')
  if (order.disputeStatus !== 'open') throw refuse('invalid_transition', 'it has been answered; an admin decides now')
  const data = text === undefined ? {} : { text }
  if (agree) return decided(order, { by, now, command, data: { ...data, how: 'agreed' } })
  return take(order, { step: 'dispute_contested', by, now, command, data, change: { disputeStatus: 'contested' } })
}

export const withdrawDispute = (order: OrderDoc, by: By, now: number, command?: string): Moved => {
  const open = openDispute(order, 'withdrawing the dispute')
  if (open.by !== by.role) throw refuse('forbidden', 'only who opened a dispute withdraws it')
  return take(order, {
    step: 'dispute_withdrawn',
    by,
    now,
    command,
    change: { ...shifted(order, now - open.openedAt), disputeStatus: 'withdrawn' },
  })
}

/** 48 hours without an answer: the claimant is right. */
export const silence = (order: OrderDoc, now: number): Moved =>
  decided(order, { by: { role: 'clock' }, now, data: { how: 'silence' } })

type Decision = Omit<Take, 'step'>
const decided = (order: OrderDoc, how: Decision): Moved =>
  order.dispute!.by === 'buyer' ? toBuyer(order, how) : toSeller(order, how)

/** An admin gives the buyer an amount; what is left is the seller's, the platform's share of it the platform's. */
export const resolve = (
  order: OrderDoc,
  by: By,
  { buyerAmount, reason }: { buyerAmount: Money; reason: string },
  now: number,
  command?: string,
): Moved => {
  openDispute(order, 'resolving the dispute')
  const { currency } = order.price
  const left = leftOf(order)
  if (buyerAmount.currency !== currency || buyerAmount.amount < 0 || buyerAmount.amount > left)
    throw refuse('validation_failed', `the buyer can be given 0 to ${left} ${currency}`, {
      errors: [{ path: 'buyerAmount', message: `must be 0 to ${left} ${currency}` }],
    })
  const how: Decision = { by, now, command, data: { how: 'decided', buyerAmount, reason } }
  if (buyerAmount.amount === left) return toBuyer(order, how)
  if (buyerAmount.amount === 0) return toSeller(order, how)
  const given = refunding(order, buyerAmount.amount, now)
  const kept = settled({ ...order, ...given.change }, now)
  return take(order, {
    ...how,
    step: 'dispute_split',
    change: { ...given.change, ...kept.change },
    say: [...given.say, ...kept.say],
  })
}

const toBuyer = (order: OrderDoc, how: Decision): Moved => {
  const given = refunding(order, leftOf(order), how.now)
  const { tips } = shifted(order, how.now - order.dispute!.openedAt)
  return take(order, {
    ...how,
    step: 'dispute_won_by_buyer',
    change: { ...given.change, ...CLOSED, clearsAt: null, ...(tips && { tips }) },
    say: given.say,
  })
}

const toSeller = (order: OrderDoc, how: Decision): Moved =>
  take(order, { ...how, step: 'dispute_won_by_seller', ...settled(order, how.now) })

/** Completed now, or, when it was before, clearing again from where it stood. */
const settled = (order: OrderDoc, now: number): { change: Change; say: Said[] } => {
  if (order.completedAt === null) {
    const released = releasing(order, now)
    return { change: { ...CLOSED, ...released.change }, say: released.say }
  }
  const { clearsAt, tips } = shifted(order, now - order.dispute!.openedAt)
  return { change: { ...CLOSED, clearsAt, ...(tips && { tips }) }, say: [] }
}

const CLOSED = { ...AT_REST, disputeStatus: 'resolved' } as const satisfies Change

const openDispute = (order: OrderDoc, asked: string): Dispute => {
  if (order.status !== 'disputed' || !order.dispute) throw forbidden(order, asked)
  return order.dispute
}
