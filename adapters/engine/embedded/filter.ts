// Filters, each a bit: a gig that fails one filter only still counts in the facet that ignores it.
import type { SearchQuery } from '../index.ts'
import type { Part } from './collection.ts'
import type { Scratch } from './match.ts'
import { find, type Table } from './table.ts'
import { foldTag } from './text.ts'

export type Filter = NonNullable<SearchQuery['filter']>
export type FilterName = 'category' | 'subcategory' | 'sellerId' | 'price' | 'deliveryDays' | 'rating' | 'sellerLevel' | 'language' | 'tags'

export const FILTER_BITS: Readonly<Record<FilterName, number>> = {
  category: 1, subcategory: 2, sellerId: 4, price: 8, deliveryDays: 16, rating: 32, sellerLevel: 64, language: 128, tags: 256,
}

/** Fills scratch.fails for the first `count` gigs at hand; answers the bits of the filters that are on. */
export function applyFilters(part: Part, filter: Filter, { count, scratch }: { count: number; scratch: Scratch }): number {
  const { columns, categories, subcategories, sellers, levels, languages, tags } = part.segment
  const { gigs, fails } = scratch
  fails.fill(0, 0, count)
  let on = 0
  const fail = (name: FilterName, isOff: (gig: number) => boolean) => {
    const bit = FILTER_BITS[name]
    on |= bit
    for (let at = 0; at < count; at++) if (isOff(gigs[at]!)) fails[at]! |= bit
  }
  const one = (name: FilterName, place: { wanted: string | undefined; table: Table; column: Uint32Array }) => {
    if (place.wanted === undefined) return
    const code = find(place.table, place.wanted)
    fail(name, (gig) => place.column[gig] !== code)
  }
  one('category', { wanted: filter.category, table: categories, column: columns.category })
  one('subcategory', { wanted: filter.subcategory, table: subcategories, column: columns.subcategory })
  one('sellerId', { wanted: filter.sellerId, table: sellers, column: columns.seller })
  const { price, deliveryDays, rating, level } = columns
  if (filter.minPrice !== undefined || filter.maxPrice !== undefined) {
    const { minPrice = -Infinity, maxPrice = Infinity } = filter
    fail('price', (gig) => price[gig]! < minPrice || price[gig]! > maxPrice)
  }
  if (filter.deliveryDays !== undefined) {
    const days = filter.deliveryDays
    fail('deliveryDays', (gig) => deliveryDays[gig]! > days)
  }
  if (filter.minRating !== undefined) {
    const least = filter.minRating
    fail('rating', (gig) => rating[gig]! < least)
  }
  if (filter.sellerLevel?.length) {
    const allowed = flags(levels, filter.sellerLevel)
    fail('sellerLevel', (gig) => allowed[level[gig]!] === 0)
  }
  if (filter.languages?.length) {
    const allowed = flags(languages, filter.languages)
    const { languageLists, languageListStarts } = columns
    fail('language', (gig) => {
      for (let at = languageListStarts[gig]!; at < languageListStarts[gig + 1]!; at++) {
        if (allowed[languageLists[at]!] === 1) return false
      }
      return true
    })
  }
  if (filter.tags?.length) {
    const wanted = [...new Set(filter.tags.map(foldTag))].map((tag) => find(tags, tag))
    const { tagLists, tagListStarts } = columns
    fail('tags', (gig) => !wanted.every((code) => hasCode(tagLists, code, { from: tagListStarts[gig]!, to: tagListStarts[gig + 1]! })))
  }
  return on
}

function flags(table: Table, wanted: readonly string[]): Uint8Array {
  const allowed = new Uint8Array(table.size)
  for (const value of wanted) {
    const code = find(table, value)
    if (code >= 0) allowed[code] = 1
  }
  return allowed
}

function hasCode(list: Uint32Array, code: number, { from, to }: { from: number; to: number }): boolean {
  for (let at = from; at < to; at++) if (list[at] === code) return true
  return false
}
