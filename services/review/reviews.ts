// Both parties' words about one order: each once, hidden from the other until both wrote or time is up. Pure.
import { actorCollection, type ActorDoc, type Decision, type Said } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { iso, nobody } from '../shapes.ts'
import type { Review } from './contract.ts'

export type Side = 'buyer' | 'seller'
export type Words = { rating: number; text: string; at: number; author: { username: string; displayName: string } }
/** Keyed by the order's id. */
export type ReviewDoc = ActorDoc & {
  gig: string
  buyer: string
  seller: string
  completedAt: number
  words: Partial<Record<Side, Words>>
  /** When what was written became visible; each side's once. */
  shown: Partial<Record<Side, number>>
  /** What a moderator took away. */
  removed?: Partial<Record<Side, number>>
  /** When the buyer's words about the gig became visible: what the gig's list is ordered by. */
  gigShownAt?: number | null
}
export const reviews = actorCollection<ReviewDoc>('reviews', {
  byGig: { keys: ['gig', 'gigShownAt'] },
  byBuyer: { keys: ['buyer'] },
  bySeller: { keys: ['seller'] },
})

/** Counted from completion. */
export const HIDDEN_MS = 14 * 86_400_000

export type About = { order: string; gig: string; buyer: string; seller: string; completedAt: number }
export const unwritten = ({ order, gig, buyer, seller, completedAt }: About): ReviewDoc => ({
  id: order,
  version: 0,
  outbox: [],
  gig,
  buyer,
  seller,
  completedAt,
  words: {},
  shown: {},
})

/** What a person may say of another: something, trimmed, without control characters or those that turn text around. */
export const worded = (text: string): string => {
  const words = text.trim()
  const wrong =
    words === '' ? 'must not be empty' : UNWANTED.test(words) || !words.isWellFormed() ? 'has control characters' : null
  if (wrong) throw refuse('validation_failed', `text: ${wrong}`, { errors: [{ path: 'text', message: wrong }] })
  return words
}
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNWANTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

export const write = (state: ReviewDoc, by: Side, words: Words): { next: ReviewDoc; say: Said[] } => {
  if (state.words[by]) throw refuse('conflict', 'you have reviewed this order already')
  const written: ReviewDoc = { ...state, words: { ...state.words, [by]: words } }
  const both = written.words.buyer && written.words.seller
  const until = state.completedAt + HIDDEN_MS
  const moved = both || words.at >= until ? show(written, words.at) : { next: { ...written, wakeAt: until }, say: [] }
  const { id: order, buyer, seller } = state
  const hidden = moved.next.shown[by] === undefined
  return {
    next: moved.next,
    say: [{ name: 'review.written', data: { order, by, buyer, seller, hidden } }, ...moved.say],
  }
}

/** Everything written and not shown yet becomes visible. */
export const show = (state: ReviewDoc, at: number): { next: ReviewDoc; say: Said[] } => {
  const sides = (['buyer', 'seller'] as const).filter((side) => state.words[side] && state.shown[side] === undefined)
  const shown = { ...state.shown, ...Object.fromEntries(sides.map((side) => [side, at])) }
  const { id: order, gig, buyer, seller } = state
  return {
    next: { ...state, shown, wakeAt: null, gigShownAt: state.removed?.buyer ? null : (shown.buyer ?? null) },
    say: sides.map((by) => ({
      name: 'review.published',
      data: { order, gig, seller, buyer, by, rating: state.words[by]!.rating, at },
    })),
  }
}

/** What was never shown, or is away already, stays as it is. */
export const takenDown = (state: ReviewDoc | null, by: Side, at: number): Decision<ReviewDoc, string | null> => {
  const rating = state?.words[by]?.rating
  if (!state || rating === undefined || state.shown[by] === undefined || state.removed?.[by]) return { result: null }
  const { id: order, gig, seller } = state
  return {
    next: {
      ...state,
      removed: { ...state.removed, [by]: at },
      ...(by === 'buyer' && { gigShownAt: null }),
    },
    say: [{ name: 'review.removed', data: { order, gig, seller, by, rating } }],
    result: gig,
  }
}

/** The same words by somebody whose name is forgotten. */
export const unnamed = (state: ReviewDoc | null, user: string): Decision<ReviewDoc, undefined> => {
  const side = state?.buyer === user ? 'buyer' : 'seller'
  const words = state?.words[side]
  const { username, displayName } = nobody(user)
  if (!state || !words || words.author.username === username) return { result: undefined }
  const next = { ...state, words: { ...state.words, [side]: { ...words, author: { username, displayName } } } }
  return { next, result: undefined }
}

/** The order and side that a review's id names. */
export const namedBy = (id: string): { order: string; by: Side } | null => {
  const [, order, by] = /^rev_([0-9a-z]+)_(buyer|seller)$/.exec(id) ?? []
  return order && by ? { order: `ord_${order}`, by: by as Side } : null
}

export const publicReview = (state: ReviewDoc, by: Side): Review => {
  const { rating, text, at, author } = state.words[by]!
  return {
    id: `rev_${state.id.slice(4)}_${by}`,
    order: state.id,
    gig: state.gig,
    by,
    author,
    rating,
    text,
    createdAt: iso(at),
    hidden: state.shown[by] === undefined,
  }
}
