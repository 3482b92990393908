// Favorites: the gigs a person keeps for later, and how many keep a gig.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { GigCard } from '../gig/contract.ts'
import { closed, Id, listOf, Nothing, page, Time } from '../shapes.ts'

/** Gigs one person may keep. */
export const FAVORITES_MAX = 1000
/** How long after a change the gig is told how many keep it; changes until then are told together. */
export const TALLY_MS = 60_000

const Kept = Type.Object({ gig: Id, favoritedAt: Time })
/** A kept gig as lists show it. */
export const Favorite = Type.Object({ ...GigCard.properties, favoritedAt: Time }, { $id: 'Favorite' })
export type Favorite = Static<typeof Favorite>

export const favorite = contract({
  name: 'favorite',
  timers: true,
  actions: {
    add: {
      rest: 'PUT /v1/favorites/:gigId',
      auth: 'user',
      result: Kept,
      errors: ['conflict'],
      summary: 'Keeps a live gig; one that is kept already stays as it is.',
      params: closed({ gigId: Id }),
    },
    remove: {
      rest: 'DELETE /v1/favorites/:gigId',
      auth: 'user',
      status: 204,
      result: Nothing,
      summary: 'Keeps it no longer. Always answers alike.',
      params: closed({ gigId: Id }),
    },
    list: {
      rest: 'GET /v1/favorites',
      auth: 'user',
      result: listOf(Favorite),
      summary:
        'The kept gigs as cards, the latest first. Paused ones say so in `status`; one that is not to be seen right now is left out until it is again, a deleted one for good.',
      params: closed({ ...page }),
    },
    forget: {
      auth: 'internal',
      result: Type.Object({ removed: Type.Integer() }),
      summary: 'Forgets what one person kept: erasure.',
      params: closed({ user: Id }),
    },
  },
  events: {
    /** A gig's own timer: its keepers are to be counted. */
    'favorite.due': Type.Object({ gig: Id }),
  },
  hears: ['favorite.due'],
})
