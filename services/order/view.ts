// An order as its parties see it, and what each of them may do next. Pure.
import { iso, type Caller, type Money } from '../shapes.ts'
import type { TopicEvent } from '../topic.ts'
import type { Order, OrderEvent, OrderStatus } from './contract.ts'
import { proposedTo } from './moves/declining.ts'
import { leadsTo, type StepName } from './process.ts'
import type { OrderDoc, TimelineEvent } from './state.ts'

export type PartyRole = 'buyer' | 'seller'
export const roleOf = (order: Pick<OrderDoc, 'buyerId' | 'sellerId'>, caller: Pick<Caller, 'id'>): PartyRole | null =>
  order.buyerId === caller.id ? 'buyer' : order.sellerId === caller.id ? 'seller' : null

export const allowedActions = (order: OrderDoc, role: PartyRole | null): string[] => {
  if (role === null) return []
  const { status, cancel, revisionsLeft } = order
  const buyer = role === 'buyer'
  const mayCancel = ['awaiting_requirements', 'in_progress', 'delivered'].includes(status) && cancel?.by !== role
  const rows: [action: string, allowed: boolean][] = [
    ['pay', buyer && status === 'awaiting_payment'],
    ['requirements', buyer && status === 'awaiting_requirements'],
    ['deliver', !buyer && status === 'in_progress'],
    ['revision', buyer && status === 'delivered' && revisionsLeft > 0],
    ['extend', status === 'in_progress' && buyer === Boolean(order.extension)],
    ['decline', proposedTo(order, role).length > 0],
    ['accept', buyer && status === 'delivered'],
    ['cancel', mayCancel || (buyer && status === 'awaiting_payment')],
    ['review', status === 'completed' && !order.reviewedBy.includes(role)],
  ]
  return rows.filter(([, allowed]) => allowed).map(([action]) => action)
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
    late: order.late || (order.status === 'in_progress' && order.dueAt !== null && now > order.dueAt),
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
    allowedActions: allowedActions(order, role),
    createdAt: iso(order.createdAt),
    // Every move appends one event: their number is what others may compare.
    version: order.timeline.length,
  }
}

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
  return order.timeline.flatMap((event, at) => {
    status = leadsTo(event.type as StepName, status) ?? status
    if (at < after) return []
    const data = {
      order: order.id,
      status: at === order.timeline.length - 1 ? order.status : status,
      ...publicEvent(event),
    }
    return [{ seq: event.seq, data }]
  })
}
