// One step of the table, taken: the status it leads to, the event it appends, the timer that is then next. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { refuse } from '../../errors.ts'
import type { Posting } from '../../ledger/contract.ts'
import { leadsTo, type Role, type StepName } from '../process.ts'
import { COMMANDS_MAX, TIMELINE_MAX, type OrderDoc, type TimelineEvent } from '../state.ts'
import { isFrozen, wakeAtOf } from '../timing.ts'

export type By = { role: Role; id?: string }
export type Moved = { next: OrderDoc; say: Said[] }
export type Change = Partial<OrderDoc>
export type Take = {
  step: StepName
  by: By
  now: number
  change?: Change
  data?: Record<string, unknown>
  say?: Said[]
  command?: string | undefined
}

/** Takes one step of the table: the status it leads to, the event it appends, the timer that is then next. */
export const take = (order: OrderDoc, { step, by, now, change = {}, data = {}, say = [], command }: Take): Moved => {
  const status = leadsTo(step, order.status, order.dispute?.former)
  if (status === null) throw forbidden(order, step)
  if (isFrozen(order) && by.role !== 'system' && !WHILE_FROZEN.has(step))
    throw refuse('invalid_transition', "the card's bank has taken the payment back; nothing moves until it has decided")
  if (order.timeline.length >= TIMELINE_MAX) throw refuse('conflict', 'this order has seen too many moves')
  const event: TimelineEvent = { seq: order.timeline.length + 1, type: step, at: now, actor: by, data }
  const remembered = command ? remembering(order, command) : order
  const next: OrderDoc = { ...remembered, ...change, status, timeline: [...order.timeline, event] }
  return { next: { ...next, wakeAt: wakeAtOf(next) }, say: UNTOLD.has(step) ? say : [moved(order, step, by), ...say] }
}

/** Nothing is proposed and no clock of the work runs any more. */
export const AT_REST = {
  cancel: null,
  extension: null,
  refundOffer: null,
  dueAt: null,
  autoCompleteAt: null,
  late: false,
} as const satisfies Change
/** Nor does any money clear: all of it has gone back. */
export const ENDED = { ...AT_REST, clearsAt: null } as const satisfies Change

/** What is not paid for yet ends all the same. */
const WHILE_FROZEN: ReadonlySet<StepName> = new Set([
  'tip_declined',
  'tip_expired',
  'extras_declined',
  'extras_expired',
])
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

export const forbidden = (order: OrderDoc, step: string) =>
  refuse('invalid_transition', `${step.replaceAll('_', ' ')} is not possible while the order is ${order.status}`)

export const posted = (entry: Posting): Said => ({ name: 'order.posted', data: { entries: [entry] } })
