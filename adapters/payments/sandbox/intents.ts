// Payment intents: created, confirmed with one of the provider's test cards, authenticated by a person, or canceled.
import { emit } from './events.ts'
import { charge } from './charges.ts'
import { METHODS, type TestMethod } from './methods.ts'
import { invalid, missing, Problem } from './problem.ts'
import type { Json, Stored, StripeObject } from './store.ts'
import type { Parameters } from './parameters.ts'
import {
  change,
  find,
  list,
  LIST_FIELDS,
  newId,
  positiveAmount,
  randomName,
  seconds,
  type Call,
  type Route,
  type World,
} from './world.ts'

/** The smallest payment the card networks take, in minor units. */
export const PAYMENT_AMOUNT_MIN = 50

const KIND = 'payment_intent'

export const routes: Route[] = [
  {
    method: 'POST',
    path: '/v1/payment_intents',
    name: 'payment_intents.create',
    fields: {
      amount: 'integer!',
      currency: 'currency!',
      metadata: 'metadata',
      description: 'text',
      transfer_group: 'text',
      payment_method: 'text',
      allowed_payment_method_types: 'list',
      payment_method_types: 'list',
      capture_method: 'automatic|automatic_async|manual',
      confirm: 'boolean',
      return_url: 'url',
      automatic_payment_methods: { enabled: 'boolean!', allow_redirects: 'always|never' },
      receipt_email: 'text',
      statement_descriptor_suffix: 'text',
    },
    handle: (world, call) => create(world, call),
  },
  {
    method: 'GET',
    path: '/v1/payment_intents',
    name: 'payment_intents.list',
    fields: LIST_FIELDS,
    handle: (world, call) => list(world, call, { kind: KIND }, '/v1/payment_intents'),
  },
  {
    method: 'GET',
    path: '/v1/payment_intents/:id',
    name: 'payment_intents.retrieve',
    fields: { client_secret: 'text' },
    handle: (world, call) => intent(world, call).body,
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/:id/confirm',
    name: 'payment_intents.confirm',
    fields: { payment_method: 'text', return_url: 'url', receipt_email: 'text', off_session: 'boolean' },
    handle: (world, call) => confirm(world, intent(world, call), call.parameters),
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/:id/cancel',
    name: 'payment_intents.cancel',
    fields: { cancellation_reason: 'abandoned|duplicate|fraudulent|requested_by_customer' },
    handle: (world, call) => cancel(world, intent(world, call), call.parameters),
  },
]

const intent = (world: World, call: Call): Stored =>
  find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account })

const create = (world: World, call: Call): Json => {
  const {
    amount,
    currency,
    confirm: confirmed,
  } = call.parameters as { amount: number; currency: string; confirm?: boolean }
  positiveAmount(amount)
  if (call.parameters.capture_method === 'manual')
    throw invalid('The sandbox captures at once.', undefined, 'capture_method')
  if (amount < PAYMENT_AMOUNT_MIN)
    throw invalid(`Amount must be at least ${PAYMENT_AMOUNT_MIN} ${currency}.`, 'amount_too_small', 'amount')
  const body = newIntent(world, call.parameters)
  const stored: Stored = { account: call.account, body }
  world.store.put(stored)
  return confirmed ? confirm(world, stored, call.parameters) : body
}

const newIntent = (world: World, parameters: Parameters): StripeObject => {
  const id = newId('pi')
  return {
    id,
    object: KIND,
    amount: parameters.amount as number,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: `${id}_secret_${randomName(25)}`,
    confirmation_method: 'automatic',
    created: seconds(world.now()),
    currency: parameters.currency as string,
    customer: null,
    description: (parameters.description as string) ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: (parameters.metadata as Record<string, string>) ?? {},
    next_action: null,
    payment_method: (parameters.payment_method as string) ?? null,
    payment_method_types: ['card'],
    receipt_email: (parameters.receipt_email as string) ?? null,
    status: parameters.payment_method ? 'requires_confirmation' : 'requires_payment_method',
    transfer_group: (parameters.transfer_group as string) ?? null,
  }
}

const CONFIRMABLE: Json[] = ['requires_payment_method', 'requires_confirmation', 'requires_action']

const confirm = (world: World, stored: Stored, parameters: Parameters): Json => {
  if (!CONFIRMABLE.includes(stored.body.status as Json)) throw unexpectedState(stored.body, 'confirm')
  const name = (parameters.payment_method ?? stored.body.payment_method) as string | null
  if (!name)
    throw invalid(
      'You cannot confirm this PaymentIntent because it is missing a payment method.',
      'payment_intent_unexpected_state',
    )
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  if (!method) throw missing('PaymentMethod', name, 'payment_method')
  change(world, stored, { payment_method: name })
  if (method.outcome === 'authenticates')
    return askForAuthentication(world, stored, (parameters.return_url as string) ?? null)
  if (method.outcome === 'declines') throw decline(world, stored, method)
  return succeed(world, stored, method)
}

const succeed = (world: World, stored: Stored, method: TestMethod): StripeObject => {
  const paid = charge(world, stored, { method })
  const body = change(
    world,
    stored,
    {
      status: 'succeeded',
      amount_received: stored.body.amount as number,
      latest_charge: paid.id,
      next_action: null,
      last_payment_error: null,
    },
    { plan: null },
  )
  emit(world, 'payment_intent.succeeded', body, stored.account)
  return body
}

/** The attempt stays on record; the payment waits for another card. */
const decline = (world: World, stored: Stored, method: TestMethod): Problem => {
  const error = {
    type: 'card_error' as const,
    code: method.code ?? 'card_declined',
    message: method.message ?? 'Your card was declined.',
    ...(method.declineCode && { decline_code: method.declineCode }),
  }
  const failed = charge(world, stored, { method, error })
  const lastError = {
    ...error,
    charge: failed.id,
    payment_method: { id: String(stored.body.payment_method), object: 'payment_method', type: 'card' },
  }
  const body = change(
    world,
    stored,
    {
      status: 'requires_payment_method',
      payment_method: null,
      latest_charge: failed.id,
      next_action: null,
      last_payment_error: lastError,
    },
    { plan: null },
  )
  emit(world, 'payment_intent.payment_failed', body, stored.account)
  return new Problem(402, { ...lastError, payment_intent: body }, true)
}

const askForAuthentication = (world: World, stored: Stored, returnUrl: string | null): Json => {
  const token = randomName(32)
  const url = `${world.origin()}/authenticate/${stored.body.id}/${token}`
  const body = change(
    world,
    stored,
    {
      status: 'requires_action',
      next_action: { type: 'redirect_to_url', redirect_to_url: { url, return_url: returnUrl } },
    },
    { plan: { token, method: stored.body.payment_method as string, returnUrl } },
  )
  emit(world, 'payment_intent.requires_action', body, stored.account)
  return body
}

/** A person's answer on the authentication page. Answers where to send the person next. */
export const authenticate = (
  world: World,
  answer: { id: string; token: string; approved: boolean },
): StripeObject | undefined => {
  const stored = awaitingAuthentication(world, answer.id, answer.token)
  const method = stored && METHODS[(stored.plan as { method: string }).method]
  if (!stored || !method) return undefined
  if (answer.approved && !method.code) return succeed(world, stored, method)
  decline(
    world,
    stored,
    answer.approved
      ? method
      : {
          ...method,
          code: 'payment_intent_authentication_failure',
          message: 'The provided payment method has failed authentication. You can provide another one and try again.',
        },
  )
  return stored.body
}

export const awaitingAuthentication = (world: World, id: string, token: string): Stored | undefined => {
  const stored = world.store.get(id)
  const plan = stored?.plan as { token?: string } | null | undefined
  return stored?.body.status === 'requires_action' && plan?.token === token ? stored : undefined
}

const cancel = (world: World, stored: Stored, parameters: Parameters): Json => {
  if (!CONFIRMABLE.includes(stored.body.status as Json)) throw unexpectedState(stored.body, 'cancel')
  const body = change(
    world,
    stored,
    {
      status: 'canceled',
      canceled_at: seconds(world.now()),
      next_action: null,
      cancellation_reason: (parameters.cancellation_reason as string) ?? null,
    },
    { plan: null },
  )
  emit(world, 'payment_intent.canceled', body, stored.account)
  return body
}

const unexpectedState = (body: StripeObject, verb: string): Problem =>
  new Problem(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    payment_intent: body,
    message: `You cannot ${verb} this PaymentIntent because it has a status of ${String(body.status)}.`,
  })
