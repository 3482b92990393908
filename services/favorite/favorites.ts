// What is kept: one document per person and gig, so that keeping twice is keeping once; and per gig a timer, so that a rush
// of keepers is counted once a minute instead of once each.
import type { Doc } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { TALLY_MS } from './contract.ts'

export type FavoriteDoc = Doc & {
  user: string
  gig: string
  at: number
  /** The gig, unless its own seller keeps it: that says nothing about it. */
  countedFor: string | null
}
export const favorites = collection<FavoriteDoc>('favorites', {
  byUser: { keys: ['user', 'at'] },
  byGig: { keys: ['countedFor'] },
})
export const favoriteId = (user: string, gig: string): string => `${user}/${gig}`

/** Keyed by the gig. */
export type TallyDoc = ActorDoc
export const tallies = actorCollection<TallyDoc>('favorite_tallies')

/** Armed before anything changes: a count too many is harmless, one too few would stand. */
export const stirred = (tally: TallyDoc | null, gig: string, now: number): Decision<TallyDoc, undefined> =>
  tally?.wakeAt
    ? { result: undefined }
    : { next: { ...(tally ?? { id: gig, version: 0, outbox: [] }), wakeAt: now + TALLY_MS }, result: undefined }

export const due = (tally: TallyDoc): Decision<TallyDoc, undefined> => ({
  next: { ...tally, wakeAt: null },
  say: [{ name: 'favorite.due', data: { gig: tally.id } }],
  result: undefined,
})
