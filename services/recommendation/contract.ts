// Recommendations: what a person may like next, by what they opened, kept and ordered, and by what others did who began alike.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { GigCard } from '../gig/contract.ts'
import { closed, Id, Nothing, page, Time } from '../shapes.ts'

/** Gigs a person touched that are remembered, the latest. */
export const TOUCHED_MAX = 30
/** Neighbours kept of a gig: those most often touched with it. */
export const NEAR_MAX = 50
/** Gigs one call tells of. */
export const TOUCHES_MAX = 100

/** Why it is shown: it is like a gig the person touched, or many order it. */
const Reason = Type.Union([
  Type.Object({ because: Type.Literal('like'), gig: Id }),
  Type.Object({ because: Type.Literal('popular') }),
])
export const Recommended = Type.Object({ ...GigCard.properties, reason: Reason }, { $id: 'Recommended' })
export type Recommended = Static<typeof Recommended>

/** What touching a gig says about it: to open one is little, to keep one more, to have ordered one most. */
export const WEIGHTS = { opened: 1, kept: 2, ordered: 4 } as const
export type How = keyof typeof WEIGHTS
const How = Type.Unsafe<How>(Type.Union(Object.keys(WEIGHTS).map((how) => Type.Literal(how))))

export const recommendation = contract({
  name: 'recommendation',
  actions: {
    list: {
      rest: 'GET /v1/recommendations',
      auth: 'optional',
      result: Type.Object({ data: Type.Array(Recommended), nextCursor: Type.Null() }),
      summary:
        'Gigs for the caller, each with the reason it is there: like what they opened, kept or ordered, then what is popular. For who is not signed in, and who has touched nothing yet, what is popular.',
      params: closed({ limit: page.limit }),
    },
    touch: {
      auth: 'internal',
      result: Nothing,
      summary: 'A person opened, kept or ordered gigs. What is missed is no loss.',
      params: closed({ user: Id, gigs: Type.Array(Id, { maxItems: TOUCHES_MAX }), how: How }),
    },
    near: {
      auth: 'internal',
      result: Type.Object({ gigs: Type.Array(Id) }),
      summary: 'Gigs that people touched who touched this one, the nearest first.',
      params: closed({ gig: Id }),
    },
    touched: {
      auth: 'internal',
      result: Type.Object({ data: Type.Array(Type.Object({ gig: Id, how: How, at: Time })) }),
      summary: 'What is remembered of a person, the latest first: export.',
      params: closed({ user: Id }),
    },
    forget: {
      auth: 'internal',
      result: Type.Object({ removed: Type.Integer() }),
      summary: 'Forgets what a person touched: erasure. What gigs have in common stays; it names nobody.',
      params: closed({ user: Id }),
    },
  },
  events: {
    /** A person touched a gig after others: how near that brings them. */
    'recommendation.touched': Type.Object({
      gig: Id,
      weight: Type.Number(),
      pairs: Type.Array(Type.Object({ gig: Id, score: Type.Number() })),
    }),
  },
  hears: ['order.completed', 'recommendation.touched'],
})
