// What an unknown word may have meant: the nearest words in use, or two words written as one.
import type { Part } from './collection.ts'
import { eachNearTerm, editsAllowed } from './fuzzy.ts'
import { isLiving } from './match.ts'
import { find, stringAt } from './table.ts'

/** `split`: the words stand side by side; otherwise each alone would do, the first best. */
export type Guess = { words: string[]; split: boolean }

/** Nearest terms tried for a word that nobody used. */
export const NEAR_TERMS_MAX = 16
/** Of two words written as one, each has at least this many characters. */
export const HALF_CHARS_MIN = 3

/** One edit, then two words as one, then two edits; for a half-typed word at last those that start nearly like it. */
export function guessed(parts: readonly Part[], word: string, prefix: boolean): Guess | null {
  const allowed = editsAllowed(word)
  for (let edits = 1; edits <= Math.max(1, allowed); edits++) {
    const near = edits > allowed ? [] : nearestTerms(parts, { word, edits, prefix: false })
    if (near.length > 0) return { words: near, split: false }
    const halves = edits === 1 ? halvesOf(parts, word) : null
    if (halves) return { words: halves, split: true }
  }
  const starts = prefix && allowed > 0 ? nearestTerms(parts, { word, edits: allowed, prefix: true }) : []
  return starts.length > 0 ? { words: starts, split: false } : null
}

/** The most even split into two words in use. */
function halvesOf(parts: readonly Part[], word: string): string[] | null {
  const middle = Math.ceil(word.length / 2)
  for (let off = 0; middle + off <= word.length - HALF_CHARS_MIN || middle - off >= HALF_CHARS_MIN; off++) {
    for (const at of off === 0 ? [middle] : [middle + off, middle - off]) {
      if (at < HALF_CHARS_MIN || word.length - at < HALF_CHARS_MIN) continue
      const halves = [word.slice(0, at), word.slice(at)]
      if (halves.every((half) => parts.some((part) => isInUse(part, find(part.segment.terms, half))))) return halves
    }
  }
  return null
}

/** Those at the least distance that a living gig has, the most used first. */
function nearestTerms(parts: readonly Part[], wanted: { word: string; edits: number; prefix: boolean }): string[] {
  const postings = new Map<string, number>()
  let least = wanted.edits
  for (const part of parts) {
    const { postingStarts } = part.segment.columns
    eachNearTerm(part.segment.terms, wanted, (term, distance) => {
      if (distance > least || !isInUse(part, term)) return
      if (distance < least) postings.clear()
      least = distance
      const text = stringAt(part.segment.terms, term)
      postings.set(text, (postings.get(text) ?? 0) + postingStarts[term + 1]! - postingStarts[term]!)
    })
  }
  const sorted = [...postings].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1))
  return sorted.slice(0, NEAR_TERMS_MAX).map(([text]) => text)
}

function isInUse(part: Part, term: number): boolean {
  const { postingStarts } = part.segment.columns
  if (term < 0) return false
  return isLiving(part, {
    from: postingStarts[term]!,
    to: postingStarts[term + 1]!,
    share: 1,
    languages: 0,
    list: null,
  })
}
