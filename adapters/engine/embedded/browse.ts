// Looking around in a category: its gigs are listed once per part, so that the others are not even looked at.
import type { Facet } from '../index.ts'
import type { Part } from './collection.ts'
import { filterWithout, FILTER_BITS, type Filter } from './filter.ts'
import type { Scratch } from './match.ts'
import { find } from './table.ts'

/** A part's gigs by category, and how many of each live; made when first asked for, kept right by `bury`. */
export type Shelves = { gigs: Uint32Array; starts: Uint32Array; living: Uint32Array }

/**
 * Whether the category alone tells which gigs are wanted: with another filter, the counts of the category facet would
 * need all gigs.
 */
export function isBrowsing(filter: Filter, facets: readonly Facet[]): boolean {
  if (filter.category === undefined) return false
  return !facets.includes('category') || Object.values(filterWithout(filter, FILTER_BITS.category)).every(isOff)
}
const isOff = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0)

/** Fills scratch.gigs with the category's living gigs, in order; answers how many. */
export function shelfOf(part: Part, category: string, { gigs }: Scratch): number {
  const { gigs: all, starts } = shelvesOf(part)
  const code = find(part.segment.categories, category)
  if (code < 0) return 0
  const { dead } = part
  let count = 0
  for (let at = starts[code]!; at < starts[code + 1]!; at++) if (dead[all[at]!] === 0) gigs[count++] = all[at]!
  return count
}

export function shelvesOf(part: Part): Shelves {
  return (part.shelves ??= fill(part))
}

function fill({ segment, dead }: Part): Shelves {
  const { category } = segment.columns
  const starts = new Uint32Array(segment.categories.size + 1)
  const living = new Uint32Array(segment.categories.size)
  for (let gig = 0; gig < category.length; gig++) {
    starts[category[gig]! + 1]! += 1
    living[category[gig]!]! += 1 - dead[gig]!
  }
  for (let code = 1; code < starts.length; code++) starts[code]! += starts[code - 1]!
  const next = starts.slice()
  const gigs = new Uint32Array(category.length)
  for (let gig = 0; gig < category.length; gig++) gigs[next[category[gig]!]!++] = gig
  return { gigs, starts, living }
}
