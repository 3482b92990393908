// Statements: what happened to a seller's money in a month, a year by quarters, and what a payout consists of; each also as
// a page to print. Everything comes from the ledger, nothing is entered here.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, Money, page, Time } from '../shapes.ts'

const Currency = Type.Optional(Type.String({ pattern: '^[a-z]{3}$' }))
const Month = Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])$' })
const Year = Type.String({ pattern: '^\\d{4}$' })

const Balances = Type.Object({ clearing: Money, available: Money, inPayout: Money, held: Money })
export type StatementBalances = Static<typeof Balances>

/** Sums of a time. `gross` is before the market's commission; what is given back is in `refunds`, as a positive amount. */
const Totals = Type.Object({
  orders: Type.Integer(),
  gross: Money,
  commission: Money,
  earned: Money,
  tips: Money,
  refunds: Money,
  paidOut: Money,
  /** All other changes, among them chargebacks. */
  other: Money,
})
export type StatementTotals = Static<typeof Totals>

const Line = Type.Object({
  seq: Type.Integer(),
  at: Time,
  kind: Type.String(),
  text: Type.String(),
  about: Type.Record(Type.String(), Type.String()),
  /** What each balance changed by, minor units. */
  clearing: Type.Integer(),
  available: Type.Integer(),
  inPayout: Type.Integer(),
  held: Type.Integer(),
})
export type StatementLine = Static<typeof Line>

const MonthStatement = Type.Object(
  {
    seller: Id,
    currency: Type.String(),
    month: Type.String(),
    /** Until then; a month that is not over has more to come. */
    asOf: Time,
    opening: Balances,
    closing: Balances,
    totals: Totals,
    lines: Type.Array(Line),
    /** False when the month has more lines than are shown; the sums are of all of them. */
    complete: Type.Boolean(),
  },
  { $id: 'Statement' },
)
export type MonthStatement = Static<typeof MonthStatement>

const Quarter = Type.Object({ quarter: Type.Integer({ minimum: 1, maximum: 4 }), totals: Totals, consideration: Money })
const YearStatement = Type.Object(
  {
    seller: Id,
    currency: Type.String(),
    year: Type.Integer(),
    asOf: Time,
    /** `consideration`: what the seller was paid or credited, after commission, less what went back; as DAC7 asks, with the fees (`commission`) and the number of orders beside it. */
    quarters: Type.Array(Quarter),
    totals: Totals,
    consideration: Money,
  },
  { $id: 'YearStatement' },
)
export type YearStatement = Static<typeof YearStatement>

const PayoutStatement = Type.Object(
  {
    payout: Id,
    seller: Id,
    amount: Money,
    status: Type.String({ description: 'reserved, transferred, sent, paid, failed or returned' }),
    reservedAt: Time,
    /** What was available after the payout before, what came and went since, and what stays after this one. */
    opening: Money,
    closing: Money,
    lines: Type.Array(Line),
    complete: Type.Boolean(),
    /** What the provider calls it. */
    provider: Type.Record(Type.String(), Type.String()),
  },
  { $id: 'PayoutStatement' },
)
export type PayoutStatement = Static<typeof PayoutStatement>

const Html = Type.String()

export const statement = contract({
  name: 'statement',
  actions: {
    month: {
      rest: 'GET /v1/me/statements',
      auth: 'user',
      result: MonthStatement,
      summary: "A month of one's own money in one currency: balances before and after, sums, and every line.",
      params: closed({ month: Type.Optional(Month), currency: Currency }),
    },
    printMonth: {
      rest: 'GET /v1/me/statements/print',
      auth: 'user',
      html: true,
      result: Html,
      summary: 'The same as a page to print.',
      params: closed({ month: Type.Optional(Month), currency: Currency }),
    },
    year: {
      rest: 'GET /v1/me/statements/years/:year',
      auth: 'user',
      result: YearStatement,
      summary: 'A year by quarters: what was earned, the fees, the number of orders.',
      params: closed({ year: Year, currency: Currency }),
    },
    printYear: {
      rest: 'GET /v1/me/statements/years/:year/print',
      auth: 'user',
      html: true,
      result: Html,
      summary: 'The same as a page to print.',
      params: closed({ year: Year, currency: Currency }),
    },
    ofPayout: {
      rest: 'GET /v1/payouts/:id/statement',
      auth: 'user',
      result: PayoutStatement,
      summary: 'What one of the own payouts consists of, and how far it has come.',
      params: closed({ id: Id }),
    },
    printPayout: {
      rest: 'GET /v1/payouts/:id/statement/print',
      auth: 'user',
      html: true,
      result: Html,
      summary: 'The receipt of a payout as a page to print.',
      params: closed({ id: Id }),
    },
    sellers: {
      rest: 'GET /v1/admin/reports/sellers',
      auth: 'admin',
      result: listOf(YearStatement),
      summary:
        'Every seller with money moved in a year, by quarters: the figures of a DAC7 report, to the cent of the ledger.',
      params: closed({ year: Year, ...page }),
    },
    balanceAt: {
      auth: 'internal',
      result: Balances,
      summary: "A seller's balances at a time.",
      params: closed({ seller: Id, currency: Type.String(), at: Type.Integer({ minimum: 0 }) }),
    },
  },
  events: {},
  hears: [],
})
