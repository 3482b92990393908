// Orders: one purchase of one package, from checkout to completed, moved only along the table in process.ts.
import { Type } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { PackageName } from '../gig/contract.ts'
import { Posting } from '../ledger/contract.ts'
import { closed, Id, listOf, Money, page, text } from '../shapes.ts'
import { Tail } from '../topic.ts'
import { FeePolicyShape, NewPolicy } from './policy.ts'
import {
  Agreement,
  Dispute,
  DisputeStatus,
  EXTENSION_DAYS_MAX,
  Order,
  OrderEvent,
  OrderStatus,
  PROPOSALS,
  type Proposal,
} from './shapes.ts'

export * from './shapes.ts'

const move = { auth: 'user', key: 'id', result: Order, errors: ['invalid_transition'] } as const
const About = Type.Object({ order: Id, gig: Id, buyer: Id, seller: Id, at: Type.Integer() })

export const order = contract({
  name: 'order',
  timers: true,
  actions: {
    place: {
      rest: 'POST /v1/orders',
      auth: 'user',
      status: 201,
      result: Order,
      summary: 'Orders a package. Price and fee policy are frozen from the gig as it is now. Takes Idempotency-Key.',
      params: closed({
        gig: Id,
        package: PackageName,
        extras: Type.Optional(Type.Array(Id, { maxItems: 10, uniqueItems: true })),
        quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
      }),
    },
    placeOffer: {
      auth: 'internal',
      key: 'order',
      result: Order,
      summary: 'The order of an accepted offer, ready to be paid; the same agreement gives the same order.',
      params: Agreement,
    },
    pay: {
      ...move,
      rest: 'POST /v1/orders/:id/pay',
      errors: ['payment_declined', 'invalid_transition'],
      summary:
        'Confirms the payment on the server. 402 leaves it payable; requires_action adds payment.nextAction. Takes Idempotency-Key.',
      params: closed({ id: Id, paymentMethod: text(1, 200) }),
    },
    requirements: {
      ...move,
      rest: 'POST /v1/orders/:id/requirements',
      summary: "The buyer answers the seller's questions; the delivery clock starts.",
      params: closed({ id: Id, answers: Type.Array(closed({ id: Id, answer: text(1, 4000) }), { maxItems: 20 }) }),
    },
    deliver: {
      ...move,
      rest: 'POST /v1/orders/:id/deliver',
      summary: 'The seller delivers.',
      params: closed({
        id: Id,
        message: text(1, 8000),
        files: Type.Optional(Type.Array(text(1, 500), { maxItems: 20 })),
      }),
    },
    revision: {
      ...move,
      rest: 'POST /v1/orders/:id/revision',
      summary: "The buyer asks for another round, up to the package's count.",
      params: closed({ id: Id, message: text(1, 4000) }),
    },
    accept: {
      ...move,
      rest: 'POST /v1/orders/:id/accept',
      summary: "The buyer accepts; the money is the seller's, clearing.",
      params: closed({ id: Id }),
    },
    cancel: {
      ...move,
      rest: 'POST /v1/orders/:id/cancel',
      summary: 'Before payment and before work the buyer alone; once work began it takes both, or 48 hours of silence.',
      params: closed({ id: Id, reason: text(1, 2000) }),
    },
    extend: {
      ...move,
      rest: 'POST /v1/orders/:id/extend',
      errors: ['invalid_transition', 'conflict'],
      summary:
        "More time: the seller proposes days with a reason, the buyer's extend agrees and the due date moves. Unanswered for 4 days it is withdrawn.",
      params: closed({
        id: Id,
        days: Type.Optional(Type.Integer({ minimum: 1, maximum: EXTENSION_DAYS_MAX })),
        reason: Type.Optional(text(1, 2000)),
      }),
    },
    decline: {
      ...move,
      rest: 'POST /v1/orders/:id/decline',
      summary: 'Says no to what the other party proposes; `proposal` is needed only while several are open.',
      params: closed({
        id: Id,
        proposal: Type.Optional(Type.Unsafe<Proposal>(Type.Union(PROPOSALS.map((proposal) => Type.Literal(proposal))))),
      }),
    },
    extras: {
      ...move,
      rest: 'POST /v1/orders/:id/extras',
      errors: ['payment_declined', 'invalid_transition', 'conflict'],
      summary:
        "Adds extras of the gig, at its price now, before the order is delivered. A payment of its own with the service fee's percentage on top; once it is paid the extras count, the price has them and the due date moves. `payment` says what is left for the buyer to confirm. Takes Idempotency-Key.",
      params: closed({
        id: Id,
        extras: Type.Array(Id, { minItems: 1, maxItems: 10, uniqueItems: true }),
        paymentMethod: Type.Optional(text(1, 200)),
      }),
    },
    tip: {
      ...move,
      rest: 'POST /v1/orders/:id/tip',
      errors: ['payment_declined', 'invalid_transition'],
      summary:
        'A tip on a completed order, within 60 days; all of one order together up to its subtotal or 500.00. Without paymentMethod it is charged to what the order was paid with; `payment` says what is left for the buyer to confirm. Takes Idempotency-Key.',
      params: closed({ id: Id, amount: Money, paymentMethod: Type.Optional(text(1, 200)) }),
    },
    offerRefund: {
      ...move,
      rest: 'POST /v1/orders/:id/refund-offer',
      errors: ['invalid_transition', 'conflict'],
      summary:
        "Part of the money back while the order goes on: the seller proposes at most 60 % of what was paid, the buyer's refund-offer agrees. Unanswered for 4 days it is withdrawn.",
      params: closed({ id: Id, amount: Type.Optional(Money), reason: Type.Optional(text(1, 2000)) }),
    },
    refundByAdmin: {
      rest: 'POST /v1/admin/orders/:id/refund',
      auth: 'admin',
      result: Order,
      errors: ['invalid_transition'],
      summary:
        'Gives any of what is left back to the buyer, at any stage, also after it was paid out. All of it cancels the order. Takes Idempotency-Key.',
      params: closed({ id: Id, amount: Money, reason: text(1, 2000) }),
    },
    dispute: {
      ...move,
      rest: 'POST /v1/orders/:id/dispute',
      summary:
        'Freezes every timer. The other side has 48 hours; silence decides for the claimant. A completed order is disputed by the buyer while it clears.',
      params: closed({ id: Id, reason: text(1, 2000), text: Type.Optional(text(1, 8000)) }),
    },
    answerDispute: {
      ...move,
      rest: 'POST /v1/orders/:id/dispute/answer',
      summary: 'The other side agrees, which ends it for the claimant, or contests, and an admin decides.',
      params: closed({ id: Id, agree: Type.Boolean(), text: Type.Optional(text(1, 8000)) }),
    },
    withdrawDispute: {
      ...move,
      rest: 'POST /v1/orders/:id/dispute/withdraw',
      summary: 'The claimant takes it back; the order goes on where it stood.',
      params: closed({ id: Id }),
    },
    disputes: {
      rest: 'GET /v1/admin/disputes',
      auth: 'admin',
      result: listOf(Dispute),
      summary: 'The last dispute of every disputed order, newest first.',
      params: closed({ status: Type.Optional(DisputeStatus), ...page }),
    },
    resolveDispute: {
      rest: 'POST /v1/admin/disputes/:id/resolve',
      auth: 'admin',
      result: Dispute,
      errors: ['invalid_transition'],
      summary:
        "Gives the buyer an amount of what was paid, in the order's currency; the rest is shared as a completed order's.",
      params: closed({ id: Id, buyerAmount: Money, reason: text(1, 2000) }),
    },
    feePolicies: {
      rest: 'GET /v1/admin/fee-policies',
      auth: 'admin',
      result: listOf(FeePolicyShape),
      summary: 'Every fee policy there was, newest first: the first counts for new orders, an order keeps its own.',
      params: closed({ ...page }),
    },
    setFeePolicy: {
      rest: 'POST /v1/admin/fee-policies',
      auth: 'admin',
      status: 201,
      result: FeePolicyShape,
      errors: ['conflict'],
      summary:
        'Sets the fees of orders placed from now on. `version` is that of the policy it replaces; 409 when somebody else was first. Rates in basis points, amounts in minor units of the order.',
      params: NewPolicy,
    },
    list: {
      rest: 'GET /v1/orders',
      auth: 'user',
      result: listOf(Order),
      summary: 'The own orders, newest first.',
      params: closed({
        role: Type.Optional(Type.Union([Type.Literal('buyer'), Type.Literal('seller')])),
        status: Type.Optional(OrderStatus),
        ...page,
      }),
    },
    get: {
      rest: 'GET /v1/orders/:id',
      auth: 'user',
      result: Order,
      summary: 'One order, for its parties and admins.',
      params: closed({ id: Id }),
    },
    events: {
      rest: 'GET /v1/orders/:id/events',
      auth: 'user',
      summary: 'Its timeline, append-only, from seq 1.',
      result: Type.Object({ data: Type.Array(OrderEvent) }),
      params: closed({ id: Id }),
    },
    tail: {
      auth: 'internal',
      summary: 'Where its topic stands, with the latest events as sockets hear them; null when there is no such order.',
      result: Type.Union([Tail, Type.Null()]),
      params: closed({ id: Id }),
    },
    reviewable: {
      auth: 'internal',
      summary: 'Who may review whom about what, once completed; null otherwise.',
      result: Type.Union([Type.Object({ ...About.properties, completedAt: Type.Integer() }), Type.Null()]),
      params: closed({ id: Id }),
    },
    offered: {
      auth: 'internal',
      summary: 'What became of accepted offers, in the order asked; null where there is no such order.',
      result: Type.Array(
        Type.Union([Type.Object({ offer: Type.Union([Id, Type.Null()]), subtotal: Type.Integer() }), Type.Null()]),
      ),
      params: closed({ ids: Type.Array(Id, { maxItems: 1000 }) }),
    },
    forget: {
      auth: 'internal',
      result: Type.Object({ changed: Type.Integer() }),
      summary: 'Forgets the name of a person who leaves: erasure. What was ordered and paid stays.',
      params: closed({ user: Id }),
    },
    verify: {
      auth: 'internal',
      summary: 'Every history is a path of the table and ends where the order is.',
      result: Type.Object({ orders: Type.Integer(), problems: Type.Array(Type.String()) }),
      params: closed({}),
    },
  },
  events: {
    /** Money the order moved: for the ledger, in order. */
    'order.posted': Type.Object({ entries: Type.Array(Posting) }),
    'order.completed': About,
    /** A step was taken: for who tells the parties. `gig` is its title. */
    'order.moved': Type.Object({
      order: Id,
      step: Type.String(),
      by: Type.String(),
      buyer: Id,
      seller: Id,
      gig: Type.String(),
    }),
    /** Not paid in time or cancelled before: nothing may be charged any more. */
    'order.abandoned': Type.Object({ order: Id, charge: Type.Optional(Id) }),
    /** `charge` names the payment it is of when that is not the order's own. */
    'order.refund.requested': Type.Object({
      order: Id,
      charge: Type.Optional(Id),
      refund: Type.String(),
      amount: Money,
    }),
  },
  hears: [
    'payment.succeeded',
    'payment.refunded',
    'payment.refund.failed',
    'payment.disputed',
    'payment.dispute.closed',
    'payment.warned',
    'review.written',
    'offer.accepted',
  ],
})
