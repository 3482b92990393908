// Several segments become one without reading a gig again.
// Written as a generator, so that searches are answered between steps.
import { countValues } from './build.ts'
import { HEADLINE, packSegment, type Segment, type SectionName, type Sections } from './segment.ts'
import { mergeStems } from './stems.ts'
import { compareEntries, packStrings, stringAt, type Table } from './table.ts'

export type MergeSource = { segment: Segment; /** Per gig, 1 when it is gone. */ dead: Uint8Array }
/** `numbers`: per source and gig its number in the merged segment, or GONE. */
export type Merged = { segment: Segment; numbers: Uint32Array[] }

export const GONE = 0xffffffff
/** Entries or postings worked on between two pauses. */
const STEP = 4096

export function* mergeSegments(sources: readonly MergeSource[]): Generator<void, Merged> {
  // What dies from here on is carried over by the caller, through `numbers`.
  const kept = sources.map((source) => source.dead.map((dead) => 1 - dead))
  const segments = sources.map((source) => source.segment)
  const ids = yield* mergeTables(
    segments.map((segment) => segment.ids),
    kept,
  )
  const numbers = ids.codes
  const context: Context = { segments, kept, numbers, gigs: ids.strings.length }
  const sections: Partial<Sections> = {}
  write(sections, 'id', ids.strings)
  for (const name of NUMBERS) {
    sections[name] = (yield* mergeNumbers(context, name)) as never
  }
  for (const [table, column, list] of CODED) yield* mergeCoded(context, { table, column, list, sections })
  sections.tagCounts = countValues(sections.tagLists!, sections.tagStarts!.length - 1)
  yield
  yield* mergePostings(context, sections)
  return { segment: packSegment(context.gigs, sections as Sections), numbers }
}

type Context = { segments: Segment[]; kept: Uint8Array[]; numbers: Uint32Array[]; gigs: number }

const NUMBERS = [
  'version',
  'price',
  'deliveryDays',
  'rating',
  'createdAt',
  'quality',
  'orderCount',
  'reviewCount',
  'tongues',
] as const satisfies readonly SectionName[]

// Table, column of codes, and for lists where each gig's list starts.
const CODED = [
  ['category', 'category', null],
  ['subcategory', 'subcategory', null],
  ['level', 'level', null],
  ['seller', 'seller', null],
  ['tag', 'tagLists', 'tagListStarts'],
  ['language', 'languageLists', 'languageListStarts'],
] as const

type TableName = (typeof CODED)[number][0] | 'id' | 'term'

function write(sections: Partial<Sections>, name: TableName, strings: string[]) {
  const packed = packStrings(strings)
  sections[`${name}Chars`] = packed.chars
  sections[`${name}Starts`] = packed.starts
}

/** One sorted list out of several; `kept` says which entries of each are wanted. */
function* mergeTables(tables: readonly Table[], kept: readonly Uint8Array[]) {
  const strings: string[] = []
  const codes = tables.map((table) => new Uint32Array(table.size).fill(GONE))
  const heads = tables.map((_, at) => next(kept[at]!, 0))
  for (let lowest = lowestHead(tables, heads); lowest >= 0; lowest = lowestHead(tables, heads)) {
    const entry = { table: tables[lowest]!, at: heads[lowest]! }
    for (let source = lowest; source < tables.length; source++) {
      const head = heads[source]!
      const table = tables[source]!
      if (source !== lowest && (head >= table.size || compareEntries(entry, { table, at: head }) !== 0)) continue
      codes[source]![head] = strings.length
      heads[source] = next(kept[source]!, head + 1)
    }
    strings.push(stringAt(entry.table, entry.at))
    if (strings.length % STEP === 0) yield
  }
  return { strings, codes }
}

function next(kept: Uint8Array, from: number): number {
  while (from < kept.length && kept[from] === 0) from++
  return from
}

/** The first of the tables whose next entry is the lowest of all, or -1 when all are used up. */
function lowestHead(tables: readonly Table[], heads: readonly number[]): number {
  let lowest = -1
  for (let source = 0; source < tables.length; source++) {
    const table = tables[source]!
    if (heads[source]! >= table.size) continue
    const best = lowest < 0 ? null : { table: tables[lowest]!, at: heads[lowest]! }
    if (!best || compareEntries({ table, at: heads[source]! }, best) < 0) lowest = source
  }
  return lowest
}

function* mergeNumbers(context: Context, name: (typeof NUMBERS)[number]) {
  const sample = context.segments[0]!.columns[name]
  const out = new (sample.constructor as Float64ArrayConstructor)(context.gigs)
  for (const [source, segment] of context.segments.entries()) {
    const column = segment.columns[name]
    const numbers = context.numbers[source]!
    for (let gig = 0; gig < column.length; gig++) if (numbers[gig] !== GONE) out[numbers[gig]!] = column[gig]!
    yield
  }
  return out
}

type Coded = {
  table: (typeof CODED)[number][0]
  column: (typeof CODED)[number][1]
  list: (typeof CODED)[number][2]
  sections: Partial<Sections>
}

/** Values no living gig has are forgotten. */
function* mergeCoded(context: Context, coded: Coded) {
  const tables = context.segments.map((segment) => codedTable(segment, coded.table))
  const used = tables.map((table, source) => usedCodes(context, { coded, source, size: table.size }))
  const merged = yield* mergeTables(tables, used)
  write(coded.sections, coded.table, merged.strings)
  const starts = new Uint32Array(context.gigs + 1)
  eachValue(context, coded, (_source, gig) => {
    starts[gig + 1]! += 1
  })
  yield
  for (let gig = 0; gig < context.gigs; gig++) starts[gig + 1]! += starts[gig]!
  const nextAt = starts.slice()
  const values = new Uint32Array(starts[context.gigs]!)
  eachValue(context, coded, (source, gig, code) => {
    values[nextAt[gig]!++] = merged.codes[source]![code]!
  })
  yield
  coded.sections[coded.column] = values
  if (coded.list) coded.sections[coded.list] = starts
}

function usedCodes(context: Context, place: { coded: Coded; source: number; size: number }): Uint8Array {
  const used = new Uint8Array(place.size)
  const { columns, gigs } = context.segments[place.source]!
  const values = columns[place.coded.column]
  const starts = place.coded.list ? columns[place.coded.list] : null
  for (let gig = 0; gig < gigs; gig++) {
    if (context.kept[place.source]![gig] === 0) continue
    for (let at = starts ? starts[gig]! : gig; at < (starts ? starts[gig + 1]! : gig + 1); at++) used[values[at]!] = 1
  }
  return used
}

function eachValue(context: Context, coded: Coded, visit: (source: number, gig: number, code: number) => void) {
  for (const [source, segment] of context.segments.entries()) {
    const values = segment.columns[coded.column]
    const starts = coded.list ? segment.columns[coded.list] : null
    const numbers = context.numbers[source]!
    for (let gig = 0; gig < segment.gigs; gig++) {
      if (numbers[gig] === GONE) continue
      const end = starts ? starts[gig + 1]! : gig + 1
      for (let at = starts ? starts[gig]! : gig; at < end; at++) visit(source, numbers[gig]!, values[at]!)
    }
  }
}

function codedTable(segment: Segment, name: Coded['table']): Table {
  return {
    category: segment.categories,
    subcategory: segment.subcategories,
    level: segment.levels,
    seller: segment.sellers,
    tag: segment.tags,
    language: segment.languages,
  }[name]
}

/** Terms that no living gig has are forgotten. */
function* mergePostings(context: Context, sections: Partial<Sections>) {
  const tables = context.segments.map((segment) => segment.terms)
  const codes = tables.map((table) => new Uint32Array(table.size).fill(GONE))
  const heads = tables.map(() => 0)
  const room = context.segments.reduce((sum, segment) => sum + segment.columns.postings.length, 0)
  const postings = new Uint32Array(room)
  const strings: string[] = []
  const starts: number[] = [0]
  const headlineCounts: number[] = []
  let end = 0
  let pauseAt = STEP
  for (let lowest = lowestHead(tables, heads); lowest >= 0; lowest = lowestHead(tables, heads)) {
    const entry = { table: tables[lowest]!, at: heads[lowest]! }
    const start = end
    let runs = 0
    for (let source = lowest; source < tables.length; source++) {
      const at = heads[source]!
      const table = tables[source]!
      if (source !== lowest && (at >= table.size || compareEntries(entry, { table, at }) !== 0)) continue
      const { columns } = context.segments[source]!
      const before = end
      end = appendPostings(postings, end, { columns, term: at, numbers: context.numbers[source]! })
      if (end > before) codes[source]![at] = strings.length
      heads[source] = at + 1
      runs += 1
    }
    if (end > start) {
      if (runs > 1) postings.subarray(start, end).sort()
      strings.push(stringAt(entry.table, entry.at))
      starts.push(end)
      headlineCounts.push(countHeadlines(postings, start, end))
    }
    if (end + strings.length > pauseAt) {
      pauseAt = end + strings.length + STEP
      yield
    }
  }
  write(sections, 'term', strings)
  yield
  Object.assign(sections, yield* mergeStems(context.segments, codes, GONE))
  yield
  sections.postings = postings.subarray(0, end)
  sections.postingStarts = Uint32Array.from(starts)
  sections.headlineCounts = Uint32Array.from(headlineCounts)
}

type TermSource = { columns: Sections; term: number; numbers: Uint32Array }

function appendPostings(out: Uint32Array, end: number, from: TermSource): number {
  const { postings, postingStarts } = from.columns
  const last = postingStarts[from.term + 1]!
  for (let at = postingStarts[from.term]!; at < last; at++) {
    const value = postings[at]!
    const number = from.numbers[value >>> 8]!
    if (number !== GONE) out[end++] = ((number << 8) | (value & 0xff)) >>> 0
  }
  return end
}

function countHeadlines(postings: Uint32Array, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at++) if (postings[at]! & HEADLINE) count += 1
  return count
}
