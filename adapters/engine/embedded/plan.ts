// What a query's text asks for: its words, each with every posting list that answers it, in every part.
import type { Part } from './collection.ts'
import { eachNearTerm, editsAllowed } from './fuzzy.ts'
import { find, prefixRange, stringAt } from './table.ts'
import { fold, isIdeograph, isStopWord, queryWords, replaceWords } from './text.ts'

/** Postings of neighbouring terms, and the share of the full weight that a gig gets for them. */
export type Run = { from: number; to: number; share: number }
/** One word of the query. Per part its runs; a gig counts with the best of them. */
export type Slot = { runs: Run[][]; postings: number }
export type Plan = { slots: Slot[]; corrected?: string }

/** Folded words that also answer each other. */
export type Synonyms = ReadonlyMap<string, readonly string[]>

export const QUERY_WORDS_MAX = 12
/** Nearest terms tried for a word that nobody used. */
export const NEAR_TERMS_MAX = 16

const PREFIX_SHARE = 0.7
const SYNONYM_SHARE = 0.9
const SECOND_GUESS_SHARE = 0.7

/** One-word entries of the table, folded, in both directions. */
export function readSynonyms(table: Readonly<Record<string, readonly string[]>>): Synonyms {
  const synonyms = new Map<string, string[]>()
  for (const [word, others] of Object.entries(table)) {
    for (const other of others) {
      link(synonyms, fold(word), fold(other))
      link(synonyms, fold(other), fold(word))
    }
  }
  return synonyms
}

function link(synonyms: Map<string, string[]>, from: string, to: string) {
  if (queryWords(from).length !== 1 || queryWords(to).length !== 1 || from === to) return
  synonyms.set(from, [...new Set([...(synonyms.get(from) ?? []), to])])
}

export function planText(parts: readonly Part[], text: string, synonyms: Synonyms): Plan {
  const all = queryWords(text)
  const telling = all.filter((word) => !isStopWord(word))
  const words = [...new Set(telling.length > 0 ? telling : all)].slice(0, QUERY_WORDS_MAX)
  // The word at the very end may be half typed.
  const open = /[\p{L}\p{N}\p{M}+#]$/u.test(text) ? all.at(-1) : undefined
  const replaced = new Map<string, string>()
  const slots = words.map((word) => {
    const prefix = word === open || isIdeograph(word)
    const slot = typedSlot(parts, { word, prefix, synonyms })
    if (isAnswered(parts, slot)) return slot
    const guess = guessedSlot(parts, word, prefix)
    if (guess) replaced.set(word, guess.word)
    return guess ? guess.slot : slot
  })
  return replaced.size > 0 ? { slots, corrected: replaceWords(text, replaced) } : { slots }
}

type Typed = { word: string; prefix: boolean; synonyms: Synonyms }

function typedSlot(parts: readonly Part[], { word, prefix, synonyms }: Typed): Slot {
  return slotOf(
    parts.map((part) => {
      const runs = runOf(part, find(part.segment.terms, word), 1)
      for (const other of synonyms.get(word) ?? []) {
        runs.push(...runOf(part, find(part.segment.terms, other), SYNONYM_SHARE))
      }
      if (prefix) runs.push(...longerRun(part, word))
      return runs
    }),
  )
}

/** The terms that only start with the word. */
function longerRun(part: Part, word: string): Run[] {
  const {
    terms,
    columns: { postingStarts },
  } = part.segment
  const { from, to } = prefixRange(terms, word)
  const first = find(terms, word) >= 0 ? from + 1 : from
  return first < to ? [{ from: postingStarts[first]!, to: postingStarts[to]!, share: PREFIX_SHARE }] : []
}

/** The nearest terms in use: whole words first, then for a half-typed word those that start nearly like it. */
function guessedSlot(parts: readonly Part[], word: string, prefix: boolean): { word: string; slot: Slot } | null {
  const edits = editsAllowed(word)
  if (edits === 0) return null
  const near = nearestTerms(parts, { word, edits, prefix: false })
  const guesses = near.length > 0 || !prefix ? near : nearestTerms(parts, { word, edits, prefix: true })
  if (guesses.length === 0) return null
  const slot = slotOf(
    parts.map((part) =>
      guesses.flatMap((guess, rank) => {
        return runOf(part, find(part.segment.terms, guess), rank === 0 ? 1 : SECOND_GUESS_SHARE)
      }),
    ),
  )
  return { word: guesses[0]!, slot }
}

/** Those at the least distance that a living gig has, the most used first. */
function nearestTerms(parts: readonly Part[], wanted: { word: string; edits: number; prefix: boolean }): string[] {
  const postings = new Map<string, number>()
  let least = wanted.edits
  for (const part of parts) {
    eachNearTerm(part.segment.terms, wanted, (term, distance) => {
      if (distance > least) return
      const [run] = runOf(part, term, 1)
      if (!run || !isLiving(part, run)) return
      if (distance < least) postings.clear()
      least = distance
      const text = stringAt(part.segment.terms, term)
      postings.set(text, (postings.get(text) ?? 0) + run.to - run.from)
    })
  }
  const sorted = [...postings].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
  return sorted.slice(0, NEAR_TERMS_MAX).map(([text]) => text)
}

function runOf(part: Part, term: number, share: number): Run[] {
  if (term < 0) return []
  const { postingStarts } = part.segment.columns
  return [{ from: postingStarts[term]!, to: postingStarts[term + 1]!, share }]
}

function slotOf(runs: Run[][]): Slot {
  return { runs, postings: runs.flat().reduce((sum, run) => sum + run.to - run.from, 0) }
}

function isAnswered(parts: readonly Part[], slot: Slot): boolean {
  return slot.runs.some((runs, at) => runs.some((run) => isLiving(parts[at]!, run)))
}

function isLiving(part: Part, run: Run): boolean {
  if (part.living === part.segment.gigs) return run.to > run.from
  const { postings } = part.segment.columns
  for (let at = run.from; at < run.to; at++) if (part.dead[postings[at]! >>> 8] === 0) return true
  return false
}
