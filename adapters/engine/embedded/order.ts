// The order of hits: two keys, both counting down, then the id counting up. The best of all parts are kept as they come.
import type { Sort } from '../index.ts'
import type { Part } from './collection.ts'
import type { Cursor } from './cursor.ts'
import type { Scratch } from './match.ts'
import { compareEntries, compareTo, lowerBound } from './table.ts'

export type Ranked = { first: number; second: number; part: Part; gig: number }
/** How one part's gigs are sorted: the larger key comes first. */
type Keys = { first: (gig: number) => number; second: (gig: number) => number }
export type Scoring = { asOf: number; hasText: boolean; scratch: Scratch }

const QUALITY_FLOOR = 0.3
const FRESHNESS_SHARE = 0.15
const FRESHNESS_MS = 30 * 24 * 3600 * 1000

/** Text score × quality × mild freshness; without text all gigs match alike. */
export function relevance(part: Part, { asOf, hasText, scratch }: Scoring): (gig: number) => number {
  const { quality, createdAt } = part.segment.columns
  const { text } = scratch
  return (gig) => {
    const age = Math.max(0, asOf - createdAt[gig]!)
    const fresh = 1 + (FRESHNESS_SHARE * FRESHNESS_MS) / (FRESHNESS_MS + age)
    return (hasText ? text[gig]! : 1) * (QUALITY_FLOOR + (1 - QUALITY_FLOOR) * quality[gig]!) * fresh
  }
}

const SORTS: Readonly<Record<Sort, (part: Part, scoring: Scoring) => Keys>> = {
  relevance: (part, scoring) => ({ first: relevance(part, scoring), second: none }),
  newest: ({ segment: { columns } }) => ({ first: (gig) => columns.createdAt[gig]!, second: none }),
  rating: ({ segment: { columns } }) => ({ first: (gig) => columns.rating[gig]!, second: (gig) => columns.reviewCount[gig]! }),
  price: ({ segment: { columns } }) => ({ first: (gig) => -columns.price[gig]!, second: none }),
  '-price': ({ segment: { columns } }) => ({ first: (gig) => columns.price[gig]!, second: none }),
  bestselling: ({ segment: { columns } }) => ({ first: (gig) => columns.orderCount[gig]!, second: (gig) => columns.rating[gig]! }),
}

export const isSort = (sort: string): sort is Sort => Object.hasOwn(SORTS, sort)

export type Page = { sort: Sort; /** Kept at most. */ room: number; after: Cursor | null; best: Ranked[] }

/** Lets the first `count` of scratch.hits compete for the page. */
export function rankHits(part: Part, page: Page, { count, scoring }: { count: number; scoring: Scoring }) {
  const { first, second } = SORTS[page.sort](part, scoring)
  const { hits } = scoring.scratch
  const { after, best, room } = page
  const gigAfter = after ? firstGigAfter(part, after.id) : 0
  for (let at = 0; at < count; at++) {
    const gig = hits[at]!
    const key = first(gig)
    if (after && key > after.first) continue
    const worst = best.length === room ? best[room - 1]! : null
    if (worst && key < worst.first) continue
    const ranked = { first: key, second: second(gig), part, gig }
    if (after && key === after.first && !isAfter(ranked, after, gigAfter)) continue
    if (!worst || compare(ranked, worst) < 0) insert(best, ranked, room)
  }
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
  return compareEntries({ table: left.part.segment.ids, at: left.gig }, { table: right.part.segment.ids, at: right.gig })
}

const none = () => 0
