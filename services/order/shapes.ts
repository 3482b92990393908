// An order as it is seen from outside, and the words for its parts.
import { Type, type Static } from 'typebox'
import { Extra, Image, Package, PACKAGE_NAMES, PackageName, Requirement } from '../gig/contract.ts'
import { closed, Id, Money, Time } from '../shapes.ts'

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
export const OrderedPackage = Type.Union([...PackageName.anyOf, Type.Literal('custom')])

/** What one party may propose and the other decline. */
export const PROPOSALS = ['cancel', 'extension', 'refund'] as const
export type Proposal = (typeof PROPOSALS)[number]
/** Days one proposal for more time may ask. */
export const EXTENSION_DAYS_MAX = 90

const Party = Type.Object({ id: Id, username: Type.String(), displayName: Type.String() })
export const OrderedGig = Type.Object({
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
  /** Of the gig, for the fees. Absent in old ones. */
  category: Type.Optional(Type.String()),
})
export type Agreement = Static<typeof Agreement>

/** dropped: declined or not paid in time. returned: the card's bank took it back for good. */
export const TIP_STATUSES = ['awaiting_payment', 'paid', 'cleared', 'dropped', 'returned'] as const
export type TipStatus = (typeof TIP_STATUSES)[number]
const TipStatus = Type.Unsafe<TipStatus>(Type.Union(TIP_STATUSES.map((status) => Type.Literal(status))))

/** asked: the card's bank only wants to know, no money has moved. closed: it wanted no more. */
export const CHARGEBACK_STATUSES = ['asked', 'open', 'won', 'lost', 'closed'] as const
export type ChargebackStatus = (typeof CHARGEBACK_STATUSES)[number]
const ChargebackStatus = Type.Unsafe<ChargebackStatus>(
  Type.Union(CHARGEBACK_STATUSES.map((status) => Type.Literal(status))),
)

/** dropped: declined, not paid in time, or paid too late and given back. */
export const PURCHASE_STATUSES = ['awaiting_payment', 'paid', 'dropped'] as const
export type PurchaseStatus = (typeof PURCHASE_STATUSES)[number]
const PurchaseStatus = Type.Unsafe<PurchaseStatus>(Type.Union(PURCHASE_STATUSES.map((status) => Type.Literal(status))))

export const DISPUTE_STATUSES = ['open', 'contested', 'resolved', 'withdrawn'] as const
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number]
export const DisputeStatus = Type.Unsafe<DisputeStatus>(
  Type.Union(DISPUTE_STATUSES.map((status) => Type.Literal(status))),
)
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
    /** Extras bought during work that were paid or can be; once paid they are among `extras` and in `price`. */
    purchases: Type.Array(
      Type.Object({ id: Id, extras: Type.Array(Extra), amount: Money, status: PurchaseStatus, at: Time }),
    ),
    /** Tips that were paid or can be; `cleared` ones are the seller's to take. */
    tips: Type.Array(Type.Object({ id: Id, amount: Money, status: TipStatus, at: Time })),
    /** The last dispute, also when it is over. */
    dispute: Type.Optional(Dispute),
    /** What of the price was given back. */
    refunded: Type.Optional(Money),
    /** What a card's bank took back, or asks about. While one is open nothing moves. */
    chargebacks: Type.Optional(
      Type.Array(Type.Object({ id: Id, amount: Money, reason: Type.String(), status: ChargebackStatus, at: Time })),
    ),
    /** Reports of a card's issuer that it was paid by fraud; only admins see them. */
    warnings: Type.Optional(Type.Array(Type.Object({ id: Id, reason: Type.String(), at: Time }))),
    /** For its seller and admins: what of the price is not the seller's, and what is, of what has not gone back. */
    fees: Type.Optional(Type.Object({ policy: Type.Integer(), commission: Money, tax: Money, earnings: Money })),
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
