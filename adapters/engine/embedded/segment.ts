// A segment: some gigs, never changed after it was made, as typed arrays in one shared buffer.
// The same bytes are what lies on disk and what several threads can read. A gig's number in it is the rank of its id.
import { tableOf, type Table } from './table.ts'

/** Raised when the sections or the words change; an index of another format is rebuilt from the gigs. */
export const SEGMENT_FORMAT = 2
/** A posting keeps the gig's number in 24 bits. */
export const SEGMENT_GIGS_MAX = 2 ** 24

const SECTIONS = {
  idChars: Uint16Array,
  idStarts: Uint32Array,
  termChars: Uint16Array,
  termStarts: Uint32Array,
  tagChars: Uint16Array,
  tagStarts: Uint32Array,
  categoryChars: Uint16Array,
  categoryStarts: Uint32Array,
  subcategoryChars: Uint16Array,
  subcategoryStarts: Uint32Array,
  levelChars: Uint16Array,
  levelStarts: Uint32Array,
  languageChars: Uint16Array,
  languageStarts: Uint32Array,
  sellerChars: Uint16Array,
  sellerStarts: Uint32Array,
  version: Float64Array,
  price: Float64Array,
  deliveryDays: Float64Array,
  rating: Float64Array,
  createdAt: Float64Array,
  quality: Float32Array,
  orderCount: Uint32Array,
  reviewCount: Uint32Array,
  category: Uint32Array,
  subcategory: Uint32Array,
  level: Uint32Array,
  seller: Uint32Array,
  // The tags of gig g are tagLists[tagListStarts[g]] up to tagListStarts[g + 1]; languages likewise.
  tagLists: Uint32Array,
  tagListStarts: Uint32Array,
  languageLists: Uint32Array,
  languageListStarts: Uint32Array,
  // The postings of term t, by gig number: see `posting`.
  postings: Uint32Array,
  postingStarts: Uint32Array,
  // In how many gigs a term stands in the title or tags: what completions are ordered by.
  headlineCounts: Uint32Array,
  // Hashes of the terms' stems, rising, and whose they are: see `formsOf`.
  stemHashes: Uint32Array,
  stemTerms: Uint32Array,
  // The languages a gig's text seems to be in, as bits.
  tongues: Uint16Array,
  // How many gigs have each tag.
  tagCounts: Uint32Array,
} as const

export type SectionName = keyof typeof SECTIONS
export type Sections = { [K in SectionName]: Shared<InstanceType<(typeof SECTIONS)[K]>> }
type Shared<T> = T extends Float64Array
  ? Float64Array
  : T extends Float32Array
    ? Float32Array
    : T extends Uint16Array
      ? Uint16Array
      : Uint32Array
type View = new (buffer: ArrayBufferLike, at: number, length: number) => Uint32Array

export type Segment = {
  gigs: number
  buffer: SharedArrayBuffer
  columns: Sections
  ids: Table
  terms: Table
  tags: Table
  categories: Table
  subcategories: Table
  levels: Table
  languages: Table
  sellers: Table
}

// A posting is one number: gig number (24 bits), in title or tags (1 bit), weight of the term in the gig (7 bits).
export const IMPACT_MAX = 127
export const HEADLINE = 128
export const posting = (gig: number, impact: number, headline: boolean) =>
  ((gig << 8) | (headline ? HEADLINE : 0) | impact) >>> 0

const MAGIC = 0x67696773
const NAMES = Object.keys(SECTIONS) as SectionName[]
const HEADER_NUMBERS = 4 + 2 * NAMES.length
const ALIGNMENT = 8

export function packSegment(gigs: number, sections: Sections): Segment {
  let end = align(HEADER_NUMBERS * 4)
  const places = NAMES.map((name) => {
    const place = { name, at: end, length: sections[name].length }
    end = align(end + sections[name].byteLength)
    return place
  })
  const buffer = new SharedArrayBuffer(end)
  const header = new Uint32Array(buffer, 0, HEADER_NUMBERS)
  header.set([MAGIC, SEGMENT_FORMAT, gigs, NAMES.length, ...places.flatMap((place) => [place.at, place.length])])
  for (const place of places) viewOf(buffer, place).set(sections[place.name])
  return openSegment(buffer)
}

/** Throws a RangeError on bytes that are no segment of this format. */
export function openSegment(buffer: SharedArrayBuffer): Segment {
  const header = new Uint32Array(buffer, 0, HEADER_NUMBERS)
  if (header[0] !== MAGIC || header[1] !== SEGMENT_FORMAT || header[3] !== NAMES.length) {
    throw new RangeError('not a segment of this format')
  }
  const views = NAMES.map((name, at) => {
    return [name, viewOf(buffer, { name, at: header[4 + 2 * at]!, length: header[5 + 2 * at]! })] as const
  })
  const columns = Object.fromEntries(views) as unknown as Sections
  return {
    gigs: header[2]!,
    buffer,
    columns,
    ids: tableOf(columns.idChars, columns.idStarts),
    terms: tableOf(columns.termChars, columns.termStarts),
    tags: tableOf(columns.tagChars, columns.tagStarts),
    categories: tableOf(columns.categoryChars, columns.categoryStarts),
    subcategories: tableOf(columns.subcategoryChars, columns.subcategoryStarts),
    levels: tableOf(columns.levelChars, columns.levelStarts),
    languages: tableOf(columns.languageChars, columns.languageStarts),
    sellers: tableOf(columns.sellerChars, columns.sellerStarts),
  }
}

function viewOf(buffer: SharedArrayBuffer, place: { name: SectionName; at: number; length: number }) {
  return new (SECTIONS[place.name] as unknown as View)(buffer, place.at, place.length)
}

const align = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
