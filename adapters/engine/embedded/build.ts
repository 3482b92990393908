// Gigs become a segment: words are weighed per field, values are given numbers, everything is sorted.
import type { IndexedGig } from '../index.ts'
import { IMPACT_MAX, HEADLINE, packSegment, posting, type Segment, type Sections } from './segment.ts'
import { packStrings } from './table.ts'
import { hearWord, languagesHeard, noTongues, type Tongues } from './language/index.ts'
import { stemTable, type StemMemo } from './stems.ts'
import { foldTag, indexWords } from './text.ts'

type Field = { weight: number; lengthUsual: number; headline: boolean; text: (gig: IndexedGig) => string }

// What a word is worth by where it stands. Usual lengths are constants, so that a gig weighs the same in any segment.
const FIELDS: readonly Field[] = [
  { weight: 4, lengthUsual: 8, headline: true, text: (gig) => gig.title },
  { weight: 2, lengthUsual: 6, headline: true, text: (gig) => gig.tags.join(' , ') },
  {
    weight: 1,
    lengthUsual: 6,
    headline: false,
    text: (gig) => `${gig.category} , ${gig.subcategory} , ${gig.sellerName}`,
  },
  { weight: 0.4, lengthUsual: 80, headline: false, text: (gig) => gig.description },
]
const LENGTH_SHARE = 0.4
const SATURATION = 1.2

/** The gigs' ids are distinct. */
export function buildSegment(gigs: readonly IndexedGig[], memo: StemMemo = new Map()): Segment {
  const sorted = [...gigs].sort((left, right) => (left.id < right.id ? -1 : 1))
  const ids = packStrings(sorted.map((gig) => gig.id))
  const { terms, strings, ...text } = indexText(sorted)
  const category = codes(sorted.map((gig) => [gig.category]))
  const subcategory = codes(sorted.map((gig) => [gig.subcategory]))
  const level = codes(sorted.map((gig) => [gig.sellerLevel]))
  const seller = codes(sorted.map((gig) => [gig.sellerId]))
  const tags = codes(sorted.map((gig) => gig.tags.map(foldTag)))
  const languages = codes(sorted.map((gig) => gig.languages))
  const sections: Sections = {
    ...numbers(sorted),
    ...text,
    ...stemTable(strings, memo),
    idChars: ids.chars,
    idStarts: ids.starts,
    termChars: terms.chars,
    termStarts: terms.starts,
    categoryChars: category.chars,
    categoryStarts: category.starts,
    category: category.list,
    subcategoryChars: subcategory.chars,
    subcategoryStarts: subcategory.starts,
    subcategory: subcategory.list,
    levelChars: level.chars,
    levelStarts: level.starts,
    level: level.list,
    sellerChars: seller.chars,
    sellerStarts: seller.starts,
    seller: seller.list,
    tagChars: tags.chars,
    tagStarts: tags.starts,
    tagLists: tags.list,
    tagCounts: countValues(tags.list, tags.starts.length - 1),
    tagListStarts: tags.listStarts,
    languageChars: languages.chars,
    languageStarts: languages.starts,
    languageLists: languages.list,
    languageListStarts: languages.listStarts,
  }
  return packSegment(sorted.length, sections)
}

function numbers(gigs: readonly IndexedGig[]) {
  return {
    version: Float64Array.from(gigs, (gig) => gig.version),
    price: Float64Array.from(gigs, (gig) => finite(gig.price)),
    deliveryDays: Float64Array.from(gigs, (gig) => finite(gig.deliveryDays)),
    rating: Float64Array.from(gigs, (gig) => finite(gig.rating)),
    createdAt: Float64Array.from(gigs, (gig) => finite(gig.createdAt)),
    quality: Float32Array.from(gigs, (gig) => Math.min(1, Math.max(0, finite(gig.quality)))),
    orderCount: Uint32Array.from(gigs, (gig) => finite(gig.orderCount)),
    reviewCount: Uint32Array.from(gigs, (gig) => finite(gig.reviewCount)),
  }
}

/** How often each number below `size` is in the list. */
export function countValues(list: Uint32Array, size: number): Uint32Array {
  const counts = new Uint32Array(size)
  for (let at = 0; at < list.length; at++) counts[list[at]!]! += 1
  return counts
}

/** Lists of strings as numbers into a sorted table; a value repeated in one list counts once. */
function codes(lists: readonly (readonly string[])[]) {
  const distinct = [...new Set(lists.flat())].sort()
  const codeOf = new Map(distinct.map((value, code) => [value, code]))
  const listStarts = new Uint32Array(lists.length + 1)
  const list: number[] = []
  lists.forEach((values, at) => {
    for (const value of new Set(values)) list.push(codeOf.get(value)!)
    listStarts[at + 1] = list.length
  })
  return { ...packStrings(distinct), list: Uint32Array.from(list), listStarts }
}

type Tally = {
  termOf: Map<string, number>
  /** Per term: its weight in the gig at hand, and whether it stands in its title or tags. */
  weights: number[]
  headlines: boolean[]
  touched: number[]
}

function indexText(gigs: readonly IndexedGig[]) {
  const tally: Tally = { termOf: new Map(), weights: [], headlines: [], touched: [] }
  const found: { terms: number[]; postings: number[] } = { terms: [], postings: [] }
  const tongues = new Uint16Array(gigs.length)
  gigs.forEach((gig, number) => {
    const heard = noTongues()
    for (const field of FIELDS) tallyField(tally, field, { words: indexWords(field.text(gig)), heard })
    tongues[number] = languagesHeard(heard)
    for (const term of tally.touched) {
      const weight = tally.weights[term]!
      const impact = Math.max(1, Math.round((IMPACT_MAX * weight) / (weight + SATURATION)))
      found.terms.push(term)
      found.postings.push(posting(number, impact, tally.headlines[term]!))
      tally.weights[term] = 0
      tally.headlines[term] = false
    }
    tally.touched.length = 0
  })
  return { ...arrange([...tally.termOf.keys()], found), tongues }
}

/** Stop words count where people name things; in prose they would only cost room. */
function tallyField(tally: Tally, field: Field, { words, heard }: { words: readonly string[]; heard: Tongues }) {
  const lengthFactor = 1 - LENGTH_SHARE + (LENGTH_SHARE * words.length) / field.lengthUsual
  const share = field.weight / lengthFactor
  for (const word of words) {
    if (hearWord(heard, word) && field.weight < 1) continue
    let term = tally.termOf.get(word)
    if (term === undefined) {
      term = tally.termOf.size
      tally.termOf.set(word, term)
      tally.weights.push(0)
      tally.headlines.push(false)
    }
    if (tally.weights[term] === 0) tally.touched.push(term)
    tally.weights[term]! += share
    if (field.headline) tally.headlines[term] = true
  }
}

/** Postings grouped by term in the order of the terms; within one they stay in the order of the gigs. */
function arrange(terms: string[], found: { terms: number[]; postings: number[] }) {
  const order = terms.map((_, term) => term).sort((left, right) => (terms[left]! < terms[right]! ? -1 : 1))
  const rankOf = new Uint32Array(terms.length)
  order.forEach((term, rank) => {
    rankOf[term] = rank
  })
  const postingStarts = new Uint32Array(terms.length + 1)
  for (const term of found.terms) postingStarts[rankOf[term]! + 1]! += 1
  for (let rank = 0; rank < terms.length; rank++) postingStarts[rank + 1]! += postingStarts[rank]!
  const next = postingStarts.slice()
  const postings = new Uint32Array(found.postings.length)
  const headlineCounts = new Uint32Array(terms.length)
  found.postings.forEach((value, at) => {
    const rank = rankOf[found.terms[at]!]!
    postings[next[rank]!++] = value
    if (value & HEADLINE) headlineCounts[rank]! += 1
  })
  const strings = order.map((term) => terms[term]!)
  return { strings, terms: packStrings(strings), postings, postingStarts, headlineCounts }
}

const finite = (value: number) => (Number.isFinite(value) ? value : 0)
