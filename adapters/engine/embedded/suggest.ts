// What a half-typed query may become: tags that start like it, its last word completed, categories that start like it.
import { QUERY_CHARS_MAX, type Suggestion } from '../index.ts'
import type { Part } from './collection.ts'
import { highest, livingOf } from './living.ts'
import { HEADLINE } from './segment.ts'
import { find, nameAt, prefixRange, stringAt, type Table } from './table.ts'
import { isStopWord } from './language/index.ts'
import { fold, foldTag, queryWords } from './text.ts'

const SUGGESTIONS_MAX = 20
const CATEGORIES_MAX = 3
/** The most frequent tags, and completions of the last word, that are looked at: the latter with the words before it. */
const LOOKED_AT_MAX = 64
/** Entries of one part that may be among them. */
const READ_MAX = 256

export function suggestTexts(parts: readonly Part[], typed: string, limit: number): Suggestion[] {
  const text = foldTag(typed.slice(0, QUERY_CHARS_MAX))
  const most = Math.min(SUGGESTIONS_MAX, Math.max(0, Math.trunc(limit) || 0))
  if (text === '' || most === 0) return []
  const counts = merge(tagsLike(parts, text), completionsOf(parts, text))
  counts.delete(text)
  const categories = categoriesLike(parts, text).slice(0, CATEGORIES_MAX)
  const room = Math.max(most - categories.length, Math.ceil(most / 2))
  const completions = mostFrequent(counts).slice(0, room)
  return [
    ...completions.map((completion) => ({ text: completion, kind: 'completion' as const })),
    ...categories.map((category) => ({ text: category, kind: 'category' as const })),
  ].slice(0, most)
}

type Counts = Map<string, number>

/** Entries of a part's table with what they count; those with the prefix are wanted. */
type Counted = { table: Table; counts: Uint32Array }

/**
 * The entries that start like the text and count most, over all parts. An entry that is never among the first of a part
 * is not looked at: it would not be among the first of all but by chance.
 */
function startingLike(all: readonly Counted[], text: string, isWanted: (text: string) => boolean = () => true): Counts {
  const places = all.map(({ table, counts }) => highest(counts, prefixRange(table, text), READ_MAX))
  const sums: Counts = new Map()
  all.forEach(({ table, counts }, part) => {
    for (const at of places[part]!) add(sums, stringAt(table, at), counts[at]!)
  })
  const isWhole = places.every((some) => some.length < READ_MAX)
  const best = mostFrequent(sums).filter(isWanted).slice(0, LOOKED_AT_MAX)
  if (!isWhole) for (const entry of best) sums.set(entry, countIn(all, entry))
  return new Map(best.map((entry) => [entry, sums.get(entry)!] as const).sort(moreFrequent))
}

function countIn(all: readonly Counted[], entry: string): number {
  let count = 0
  for (const { table, counts } of all) {
    const at = find(table, entry)
    if (at >= 0) count += counts[at]!
  }
  return count
}

function tagsLike(parts: readonly Part[], text: string): Counts {
  return startingLike(
    parts.map((part) => ({ table: part.segment.tags, counts: livingOf(part).tags })),
    text,
  )
}

/** The typed words with the last one completed; with several words only completions that occur beside the others. */
function completionsOf(parts: readonly Part[], text: string): Counts {
  const words = queryWords(text)
  const last = words.at(-1)
  if (last === undefined || !text.endsWith(last)) return new Map()
  const start = text.slice(0, text.length - last.length)
  const others = words.slice(0, -1).filter((word) => !isStopWord(word))
  const ends = endings(parts, last)
  const counts: Counts = new Map()
  const together =
    others.length === 0 ? null : { having: parts.map((part) => havingAll(part, others)), words: others.length }
  const best: number[] = []
  for (const [ending, alone] of ends) {
    // The others are even less frequent, and none is more so beside other words than alone.
    if (best.length === SUGGESTIONS_MAX && best.at(-1)! >= alone) break
    const count = together ? countAmong(parts, together, ending) : alone
    if (count === 0) continue
    counts.set(start + ending, count)
    best.push(count)
    best.sort((left, right) => right - left).splice(SUGGESTIONS_MAX)
  }
  return counts
}

function endings(parts: readonly Part[], word: string): Counts {
  const all = parts.map(({ segment: { terms, columns } }) => ({ table: terms, counts: columns.headlineCounts }))
  return startingLike(all, word, (ending) => !isStopWord(ending))
}

/** By gig: how many of the words, all of them where it is wanted, stand in the title or tags; null when no gig has them. */
function havingAll(part: Part, words: readonly string[]): Uint8Array | null {
  const { terms, columns } = part.segment
  const { postings, postingStarts } = columns
  const stage = new Uint8Array(part.segment.gigs)
  for (const [at, word] of words.entries()) {
    const term = find(terms, word)
    if (term < 0) return null
    for (let place = postingStarts[term]!; place < postingStarts[term + 1]!; place++) {
      const value = postings[place]!
      const gig = value >>> 8
      if (value & HEADLINE && stage[gig] === at && (at > 0 || part.dead[gig] === 0)) stage[gig] = at + 1
    }
  }
  return stage
}

type Together = { having: readonly (Uint8Array | null)[]; words: number }

/** In how many of the gigs that have all the words this one stands in the title or tags, too. */
function countAmong(parts: readonly Part[], { having, words }: Together, word: string): number {
  let count = 0
  parts.forEach((part, at) => {
    const { terms, columns } = part.segment
    const { postings, postingStarts } = columns
    const among = having[at]
    const term = among ? find(terms, word) : -1
    if (!among || term < 0) return
    for (let place = postingStarts[term]!; place < postingStarts[term + 1]!; place++) {
      const value = postings[place]!
      if (value & HEADLINE && among[value >>> 8] === words) count += 1
    }
  })
  return count
}

/** Categories and subcategories one of whose words starts like the text. */
function categoriesLike(parts: readonly Part[], text: string): string[] {
  const counts: Counts = new Map()
  for (const part of parts) {
    const { categories, subcategories } = part.segment
    const living = livingOf(part)
    countLike(counts, { table: categories, counts: living.categories }, text)
    countLike(counts, { table: subcategories, counts: living.subcategories }, text)
  }
  return mostFrequent(counts)
}

function countLike(counts: Counts, { table, counts: living }: Counted, text: string) {
  for (let code = 0; code < table.size; code++) {
    if (living[code] === 0) continue
    const name = nameAt(table, code)
    if (plainAt(table, code).includes(` ${text}`)) add(counts, name, living[code]!)
  }
}

/** Each word of the name with a space before it. */
function plainAt(table: Table, at: number): string {
  return (table.plain[at] ??= ` ${fold(nameAt(table, at)).replace(/[^\p{L}\p{N}]+/gu, ' ')}`)
}

function add(counts: Counts, text: string, count: number) {
  counts.set(text, (counts.get(text) ?? 0) + count)
}

/** A text in both is as frequent as in the one where it is more so. */
function merge(left: Counts, right: Counts): Counts {
  for (const [text, count] of right) left.set(text, Math.max(count, left.get(text) ?? 0))
  return left
}

function mostFrequent(counts: Counts): string[] {
  return [...counts].sort(moreFrequent).map(([text]) => text)
}

const moreFrequent = (left: readonly [string, number], right: readonly [string, number]) =>
  right[1] - left[1] || (left[0] < right[0] ? -1 : 1)
