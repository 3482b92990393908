// Offers: what a seller proposes to one person in their conversation; accepted, it is an order.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { Package } from '../gig/contract.ts'
import { Agreement, Order } from '../order/contract.ts'
import { closed, Id, Money, Price, text, Time } from '../shapes.ts'

export const OfferStatus = Type.Union([
  Type.Literal('open'),
  Type.Literal('accepted'),
  Type.Literal('declined'),
  Type.Literal('withdrawn'),
  Type.Literal('expired'),
])
export type OfferStatus = Static<typeof OfferStatus>

/** Offers that may be open in one conversation at once, of both members together. */
export const OPEN_OFFERS_MAX = 5
/** How long an offer stands unless it says so, and at most. */
export const EXPIRES_AFTER_MS = 14 * 86_400_000
export const EXPIRES_AFTER_MS_MAX = 90 * 86_400_000

const { title, description, deliveryDays, revisions } = Package.properties
const card = {
  id: Id,
  title: Type.String(),
  price: Money,
  deliveryDays: Type.Integer(),
  revisions: Type.Integer(),
  expiresAt: Time,
  status: OfferStatus,
  /** The order it became; only once accepted. */
  order: Type.Optional(Id),
}
/** An offer as its message shows it. */
export const OfferCard = Type.Object(card, { $id: 'OfferCard' })
export type OfferCard = Static<typeof OfferCard>

const Party = Type.Object({ id: Id, username: Type.String(), displayName: Type.String() })
export const Offer = Type.Object(
  {
    ...card,
    conversation: Id,
    gig: Type.Object({ id: Id, title: Type.String() }),
    description: Type.String(),
    seller: Party,
    buyer: Party,
    /** The caller's possible moves right now. */
    allowedActions: Type.Array(Type.String()),
    createdAt: Time,
  },
  { $id: 'Offer' },
)
export type Offer = Static<typeof Offer>

const move = { auth: 'user', key: 'id', errors: ['invalid_transition'], params: closed({ id: Id }) } as const

export const offer = contract({
  name: 'offer',
  timers: true,
  actions: {
    make: {
      rest: 'POST /v1/conversations/:id/offers',
      auth: 'seller',
      status: 201,
      result: Offer,
      errors: ['conflict'],
      summary:
        'A seller offers the other member work on a live gig of theirs; it is said in the conversation. Stands 14 days unless it says so, 90 at most; 5 may be open at once. Takes Idempotency-Key.',
      params: closed({
        id: Id,
        gig: Id,
        title,
        description: Type.Optional(description),
        price: Price,
        deliveryDays,
        revisions,
        expiresAt: Type.Optional(text(1, 40)),
      }),
    },
    get: {
      rest: 'GET /v1/offers/:id',
      auth: 'user',
      result: Offer,
      summary: 'One offer, for its two parties.',
      params: closed({ id: Id }),
    },
    accept: {
      ...move,
      rest: 'POST /v1/offers/:id/accept',
      status: 201,
      result: Order,
      errors: ['invalid_transition', 'conflict'],
      summary:
        'The buyer accepts: answers the order, awaiting payment (200 when it was accepted before). Takes Idempotency-Key.',
    },
    decline: { ...move, rest: 'POST /v1/offers/:id/decline', result: Offer, summary: 'The buyer does not want it.' },
    withdraw: {
      ...move,
      rest: 'POST /v1/offers/:id/withdraw',
      result: Offer,
      summary: 'The seller takes it back, as long as it is open.',
    },
    forget: {
      auth: 'internal',
      result: Type.Object({ changed: Type.Integer() }),
      summary: 'Forgets the name of a person who leaves: erasure. What was offered stays.',
      params: closed({ user: Id }),
    },
    verify: {
      auth: 'internal',
      summary: 'Every accepted offer became one order, at its price, and only accepted ones did.',
      result: Type.Object({ offers: Type.Integer(), problems: Type.Array(Type.String()) }),
      params: closed({}),
    },
  },
  events: {
    /** It is there, or its status changed: the conversation shows it. */
    'offer.changed': Type.Object({ conversation: Id, seller: Id, card: OfferCard }),
    /** What the order is made of. */
    'offer.accepted': Agreement,
  },
  hears: [],
})
