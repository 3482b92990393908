// Reviews: what both parties say of a completed order, each once, shown when both wrote or after 14 days.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, page, text, Time } from '../shapes.ts'

export const Review = Type.Object(
  {
    id: Id,
    order: Id,
    gig: Id,
    by: Type.Union([Type.Literal('buyer'), Type.Literal('seller')]),
    author: Type.Object({ username: Type.String(), displayName: Type.String() }),
    rating: Type.Integer(),
    text: Type.String(),
    createdAt: Time,
    /** Not shown to anybody but its author yet. */
    hidden: Type.Boolean(),
  },
  { $id: 'Review' },
)
export type Review = Static<typeof Review>

export const review = contract({
  name: 'review',
  timers: true,
  actions: {
    create: {
      rest: 'POST /v1/orders/:id/review',
      auth: 'user',
      key: 'id',
      status: 201,
      result: Review,
      errors: ['invalid_transition', 'conflict'],
      summary: 'The buyer reviews the seller or the reverse, once, after completion.',
      params: closed({ id: Id, rating: Type.Integer({ minimum: 1, maximum: 5 }), text: text(1, 4000) }),
    },
    ofGig: {
      rest: 'GET /v1/gigs/:id/reviews',
      auth: 'none',
      result: listOf(Review),
      summary: 'What buyers said of it, newest first.',
      publicRead: { maxAgeSeconds: 30, staleSeconds: 300 },
      params: closed({ id: Id, ...page }),
    },
    one: {
      auth: 'internal',
      summary: 'A review that everybody can read, and who wrote it; null otherwise.',
      result: Type.Union([
        Type.Object({
          author: Id,
          order: Id,
          gig: Id,
          by: Review.properties.by,
          rating: Type.Integer(),
          text: Type.String(),
        }),
        Type.Null(),
      ]),
      params: closed({ id: Id }),
    },
    written: {
      auth: 'internal',
      summary: 'What a person wrote about these orders, hidden or not: export.',
      result: Type.Array(Review),
      params: closed({ user: Id, orders: Type.Array(Id, { maxItems: 100 }) }),
    },
    forget: {
      auth: 'internal',
      result: Type.Object({ changed: Type.Integer() }),
      summary: 'Forgets the name of a person who leaves: erasure. What they wrote stays.',
      params: closed({ user: Id }),
    },
    takeDown: {
      auth: 'internal',
      summary: 'A moderator takes a review away: it is shown and counted no more. Asked again it changes nothing.',
      result: Type.Object({}),
      params: closed({ id: Id }),
    },
    ensureMany: {
      auth: 'internal',
      summary:
        'Stores shown buyer reviews under fixed ids unless they exist: demo data. Ratings of gigs are seeded with them, so nothing is said.',
      result: Type.Object({ made: Type.Integer() }),
      params: closed({
        reviews: Type.Array(
          closed({
            id: Id,
            order: Id,
            gig: Id,
            buyer: Id,
            seller: Id,
            rating: Type.Integer(),
            text: text(1, 4000),
            createdAt: Type.Integer(),
          }),
          { maxItems: 1000 },
        ),
      }),
    },
  },
  events: {
    /** Somebody wrote; it may still be hidden. */
    'review.written': Type.Object({
      order: Id,
      by: Type.Union([Type.Literal('buyer'), Type.Literal('seller')]),
      buyer: Id,
      seller: Id,
      hidden: Type.Boolean(),
    }),
    /** It was published, and is shown and counted no more. */
    'review.removed': Type.Object({
      order: Id,
      gig: Id,
      seller: Id,
      by: Type.Union([Type.Literal('buyer'), Type.Literal('seller')]),
      rating: Type.Integer(),
    }),
    'review.published': Type.Object({
      order: Id,
      gig: Id,
      seller: Id,
      buyer: Id,
      by: Type.Union([Type.Literal('buyer'), Type.Literal('seller')]),
      rating: Type.Integer(),
      at: Type.Integer(),
    }),
  },
  hears: [],
})
