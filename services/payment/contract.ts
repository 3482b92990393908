// Payments: the only actor that talks to the payment provider, always from a durable operation record.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, Money, page, text, Time } from '../shapes.ts'

const Intent = Type.Object({
  provider: Type.String(),
  paymentId: Type.String(),
  clientSecret: Type.String(),
  status: Type.String(),
  nextAction: Type.Optional(Type.Object({ type: Type.String(), url: Type.String() })),
  declined: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
})
/** How it ended. closed: an inquiry that became nothing. */
export const DISPUTE_OUTCOMES = ['won', 'lost', 'closed'] as const
export type DisputeOutcome = (typeof DISPUTE_OUTCOMES)[number]
const DisputeOutcome = Type.Unsafe<DisputeOutcome>(Type.Union(DISPUTE_OUTCOMES.map((outcome) => Type.Literal(outcome))))
export const CHARGEBACK_STATUSES = ['needs_response', 'under_review', ...DISPUTE_OUTCOMES] as const
export type ChargebackStatus = (typeof CHARGEBACK_STATUSES)[number]
const ChargebackStatus = Type.Unsafe<ChargebackStatus>(
  Type.Union(CHARGEBACK_STATUSES.map((status) => Type.Literal(status))),
)
/** A dispute of a payment by its card's bank. `inquiry`: the bank only asks, no money moved. */
export const Chargeback = Type.Object(
  {
    id: Id,
    order: Id,
    charge: Type.Optional(Id),
    payment: Type.String(),
    status: ChargebackStatus,
    reason: Type.String(),
    inquiry: Type.Boolean(),
    amount: Money,
    taken: Money,
    restored: Money,
    fee: Money,
    openedAt: Time,
    evidenceDueAt: Type.Union([Time, Type.Null()]),
    canAnswer: Type.Boolean(),
    /** An answer is on its way to the bank. */
    sending: Type.Boolean(),
  },
  { $id: 'Chargeback' },
)
export type Chargeback = Static<typeof Chargeback>
export const EVIDENCE_TEXT_MAX = 16_000
const said = Type.Optional(text(1, EVIDENCE_TEXT_MAX))
/** What is said for the seller, each as far as it is known. */
const Evidence = Type.Object(
  {
    accessLog: said,
    customerEmail: said,
    customerName: said,
    customerIp: said,
    description: said,
    refundPolicy: said,
    refundRefusal: said,
    serviceDate: said,
    text: said,
  },
  { additionalProperties: false, minProperties: 1 },
)
const OfOrder = { order: Id, charge: Type.Optional(Id) }
const PayoutResult = { payout: Id, seller: Id, amount: Money }

/** One change of the platform's balance at the provider; `op`: our operation behind it, where it is known. */
const ProviderTransaction = Type.Object({
  id: Type.String(),
  type: Type.String(),
  amount: Type.Integer(),
  fee: Type.Integer(),
  net: Type.Integer(),
  currency: Type.String(),
  source: Type.String(),
  op: Type.Optional(Type.String()),
  createdAt: Type.Integer(),
})
export type ProviderTransaction = Static<typeof ProviderTransaction>

/** How an operation with an open call stands: the call is being made, will be made, may have moved money, or is for people to free. */
const Standing = Type.Union([
  Type.Literal('under_way'),
  Type.Literal('waiting'),
  Type.Literal('unknown'),
  Type.Literal('stuck'),
])
export type Standing = Static<typeof Standing>
export const STANDINGS: readonly Standing[] = ['under_way', 'waiting', 'unknown', 'stuck']

const PublicOperation = Type.Object(
  {
    id: Id,
    kind: Type.String({ description: 'charge, refund, disbursement, payee, dispute or warning' }),
    standing: Type.Optional(Standing),
    since: Type.Optional(Time),
    call: Type.Optional(
      Type.Object({
        name: Type.String(),
        attempt: Type.Integer(),
        tries: Type.Integer(),
        /** The Idempotency-Key it was sent under. */
        key: Type.String(),
        lastError: Type.Optional(Type.Object({ kind: Type.String(), code: Type.String(), message: Type.String() })),
        nextAt: Type.Optional(Time),
      }),
    ),
    order: Type.Optional(Id),
    seller: Type.Optional(Id),
    amount: Type.Optional(Money),
    /** What the provider calls its objects. */
    provider: Type.Record(Type.String(), Type.String()),
    stuck: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
    createdAt: Time,
  },
  { $id: 'PaymentOperation' },
)
export type PublicOperation = Static<typeof PublicOperation>

export const payment = contract({
  name: 'payment',
  timers: true,
  actions: {
    begin: {
      auth: 'internal',
      key: 'order',
      summary:
        'Makes the payment an order is paid with, or, named by `charge`, another one for it; the same name gives the same payment.',
      result: Intent,
      params: closed({ order: Id, charge: Type.Optional(Id), buyer: Id, amount: Money, description: text(1, 500) }),
    },
    confirm: {
      auth: 'internal',
      key: 'order',
      summary:
        'Confirms it with a payment method. A decline is an answer, not an error. Without one a further charge takes the method the order was paid with where the provider allows that; else it stays to be confirmed by the buyer.',
      result: Intent,
      params: closed({ order: Id, charge: Type.Optional(Id), paymentMethod: Type.Optional(text(1, 200)) }),
    },
    onboard: {
      auth: 'internal',
      key: 'user',
      summary: "The seller's account at the provider (made once) and a fresh onboarding link.",
      result: Type.Object({ url: Type.String() }),
      params: closed({ user: Id, email: Type.String(), country: Type.String() }),
    },
    payee: {
      auth: 'internal',
      key: 'user',
      summary:
        'May money be paid out to this seller, and if not, what does the provider want to know? It is asked when the last answer was no.',
      result: Type.Object({
        account: Type.Union([Type.String(), Type.Null()]),
        payoutsEnabled: Type.Boolean(),
        requirements: Type.Array(Type.String()),
        requirementsDueAt: Type.Union([Type.Integer(), Type.Null()]),
        heldFor: Type.Union([Type.String(), Type.Null()]),
      }),
      params: closed({ user: Id }),
    },
    settings: {
      rest: 'GET /v1/payment-settings',
      auth: 'none',
      publicRead: { maxAgeSeconds: 300, staleSeconds: 3600 },
      result: Type.Object({ provider: Type.String(), publishableKey: Type.Union([Type.String(), Type.Null()]) }),
      summary: "Where buyers pay: with a publishable key, at the provider's own form, given an order's client secret.",
      params: closed({}),
    },
    chargebacks: {
      rest: 'GET /v1/admin/chargebacks',
      auth: 'admin',
      result: listOf(Chargeback),
      summary: "Payments that their cards' banks take back or ask about, newest first.",
      params: closed({ status: Type.Optional(ChargebackStatus), ...page }),
    },
    answerChargeback: {
      rest: 'POST /v1/admin/chargebacks/:id/answer',
      auth: 'admin',
      key: 'id',
      result: Chargeback,
      errors: ['invalid_transition'],
      summary: 'Sends evidence to the bank, once and for all, before `evidenceDueAt`.',
      params: closed({ id: Id, evidence: Evidence }),
    },
    acceptChargeback: {
      rest: 'POST /v1/admin/chargebacks/:id/accept',
      auth: 'admin',
      key: 'id',
      result: Chargeback,
      errors: ['invalid_transition'],
      summary: 'Gives in: the chargeback is lost and the money stays with the cardholder.',
      params: closed({ id: Id }),
    },
    forget: {
      auth: 'internal',
      key: 'user',
      result: Type.Object({}),
      summary: 'Forgets the address of a seller who leaves: erasure. The provider keeps what the law asks of it.',
      params: closed({ user: Id }),
    },
    webhook: {
      rest: 'POST /v1/webhooks/stripe',
      auth: 'none',
      rawBody: { bytesMax: 256 * 1024 },
      errors: ['bad_signature'],
      summary:
        "The provider's events: verified over raw bytes, stored once, answered at once, processed from the store.",
      result: Type.Object({ received: Type.Boolean() }),
      params: closed({ body: Type.String(), signature: text(1, 2000) }),
    },
    backfill: {
      auth: 'internal',
      summary:
        "Keeps those of the provider's past events that no webhook brought. Each node asks every 5 minutes, one of them does it.",
      result: Type.Object({ seen: Type.Integer() }),
      params: closed({}),
    },
    operations: {
      rest: 'GET /v1/admin/payments/operations',
      auth: 'admin',
      result: listOf(PublicOperation),
      summary:
        'Operations with an open call by how they stand, the oldest first: the unknown ones unless asked otherwise.',
      params: closed({ standing: Type.Optional(Standing), ...page }),
    },
    operation: {
      rest: 'GET /v1/admin/payments/operations/:id',
      auth: 'admin',
      result: PublicOperation,
      summary: 'One operation: an order, a tip, a refund, a payout or a seller at the provider.',
      params: closed({ id: Id }),
    },
    retry: {
      rest: 'POST /v1/admin/payments/operations/:id/retry',
      auth: 'admin',
      result: PublicOperation,
      errors: ['invalid_transition'],
      summary: 'Frees a stuck operation, when its cause is gone: its call is made again under a new key.',
      params: closed({ id: Id }),
    },
    transactions: {
      auth: 'internal',
      summary:
        "Changes of the platform's balance at the provider, newest first, from an epoch ms on; `next` leads to older ones.",
      result: Type.Object({ data: Type.Array(ProviderTransaction), next: Type.Union([Type.String(), Type.Null()]) }),
      params: closed({
        since: Type.Integer({ minimum: 0 }),
        after: Type.Optional(Type.String()),
        limit: Type.Integer({ minimum: 1, maximum: 100 }),
      }),
    },
    providerBalance: {
      auth: 'internal',
      summary: 'What the platform has at the provider, available and pending together, minor units by currency.',
      result: Type.Object({ balance: Type.Record(Type.String(), Type.Integer()) }),
      params: closed({}),
    },
    tick: {
      auth: 'internal',
      summary: 'Lets the sandbox provider act on what became due as time moved.',
      result: Type.Object({}),
      params: closed({}),
    },
  },
  events: {
    /** `charge` names one that is not the order's own payment: a tip, or extras bought during work. */
    'payment.succeeded': Type.Object({
      order: Id,
      charge: Type.Optional(Id),
      payment: Type.String(),
      amount: Money,
      fee: Money,
      at: Type.Integer(),
    }),
    'payment.refunded': Type.Object({ order: Id, refund: Type.String(), amount: Money, at: Type.Integer() }),
    'payment.transferred': Type.Object({ ...PayoutResult, transfer: Type.String() }),
    'payment.payout.sent': Type.Object({ ...PayoutResult, bankPayout: Type.String() }),
    'payment.payout.paid': Type.Object({ ...PayoutResult, bankPayout: Type.String() }),
    /** Money that did not reach the bank is back with the platform. */
    'payment.transfer.reversed': Type.Object({ ...PayoutResult, transfer: Type.String() }),
    /** The provider could not send a refund, perhaps long after it said it had (`wasSettled`): people must find another way. */
    'payment.refund.failed': Type.Object({
      order: Id,
      refund: Type.String(),
      amount: Money,
      code: Type.String(),
      reason: Type.String(),
      wasSettled: Type.Boolean(),
    }),
    /**
     * The card's bank takes a payment back, or (`inquiry`) only asks. Said when it is first heard of, and again with the same
     * `dispute` when an inquiry becomes one: `taken` and `fee` are what the provider has taken by then in all.
     */
    'payment.disputed': Type.Object({
      ...OfOrder,
      dispute: Id,
      payment: Type.String(),
      amount: Money,
      taken: Money,
      fee: Money,
      reason: Type.String(),
      inquiry: Type.Boolean(),
      evidenceDueAt: Type.Union([Type.Integer(), Type.Null()]),
      at: Type.Integer(),
    }),
    /** After `payment.disputed`, and once more should a lost one be won after all. `restored`: what came back of `taken`. */
    'payment.dispute.closed': Type.Object({
      ...OfOrder,
      dispute: Id,
      payment: Type.String(),
      outcome: DisputeOutcome,
      amount: Money,
      taken: Money,
      restored: Money,
      fee: Money,
      at: Type.Integer(),
    }),
    /** The card's issuer reports a payment as fraud. Most are disputed later; refunded before, it costs no fee. */
    'payment.warned': Type.Object({
      ...OfOrder,
      warning: Id,
      payment: Type.String(),
      amount: Money,
      reason: Type.String(),
      /** Neither refunded nor disputed by now. */
      actionable: Type.Boolean(),
      at: Type.Integer(),
    }),
    /** Money can go out to a seller or can't any more (`heldFor`), or the provider wants to know something by a day. */
    'payment.payee.changed': Type.Object({
      user: Id,
      payoutsEnabled: Type.Boolean(),
      requirementsDueAt: Type.Union([Type.Integer(), Type.Null()]),
      heldFor: Type.Union([Type.String(), Type.Null()]),
      at: Type.Integer(),
    }),
    /** An operation's own timer: the call it is at is to be made or looked after. */
    'payment.due': Type.Object({ operation: Type.String() }),
    /** `stage`: transfer (nothing left the platform), payout (money is back on the connected account), returned (failed after paid). */
    'payment.payout.failed': Type.Object({
      ...PayoutResult,
      stage: Type.String(),
      code: Type.String(),
      reason: Type.String(),
    }),
  },
  hears: ['order.abandoned', 'order.refund.requested', 'payout.reserved', 'payout.frozen', 'payment.due'],
})
