// Counts per value over everything a search matches, each facet ignoring its own filter.
import type { Facet, SearchResult } from '../index.ts'
import type { Part } from './collection.ts'
import { FILTER_BITS } from './filter.ts'
import { histogramOf } from './histogram.ts'
import type { Scratch } from './match.ts'
import { stringAt, type Table } from './table.ts'

/** Values answered per facet, the most frequent first. */
export const FACET_VALUES_MAX = 100
/** Counted cumulatively, as the filters read them: gigs rated at least this, gigs delivered within this many days. */
export const RATING_STEPS = [4.5, 4, 3, 2, 1] as const
export const DELIVERY_STEPS = [1, 3, 7, 14, 30] as const

/** The first `count` gigs at hand, `hits` of which (in scratch.hits) pass every filter; `on` has the bits of the filters in use. */
export type Matches = { part: Part; count: number; hits: number; on: number; scratch: Scratch }
export type FacetCounter = { add(matches: Matches): void; result(): SearchResult['facets'] }

export function countFacets(facets: readonly Facet[]): FacetCounter {
  const counters = [...new Set(facets)].filter((name) => name in COUNTERS).map((name) => ({ name, ...COUNTERS[name]() }))
  return {
    add(matches) {
      for (const { name, add } of counters) add(matches, countedBy(name, matches))
    },
    result() {
      return Object.fromEntries(counters.map(({ name, result }) => [name, result()]).filter(([, value]) => value))
    },
  }
}

type Chosen = { gigs: Uint32Array; count: number }

function countedBy(facet: Facet, { count, hits, on, scratch }: Matches): Chosen {
  const own = FILTER_BITS[facet]
  if ((on & own) === 0) return { gigs: scratch.hits, count: hits }
  const { gigs, fails, chosen } = scratch
  let end = 0
  for (let at = 0; at < count; at++) if ((fails[at]! & ~own) === 0) chosen[end++] = gigs[at]!
  return { gigs: chosen, count: end }
}

type Counter = { add(matches: Matches, chosen: Chosen): void; result(): unknown }

const COUNTERS: Readonly<Record<Facet, () => Counter>> = {
  category: () => valueCounter((part) => ({ table: part.segment.categories, column: part.segment.columns.category })),
  subcategory: () => valueCounter((part) => ({ table: part.segment.subcategories, column: part.segment.columns.subcategory })),
  sellerLevel: () => valueCounter((part) => ({ table: part.segment.levels, column: part.segment.columns.level })),
  language: () => valueCounter(({ segment: { languages, columns } }) => {
    return { table: languages, column: columns.languageLists, starts: columns.languageListStarts }
  }),
  rating: () => stepCounter(RATING_STEPS, (part, step) => ({ column: part.segment.columns.rating, least: step, most: Infinity })),
  deliveryDays: () => stepCounter(DELIVERY_STEPS, (part, step) => {
    return { column: part.segment.columns.deliveryDays, least: -Infinity, most: step }
  }),
  price: priceCounter,
}

type Coded = { table: Table; column: Uint32Array; starts?: Uint32Array }

function valueCounter(codedOf: (part: Part) => Coded): Counter {
  const counts = new Map<string, number>()
  return {
    add({ part }, chosen) {
      const coded = codedOf(part)
      const byCode = coded.starts ? countLists(coded, coded.starts, chosen) : countCodes(coded, chosen)
      byCode.forEach((count, code) => {
        if (count === 0) return
        const value = stringAt(coded.table, code)
        counts.set(value, (counts.get(value) ?? 0) + count)
      })
    },
    result() {
      const sorted = [...counts].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
      return Object.fromEntries(sorted.slice(0, FACET_VALUES_MAX))
    },
  }
}

function countCodes({ table, column }: Coded, { gigs, count }: Chosen): Uint32Array {
  const byCode = new Uint32Array(table.size)
  for (let at = 0; at < count; at++) byCode[column[gigs[at]!]!]! += 1
  return byCode
}

function countLists({ table, column }: Coded, starts: Uint32Array, { gigs, count }: Chosen): Uint32Array {
  const byCode = new Uint32Array(table.size)
  for (let at = 0; at < count; at++) {
    const gig = gigs[at]!
    for (let place = starts[gig]!; place < starts[gig + 1]!; place++) byCode[column[place]!]! += 1
  }
  return byCode
}

type Band = { column: Float64Array; least: number; most: number }

function stepCounter(steps: readonly number[], bandOf: (part: Part, step: number) => Band): Counter {
  const counts = new Map<number, number>()
  return {
    add({ part }, { gigs, count }) {
      for (const step of steps) {
        const { column, least, most } = bandOf(part, step)
        let within = 0
        for (let at = 0; at < count; at++) {
          const value = column[gigs[at]!]!
          if (value >= least && value <= most) within += 1
        }
        counts.set(step, (counts.get(step) ?? 0) + within)
      }
    },
    result: () => Object.fromEntries([...counts].filter(([, count]) => count > 0).map(([step, count]) => [String(step), count])),
  }
}

function priceCounter(): Counter {
  let prices = new Float64Array(0)
  return {
    add({ part }, { gigs, count }) {
      const { price } = part.segment.columns
      const longer = new Float64Array(prices.length + count)
      longer.set(prices)
      for (let at = 0; at < count; at++) longer[prices.length + at] = price[gigs[at]!]!
      prices = longer
    },
    result: () => histogramOf(prices),
  }
}
