// The price histogram's buckets are fixed when a gig is indexed, ten to each power of ten; an answer joins neighbours until
// they are few enough to draw.
import { FACET_VALUES_MAX } from './settings.ts'

export const BUCKETS_SHOWN_MAX = 12
const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8]
const FIRST = 100
const POWERS = 9

/** Lower edges, rising; the last bucket has no upper one. */
export const EDGES: readonly number[] = [
  0,
  ...Array.from({ length: POWERS }, (_, power) => STEPS.map((step) => Math.round(step * FIRST * 10 ** power))).flat(),
]
if (EDGES.length > FACET_VALUES_MAX) throw new RangeError('more price buckets than a facet has values')

const placeOf = (price: number): number => {
  const place = EDGES.findLastIndex((edge) => edge <= price)
  return Math.max(0, place)
}
export const bucketOf = (price: number): number => EDGES[placeOf(price)]!

type Priced = { min: number; max: number }

/** From the least price's bucket to the highest's. */
export const histogramOf = (counts: Readonly<Record<string, number>>, { min, max }: Priced) => {
  const first = placeOf(min)
  const last = placeOf(max)
  const joined = Math.ceil((last - first + 1) / BUCKETS_SHOWN_MAX)
  const histogram: { from: number; to: number; count: number }[] = []
  for (let at = first; at <= last; at += joined) {
    const end = Math.min(at + joined, last + 1)
    const count = EDGES.slice(at, end).reduce((sum, edge) => sum + (counts[String(edge)] ?? 0), 0)
    histogram.push({ from: EDGES[at]!, to: EDGES[end] ?? Math.floor(max) + 1, count })
  }
  return { min, max, histogram }
}
