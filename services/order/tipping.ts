// A tip, from the asking to the order that has it: kept first, then paid through an operation of its own. Whoever asks
// again under the same key, or comes after a crash, finds the one tip and the one payment.
import type { Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import type { order as contract, Order } from './contract.ts'
import type { Checkout } from './checkout.ts'
import * as moves from './moves.ts'
import { PAY_TIMEOUT_MS } from './timing.ts'
import type { OrderDoc } from './state.ts'
import { partyOf, publicOrder } from './view.ts'

type World = Checkout & {
  /** The order once it has heard what it waits for; as it is when that takes too long. */
  heard(id: string, fits: (order: OrderDoc) => boolean): Promise<OrderDoc>
}

export const tip = async (
  { here, turn, heard }: World,
  ctx: Ctx<(typeof contract)['actions']['tip']>,
): Promise<Order> => {
  const { id: orderId, amount, paymentMethod } = ctx.params
  const { command } = ctx.meta
  const id = here.newId('tip', command)
  const isPending = (state: OrderDoc) =>
    moves.tipsOf(state).some((one) => one.id === id && one.status === 'awaiting_payment')
  const begun = await turn(orderId, (state, now) => {
    const by = partyOf(state, ctx.caller, ['buyer'])
    // A repeated command finds the tip it began the first time.
    if (moves.tipsOf(state!).some((one) => one.id === id)) return { result: state! }
    const moved = moves.beginTip(state!, by, { id, amount }, now, command?.id)
    return { ...moved, result: moved.next }
  })
  if (!isPending(begun)) return publicOrder(begun, ctx.caller, here.clock.now())
  const intent = await ctx.call('payment.begin', {
    order: orderId,
    charge: id,
    buyer: ctx.caller.id,
    amount,
    description: `A tip: ${begun.gig.title}`.slice(0, 500),
  })
  const outcome = await ctx.call(
    'payment.confirm',
    { order: orderId, charge: id, ...(paymentMethod && { paymentMethod }) },
    { timeoutMs: PAY_TIMEOUT_MS },
  )
  if (outcome.declined) {
    const { code, message } = outcome.declined
    const by = { role: 'buyer' as const, id: ctx.caller.id }
    await turn(orderId, (state, now) => {
      const moved = moves.dropTip(state!, id, { step: 'tip_declined', by, now, data: { code } })
      return moved ? { ...moved, result: null } : { result: null }
    })
    throw refuse('payment_declined', message, { data: { declineCode: code } })
  }
  const paid = outcome.status === 'succeeded'
  const now = await heard(orderId, (state) => !paid || !isPending(state))
  const answer = publicOrder(now, ctx.caller, here.clock.now())
  if (!isPending(now)) return answer
  const { provider, clientSecret } = intent
  const { status, nextAction } = outcome
  return { ...answer, payment: { provider, clientSecret, status, ...(nextAction && { nextAction }) } }
}
