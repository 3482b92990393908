// Ending an order before it is done: alone, together, or by silence; what was paid goes back. Pure.
import { refuse } from '../../errors.ts'
import type { OrderDoc } from '../state.ts'
import { CANCEL_SILENCE_MS, isTooLate } from '../timing.ts'
import { leftOf, refunding } from './refunding.ts'
import { AT_REST, take, type By, type Moved, type Take } from './taking.ts'

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
export const cancelled = (order: OrderDoc, how: Take): Moved => {
  const back = refunding(order, leftOf(order), how.now)
  return take(order, {
    ...how,
    say: back.say,
    change: { ...back.change, ...AT_REST },
  })
}
