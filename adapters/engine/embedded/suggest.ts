// What a half-typed query may become: tags that start like it, its last word completed, categories that start like it.
import { QUERY_CHARS_MAX, type Suggestion } from '../index.ts'
import type { Part } from './collection.ts'
import { HEADLINE } from './segment.ts'
import { find, nameAt, prefixRange, stringAt, type Table } from './table.ts'
import { isStopWord } from './language/index.ts'
import { fold, foldTag, queryWords } from './text.ts'

const SUGGESTIONS_MAX = 20
const CATEGORIES_MAX = 3
/** Completions of the last word that are tried together with the words before it. */
const COMPLETIONS_TRIED_MAX = 64

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

function tagsLike(parts: readonly Part[], text: string): Counts {
  const counts: Counts = new Map()
  for (const { segment, dead } of parts) {
    const { tags, columns } = segment
    const { from, to } = prefixRange(tags, text)
    if (from === to) continue
    const byTag = columns.tagCounts.slice(from, to)
    // Only the gigs that are gone are looked at, found as fast as a byte is found.
    for (let gig = dead.indexOf(1); gig >= 0; gig = dead.indexOf(1, gig + 1)) {
      for (let at = columns.tagListStarts[gig]!; at < columns.tagListStarts[gig + 1]!; at++) {
        const tag = columns.tagLists[at]!
        if (tag >= from && tag < to) byTag[tag - from]! -= 1
      }
    }
    byTag.forEach((count, at) => {
      if (count > 0) add(counts, stringAt(tags, from + at), count)
    })
  }
  return counts
}

/** The typed words with the last one completed; with several words only completions that occur beside the others. */
function completionsOf(parts: readonly Part[], text: string): Counts {
  const words = queryWords(text)
  const last = words.at(-1)
  if (last === undefined || !text.endsWith(last)) return new Map()
  const start = text.slice(0, text.length - last.length)
  const others = words.slice(0, -1).filter((word) => !isStopWord(word))
  const ends = endings(parts, last)
  const tried = mostFrequent(ends).slice(0, COMPLETIONS_TRIED_MAX)
  const counts: Counts = new Map()
  const together = others.length === 0 ? null : parts.map((part) => havingAll(part, others))
  for (const ending of tried) {
    const count = together ? countAmong(parts, together, ending) : ends.get(ending)!
    if (count > 0) counts.set(start + ending, count)
  }
  return counts
}

function endings(parts: readonly Part[], word: string): Counts {
  const counts: Counts = new Map()
  for (const part of parts) {
    const {
      terms,
      columns: { headlineCounts },
    } = part.segment
    const { from, to } = prefixRange(terms, word)
    for (let term = from; term < to; term++) {
      const ending = headlineCounts[term]! > 0 ? stringAt(terms, term) : ''
      if (ending !== '' && !isStopWord(ending)) add(counts, ending, headlineCounts[term]!)
    }
  }
  return counts
}

/** By gig: 1 where all of the words stand in the title or tags; null when no gig has them. */
function havingAll(part: Part, words: readonly string[]): Uint8Array | null {
  const { terms, columns } = part.segment
  const stage = new Uint8Array(part.segment.gigs)
  for (const [at, word] of words.entries()) {
    const term = find(terms, word)
    if (term < 0) return null
    for (let place = columns.postingStarts[term]!; place < columns.postingStarts[term + 1]!; place++) {
      const value = columns.postings[place]!
      if (value & HEADLINE && stage[value >>> 8] === at) stage[value >>> 8] = at + 1
    }
  }
  for (let gig = 0; gig < stage.length; gig++) stage[gig] = stage[gig] === words.length && part.dead[gig] === 0 ? 1 : 0
  return stage
}

/** In how many of those gigs the word stands in the title or tags, too. */
function countAmong(parts: readonly Part[], having: readonly (Uint8Array | null)[], word: string): number {
  let count = 0
  parts.forEach((part, at) => {
    const { terms, columns } = part.segment
    const among = having[at]
    const term = among ? find(terms, word) : -1
    if (!among || term < 0) return
    for (let place = columns.postingStarts[term]!; place < columns.postingStarts[term + 1]!; place++) {
      const value = columns.postings[place]!
      if (value & HEADLINE) count += among[value >>> 8]!
    }
  })
  return count
}

/** Categories and subcategories one of whose words starts like the text. */
function categoriesLike(parts: readonly Part[], text: string): string[] {
  const counts: Counts = new Map()
  for (const part of parts) {
    const { categories, subcategories, columns } = part.segment
    countLike(counts, { table: categories, column: columns.category, dead: part.dead, text })
    countLike(counts, { table: subcategories, column: columns.subcategory, dead: part.dead, text })
  }
  return mostFrequent(counts)
}

function countLike(counts: Counts, place: { table: Table; column: Uint32Array; dead: Uint8Array; text: string }) {
  const { table, column, dead, text } = place
  const like: number[] = []
  for (let code = 0; code < table.size; code++) {
    const name = ` ${fold(nameAt(table, code)).replace(/[^\p{L}\p{N}]+/gu, ' ')}`
    if (name.includes(` ${text}`)) like.push(code)
  }
  if (like.length === 0) return
  const byCode = new Uint32Array(table.size)
  for (let gig = 0; gig < column.length; gig++) byCode[column[gig]!]! += 1 - dead[gig]!
  for (const code of like) if (byCode[code]! > 0) add(counts, nameAt(table, code), byCode[code]!)
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
  return [...counts].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1)).map(([text]) => text)
}
