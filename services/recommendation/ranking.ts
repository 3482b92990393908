// From what is like each of the gigs a person touched to one list: who stands high in many lists stands high (reciprocal
// rank fusion), what was touched last counts most. Pure.
import type { GigCard } from '../gig/contract.ts'
import type { Recommended } from './contract.ts'

/** Touched gigs that others are looked up for, the latest. */
export const SEEDS_MAX = 5
const RANK_DAMPING = 60
const FADING = 0.8

export type Like = { gig: string; cards: readonly GigCard[] }

export const recommended = (
  likes: readonly Like[],
  popular: readonly GigCard[],
  isUnwanted: (card: GigCard) => boolean,
  limit: number,
): Recommended[] => {
  const found = new Map<string, { card: GigCard; score: number; best: number; gig: string }>()
  likes.forEach(({ gig, cards }, age) => {
    cards.forEach((card, rank) => {
      const score = FADING ** age / (RANK_DAMPING + rank)
      const known = found.get(card.id)
      if (!known) found.set(card.id, { card, score, best: score, gig })
      else {
        known.score += score
        if (score > known.best) Object.assign(known, { best: score, gig })
      }
    })
  })
  const liked = [...found.values()]
    .filter(({ card }) => !isUnwanted(card))
    .toSorted((one, other) => other.score - one.score || (one.card.id < other.card.id ? -1 : 1))
    .map(({ card, gig }): Recommended => ({ ...card, reason: { because: 'like', gig } }))
  const rest = popular
    .filter((card) => !isUnwanted(card) && !found.has(card.id))
    .map((card): Recommended => ({ ...card, reason: { because: 'popular' } }))
  return [...liked, ...rest].slice(0, limit)
}
