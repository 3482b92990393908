// What a half-typed query may become: tags that start like it, its last word completed, categories that start like it.
import { QUERY_CHARS_MAX, type Suggestion } from '../index.ts'
import type { Part } from './collection.ts'
import { HEADLINE } from './segment.ts'
import { find, prefixRange, stringAt, type Table } from './table.ts'
import { fold, foldTag, isStopWord, queryWords } from './text.ts'

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
  for (const part of parts) {
    const {
      tags,
      columns: { tagLists, tagListStarts },
    } = part.segment
    const { from, to } = prefixRange(tags, text)
    if (from === to) continue
    const byTag = new Uint32Array(to - from)
    part.dead.forEach((dead, gig) => {
      if (dead === 1) return
      for (let at = tagListStarts[gig]!; at < tagListStarts[gig + 1]!; at++) {
        const tag = tagLists[at]!
        if (tag >= from && tag < to) byTag[tag - from]! += 1
      }
    })
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
  for (const ending of tried) {
    const count = others.length === 0 ? ends.get(ending)! : togetherCount(parts, others, ending)
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

/** In how many gigs' titles or tags all of these words stand. */
function togetherCount(parts: readonly Part[], others: readonly string[], ending: string): number {
  let together = 0
  for (const part of parts) {
    let gigs = headlineGigs(part, ending)
    for (const word of others) {
      if (gigs.size > 0) gigs = gigs.intersection(headlineGigs(part, word))
    }
    together += gigs.size
  }
  return together
}

function headlineGigs(part: Part, word: string): Set<number> {
  const gigs = new Set<number>()
  const {
    terms,
    columns: { postings, postingStarts },
  } = part.segment
  const term = find(terms, word)
  if (term < 0) return gigs
  for (let at = postingStarts[term]!; at < postingStarts[term + 1]!; at++) {
    const value = postings[at]!
    if (value & HEADLINE && part.dead[value >>> 8] === 0) gigs.add(value >>> 8)
  }
  return gigs
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
  const byCode = new Map<number, number>()
  for (let code = 0; code < place.table.size; code++) {
    const name = ` ${fold(stringAt(place.table, code)).replace(/[^\p{L}\p{N}]+/gu, ' ')}`
    if (name.includes(` ${place.text}`)) byCode.set(code, 0)
  }
  if (byCode.size === 0) return
  place.column.forEach((code, gig) => {
    if (place.dead[gig] === 0 && byCode.has(code)) byCode.set(code, byCode.get(code)! + 1)
  })
  for (const [code, count] of byCode) if (count > 0) add(counts, stringAt(place.table, code), count)
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
