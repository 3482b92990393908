// An issuer believes a payment to be fraud. What was not delivered goes back at once, which is cheaper than a chargeback;
// anything else is recorded and clears later. Pure.
import { leadsTo } from '../process.ts'
import type { OrderDoc, Warning } from '../state.ts'
import { isFrozen, WARNING_HOLD_MS } from '../timing.ts'
import { cancelled } from './cancelling.ts'
import { take, type Change, type Moved } from './taking.ts'

export type Warned = { warning: string; charge?: string | undefined; reason: string; actionable: boolean }

export const warned = (order: OrderDoc, told: Warned, now: number): Moved | null => {
  const known = order.warnings ?? []
  if (known.some(({ id }) => id === told.warning)) return null
  const { warning: id, charge, reason, actionable } = told
  const one: Warning = { id, ...(charge !== undefined && { charge }), reason, at: now }
  const how = { by: { role: 'system' as const }, now, data: { warning: id, reason } }
  const warnings = [...known, one]
  const back = actionable && charge === undefined && !isFrozen(order)
  if (back && leadsTo('cancelled_on_warning', order.status) !== null) {
    const { next, say } = cancelled(order, { ...how, step: 'cancelled_on_warning' })
    return { next: { ...next, warnings }, say }
  }
  return take(order, { ...how, step: 'fraud_warned', change: { warnings, ...held(order, now) } })
}

/** What is clearing clears no sooner than this. */
const held = (order: OrderDoc, now: number): Change => {
  const until = now + WARNING_HOLD_MS
  return {
    ...(order.clearsAt !== null && order.clearedAt === null && { clearsAt: Math.max(order.clearsAt, until) }),
    ...(order.tips && {
      tips: order.tips.map((tip) =>
        tip.status === 'paid' ? { ...tip, clearsAt: Math.max(tip.clearsAt ?? 0, until) } : tip,
      ),
    }),
  }
}
