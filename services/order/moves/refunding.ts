// Money that goes back: from what is held, or, once the order is completed, from those who have it; each part of it to the
// payment it came with. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { refundAccepted, refundShared } from '../../ledger/contract.ts'
import type { Money } from '../../shapes.ts'
import { givenUp, NOTHING, taxShareOf } from '../allocation.ts'
import { chargebacksOf, goneOf, purchasesOf, refundsOf, type OrderDoc, type Refund } from '../state.ts'
import { posted, type Change } from './taking.ts'

/** What of the price has not gone back. */
export const leftOf = (order: OrderDoc): number => order.price.total - goneOf(order)

/** The change and the words of one refund, for the step that causes it. Nothing for nothing. */
export const refunding = (order: OrderDoc, amount: number, at: number): { change: Change; say: Said[] } => {
  const say: Said[] = []
  let state = order
  for (const part of partsOf(order, amount)) {
    const one = refundingOne(state, part, at)
    say.push(...one.say)
    state = { ...state, ...one.change }
  }
  return state === order ? { change: {}, say } : { change: { refunds: [...refundsOf(state)] }, say }
}

type Part = { charge?: string; amount: number; outside?: true }

/** What came for nothing: it never was part of the price, so nobody gives anything up for it. */
export const sendingBack = (order: OrderDoc, charge: string, amount: number, at: number) =>
  refundingOne(order, { charge, amount, outside: true }, at)

const refundingOne = (
  order: OrderDoc,
  { charge, amount, outside }: Part,
  at: number,
): { change: Change; say: Said[] } => {
  const { id: orderId, seller, price, policy, completedAt, clearedAt } = order
  const known = refundsOf(order)
  const id = `${orderId}-refund-${known.length + 1}`
  const money: Money = { amount, currency: price.currency }
  const about = { order: orderId, refund: id, amount: money, at }
  const isHeld = completedAt === null || outside
  const shares = isHeld ? NOTHING : givenUp(price, policy, goneOf(order), amount)
  const entry = isHeld
    ? refundAccepted(about)
    : refundShared({
        ...about,
        seller: seller.id,
        from: clearedAt === null ? 'clearing' : 'available',
        shares,
        tax: taxShareOf(shares, policy),
      })
  const named = charge === undefined ? {} : { charge }
  const refund: Refund = { id, amount, ...named, ...(outside && { outside }), settled: false }
  return {
    change: { refunds: [...known, refund] },
    say: [
      posted(entry),
      { name: 'order.refund.requested', data: { order: orderId, ...named, refund: id, amount: money } },
    ],
  }
}

/** The order's own payment gives first, then what was bought later, each no more than is left of it. */
const partsOf = (order: OrderDoc, amount: number): Part[] => {
  const bought = purchasesOf(order).filter(({ status }) => status === 'paid')
  const own = order.price.total - bought.reduce((sum, { subtotal, serviceFee }) => sum + subtotal + serviceFee, 0)
  const charges: Part[] = [
    { amount: own },
    ...bought.map(({ id, subtotal, serviceFee }) => ({ charge: id, amount: subtotal + serviceFee })),
  ]
  let open = amount
  const parts = charges.map(({ charge, amount: paid }) => {
    const part = Math.min(open, Math.max(0, paid - goneOfCharge(order, charge)))
    open -= part
    return { ...(charge !== undefined && { charge }), amount: part }
  })
  // What no payment has room for is asked of the first all the same: the provider knows, and says so.
  parts[0]!.amount += open
  return parts.filter((part) => part.amount > 0)
}

const goneOfCharge = (order: OrderDoc, charge: string | undefined): number =>
  refundsOf(order).reduce((sum, one) => sum + (one.charge === charge ? one.amount : 0), 0) +
  chargebacksOf(order).reduce((sum, one) => sum + (one.charge === charge ? one.gone : 0), 0)
