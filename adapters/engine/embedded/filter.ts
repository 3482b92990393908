// Filters, each a bit: a gig that fails one filter only still counts in the facet that ignores it.
import { EngineError, FILTER_VALUES_MAX, type FilterName, type SearchQuery } from '../index.ts'
import type { Part } from './collection.ts'
import type { Scratch } from './match.ts'
import { find, type Table } from './table.ts'
import { foldTag } from './text.ts'

export type Filter = NonNullable<SearchQuery['filter']>

/** The facets' names, and those of filters no facet has. */
export const FILTER_BITS = {
  category: 1,
  subcategory: 2,
  sellerId: 4,
  price: 8,
  deliveryDays: 16,
  rating: 32,
  sellerLevel: 64,
  language: 128,
  tags: 256,
} as const satisfies Record<FilterName, number>

const FIELDS: Readonly<Record<FilterName, readonly (keyof Filter)[]>> = {
  category: ['category'],
  subcategory: ['subcategory'],
  sellerId: ['sellerId'],
  price: ['minPrice', 'maxPrice'],
  deliveryDays: ['deliveryDays'],
  rating: ['minRating'],
  sellerLevel: ['sellerLevel'],
  language: ['languages'],
  tags: ['tags'],
}

export const filterNames = (bits: number): FilterName[] =>
  (Object.keys(FILTER_BITS) as FilterName[]).filter((name) => bits & FILTER_BITS[name])

export const filterWithout = (filter: Filter, bits: number): Filter => {
  const left = { ...filter }
  for (const field of filterNames(bits).flatMap((name) => FIELDS[name])) delete left[field]
  return left
}

/** Each value costs a pass or a look-up: throws 'bad_query' when there are too many. */
export const checkFilter = (filter: Filter) => {
  for (const [name, value] of Object.entries(filter)) {
    if (Array.isArray(value) && value.length > FILTER_VALUES_MAX)
      throw new EngineError('bad_query', `${name} has more than ${FILTER_VALUES_MAX} values`)
  }
}

type AtHand = { count: number; scratch: Scratch }

/** Answers the bits of the filters that are on; with any on, fills scratch.fails for the first `count` gigs at hand. */
export function applyFilters(part: Part, filter: Filter, { count, scratch }: AtHand): number {
  const { columns, categories, subcategories, sellers, levels, languages, tags } = part.segment
  const { minPrice, maxPrice, deliveryDays, minRating } = filter
  const gigs = scratch.gigs.subarray(0, count)
  const { fails } = scratch
  let on = 0
  const bitOf = (name: FilterName) => {
    if (on === 0) fails.fill(0, 0, count)
    on |= FILTER_BITS[name]
    return { gigs, fails, bit: FILTER_BITS[name] }
  }
  const { category, subcategory, sellerId, sellerLevel, languages: spoken, tags: wanted } = filter
  if (category !== undefined) failOthers(bitOf('category'), columns.category, find(categories, category))
  if (subcategory !== undefined) failOthers(bitOf('subcategory'), columns.subcategory, find(subcategories, subcategory))
  if (sellerId !== undefined) failOthers(bitOf('sellerId'), columns.seller, find(sellers, sellerId))
  if (minPrice !== undefined || maxPrice !== undefined) {
    failOutside(bitOf('price'), columns.price, { least: minPrice, most: maxPrice })
  }
  if (deliveryDays !== undefined) failOutside(bitOf('deliveryDays'), columns.deliveryDays, { most: deliveryDays })
  if (minRating !== undefined) failOutside(bitOf('rating'), columns.rating, { least: minRating })
  if (sellerLevel?.length) failUnlisted(bitOf('sellerLevel'), columns.level, flags(levels, sellerLevel))
  if (spoken?.length) {
    const { languageLists: lists, languageListStarts: starts } = columns
    failWithout(bitOf('language'), { lists, starts, flags: flags(languages, spoken) })
  }
  for (const tag of new Set(wanted?.map(foldTag))) {
    failWithout(bitOf('tags'), { lists: columns.tagLists, starts: columns.tagListStarts, flags: flags(tags, [tag]) })
  }
  return on
}

// One plain loop per kind of filter: these run over every gig, and each stays fast because it does one thing.

type Target = { gigs: Uint32Array; fails: Uint16Array; bit: number }

function failOthers({ gigs, fails, bit }: Target, column: Uint32Array, code: number) {
  for (let at = 0; at < gigs.length; at++) if (column[gigs[at]!] !== code) fails[at]! |= bit
}

type Bounds = { least?: number | undefined; most?: number | undefined }

function failOutside({ gigs, fails, bit }: Target, column: Float64Array, bounds: Bounds) {
  const { least = -Infinity, most = Infinity } = bounds
  for (let at = 0; at < gigs.length; at++) {
    const value = column[gigs[at]!]!
    if (value < least || value > most) fails[at]! |= bit
  }
}

function failUnlisted({ gigs, fails, bit }: Target, column: Uint32Array, allowed: Uint8Array) {
  for (let at = 0; at < gigs.length; at++) if (allowed[column[gigs[at]!]!] === 0) fails[at]! |= bit
}

type Lists = { lists: Uint32Array; starts: Uint32Array; flags: Uint8Array }

/** Fails the gigs with no flagged value in their list. */
function failWithout({ gigs, fails, bit }: Target, { lists, starts, flags }: Lists) {
  for (let at = 0; at < gigs.length; at++) {
    const end = starts[gigs[at]! + 1]!
    let place = starts[gigs[at]!]!
    while (place < end && flags[lists[place]!] === 0) place++
    if (place === end) fails[at]! |= bit
  }
}

function flags(table: Table, wanted: readonly string[]): Uint8Array {
  const allowed = new Uint8Array(table.size)
  for (const value of wanted) {
    const code = find(table, value)
    if (code >= 0) allowed[code] = 1
  }
  return allowed
}
