// Refunds: at most what is left of the charge, paid from the available balance, and sometimes failing days later.
import { available, post } from './balance.ts'
import { openOver } from './disputes.ts'
import { emit } from './events.ts'
import { METHODS } from './methods.ts'
import { invalid, missing } from './problem.ts'
import type { Json, Stored } from './store.ts'
import { noLongerActionable } from './warnings.ts'
import {
  change,
  find,
  list,
  LIST_FIELDS,
  moneyOf,
  newId,
  positiveAmount,
  seconds,
  type Call,
  type Route,
  type World,
} from './world.ts'

/** How soon a refund that waits for money looks again. */
export const PENDING_REFUND_RETRY_MS = 60_000
/** When the test card whose refunds fail lets them fail. */
export const REFUND_FAILURE_AFTER_MS = 60_000

const KIND = 'refund'

export const routes: Route[] = [
  {
    method: 'POST',
    path: '/v1/refunds',
    name: 'refunds.create',
    fields: {
      payment_intent: 'text',
      charge: 'text',
      amount: 'integer',
      metadata: 'metadata?',
      reason: 'duplicate|fraudulent|requested_by_customer',
    },
    handle: (world, call) => create(world, call),
  },
  {
    method: 'GET',
    path: '/v1/refunds',
    name: 'refunds.list',
    fields: { ...LIST_FIELDS, payment_intent: 'text', charge: 'text' },
    handle: (world, call) => list(world, call, { kind: KIND, ...parentOf(world, call) }, '/v1/refunds'),
  },
  {
    method: 'GET',
    path: '/v1/refunds/:id',
    name: 'refunds.retrieve',
    fields: {},
    handle: (world, call) => find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account }).body,
  },
]

const parentOf = (world: World, call: Call): { parent?: string } => {
  const { payment_intent: intent, charge } = call.parameters as { payment_intent?: string; charge?: string }
  if (intent) return { parent: intent }
  return charge
    ? {
        parent: String(
          find(world, { kind: 'charge', id: charge, account: call.account, param: 'charge' }).body.payment_intent,
        ),
      }
    : {}
}

const create = (world: World, call: Call): Json => {
  const paid = chargeOf(world, call)
  const left = Number(paid.body.amount) - Number(paid.body.amount_refunded)
  if (openOver(world, paid))
    throw invalid(`Charge ${paid.body.id} has been charged back; it cannot be refunded.`, 'charge_disputed')
  if (left === 0) throw invalid(`Charge ${paid.body.id} has already been refunded.`, 'charge_already_refunded')
  const amount = positiveAmount((call.parameters.amount as number | undefined) ?? left)
  if (amount > left)
    throw invalid(
      `Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`,
      undefined,
      'amount',
    )
  const stored: Stored = {
    account: call.account,
    parent: String(paid.body.payment_intent),
    body: {
      id: newId('re'),
      object: KIND,
      amount,
      balance_transaction: null,
      charge: paid.body.id,
      created: seconds(world.now()),
      currency: paid.body.currency as string,
      metadata: (call.parameters.metadata as Record<string, string>) ?? {},
      payment_intent: paid.body.payment_intent as string,
      reason: (call.parameters.reason as string) ?? null,
      status: 'pending',
    },
    plan: failurePlan(world, paid),
  }
  addRefunded(world, paid, amount)
  if ((stored.plan as { pends?: true } | null)?.pends) wait(world, stored, 'processing')
  else pay(world, stored)
  emit(world, 'refund.created', stored.body, stored.account)
  noLongerActionable(world, stored.account, String(stored.parent))
  if (stored.body.status === 'succeeded') emit(world, 'charge.refunded', paid.body, paid.account)
  return stored.body
}

const chargeOf = (world: World, call: Call): Stored => {
  const { payment_intent: intentId, charge } = call.parameters as { payment_intent?: string; charge?: string }
  if (!intentId && !charge)
    throw invalid('One of the following params should be provided: payment_intent or charge.', 'parameter_missing')
  const id =
    charge ??
    find(world, { kind: 'payment_intent', id: intentId ?? '', account: call.account, param: 'payment_intent' }).body
      .latest_charge
  if (!id) throw invalid(`This PaymentIntent (${intentId}) does not have a successful charge to refund.`)
  const stored = world.store.get(String(id))
  if (!stored || stored.body.object !== 'charge' || stored.account !== call.account)
    throw missing('charge', String(id), 'charge')
  if (stored.body.status !== 'succeeded')
    throw invalid(`This PaymentIntent (${intentId}) does not have a successful charge to refund.`)
  return stored
}

const failurePlan = (world: World, paid: Stored): Json => {
  const fault = world.faults.take(['refund_fails_later'], 'refunds.create')
  if (fault) return { failsAfterMs: fault.ms ?? 0 }
  const method = METHODS[String(paid.body.payment_method)]
  if (method?.refundPends) return { pends: true }
  return method?.refundFails ? { failsAfterMs: REFUND_FAILURE_AFTER_MS } : null
}

/** Pays it from the balance and what may be overdrawn, or leaves it pending until there is enough. */
const pay = (world: World, stored: Stored): void => {
  const { amount, currency } = moneyOf(stored.body)
  if (available(world, stored.account, currency) + world.settings.refundOverdraft < amount) {
    wait(world, stored, 'insufficient_funds')
    return
  }
  const transaction = post(world, {
    account: stored.account,
    type: 'refund',
    amount: -amount,
    currency,
    source: stored.body.id,
  })
  const failsAfterMs = (stored.plan as { failsAfterMs?: number } | null)?.failsAfterMs
  delete stored.body.pending_reason
  change(
    world,
    stored,
    { status: 'succeeded', balance_transaction: transaction.id },
    { dueAt: failsAfterMs === undefined ? null : world.now() + failsAfterMs },
  )
}

const wait = (world: World, stored: Stored, reason: string): void => {
  change(world, stored, { status: 'pending', pending_reason: reason }, { dueAt: world.now() + PENDING_REFUND_RETRY_MS })
}

/** Its time has come: a pending one is tried again, one that was to fail fails and its money comes back. */
export const refundDue = (world: World, stored: Stored): void => {
  const paid = find(world, { kind: 'charge', id: String(stored.body.charge), account: stored.account })
  if (stored.body.status === 'succeeded') return fail(world, stored, paid)
  pay(world, stored)
  if (stored.body.status !== 'succeeded') return
  emit(world, 'refund.updated', stored.body, stored.account)
  emit(world, 'charge.refunded', paid.body, paid.account)
}

const fail = (world: World, stored: Stored, paid: Stored): void => {
  const { amount, currency } = moneyOf(stored.body)
  const transaction = post(world, {
    account: stored.account,
    type: 'refund_failure',
    amount,
    currency,
    source: stored.body.id,
  })
  addRefunded(world, paid, -amount)
  change(
    world,
    stored,
    { status: 'failed', failure_reason: 'expired_or_canceled_card', failure_balance_transaction: transaction.id },
    { dueAt: null, plan: null },
  )
  emit(world, 'refund.failed', stored.body, stored.account)
  emit(world, 'charge.refund.updated', stored.body, stored.account)
  emit(world, 'refund.updated', stored.body, stored.account)
}

const addRefunded = (world: World, paid: Stored, amount: number): void => {
  const refunded = Number(paid.body.amount_refunded) + amount
  change(world, paid, { amount_refunded: refunded, refunded: refunded === paid.body.amount })
}
