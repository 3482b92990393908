// What the payment actor tells an order, as moves. Pure: the order as it is and what was told → the move, or null where it was
// told before.
import type { Events } from '../contract.ts'
import { refuse } from '../errors.ts'
import * as moves from './moves.ts'
import { isTip, type OrderDoc } from './state.ts'

type HeardMove<E extends keyof Events> = (order: OrderDoc, data: Events[E], now: number) => moves.Moved | null

const HEARD = {
  'payment.succeeded': (order, data, now) =>
    data.charge === undefined
      ? moves.paid(order, data, now)
      : isTip(order, data.charge)
        ? moves.tipPaid(order, data.charge, data, now)
        : moves.extrasPaid(order, data.charge, data, now),
  'payment.refunded': (order, { refund, amount }, now) => moves.refunded(order, refund, amount, now),
  'payment.refund.failed': (order, { refund, code }, now) => moves.refundFailed(order, refund, code, now),
  'payment.disputed': (order, data, now) => moves.chargedBack(paidFor(order, data.charge), data, now),
  'payment.dispute.closed': (order, data, now) => moves.chargebackClosed(paidFor(order, data.charge), data, now),
  'payment.warned': (order, data, now) => moves.warned(paidFor(order, data.charge), data, now),
} as const satisfies { [E in keyof Events]?: HeardMove<E> }
export type HeardName = keyof typeof HEARD

export const heardMove = <E extends HeardName>(name: E, order: OrderDoc, data: Events[E], now: number) =>
  (HEARD[name] as unknown as HeardMove<E>)(order, data, now)

/** Different payments are told of side by side: what comes before its payment is told again. */
const paidFor = (order: OrderDoc, charge: string | undefined): OrderDoc => {
  if (moves.isUnpaid(order, charge)) throw refuse('unavailable', `${charge ?? order.id} has not been heard as paid yet`)
  return order
}
