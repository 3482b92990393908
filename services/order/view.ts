// An order as its parties see it, and what each of them may do next. Pure.
import { refuse } from '../errors.ts'
import { iso, type Caller, type Money } from '../shapes.ts'
import type { TopicEvent } from '../topic.ts'
import type { Dispute, Order, OrderEvent, OrderStatus } from './contract.ts'
import { subtotalShares } from './allocation.ts'
import { amountOf, mayAddExtras } from './moves/adding.ts'
import { proposedTo } from './moves/declining.ts'
import { offerableOf } from './moves/returning.ts'
import { mayDispute } from './moves/disputing.ts'
import { mayTip, tipsOf } from './moves/tipping.ts'
import { isFrozen } from './timing.ts'
import { leadsTo, type StepName } from './process.ts'
import {
  chargebacksOf,
  goneOf,
  purchasesOf,
  refundedOf,
  refundsOf,
  type OrderDoc,
  type TimelineEvent,
} from './state.ts'

export type PartyRole = 'buyer' | 'seller'
export const roleOf = (order: Pick<OrderDoc, 'buyerId' | 'sellerId'>, caller: Pick<Caller, 'id'>): PartyRole | null =>
  order.buyerId === caller.id ? 'buyer' : order.sellerId === caller.id ? 'seller' : null

/** The caller as a party who may make this move: 404 for strangers, 403 for the wrong party. */
export const partyOf = (
  order: OrderDoc | null,
  caller: Caller,
  who: readonly PartyRole[],
): { role: PartyRole; id: string } => {
  const role = order && roleOf(order, caller)
  if (!order || (!role && !caller.roles.includes('admin'))) throw refuse('not_found', 'there is no such order')
  if (!role || !who.includes(role)) throw refuse('forbidden', `that is the ${who.join(' or ')}'s to do`)
  return { role, id: caller.id }
}

export const allowedActions = (order: OrderDoc, role: PartyRole | null, now: number): string[] => {
  if (role === null) return []
  const { status, cancel, revisionsLeft } = order
  const buyer = role === 'buyer'
  const open = ['awaiting_requirements', 'in_progress', 'delivered'].includes(status)
  const mayCancel = open && cancel?.by !== role
  const rows: [action: string, allowed: boolean][] = [
    ['pay', buyer && status === 'awaiting_payment'],
    ['requirements', buyer && status === 'awaiting_requirements'],
    ['deliver', !buyer && status === 'in_progress'],
    ['revision', buyer && status === 'delivered' && revisionsLeft > 0],
    ['extend', status === 'in_progress' && buyer === Boolean(order.extension)],
    ['decline', proposedTo(order, role).length > 0],
    ['extras', buyer && mayAddExtras(order)],
    ['accept', buyer && status === 'delivered'],
    ['cancel', mayCancel || (buyer && status === 'awaiting_payment')],
    ['refund-offer', buyer ? Boolean(order.refundOffer) && open : open && !order.refundOffer && offerableOf(order) > 0],
    ['dispute', mayDispute(order, role)],
    ['dispute/answer', status === 'disputed' && order.disputeStatus === 'open' && order.dispute?.by !== role],
    ['dispute/withdraw', status === 'disputed' && order.dispute?.by === role],
    ['tip', buyer && mayTip(order, now)],
    ['review', status === 'completed' && !order.reviewedBy.includes(role)],
  ]
  // A review moves nothing.
  const mayMove = (action: string) => !isFrozen(order) || action === 'review'
  return rows.filter(([action, allowed]) => allowed && mayMove(action)).map(([action]) => action)
}

export const publicOrder = (
  order: OrderDoc,
  caller: Pick<Caller, 'id'>,
  now: number,
  nextAction?: { type: string; url: string },
): Order => {
  const role = roleOf(order, caller)
  const { currency, subtotal, serviceFee, total } = order.price
  const money = (amount: number): Money => ({ amount, currency })
  const payable = role === 'buyer' && order.status === 'awaiting_payment' && order.payment
  return {
    id: order.id,
    status: order.status,
    late:
      order.late || (!isFrozen(order) && order.status === 'in_progress' && order.dueAt !== null && now > order.dueAt),
    gig: order.gig,
    package: order.chosen,
    ...(order.offer && { offer: order.offer }),
    extras: order.extras,
    quantity: order.quantity,
    buyer: order.buyer,
    seller: order.seller,
    price: { subtotal: money(subtotal), serviceFee: money(serviceFee), total: money(total) },
    requirements: order.requirements,
    ...(payable && {
      payment: {
        provider: payable.provider,
        clientSecret: payable.clientSecret,
        status: payable.status,
        ...(nextAction && { nextAction }),
      },
    }),
    dueAt: order.dueAt === null ? null : iso(order.dueAt),
    autoCompleteAt: order.autoCompleteAt === null ? null : iso(order.autoCompleteAt),
    revisionsLeft: order.revisionsLeft,
    ...(order.cancel && { cancelProposedBy: order.cancel.by }),
    ...(order.extension && {
      extensionProposed: {
        days: order.extension.days,
        reason: order.extension.reason,
        withdrawnAt: iso(order.extension.withdrawnAt),
      },
    }),
    ...(order.refundOffer && {
      refundOffered: {
        amount: money(order.refundOffer.amount),
        reason: order.refundOffer.reason,
        withdrawnAt: iso(order.refundOffer.withdrawnAt),
      },
    }),
    purchases: purchasesOf(order)
      .filter(({ status }) => status !== 'dropped')
      .map((one) => ({
        id: one.id,
        extras: one.extras,
        amount: amountOf(order, one),
        status: one.status,
        at: iso(one.at),
      })),
    tips: tipsOf(order)
      .filter(({ status }) => status !== 'dropped')
      .map(({ id, amount, status, at }) => ({ id, amount: money(amount), status, at: iso(at) })),
    ...(order.dispute && { dispute: publicDispute(order)! }),
    ...(chargebacksOf(order).length > 0 && {
      chargebacks: chargebacksOf(order).map(({ id, amount, reason, status, at }) => ({
        id,
        amount: money(amount),
        reason,
        status,
        at: iso(at),
      })),
    }),
    ...(role === null &&
      order.warnings && { warnings: order.warnings.map(({ id, reason, at }) => ({ id, reason, at: iso(at) })) }),
    ...(refundsOf(order).length > 0 && { refunded: money(refundedOf(order)) }),
    ...(role !== 'buyer' && { fees: feesOf(order) }),
    allowedActions: allowedActions(order, role, now),
    createdAt: iso(order.createdAt),
    // Every move appends one event: their number is what others may compare.
    version: order.timeline.length,
  }
}

const feesOf = (order: OrderDoc) => {
  const { price, policy } = order
  const money = (amount: number): Money => ({ amount, currency: price.currency })
  const { seller, commission, tax } = subtotalShares(price, policy, goneOf(order))
  return { policy: policy.version, commission: money(commission), tax: money(tax), earnings: money(seller) }
}

/** Its last dispute, as parties and admins see it. */
export const publicDispute = ({ id, dispute, disputeStatus = 'open' }: OrderDoc): Dispute | null =>
  dispute
    ? {
        id: dispute.id,
        order: id,
        openedBy: dispute.by,
        reason: dispute.reason,
        ...(dispute.text !== undefined && { text: dispute.text }),
        openedAt: iso(dispute.openedAt),
        deadlineAt: iso(dispute.deadlineAt),
        status: disputeStatus,
      }
    : null

export const publicEvent = ({ seq, type, at, actor, data }: TimelineEvent): OrderEvent => ({
  seq,
  type,
  at: iso(at),
  actor,
  data,
})

/** The events after a number as sockets hear them, each with the status it led to. */
export const toldEvents = (order: OrderDoc, after: number): TopicEvent[] => {
  if (after >= order.timeline.length) return []
  let status: OrderStatus | null = null
  let former: OrderStatus | null = null
  return order.timeline.flatMap((event, at) => {
    const next: OrderStatus | null = leadsTo(event.type as StepName, status, former) ?? status
    if (next === 'disputed' && status !== 'disputed') former = status
    status = next
    if (at < after) return []
    const data = {
      order: order.id,
      status: at === order.timeline.length - 1 ? order.status : status,
      ...publicEvent(event),
    }
    return [{ seq: event.seq, data }]
  })
}
