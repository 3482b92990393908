// Counts per value over everything a search matches, each facet ignoring its own filter.
import type { Facet, SearchResult } from '../index.ts'
import type { Part } from './collection.ts'
import { FILTER_BITS } from './filter.ts'
import { histogramOf } from './histogram.ts'
import type { Scratch } from './match.ts'
import { numbersIn, type Names } from './names.ts'
import type { Table } from './table.ts'

/** Values answered per facet, the most frequent first. */
export const FACET_VALUES_MAX = 100
/** Counted cumulatively, as the filters read them: gigs rated at least this, gigs delivered within this many days. */
export const RATING_STEPS = [4.5, 4, 3, 2, 1] as const
export const DELIVERY_STEPS = [1, 3, 7, 14, 30] as const

/** The first `count` gigs at hand; `hits` are those that pass every filter; `on` has the bits of the filters in use. */
export type Matches = {
  part: Part
  count: number
  hits: Uint32Array
  on: number
  scratch: Scratch
  /** Counts per category that are known already. */ categories: Uint32Array | null
}
export type FacetCounter = { add(matches: Matches): void; result(): SearchResult['facets'] }

export function countFacets(facets: readonly Facet[], names: Names): FacetCounter {
  const known = [...new Set(facets)].filter((name) => Object.hasOwn(COUNTERS, name))
  const counters = known.map((name) => ({ name, ...COUNTERS[name](names) }))
  return {
    add(matches) {
      for (const { name, add } of counters) add(matches, countedBy(name, matches))
    },
    result() {
      return Object.fromEntries(counters.map(({ name, result }) => [name, result()]).filter(([, value]) => value))
    },
  }
}

function countedBy(facet: Facet, { count, hits, on, scratch }: Matches): Uint32Array {
  const own = FILTER_BITS[facet]
  if ((on & own) === 0) return hits
  const { gigs, fails, chosen } = scratch
  let end = 0
  for (let at = 0; at < count; at++) if ((fails[at]! & ~own) === 0) chosen[end++] = gigs[at]!
  return chosen.subarray(0, end)
}

type Counter = { add(matches: Matches, chosen: Uint32Array): void; result(): unknown }

const COUNTERS: Readonly<Record<Facet, (names: Names) => Counter>> = {
  category: (names) =>
    valueCounter(
      names,
      ({ segment }) => ({ table: segment.categories, column: segment.columns.category }),
      ({ categories }) => categories,
    ),
  subcategory: (names) =>
    valueCounter(names, ({ segment }) => ({ table: segment.subcategories, column: segment.columns.subcategory })),
  sellerLevel: (names) =>
    valueCounter(names, ({ segment }) => ({ table: segment.levels, column: segment.columns.level })),
  language: (names) =>
    valueCounter(names, ({ segment: { languages, columns } }) => {
      return { table: languages, column: columns.languageLists, starts: columns.languageListStarts }
    }),
  rating: () =>
    stepCounter(RATING_STEPS, ({ segment }, step) => {
      return { column: segment.columns.rating, least: step, most: Infinity }
    }),
  deliveryDays: () =>
    stepCounter(DELIVERY_STEPS, ({ segment }, step) => {
      return { column: segment.columns.deliveryDays, least: -Infinity, most: step }
    }),
  price: priceCounter,
}

type Coded = { table: Table; column: Uint32Array; starts?: Uint32Array }

function valueCounter(
  names: Names,
  codedOf: (part: Part) => Coded,
  knownIn: (matches: Matches) => Uint32Array | null = () => null,
): Counter {
  let counts = new Uint32Array(names.all.length)
  return {
    add(matches, chosen) {
      const coded = codedOf(matches.part)
      const known = knownIn(matches)
      const byCode = known ?? (coded.starts ? countLists(coded, coded.starts, chosen) : countCodes(coded, chosen))
      const numbers = numbersIn(names, coded.table)
      if (names.all.length > counts.length) {
        const longer = new Uint32Array(names.all.length)
        longer.set(counts)
        counts = longer
      }
      for (let code = 0; code < byCode.length; code++) counts[numbers[code]!]! += byCode[code]!
    },
    result() {
      const values: [string, number][] = []
      for (let number = 0; number < counts.length; number++)
        if (counts[number]! > 0) values.push([names.all[number]!, counts[number]!])
      values.sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
      return Object.fromEntries(values.slice(0, FACET_VALUES_MAX))
    },
  }
}

function countCodes({ table, column }: Coded, gigs: Uint32Array): Uint32Array {
  const byCode = new Uint32Array(table.size)
  for (let at = 0; at < gigs.length; at++) byCode[column[gigs[at]!]!]! += 1
  return byCode
}

function countLists({ table, column }: Coded, starts: Uint32Array, gigs: Uint32Array): Uint32Array {
  const byCode = new Uint32Array(table.size)
  for (let at = 0; at < gigs.length; at++) {
    const gig = gigs[at]!
    for (let place = starts[gig]!; place < starts[gig + 1]!; place++) byCode[column[place]!]! += 1
  }
  return byCode
}

type Band = { column: Float64Array; least: number; most: number }

function stepCounter(steps: readonly number[], bandOf: (part: Part, step: number) => Band): Counter {
  const counts = new Map<number, number>()
  return {
    add({ part }, gigs) {
      for (const step of steps) {
        const { column, least, most } = bandOf(part, step)
        let within = 0
        for (let at = 0; at < gigs.length; at++) {
          const value = column[gigs[at]!]!
          if (value >= least && value <= most) within += 1
        }
        counts.set(step, (counts.get(step) ?? 0) + within)
      }
    },
    result: () => Object.fromEntries([...counts].filter(([, count]) => count > 0)),
  }
}

function priceCounter(): Counter {
  let prices = new Float64Array(1024)
  let length = 0
  return {
    add({ part }, gigs) {
      const { price } = part.segment.columns
      if (length + gigs.length > prices.length) {
        const longer = new Float64Array(2 * (length + gigs.length))
        longer.set(prices.subarray(0, length))
        prices = longer
      }
      for (let at = 0; at < gigs.length; at++) prices[length++] = price[gigs[at]!]!
    },
    result: () => histogramOf(prices.subarray(0, length)),
  }
}
