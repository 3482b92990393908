// What others do to the provider's objects, whenever they please: cardholders and their banks, and the provider's own
// compliance. The platform only hears of it.
import { lift, restrict, type Restriction } from './accounts.ts'
import { decide, escalate, openDispute, type DisputeTold } from './disputes.ts'
import { catchUp } from './due.ts'
import { missing } from './problem.ts'
import type { Stored } from './store.ts'
import { warn } from './warnings.ts'
import type { Webhooks } from './webhooks.ts'
import { find, type World } from './world.ts'

export type Outside = {
  /** A dispute over what is left of a payment; answers its id. */
  dispute(paymentId: string, told?: Partial<DisputeTold>): Promise<string>
  decideDispute(id: string, outcome: 'won' | 'lost'): Promise<void>
  /** An inquiry becomes a dispute. */
  escalateInquiry(id: string): Promise<void>
  /** The issuer believes the payment to be fraud; answers the warning's id. */
  warnOfFraud(paymentId: string): Promise<string>
  /** The provider wants to know more about a seller, and holds money back until it does. */
  restrict(accountId: string, restriction: Restriction): Promise<void>
  lift(accountId: string): Promise<void>
}

export const outsideOf = (world: World, webhooks: Webhooks): Outside => {
  const happens = async <T>(what: () => T): Promise<T> => {
    const result = await world.store.commit(() => {
      catchUp(world)
      return what()
    })
    webhooks.wake()
    return result
  }
  const account = (id: string) => find(world, { kind: 'account', id, account: '' })
  return {
    dispute: (paymentId, told) =>
      happens(
        () => openDispute(world, chargeOf(world, paymentId), { reason: 'fraudulent', inquiry: false, ...told }).id,
      ),
    decideDispute: (id, outcome) =>
      happens(() => decide(world, find(world, { kind: 'dispute', id, account: '' }), outcome)),
    escalateInquiry: (id) => happens(() => escalate(world, find(world, { kind: 'dispute', id, account: '' }))),
    warnOfFraud: (paymentId) => happens(() => warn(world, chargeOf(world, paymentId), 'made_with_stolen_card').id),
    restrict: (id, restriction) => happens(() => restrict(world, account(id), restriction)),
    lift: (id) => happens(() => lift(world, account(id))),
  }
}

const chargeOf = (world: World, paymentId: string): Stored => {
  const payment = find(world, { kind: 'payment_intent', id: paymentId, account: '' })
  const paid = world.store.get(String(payment.body.latest_charge))
  if (!paid) throw missing('charge', paymentId)
  return paid
}
