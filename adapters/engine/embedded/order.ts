// The order of hits: two keys, both counting down, then the id counting up. The best of all parts are kept as found.
import type { Ranking, Sort } from '../index.ts'
import type { Part } from './collection.ts'
import type { Cursor } from '../cursor.ts'
import type { Scratch } from './match.ts'
import { compareEntries, compareTo, find, lowerBound } from './table.ts'

export type Ranked = { first: number; second: number; part: Part; gig: number }
export type Scoring = {
  asOf: number
  hasText: boolean
  ranking: Ranking
  /** Gigs of the part that stand first, with their places. */
  pinned: ReadonlyMap<number, number>
  scratch: Scratch
}

const DAY_MS = 24 * 3600 * 1000
/** Above every score. */
const PINNED_SCORE = 1e12

/** Text score × quality × mild freshness; without text all gigs match alike. */
export function relevance(part: Part, gig: number, { asOf, hasText, ranking, scratch }: Scoring): number {
  const { quality, createdAt } = part.segment.columns
  const halfMs = ranking.freshnessDays * DAY_MS
  const age = Math.max(0, asOf - createdAt[gig]!)
  const fresh = 1 + (ranking.freshness * halfMs) / (halfMs + age)
  return (hasText ? scratch.text[gig]! : 1) * (1 - ranking.quality + ranking.quality * quality[gig]!) * fresh
}

/** The part's living gigs among the ids, with their places. */
export function pinnedIn(part: Part, ids: readonly string[]): Map<number, number> {
  const places = new Map<number, number>()
  ids.forEach((id, place) => {
    const gig = find(part.segment.ids, id)
    if (gig >= 0 && part.dead[gig] === 0) places.set(gig, place)
  })
  return places
}

type Column = 'createdAt' | 'rating' | 'price' | 'orderCount' | 'reviewCount'
/** The columns behind each sort; relevance is computed. A sign of -1 puts the smallest first. */
const SORTS: Readonly<Record<Sort, { first: Column | null; second: Column | null; sign: 1 | -1 }>> = {
  relevance: { first: null, second: null, sign: 1 },
  newest: { first: 'createdAt', second: null, sign: 1 },
  rating: { first: 'rating', second: 'reviewCount', sign: 1 },
  price: { first: 'price', second: null, sign: -1 },
  '-price': { first: 'price', second: null, sign: 1 },
  bestselling: { first: 'orderCount', second: 'rating', sign: 1 },
}

export const isSort = (sort: string): sort is Sort => Object.hasOwn(SORTS, sort)

export type Page = { sort: Sort; /** Kept at most. */ room: number; after: Cursor | null; best: Ranked[] }

export type Hits = { hits: Uint32Array; scoring: Scoring }

/** Lets the part's hits compete for the page. */
export function rankHits(part: Part, page: Page, { hits, scoring }: Hits) {
  const { keys } = scoring.scratch
  const { after, best, room } = page
  fillKeys(part, page.sort, { hits, scoring })
  const { second } = SORTS[page.sort]
  const seconds = second ? part.segment.columns[second] : null
  const gigAfter = after ? firstGigAfter(part, after.id) : 0
  const highest = after ? after.first : Infinity
  let lowest = best.length === room ? best[room - 1]!.first : -Infinity
  for (let at = 0; at < hits.length; at++) {
    const key = keys[at]!
    if (key > highest || key < lowest) continue
    const gig = hits[at]!
    const ranked = { first: key, second: seconds ? seconds[gig]! : 0, part, gig }
    if (after && key === highest && !isAfter(ranked, after, gigAfter)) continue
    if (best.length === room && compare(ranked, best[room - 1]!) > 0) continue
    insert(best, ranked, room)
    if (best.length === room) lowest = best[room - 1]!.first
  }
}

/** The first sort key of each hit, into scratch.keys. */
function fillKeys(part: Part, sort: Sort, { hits, scoring }: Hits) {
  const {
    scratch: { keys },
  } = scoring
  const { columns } = part.segment
  const { first, sign } = SORTS[sort]
  if (!first) {
    for (let at = 0; at < hits.length; at++) keys[at] = relevance(part, hits[at]!, scoring)
    if (scoring.pinned.size > 0) raisePinned(keys, hits, scoring.pinned)
  } else if (first === 'orderCount' || first === 'reviewCount') copyCounts(keys, hits, { column: columns[first], sign })
  else copyNumbers(keys, hits, { column: columns[first], sign })
}

function raisePinned(keys: Float64Array, hits: Uint32Array, pinned: ReadonlyMap<number, number>) {
  for (let at = 0; at < hits.length; at++) {
    const place = pinned.get(hits[at]!)
    if (place !== undefined) keys[at] = PINNED_SCORE - place
  }
}

// Twice the same, so that each only ever sees one kind of array.
function copyNumbers(keys: Float64Array, hits: Uint32Array, { column, sign }: { column: Float64Array; sign: number }) {
  for (let at = 0; at < hits.length; at++) keys[at] = sign * column[hits[at]!]!
}

function copyCounts(keys: Float64Array, hits: Uint32Array, { column, sign }: { column: Uint32Array; sign: number }) {
  for (let at = 0; at < hits.length; at++) keys[at] = sign * column[hits[at]!]!
}

function isAfter(ranked: Ranked, after: Cursor, gigAfter: number): boolean {
  return ranked.second === after.second ? ranked.gig >= gigAfter : ranked.second < after.second
}

function firstGigAfter(part: Part, id: string): number {
  const { ids, gigs } = part.segment
  const gig = lowerBound(ids, id)
  return gig < gigs && compareTo(ids, gig, id) === 0 ? gig + 1 : gig
}

function insert(best: Ranked[], ranked: Ranked, room: number) {
  let low = 0
  let high = best.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(best[middle]!, ranked) < 0) low = middle + 1
    else high = middle
  }
  best.splice(low, 0, ranked)
  if (best.length > room) best.pop()
}

function compare(left: Ranked, right: Ranked): number {
  if (left.first !== right.first) return right.first - left.first
  if (left.second !== right.second) return right.second - left.second
  if (left.part === right.part) return left.gig - right.gig
  const entryOf = ({ part, gig }: Ranked) => ({ table: part.segment.ids, at: gig })
  return compareEntries(entryOf(left), entryOf(right))
}
