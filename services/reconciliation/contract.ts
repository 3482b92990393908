// Reconciliation: every change of the platform's balance at the provider is one ledger entry, and the reverse. What has no
// other side is in suspense until it finds one or people explain it.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, Money, page, text, Time } from '../shapes.ts'

/**
 * missing_entry: the provider moved money that the books do not know. missing_transaction: the books say so, the provider
 * does not. amount, currency: both do, not alike. duplicate: the provider moved it twice.
 */
const Reason = Type.Union([
  Type.Literal('missing_entry'),
  Type.Literal('missing_transaction'),
  Type.Literal('amount'),
  Type.Literal('currency'),
  Type.Literal('duplicate'),
])
export type Reason = Static<typeof Reason>

const Suspense = Type.Object(
  {
    id: Id,
    reason: Reason,
    status: Type.String({ description: 'open; matched: the other side came; explained: by people' }),
    entry: Type.Optional(Type.String()),
    transaction: Type.Optional(Type.String()),
    type: Type.Optional(Type.String()),
    source: Type.Optional(Type.String()),
    /** What each side says the balance changed by. */
    ours: Type.Optional(Money),
    theirs: Type.Optional(Money),
    openedAt: Time,
    /** Open for longer than it may take, so people were told. */
    alarmedAt: Type.Optional(Time),
    settledAt: Type.Optional(Time),
    note: Type.Optional(Type.String()),
    by: Type.Optional(Id),
  },
  { $id: 'Suspense' },
)
export type Suspense = Static<typeof Suspense>

const Pass = Type.Object({
  kind: Type.String({ description: 'hourly or full' }),
  startedAt: Time,
  finishedAt: Type.Optional(Time),
  transactions: Type.Integer(),
  entries: Type.Integer(),
  opened: Type.Integer(),
  settled: Type.Integer(),
})
const Report = Type.Object(
  {
    running: Type.Optional(Pass),
    last: Type.Optional(Pass),
    lastFull: Type.Optional(Pass),
    suspense: Type.Object({
      open: Type.Integer(),
      alarmed: Type.Integer(),
      oldestAt: Type.Optional(Time),
    }),
    /** At the end of the last pass. `unexplained`: what provider and books differ by besides what is in suspense. */
    balances: Type.Array(
      Type.Object({
        currency: Type.String(),
        provider: Type.Integer(),
        books: Type.Integer(),
        suspense: Type.Integer(),
        unexplained: Type.Integer(),
        owed: Type.Integer(),
        /** What is there for each unit owed; null when nothing is. */
        coverage: Type.Union([Type.Number(), Type.Null()]),
      }),
    ),
  },
  { $id: 'ReconciliationReport' },
)
export type Report = Static<typeof Report>

const Line = Type.Object({
  transaction: Type.String(),
  type: Type.String(),
  source: Type.String(),
  amount: Money,
  fee: Money,
  createdAt: Time,
  entry: Type.Optional(Type.String()),
  status: Type.String({ description: 'matched or suspended' }),
})
export type Line = Static<typeof Line>

export const reconciliation = contract({
  name: 'reconciliation',
  actions: {
    report: {
      rest: 'GET /v1/admin/reconciliation',
      auth: 'admin',
      result: Report,
      summary: 'How the books and the provider compare, and what is in suspense.',
      params: closed({}),
    },
    run: {
      rest: 'POST /v1/admin/reconciliation',
      auth: 'admin',
      result: Report,
      summary:
        'Compares now, since the last time or (`full`) all of the last weeks; answers when done, or how far it came.',
      params: closed({ full: Type.Optional(Type.Boolean()) }),
    },
    suspense: {
      rest: 'GET /v1/admin/reconciliation/suspense',
      auth: 'admin',
      result: listOf(Suspense),
      summary: 'What has no other side, the oldest first; `status=settled` what had none, newest first.',
      params: closed({
        status: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('settled')])),
        ...page,
      }),
    },
    explain: {
      rest: 'POST /v1/admin/reconciliation/suspense/:id/explain',
      auth: 'admin',
      result: Suspense,
      errors: ['invalid_transition'],
      summary: 'Somebody knows why, and what was done about it: it is not in suspense any more.',
      params: closed({ id: Id, note: text(1, 1000) }),
    },
    transactions: {
      rest: 'GET /v1/admin/reconciliation/transactions',
      auth: 'admin',
      result: listOf(Line),
      summary: "The provider's statement as it was read, newest first, each with its entry.",
      params: closed({ entry: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })), ...page }),
    },
  },
  events: {},
  hears: [],
})
