// Payouts: what sellers have, when it becomes theirs to take, and the runs that pay it out.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { Posting } from '../ledger/contract.ts'
import { closed, Id, listOf, Money, page, Time } from '../shapes.ts'

const Currency = Type.Optional(Type.String({ pattern: '^[a-z]{3}$' }))
export const Payout = Type.Object(
  {
    id: Id,
    amount: Money,
    status: Type.String({ description: 'scheduled, in_progress, paid, failed or returned' }),
    createdAt: Time,
    paidAt: Type.Optional(Time),
    reason: Type.Optional(Type.String()),
    run: Type.Optional(Type.String()),
  },
  { $id: 'Payout' },
)
export type Payout = Static<typeof Payout>

export const PayoutRun = Type.Object(
  {
    id: Id,
    date: Type.String(),
    status: Type.String({ description: 'running or done' }),
    counts: Type.Object({
      planned: Type.Integer(),
      paid: Type.Integer(),
      failed: Type.Integer(),
      skipped: Type.Integer(),
    }),
    createdAt: Time,
    finishedAt: Type.Optional(Time),
    skips: Type.Optional(Type.Array(Type.Object({ seller: Id, reason: Type.String() }))),
  },
  { $id: 'PayoutRun' },
)
export type PayoutRun = Static<typeof PayoutRun>

const Transaction = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  at: Time,
  amount: Money,
  balance: Type.String(),
  about: Type.Record(Type.String(), Type.String()),
})

export const payout = contract({
  name: 'payout',
  timers: true,
  actions: {
    balance: {
      rest: 'GET /v1/me/balance',
      auth: 'user',
      summary: 'Clearing, available, in payout and held, in one settlement currency.',
      result: Type.Object({ clearing: Money, available: Money, inPayout: Money, held: Money }),
      params: closed({ currency: Currency }),
    },
    transactions: {
      rest: 'GET /v1/me/transactions',
      auth: 'user',
      result: listOf(Transaction),
      summary: 'What moved the own balances, newest first.',
      params: closed({ ...page }),
    },
    list: {
      rest: 'GET /v1/payouts',
      auth: 'user',
      result: listOf(Payout),
      summary: 'The own payouts, newest first.',
      params: closed({ ...page }),
    },
    request: {
      rest: 'POST /v1/payouts',
      auth: 'seller',
      status: 201,
      result: Payout,
      errors: ['insufficient_balance'],
      summary: 'Asks for a withdrawal: an amount, or all that is available. Takes Idempotency-Key.',
      params: closed({
        amount: Type.Optional(
          closed({ amount: Type.Integer({ minimum: 1 }), currency: Type.String({ pattern: '^[a-z]{3}$' }) }),
        ),
        currency: Currency,
      }),
    },
    run: {
      rest: 'POST /v1/admin/payout-runs',
      auth: 'admin',
      status: 201,
      result: PayoutRun,
      summary:
        "Starts the run of a date (today's unless given): the one that cron also starts; the same date gives the same run.",
      params: closed({ date: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })) }),
    },
    runs: {
      rest: 'GET /v1/admin/payout-runs',
      auth: 'admin',
      result: listOf(PayoutRun),
      summary: 'Runs, newest first.',
      params: closed({ ...page }),
    },
    getRun: {
      rest: 'GET /v1/admin/payout-runs/:id',
      auth: 'admin',
      result: PayoutRun,
      summary: 'One run, with the reason of every skip.',
      params: closed({ id: Id }),
    },
  },
  events: {
    'payout.posted': Type.Object({ entries: Type.Array(Posting) }),
    /** A payout's or a run's own timer: it is to be carried on. */
    'payout.due': Type.Object({ key: Type.String() }),
    /** Money is reserved for it in the ledger: send it. */
    'payout.reserved': Type.Object({ payout: Id, seller: Id, account: Type.String(), amount: Money }),
  },
  hears: [
    'payment.transferred',
    'payment.payout.sent',
    'payment.payout.paid',
    'payment.payout.failed',
    'payment.transfer.reversed',
    'payout.due',
  ],
})
