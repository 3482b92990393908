// Payouts from an account's balance to its bank: they travel, arrive, and may come back, even after they were reported
// paid.
import { post, requireAvailable } from './balance.ts'
import { emit } from './events.ts'
import { invalid } from './problem.ts'
import type { Json, Stored } from './store.ts'
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
      method: 'text',
      statement_descriptor: 'text',
    },
    handle: (world, call) => create(world, call),
  },
  {
    method: 'GET',
    path: '/v1/payouts',
    name: 'payouts.list',
    fields: LIST_FIELDS,
    handle: (world, call) => list(world, call, { kind: KIND }, '/v1/payouts'),
  },
  {
    method: 'GET',
    path: '/v1/payouts/:id',
    name: 'payouts.retrieve',
    fields: {},
    handle: (world, call) => find(world, { kind: KIND, id: call.ids[0] ?? '', account: call.account }).body,
  },
]

const create = (world: World, call: Call): Json => {
  const { amount, currency } = call.parameters as { amount: number; currency: string }
  positiveAmount(amount)
  requireBank(world, call.account)
  requireAvailable(world, { account: call.account, currency, amount })
  const id = newId('po')
  const transaction = post(world, { account: call.account, type: 'payout', amount: -amount, currency, source: id })
  const dueAt = world.now() + world.settings.payoutArrivalMs
  const stored: Stored = {
    account: call.account,
    dueAt,
    plan: failurePlan(world),
    body: {
      id,
      object: KIND,
      amount,
      arrival_date: seconds(dueAt),
      automatic: false,
      balance_transaction: transaction.id,
      created: seconds(world.now()),
      currency,
      description: (call.parameters.description as string) ?? null,
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

const requireBank = (world: World, account: string): void => {
  if (account === '' || world.store.get(account)?.body.payouts_enabled === true) return
  throw invalid(
    'Payouts are not enabled on this account: it has not given its bank details yet.',
    'payouts_not_allowed',
  )
}

type Plan = { fails: 'before' | 'after'; afterMs: number } | null

const failurePlan = (world: World): Plan => {
  const fault = world.faults.take(['payout_fails_before_paid', 'payout_fails_after_paid'], 'payouts.create')
  return fault
    ? { fails: fault.kind === 'payout_fails_before_paid' ? 'before' : 'after', afterMs: fault.ms ?? 0 }
    : null
}

/** Its time has come: it arrives, or it fails and the money is back on the account. */
export const payoutDue = (world: World, stored: Stored): void => {
  const plan = stored.plan as Plan
  if (stored.body.status === 'paid' || plan?.fails === 'before') return fail(world, stored)
  const dueAt = plan?.fails === 'after' ? world.now() + plan.afterMs : null
  change(world, stored, { status: 'paid' }, { dueAt })
  emit(world, 'payout.paid', stored.body, stored.account)
}

const fail = (world: World, stored: Stored): void => {
  const { amount, currency } = moneyOf(stored.body)
  const transaction = post(world, {
    account: stored.account,
    type: 'payout_failure',
    amount,
    currency,
    source: stored.body.id,
  })
  change(
    world,
    stored,
    {
      status: 'failed',
      failure_balance_transaction: transaction.id,
      failure_code: 'account_closed',
      failure_message: 'The bank account has been closed.',
    },
    { dueAt: null, plan: null },
  )
  emit(world, 'payout.failed', stored.body, stored.account)
}
