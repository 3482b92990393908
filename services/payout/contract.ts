// Payouts: what sellers have, when it becomes theirs to take, and the runs that pay it out.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { Posting } from '../ledger/contract.ts'
import { closed, Id, listOf, Money, page, text, Time } from '../shapes.ts'

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

const Reasons = Type.Record(Type.String(), Type.Integer())
export const PayoutRun = Type.Object(
  {
    id: Id,
    date: Type.String(),
    status: Type.String({
      description:
        'running, done, awaiting_approval (two people must approve it), frozen (payouts are stopped), cancelled; preview: a dry run, nothing is kept or paid',
    }),
    counts: Type.Object({
      planned: Type.Integer(),
      paid: Type.Integer(),
      failed: Type.Integer(),
      skipped: Type.Integer(),
    }),
    createdAt: Time,
    finishedAt: Type.Optional(Time),
    /** How many were skipped for which reason. */
    reasons: Reasons,
    /** What it pays so far, and what it may come to, by currency. */
    totals: Type.Array(Money),
    estimate: Type.Array(Money),
    progress: Type.Object({
      phase: Type.String({ description: 'estimating, awaiting_approval, planning, paying, done or cancelled' }),
      batches: Type.Integer(),
      /** Not at the provider yet. */
      waiting: Type.Integer(),
      currenciesLeft: Type.Array(Type.String()),
    }),
    approval: Type.Optional(
      Type.Object({
        needed: Type.Integer(),
        by: Type.Array(Type.Object({ user: Id, at: Time })),
        upTo: Type.Array(Money),
      }),
    ),
    /** Set on runs of the schedule; `missed`: how many later ones were due before this one began, which it makes up for. */
    dueAt: Type.Optional(Time),
    missed: Type.Optional(Type.Integer()),
    startedBy: Type.Optional(Id),
    cancelled: Type.Optional(Type.Object({ by: Id, reason: Type.String(), at: Time })),
    /** The first of them; all at /items?status=skipped. */
    skips: Type.Optional(
      Type.Array(Type.Object({ seller: Id, amount: Money, code: Type.String(), reason: Type.String() })),
    ),
    /** Of a preview: false when there are more sellers than it looked at. */
    complete: Type.Optional(Type.Boolean()),
  },
  { $id: 'PayoutRun' },
)
export type PayoutRun = Static<typeof PayoutRun>

const RunItem = Type.Object({
  payout: Type.Optional(Id),
  seller: Id,
  amount: Money,
  status: Type.String({ description: 'scheduled, in_progress, paid, failed, returned or skipped' }),
  code: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  createdAt: Type.Optional(Time),
  paidAt: Type.Optional(Time),
})
export type RunItem = Static<typeof RunItem>

/** How often a seller is paid by the market's runs. */
export const PayoutSettings = closed({
  schedule: Type.Union([
    Type.Literal('daily'),
    Type.Literal('weekly'),
    Type.Literal('monthly'),
    Type.Literal('manual', { description: 'only when asked for' }),
  ]),
  /** Of a weekly schedule: Monday is 1, Sunday 7. */
  weekday: Type.Optional(Type.Integer({ minimum: 1, maximum: 7 })),
  /** Of a monthly schedule: a day every month has. */
  day: Type.Optional(Type.Integer({ minimum: 1, maximum: 28 })),
  /** Not before so much is available; the market's own minimum holds all the same. */
  minimum: Type.Optional(
    closed({
      amount: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
      currency: Type.String({ pattern: '^[a-z]{3}$' }),
    }),
  ),
})
export type PayoutSettings = Static<typeof PayoutSettings>

const Freeze = Type.Object({
  /** Absent: everybody. */
  seller: Type.Optional(Id),
  frozen: Type.Boolean(),
  reason: Type.String(),
  by: Id,
  at: Time,
})
export type Freeze = Static<typeof Freeze>

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
      summary: 'Clearing, available, in payout and held, in one settlement currency; `at` says when, now unless given.',
      result: Type.Object({ clearing: Money, available: Money, inPayout: Money, held: Money }),
      params: closed({ currency: Currency, at: Type.Optional(Type.String({ minLength: 10, maxLength: 30 })) }),
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
        "Starts the run of a date (today's unless given): the one that cron also starts; the same date gives the same run. A dry run says what it would pay and whom it would skip, and pays nobody.",
      params: closed({
        date: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })),
        dryRun: Type.Optional(Type.Boolean()),
      }),
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
      summary: 'One run, with its progress and the reasons of its skips.',
      params: closed({ id: Id }),
    },
    runItems: {
      rest: 'GET /v1/admin/payout-runs/:id/items',
      auth: 'admin',
      result: listOf(RunItem),
      summary: 'Everybody a run went through: who is paid, and with `status=skipped` who is not and why.',
      params: closed({
        id: Id,
        status: Type.Optional(
          Type.Union([
            Type.Literal('scheduled'),
            Type.Literal('in_progress'),
            Type.Literal('paid'),
            Type.Literal('failed'),
            Type.Literal('returned'),
            Type.Literal('skipped'),
          ]),
        ),
        ...page,
      }),
    },
    approve: {
      rest: 'POST /v1/admin/payout-runs/:id/approve',
      auth: 'admin',
      result: PayoutRun,
      errors: ['invalid_transition'],
      summary: 'Approves a run that is over the limit; it goes on when two people have.',
      params: closed({ id: Id }),
    },
    cancelRun: {
      rest: 'POST /v1/admin/payout-runs/:id/cancel',
      auth: 'admin',
      result: PayoutRun,
      errors: ['invalid_transition'],
      summary: 'Ends a run before it has gone through everybody; payouts it has made go on.',
      params: closed({ id: Id, reason: text(1, 500) }),
    },
    freeze: {
      rest: 'POST /v1/admin/payouts/freeze',
      auth: 'admin',
      result: Freeze,
      summary: "Stops all payouts, or one seller's: when this is answered nothing more is sent to the provider.",
      params: closed({ seller: Type.Optional(Id), reason: text(1, 500) }),
    },
    unfreeze: {
      rest: 'POST /v1/admin/payouts/unfreeze',
      auth: 'admin',
      result: Freeze,
      summary: 'Lets payouts go on, where they were.',
      params: closed({ seller: Type.Optional(Id), reason: text(1, 500) }),
    },
    freezes: {
      rest: 'GET /v1/admin/payouts/freezes',
      auth: 'admin',
      result: listOf(Freeze),
      summary: 'What is frozen now, newest first.',
      params: closed({ ...page }),
    },
    settings: {
      rest: 'GET /v1/me/payout-settings',
      auth: 'seller',
      result: PayoutSettings,
      summary: 'How often one is paid.',
      params: closed({}),
    },
    changeSettings: {
      rest: 'PUT /v1/me/payout-settings',
      auth: 'seller',
      result: PayoutSettings,
      summary: 'Daily, weekly, monthly or by hand, and from how much on.',
      params: PayoutSettings,
    },
  },
  events: {
    'payout.posted': Type.Object({ entries: Type.Array(Posting) }),
    /** A payout's or a run's own timer: it is to be carried on. */
    'payout.due': Type.Object({
      key: Type.String(),
      /** Of a date of the schedule. */
      dueAt: Type.Optional(Type.Integer()),
      missed: Type.Optional(Type.Integer()),
    }),
    /** Money of the scope (`all` or a seller) must not leave any more, or may again; `change` numbers these. */
    'payout.frozen': Type.Object({ scope: Type.String(), frozen: Type.Boolean(), change: Type.Integer() }),
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
