// Charges: each attempt to take a payment, with its fee and its balance transaction.
import { post } from './balance.ts'
import type { DisputeTold } from './disputes.ts'
import type { TestMethod } from './methods.ts'
import type { Json, Stored, StripeObject } from './store.ts'
import { warn } from './warnings.ts'
import { find, list, LIST_FIELDS, newId, seconds, type Route, type World } from './world.ts'

/** What the provider keeps of each charge: 2.9 % and 30 minor units. */
export const feeOf = (amount: number): number => Math.round((amount * 29) / 1000) + 30

const KIND = 'charge'

type Attempt = { method: TestMethod; error?: { code: string; message: string } }

export const charge = (world: World, intent: Stored, attempt: Attempt): StripeObject => {
  const body = newCharge(world, intent.body, attempt)
  if (!attempt.error) {
    const amount = body.amount as number
    const transaction = post(world, {
      account: intent.account,
      type: 'charge',
      amount,
      fee: feeOf(amount),
      currency: String(body.currency),
      source: body.id,
      availableAt: world.now() + (attempt.method.availableAtOnce ? 0 : world.settings.chargeAvailableMs),
    })
    body.balance_transaction = transaction.id
  }
  const trouble = attempt.error ? null : disputePlan(world, attempt.method)
  const stored: Stored = {
    account: intent.account,
    parent: intent.body.id,
    body,
    ...(trouble && { dueAt: world.now() + trouble.afterMs, plan: trouble.told }),
  }
  world.store.put(stored)
  if (!attempt.error && attempt.method.warned) warn(world, stored, 'made_with_stolen_card')
  return body
}

/** Some payments are disputed, because of their card or on request. */
const disputePlan = (world: World, method: TestMethod): { told: DisputeTold; afterMs: number } | null => {
  const fault = world.faults.take(['disputed_later'], 'payment_intents.confirm')
  if (fault) return { told: { reason: 'fraudulent', inquiry: false }, afterMs: fault.ms ?? 0 }
  return method.disputed ? { told: method.disputed, afterMs: 0 } : null
}

const newCharge = (world: World, intent: StripeObject, attempt: Attempt): StripeObject => ({
  id: newId('ch'),
  object: KIND,
  amount: intent.amount as number,
  amount_captured: attempt.error ? 0 : (intent.amount as number),
  amount_refunded: 0,
  balance_transaction: null,
  captured: !attempt.error,
  created: seconds(world.now()),
  currency: intent.currency as string,
  description: intent.description as Json,
  disputed: false,
  failure_code: attempt.error?.code ?? null,
  failure_message: attempt.error?.message ?? null,
  livemode: false,
  metadata: intent.metadata as Json,
  paid: !attempt.error,
  payment_intent: intent.id,
  payment_method: intent.payment_method as Json,
  payment_method_details: { type: 'card', card: { brand: attempt.method.brand, last4: attempt.method.last4 } },
  refunded: false,
  status: attempt.error ? 'failed' : 'succeeded',
  transfer_group: intent.transfer_group as Json,
})

export const routes: Route[] = [
  {
    method: 'GET',
    path: '/v1/charges',
    name: 'charges.list',
    fields: { ...LIST_FIELDS, payment_intent: 'text' },
    handle: (world, call) =>
      list(
        world,
        call,
        {
          kind: KIND,
          ...(call.parameters.payment_intent !== undefined && { parent: call.parameters.payment_intent as string }),
        },
        '/v1/charges',
      ),
  },
  {
    method: 'GET',
    path: '/v1/charges/:id',
    name: 'charges.retrieve',
    fields: {},
    handle: (world, call) => find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account }).body,
  },
]
