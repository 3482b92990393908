// A further charge of an order, a tip or extras, from the asking to the order that has it: kept first, then paid through an
// operation of its own. Whoever asks again under the same key, or comes after a crash, finds the one charge and its payment.
import type { Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import type { Caller, Money } from '../shapes.ts'
import type { Order } from './contract.ts'
import type { Checkout } from './checkout.ts'
import type { By, Moved } from './moves.ts'
import { PAY_TIMEOUT_MS } from './timing.ts'
import type { OrderDoc } from './state.ts'
import { partyOf, publicOrder } from './view.ts'

export type World = Checkout & {
  /** The order once it has heard what it waits for; as it is when that takes too long. */
  heard(id: string, fits: (order: OrderDoc) => boolean): Promise<OrderDoc>
}
export type Further = {
  id: string
  order: string
  paymentMethod?: string | undefined
  description: string
  find(order: OrderDoc): { status: string } | undefined
  amount(order: OrderDoc): Money
  begin(order: OrderDoc, by: By, now: number, command?: string): Moved
  declined(order: OrderDoc, by: By, now: number, code: string): Moved | null
}

export const charge = async (
  { here, turn, heard }: World,
  { caller, call, meta }: Pick<Ctx, 'call' | 'meta'> & { caller: Caller },
  { id, order: orderId, paymentMethod, ...further }: Further,
): Promise<Order> => {
  const isPending = (state: OrderDoc) => further.find(state)?.status === 'awaiting_payment'
  const begun = await turn(orderId, (state, now) => {
    const by = partyOf(state, caller, ['buyer'])
    // A repeated command finds what it began the first time.
    if (further.find(state!)) return { result: state! }
    const moved = further.begin(state!, by, now, meta.command?.id)
    return { ...moved, result: moved.next }
  })
  if (!isPending(begun)) return publicOrder(begun, caller, here.clock.now())
  const intent = await call('payment.begin', {
    order: orderId,
    charge: id,
    buyer: caller.id,
    amount: further.amount(begun),
    description: `${further.description}: ${begun.gig.title}`.slice(0, 500),
  })
  const outcome = await call(
    'payment.confirm',
    { order: orderId, charge: id, ...(paymentMethod && { paymentMethod }) },
    { timeoutMs: PAY_TIMEOUT_MS },
  )
  if (outcome.declined) {
    const { code, message } = outcome.declined
    const by = { role: 'buyer' as const, id: caller.id }
    await turn(orderId, (state, now) => {
      const moved = further.declined(state!, by, now, code)
      return moved ? { ...moved, result: null } : { result: null }
    })
    throw refuse('payment_declined', message, { data: { declineCode: code } })
  }
  const paid = outcome.status === 'succeeded'
  const now = await heard(orderId, (state) => !paid || !isPending(state))
  const answer = publicOrder(now, caller, here.clock.now())
  if (!isPending(now)) return answer
  const { provider, clientSecret } = intent
  const { status, nextAction } = outcome
  return { ...answer, payment: { provider, clientSecret, status, ...(nextAction && { nextAction }) } }
}
