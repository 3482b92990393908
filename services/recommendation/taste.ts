// What a person touched lately, and what gigs have to do with each other because the same people touched both. Pure.
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { NEAR_MAX, TOUCHED_MAX, WEIGHTS, type How } from './contract.ts'

/** Keyed by the person; newest last. */
export type TasteDoc = ActorDoc & { touched: { gig: string; how: How; at: number }[]; heard: string[] }
export const tastes = actorCollection<TasteDoc>('recommendation_tastes')

/** Keyed by the gig. `weight`: all that touched it; neighbours from the nearest. */
export type NearDoc = ActorDoc & { weight: number; near: [gig: string, score: number][]; heard: string[] }
export const neighbours = actorCollection<NearDoc>('recommendation_neighbours')

/** Events remembered; deliveries repeat within minutes. */
const HEARD_MAX = 50
/** Touched before this one, in the same breath: each one further back counts half. */
const PAIRED_MAX = 5
const FADING = 0.5
/** The same gig again within this says nothing new. */
const AGAIN_MS = 3_600_000

type Touch = { user: string; gig: string; how: How; event?: string }
export const touched = (
  known: TasteDoc | null,
  { user, gig, how, event }: Touch,
  now: number,
): Decision<TasteDoc, undefined> => {
  const before = known ?? { id: user, version: 0, outbox: [], touched: [], heard: [] }
  if (event && before.heard.includes(event)) return { result: undefined }
  const last = before.touched.find((one) => one.gig === gig)
  if (last && WEIGHTS[last.how] >= WEIGHTS[how] && now - last.at < AGAIN_MS) return { result: undefined }
  const others = before.touched.filter((one) => one.gig !== gig)
  const pairs = others
    .slice(-PAIRED_MAX)
    .reverse()
    .map((one, distance) => ({
      gig: one.gig,
      score: Math.sqrt(WEIGHTS[how] * WEIGHTS[one.how]) * FADING ** distance,
    }))
  return {
    next: {
      ...before,
      touched: [...others, { gig, how, at: now }].slice(-TOUCHED_MAX),
      heard: event ? [...before.heard, event].slice(-HEARD_MAX) : before.heard,
    },
    say: [{ name: 'recommendation.touched', data: { gig, weight: WEIGHTS[how], pairs } }],
    result: undefined,
  }
}

/** Past this much all of it fades by half, so that yesterday's fashion does not stay for ever. */
const WEIGHT_MAX = 10_000

type Nearer = { gig: string; weight: number; pairs: readonly { gig: string; score: number }[]; event: string }
export const nearer = (known: NearDoc | null, { gig, weight, pairs, event }: Nearer): Decision<NearDoc, undefined> => {
  const before = known ?? { id: gig, version: 0, outbox: [], weight: 0, near: [], heard: [] }
  if (before.heard.includes(event)) return { result: undefined }
  const scores = new Map(before.near)
  for (const pair of pairs) scores.set(pair.gig, (scores.get(pair.gig) ?? 0) + pair.score)
  const total = before.weight + weight
  const by = total > WEIGHT_MAX ? FADING : 1
  const near = [...scores]
    .map(([other, score]): [string, number] => [other, score * by])
    .toSorted(([one, score], [other, more]) => more - score || (one < other ? -1 : 1))
    .slice(0, NEAR_MAX)
  const heard = [...before.heard, event].slice(-HEARD_MAX)
  return { next: { ...before, weight: total * by, near, heard }, result: undefined }
}

/** What everybody touches is near to everything: a neighbour counts less the more it is touched at all. */
const SHRINK = 10
export const nearest = ({ near }: NearDoc, weights: readonly number[]): string[] =>
  near
    .map(([gig, score], at) => ({ gig, score: score / Math.sqrt((weights[at] ?? 0) + SHRINK) }))
    .toSorted((one, other) => other.score - one.score || (one.gig < other.gig ? -1 : 1))
    .map(({ gig }) => gig)
