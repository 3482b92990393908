// Every change of a balance is one balance transaction; a balance is their sum, kept beside them in the same commit.
import { asked, find, list, LIST_FIELDS, newId, seconds, type Route, type World } from './world.ts'
import { invalid } from './problem.ts'
import type { Json, Stored, StripeObject } from './store.ts'

export type Entry = {
  account: string
  type:
    | 'charge'
    | 'refund'
    | 'refund_failure'
    | 'transfer'
    | 'transfer_refund'
    | 'payment'
    | 'payment_refund'
    | 'payout'
    | 'payout_failure'
    | 'payout_cancel'
    | 'adjustment'
    | 'stripe_fee'
  /** What it is for in the provider's reports; the type unless given. */
  category?: string
  /** Minor units, negative when money leaves. */
  amount: number
  fee?: number
  currency: string
  /** The object it is about; '' for a fee that is about none. */
  source: string
  /** Later than now: the money is pending until then. */
  availableAt?: number
}

/** The provider's reports name some types otherwise. */
const CATEGORIES: Partial<Record<Entry['type'], string>> = {
  payment: 'transfer',
  payment_refund: 'transfer_reversal',
  transfer_refund: 'transfer_reversal',
  payout_failure: 'payout_reversal',
  payout_cancel: 'payout_reversal',
  stripe_fee: 'fee',
}

export const post = (world: World, entry: Entry): StripeObject => {
  const now = world.now()
  const fee = entry.fee ?? 0
  const pending = (entry.availableAt ?? 0) > now
  const body: StripeObject = {
    id: newId('txn'),
    object: 'balance_transaction',
    amount: entry.amount,
    available_on: seconds(pending ? (entry.availableAt as number) : now),
    created: seconds(now),
    currency: entry.currency,
    fee,
    fee_details:
      fee > 0 ? [{ amount: fee, currency: entry.currency, type: 'stripe_fee', description: 'Processing fee' }] : [],
    net: entry.amount - fee,
    reporting_category: entry.category ?? CATEGORIES[entry.type] ?? entry.type,
    source: entry.source === '' ? null : entry.source,
    status: pending ? 'pending' : 'available',
    type: entry.type,
  }
  world.store.put({
    account: entry.account,
    body,
    dueAt: pending ? (entry.availableAt as number) : null,
    parent: entry.source,
  })
  addToBalance(world, entry, { [pending ? 'pending' : 'available']: entry.amount - fee })
  return body
}

/** Pending money becomes available when its time has come. */
export const settle = (world: World, stored: Stored): void => {
  const net = Number(stored.body.net)
  addToBalance(
    world,
    { account: stored.account, currency: String(stored.body.currency) },
    { pending: -net, available: net },
  )
  stored.dueAt = null
  stored.body.status = 'available'
  world.store.put(stored)
}

type Side = { available?: number; pending?: number }

const addToBalance = (world: World, place: { account: string; currency: string }, side: Side) => {
  world.store.run(
    `INSERT INTO balances (account, currency, available, pending) VALUES (?, ?, ?, ?) ON CONFLICT (account, currency)
     DO UPDATE SET available = available + excluded.available, pending = pending + excluded.pending`,
    place.account,
    place.currency,
    side.available ?? 0,
    side.pending ?? 0,
  )
}

export const available = (world: World, account: string, currency: string): number =>
  Number(
    world.store.row('SELECT available FROM balances WHERE account = ? AND currency = ?', account, currency)
      ?.available ?? 0,
  )

export const requireAvailable = (world: World, need: { account: string; currency: string; amount: number }): void => {
  if (available(world, need.account, need.currency) >= need.amount) return
  throw invalid(
    'You have insufficient available funds in your balance for this. Pending funds become available later.',
    'balance_insufficient',
  )
}

export const routes: Route[] = [
  {
    method: 'GET',
    path: '/v1/balance',
    name: 'balance.retrieve',
    fields: {},
    handle: (world, call) => balanceOf(world, call.account),
  },
  {
    method: 'GET',
    path: '/v1/balance_transactions',
    name: 'balance_transactions.list',
    fields: { ...LIST_FIELDS, source: 'text', type: 'text', currency: 'currency' },
    handle: (world, call) =>
      list(
        world,
        call,
        {
          kind: 'balance_transaction',
          ...(call.parameters.source !== undefined && { parent: call.parameters.source as string }),
          is: asked(call, ['type', 'currency']),
        },
        '/v1/balance_transactions',
      ),
  },
  {
    method: 'GET',
    path: '/v1/balance_transactions/:id',
    name: 'balance_transactions.retrieve',
    fields: {},
    handle: (world, call) =>
      find(world, { kind: 'balance_transaction', id: call.ids[0] ?? '', account: call.account }).body,
  },
]

const balanceOf = (world: World, account: string): Json => {
  const rows = world.store.rows(
    'SELECT currency, available, pending FROM balances WHERE account = ? ORDER BY currency',
    account,
  )
  const known = rows.length > 0 ? rows : [{ currency: 'usd', available: 0, pending: 0 }]
  const side = (name: 'available' | 'pending'): Json =>
    known.map((row) => ({
      amount: Number(row[name]),
      currency: String(row.currency),
      source_types: { card: Number(row[name]) },
    }))
  return { object: 'balance', available: side('available'), pending: side('pending'), livemode: false }
}
