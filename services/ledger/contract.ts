// The ledger: every movement of money, once, balanced, for ever.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, Money, page, Time } from '../shapes.ts'

/** `escrow:ord_1`, `available:usr_1`, `psp`: kind, then whose. */
export const AccountName = Type.String({ minLength: 1, maxLength: 140, pattern: '^[a-z_]+(:[A-Za-z0-9_.:-]+)?$' })
/** Debit positive, credit negative, minor units. */
export const Leg = closed({
  account: AccountName,
  amount: Type.Integer(),
  currency: Type.String({ pattern: '^[a-z]{3}$' }),
})
export type Leg = Static<typeof Leg>

export const Posting = closed({
  /** The business key: posting it again is posting it once. `ord_1:paid`, `po_1:reserve`. */
  id: Type.String({ minLength: 1, maxLength: 200 }),
  /** What happened, one of a fixed list: charge, refund, refund_settled, complete, clear, reserve, transfer, payout, payout_paid, payout_failed … */
  kind: Type.String({ minLength: 1, maxLength: 40 }),
  /** Platform epoch ms. */
  at: Type.Integer(),
  /** Ids for people and reports: order, payment, payout. */
  about: Type.Record(Type.String(), Type.String()),
  legs: Type.Array(Leg, { minItems: 2, maxItems: 20 }),
  /** Accounts whose credit balance must cover this posting: no reserve overdraws. */
  guard: Type.Optional(Type.Array(AccountName, { maxItems: 4 })),
})
export type Posting = Static<typeof Posting>

export const Entry = Type.Object({ ...Posting.properties, seq: Type.Integer(), hash: Type.String() })
export type LedgerEntry = Static<typeof Entry>

const PublicEntry = Type.Object(
  {
    id: Type.String(),
    seq: Type.Integer(),
    kind: Type.String(),
    at: Time,
    about: Type.Record(Type.String(), Type.String()),
    legs: Type.Array(Type.Object({ account: Type.String(), amount: Money })),
    hash: Type.String(),
  },
  { $id: 'LedgerEntry' },
)
export type PublicEntry = Static<typeof PublicEntry>

export {
  chargebackLost,
  chargebackReversed,
  chargebackTaken,
  chargebackWon,
  charged,
  cleared,
  completed,
  payoutFailed,
  payoutPaid,
  payoutReturned,
  payoutSent,
  providerFee,
  refundAccepted,
  refundFailed,
  refundSettled,
  refundShared,
  released,
  reserved,
  tipCleared,
  tipped,
  transferred,
  transferReversed,
} from './postings.ts'

/** posted: now. known: before. insufficient: it would overdraw an account that must not be. */
const Outcomes = Type.Array(Type.Union([Type.Literal('posted'), Type.Literal('known'), Type.Literal('insufficient')]))
export type Outcome = Static<typeof Outcomes>[number]
/** Entries asked for by name at once. */
export const NAMED_MAX = 500
const Entries = Type.Array(Posting, { minItems: 1, maxItems: 100 })
const Balances = Type.Record(Type.String(), Type.Record(Type.String(), Type.Integer()))

export const ledger = contract({
  name: 'ledger',
  actions: {
    post: {
      auth: 'internal',
      summary: 'Posts all or reports each: entries that exist are left alone; one whose guard fails is refused alone.',
      result: Type.Object({ outcomes: Outcomes }),
      params: closed({ entries: Entries }),
    },
    commit: {
      auth: 'internal',
      key: 'book',
      summary: 'What `post` does, on the node that keeps the book.',
      result: Type.Object({ outcomes: Outcomes }),
      params: closed({ book: Type.Literal('main'), entries: Entries }),
    },
    balances: {
      auth: 'internal',
      summary: 'Signed sums (debit positive) per account and currency of the accounts named.',
      result: Balances,
      params: closed({ accounts: Type.Array(AccountName, { maxItems: 1000 }) }),
    },
    payable: {
      auth: 'internal',
      summary: 'Sellers whose available balance in a currency reaches a minimum, by seller id, in pages.',
      result: Type.Object({
        data: Type.Array(Type.Object({ seller: Id, amount: Type.Integer() })),
        next: Type.Union([Type.String(), Type.Null()]),
      }),
      params: closed({
        currency: Type.String(),
        minimum: Type.Integer(),
        after: Type.Optional(Type.String()),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      }),
    },
    of: {
      auth: 'internal',
      key: 'book',
      summary: 'Entries that touch an account, newest first; `before` starts below a seq.',
      result: Type.Object({ data: Type.Array(Entry), next: Type.Union([Type.String(), Type.Null()]) }),
      params: closed({
        account: AccountName,
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
        cursor: Type.Optional(Type.String()),
        before: Type.Optional(Type.Integer()),
        book: Type.Optional(Type.Literal('main')),
      }),
    },
    named: {
      auth: 'internal',
      key: 'book',
      summary: 'Entries by their business keys, null where there is none.',
      result: Type.Object({ entries: Type.Array(Type.Union([Entry, Type.Null()])) }),
      params: closed({
        ids: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: NAMED_MAX }),
        book: Type.Literal('main'),
      }),
    },
    after: {
      auth: 'internal',
      summary: 'Entries in the order they were entered, a thousand at most; none: there are no more yet.',
      result: Type.Object({ data: Type.Array(Entry) }),
      params: closed({ seq: Type.Integer({ minimum: 0 }) }),
    },
    totals: {
      auth: 'internal',
      summary: "Signed sums per kind of account, the platform's own by name.",
      result: Type.Object({ data: Type.Array(Type.Object({ account: Type.String(), balance: Money })) }),
      params: closed({}),
    },
    entries: {
      rest: 'GET /v1/admin/ledger/entries',
      auth: 'admin',
      summary:
        'The journal, newest first: of one account, or about one order, payout or dispute, or all of it. `about` has the ids of what an entry is about, ours and the provider’s.',
      result: listOf(PublicEntry),
      params: closed({
        account: Type.Optional(AccountName),
        order: Type.Optional(Id),
        payout: Type.Optional(Id),
        dispute: Type.Optional(Id),
        ...page,
      }),
    },
    trialBalance: {
      rest: 'GET /v1/admin/ledger/trial-balance',
      auth: 'admin',
      summary:
        'Sums per account kind and currency; all of them together are zero. `?account=` narrows to one account or kind.',
      result: Type.Object({
        data: Type.Array(Type.Object({ account: Type.String(), balance: Money })),
        totals: Type.Array(Money),
        entries: Type.Integer(),
        asOf: Time,
      }),
      params: closed({ account: Type.Optional(AccountName) }),
    },
    verify: {
      auth: 'internal',
      summary: 'Walks the chain: sums, hashes, numbers without a gap.',
      result: Type.Object({ entries: Type.Integer(), problems: Type.Array(Type.String()) }),
      params: closed({}),
    },
  },
  events: {},
  hears: ['order.posted', 'payout.posted'],
})
