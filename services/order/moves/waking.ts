// What the clock does. Pure.
import { cleared } from '../../ledger/contract.ts'
import { iso } from '../../shapes.ts'
import { sharesOf } from '../allocation.ts'
import { goneOf, type OrderDoc } from '../state.ts'
import { timersOf } from '../timing.ts'
import { cancelled } from './cancelling.ts'
import { silence } from './disputing.ts'
import { posted, take, type By, type Moved } from './taking.ts'
import { dropExtras } from './adding.ts'
import { clearTip, dropTip } from './tipping.ts'
import { complete } from './working.ts'

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
    case 'requirements_timed_out':
    case 'stuck_cancelled':
      return cancelled(order, { step: due.step, by, now })
    case 'stuck_warned':
      return take(order, { step: 'stuck_warned', by, now, change: { stuckWarned: true } })
    case 'extension_withdrawn':
      return take(order, { step: 'extension_withdrawn', by, now, change: { extension: null } })
    case 'refund_offer_withdrawn':
      return take(order, { step: 'refund_offer_withdrawn', by, now, change: { refundOffer: null } })
    case 'dispute_silence':
      return silence(order, now)
    case 'tip_expired':
      return dropTip(order, due.charge!, { step: 'tip_expired', by, now })
    case 'tip_cleared':
      return clearTip(order, due.charge!, now)
    case 'extras_expired':
      return dropExtras(order, due.charge!, { step: 'extras_expired', by, now })
    case 'cleared': {
      const { price, policy } = order
      const amount = { amount: sharesOf(price, policy, goneOf(order)).seller, currency: price.currency }
      const entry = cleared({ order: order.id, seller: order.seller.id, amount, at: now })
      return take(order, { step: 'cleared', by, now, say: [posted(entry)], change: { clearedAt: now } })
    }
  }
}
