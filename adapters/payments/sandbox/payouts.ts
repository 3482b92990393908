// Payouts from an account's balance to its bank: they travel, arrive, and may come back, even after they were reported
// paid.
import { post, requireAvailable } from './balance.ts'
import { emit } from './events.ts'
import { invalid } from './problem.ts'
import type { Json, Stored, StripeObject } from './store.ts'
import {
  asked,
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

const KIND = 'payout'

export const routes: Route[] = [
  {
    method: 'POST',
    path: '/v1/payouts',
    name: 'payouts.create',
    fields: {
      amount: 'integer!',
      currency: 'currency!',
      metadata: 'metadata',
      description: 'text',
      method: 'instant|standard',
      statement_descriptor: 'text',
    },
    handle: (world, call) => create(world, call),
  },
  {
    method: 'GET',
    path: '/v1/payouts',
    name: 'payouts.list',
    fields: { ...LIST_FIELDS, status: 'text', destination: 'text' },
    handle: (world, call) =>
      list(world, call, { kind: KIND, is: asked(call, ['status', 'destination']) }, '/v1/payouts'),
  },
  {
    method: 'GET',
    path: '/v1/payouts/:id',
    name: 'payouts.retrieve',
    fields: {},
    handle: (world, call) => payout(world, call).body,
  },
  {
    method: 'POST',
    path: '/v1/payouts/:id/cancel',
    name: 'payouts.cancel',
    fields: {},
    handle: (world, call) => cancel(world, payout(world, call)),
  },
]

const payout = (world: World, call: Call): Stored =>
  find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account })

const create = (world: World, call: Call): Json => {
  const { amount, currency } = call.parameters as { amount: number; currency: string }
  positiveAmount(amount)
  if (call.parameters.method === 'instant') throw invalid('The sandbox makes no instant payouts.', undefined, 'method')
  const bank = requireBank(world, call.account)
  requireAvailable(world, { account: call.account, currency, amount })
  const id = newId('po')
  const transaction = post(world, { account: call.account, type: 'payout', amount: -amount, currency, source: id })
  if (call.account !== '' && world.settings.payoutFee > 0) chargeFee(world, currency)
  const arrivesAt = world.now() + world.settings.payoutArrivalMs
  const stored: Stored = {
    account: call.account,
    // It leaves for the bank half way; until then it can be canceled.
    dueAt: world.now() + Math.floor(world.settings.payoutArrivalMs / 2),
    plan: { arrivesAt, ...failurePlan(world) },
    body: {
      id,
      object: KIND,
      amount,
      arrival_date: seconds(arrivesAt),
      automatic: false,
      balance_transaction: transaction.id,
      created: seconds(world.now()),
      currency,
      description: (call.parameters.description as string) ?? null,
      destination: bank?.id ?? null,
      failure_balance_transaction: null,
      failure_code: null,
      failure_message: null,
      livemode: false,
      metadata: (call.parameters.metadata as Record<string, string>) ?? {},
      method: 'standard',
      status: 'pending',
      type: 'bank_account',
    },
  }
  world.store.put(stored)
  emit(world, 'payout.created', stored.body, stored.account)
  return stored.body
}

/** What the provider takes for it is the platform's to pay. */
const chargeFee = (world: World, currency: string): void => {
  post(world, { account: '', type: 'stripe_fee', amount: -world.settings.payoutFee, currency, source: '' })
}

const requireBank = (world: World, account: string): StripeObject | undefined => {
  if (account === '') return undefined
  const owner = world.store.get(account)?.body
  if (owner?.payouts_enabled === true) return (owner.external_accounts as { data: StripeObject[] }).data[0]
  throw invalid(
    'Payouts are not enabled on this account: it has not given its bank details yet.',
    'payouts_not_allowed',
  )
}

type Plan = { arrivesAt: number; fails?: 'before' | 'after'; afterMs?: number }

const failurePlan = (world: World): Pick<Plan, 'fails' | 'afterMs'> => {
  const fault = world.faults.take(['payout_fails_before_paid', 'payout_fails_after_paid'], 'payouts.create')
  if (!fault) return {}
  return { fails: fault.kind === 'payout_fails_before_paid' ? 'before' : 'after', afterMs: fault.ms ?? 0 }
}

const cancel = (world: World, stored: Stored): Json => {
  if (stored.body.status !== 'pending')
    throw invalid(`Payouts can only be canceled while they are pending; this one is ${String(stored.body.status)}.`)
  giveBack(world, stored, 'payout_cancel', { status: 'canceled' })
  emit(world, 'payout.canceled', stored.body, stored.account)
  return stored.body
}

/** Its time has come: it leaves, it arrives, or it fails and the money is back on the account. */
export const payoutDue = (world: World, stored: Stored): void => {
  const plan = stored.plan as Plan
  if (stored.body.status === 'pending') return leave(world, stored, plan.arrivesAt)
  if (stored.body.status === 'paid' || plan.fails === 'before') return fail(world, stored)
  const dueAt = plan.fails === 'after' ? world.now() + (plan.afterMs ?? 0) : null
  change(world, stored, { status: 'paid' }, { dueAt })
  emit(world, 'payout.paid', stored.body, stored.account)
}

const leave = (world: World, stored: Stored, arrivesAt: number): void => {
  change(world, stored, { status: 'in_transit' }, { dueAt: arrivesAt })
  emit(world, 'payout.updated', stored.body, stored.account)
}

const fail = (world: World, stored: Stored): void => {
  giveBack(world, stored, 'payout_failure', {
    status: 'failed',
    failure_code: 'account_closed',
    failure_message: 'The bank account has been closed.',
  })
  emit(world, 'payout.failed', stored.body, stored.account)
}

/** It is over, and its money is back on the account. */
const giveBack = (
  world: World,
  stored: Stored,
  type: 'payout_failure' | 'payout_cancel',
  fields: Record<string, Json>,
): void => {
  const transaction = post(world, { account: stored.account, type, ...moneyOf(stored.body), source: stored.body.id })
  change(world, stored, { ...fields, failure_balance_transaction: transaction.id }, { dueAt: null, plan: null })
}
