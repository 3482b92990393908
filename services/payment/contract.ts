// Payments: the only actor that talks to the payment provider, always from a durable operation record.
import { Type } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, Money, text } from '../shapes.ts'

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
const OfOrder = { order: Id, charge: Type.Optional(Id) }
const PayoutResult = { payout: Id, seller: Id, amount: Money }

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
      summary: 'May money be paid out to this seller? Asks the provider when the last answer was no.',
      result: Type.Object({ account: Type.Union([Type.String(), Type.Null()]), payoutsEnabled: Type.Boolean() }),
      params: closed({ user: Id }),
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
    tick: {
      auth: 'internal',
      summary: 'Lets the sandbox provider act on what became due as time moved.',
      result: Type.Object({}),
      params: closed({}),
    },
  },
  events: {
    /** `charge` names one that is not the order's own payment, a tip. */
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
  hears: ['order.abandoned', 'order.refund.requested', 'payout.reserved', 'payment.due'],
})
