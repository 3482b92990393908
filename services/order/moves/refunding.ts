// Money that goes back: from what is held, or, once the order is completed, from those who have it. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { refundAccepted, refundShared } from '../../ledger/contract.ts'
import type { Money } from '../../shapes.ts'
import { givenUp } from '../allocation.ts'
import { goneOf, refundsOf, type OrderDoc } from '../state.ts'
import { posted, type Change } from './taking.ts'

/** What of the price has not gone back. */
export const leftOf = (order: OrderDoc): number => order.price.total - goneOf(order)

/** The change and the words of one refund, for the step that causes it. Nothing for nothing. */
export const refunding = (order: OrderDoc, amount: number, at: number): { change: Change; say: Said[] } => {
  if (amount === 0) return { change: {}, say: [] }
  const { id: orderId, seller, price, policy, completedAt, clearedAt } = order
  const known = refundsOf(order)
  const id = `${orderId}-refund-${known.length + 1}`
  const money: Money = { amount, currency: price.currency }
  const about = { order: orderId, refund: id, amount: money, at }
  const entry =
    completedAt === null
      ? refundAccepted(about)
      : refundShared({
          ...about,
          seller: seller.id,
          from: clearedAt === null ? 'clearing' : 'available',
          shares: givenUp(price, policy, goneOf(order), amount),
        })
  return {
    change: { refunds: [...known, { id, amount, settled: false }] },
    say: [posted(entry), { name: 'order.refund.requested', data: { order: orderId, refund: id, amount: money } }],
  }
}
