// Orders: one purchase of one package, from checkout to completed, moved only along the table in process.ts.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { Extra, Image, Package, PACKAGE_NAMES, PackageName, Requirement } from '../gig/contract.ts'
import { Posting } from '../ledger/contract.ts'
import { closed, Id, listOf, Money, page, text, Time } from '../shapes.ts'
import { Tail } from '../topic.ts'

export const ORDER_STATUSES = [
  'awaiting_payment',
  'awaiting_requirements',
  'in_progress',
  'delivered',
  'completed',
  'cancelled',
  'disputed',
  'expired',
] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]
export const OrderStatus = Type.Unsafe<OrderStatus>(Type.Union(ORDER_STATUSES.map((status) => Type.Literal(status))))

/** A package of the gig, or what an accepted offer said instead of one. */
export const ORDERED_PACKAGES = [...PACKAGE_NAMES, 'custom'] as const
export type OrderedPackage = (typeof ORDERED_PACKAGES)[number]
const OrderedPackage = Type.Union([...PackageName.anyOf, Type.Literal('custom')])

/** What one party may propose and the other decline. */
export const PROPOSALS = ['cancel', 'extension', 'refund'] as const
export type Proposal = (typeof PROPOSALS)[number]
/** Days one proposal for more time may ask. */
export const EXTENSION_DAYS_MAX = 90

const Party = Type.Object({ id: Id, username: Type.String(), displayName: Type.String() })
const OrderedGig = Type.Object({
  id: Id,
  title: Type.String(),
  version: Type.Integer(),
  image: Type.Union([Image, Type.Null()]),
})
/** What an accepted offer makes an order of. All of it was frozen when the buyer accepted. */
export const Agreement = closed({
  order: Id,
  offer: Id,
  gig: OrderedGig,
  terms: Package,
  requirements: Type.Array(Requirement),
  buyer: Party,
  seller: Party,
  sellerLevel: Type.String(),
})
export type Agreement = Static<typeof Agreement>

/** dropped: declined or not paid in time. */
export const TIP_STATUSES = ['awaiting_payment', 'paid', 'cleared', 'dropped'] as const
export type TipStatus = (typeof TIP_STATUSES)[number]
const TipStatus = Type.Unsafe<TipStatus>(Type.Union(TIP_STATUSES.map((status) => Type.Literal(status))))

export const DISPUTE_STATUSES = ['open', 'contested', 'resolved', 'withdrawn'] as const
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number]
const DisputeStatus = Type.Unsafe<DisputeStatus>(Type.Union(DISPUTE_STATUSES.map((status) => Type.Literal(status))))
/** open: the other side may answer until deadlineAt. contested: an admin decides. */
export const Dispute = Type.Object(
  {
    id: Id,
    order: Id,
    openedBy: Type.String(),
    reason: Type.String(),
    text: Type.Optional(Type.String()),
    openedAt: Time,
    deadlineAt: Time,
    status: DisputeStatus,
  },
  { $id: 'Dispute' },
)
export type Dispute = Static<typeof Dispute>

export const Payment = Type.Object({
  provider: Type.String(),
  clientSecret: Type.Union([Type.String(), Type.Null()]),
  status: Type.String(),
  nextAction: Type.Optional(Type.Object({ type: Type.String(), url: Type.String() })),
})

export const Order = Type.Object(
  {
    id: Id,
    status: Type.String(),
    late: Type.Boolean(),
    gig: OrderedGig,
    package: Type.Object({ name: OrderedPackage, ...Package.properties }),
    /** The offer it came from; its package is `custom` then. */
    offer: Type.Optional(Id),
    extras: Type.Array(Extra),
    quantity: Type.Integer(),
    buyer: Party,
    seller: Party,
    price: Type.Object({ subtotal: Money, serviceFee: Money, total: Money }),
    requirements: Type.Array(
      Type.Object({
        id: Id,
        question: Type.String(),
        type: Type.String(),
        required: Type.Boolean(),
        answer: Type.Optional(Type.String()),
      }),
    ),
    /** Only for the buyer, while there is something to pay. */
    payment: Type.Optional(Payment),
    dueAt: Type.Union([Time, Type.Null()]),
    autoCompleteAt: Type.Union([Time, Type.Null()]),
    revisionsLeft: Type.Integer(),
    /** Who proposed to cancel, while the other has not agreed. */
    cancelProposedBy: Type.Optional(Type.String()),
    /** More time, proposed by the seller, while the buyer has not answered. */
    extensionProposed: Type.Optional(Type.Object({ days: Type.Integer(), reason: Type.String(), withdrawnAt: Time })),
    /** What the seller offers to give back, while the buyer has not answered. */
    refundOffered: Type.Optional(Type.Object({ amount: Money, reason: Type.String(), withdrawnAt: Time })),
    /** Tips that were paid or can be; `cleared` ones are the seller's to take. */
    tips: Type.Array(Type.Object({ id: Id, amount: Money, status: TipStatus, at: Time })),
    /** The last dispute, also when it is over. */
    dispute: Type.Optional(Dispute),
    /** What of the price was given back. */
    refunded: Type.Optional(Money),
    /** The caller's possible moves right now. */
    allowedActions: Type.Array(Type.String()),
    createdAt: Time,
    version: Type.Integer(),
  },
  { $id: 'Order' },
)
export type Order = Static<typeof Order>

export const OrderEvent = Type.Object({
  seq: Type.Integer(),
  type: Type.String(),
  at: Time,
  actor: Type.Object({ role: Type.String(), id: Type.Optional(Id) }),
  data: Type.Record(Type.String(), Type.Unknown()),
})
export type OrderEvent = Static<typeof OrderEvent>

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
    'order.refund.requested': Type.Object({ order: Id, refund: Type.String(), amount: Money }),
  },
  hears: ['payment.succeeded', 'payment.refunded', 'payment.refund.failed', 'review.written', 'offer.accepted'],
})
