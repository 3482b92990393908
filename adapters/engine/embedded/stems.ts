// Which terms of a segment are forms of a word: a sorted list of hashed stems beside the terms that have them. Hashes may
// meet by chance: who looks up compares the words themselves.
import { sharedForms, stemsOf } from './language/index.ts'
import type { Segment } from './segment.ts'
import { stringAt } from './table.ts'

export type StemTable = { stemHashes: Uint32Array; stemTerms: Uint32Array }

/** Terms looked at for one stem: more can only be made up to have the same hash. */
const CANDIDATES_MAX = 64
const TERM_BITS = 2 ** 24
/** Terms whose stems are found between two pauses. */
const STEP = 1024

export function stemTable(terms: readonly string[]): StemTable {
  const work = stemSlices(terms)
  let turn = work.next()
  while (!turn.done) turn = work.next()
  return turn.value
}

/** The same with pauses. Hash and term are sorted as one number. */
export function* stemSlices(terms: readonly string[]): Generator<void, StemTable> {
  const found: number[] = []
  for (let term = 0; term < terms.length; term++) {
    for (const stem of stemsOf(terms[term]!)) found.push(hashOf(stem) * TERM_BITS + term)
    if (term % STEP === STEP - 1) yield
  }
  const sorted = Float64Array.from(found).sort()
  yield
  const stemHashes = new Uint32Array(sorted.length)
  const stemTerms = new Uint32Array(sorted.length)
  for (let at = 0; at < sorted.length; at++) {
    const hash = Math.floor(sorted[at]! / TERM_BITS)
    stemHashes[at] = hash
    stemTerms[at] = sorted[at]! - hash * TERM_BITS
  }
  return { stemHashes, stemTerms }
}

export type Form = {
  text: string
  /** How many gigs have it. */ gigs: number
  /** Those in which it is a form of the word, as bits. */ languages: number
}

/** The terms that are other forms of the word. */
export function formsOf(segment: Segment, word: string): Form[] {
  const { stemHashes, stemTerms, postingStarts } = segment.columns
  const terms = new Set<number>()
  for (const stem of stemsOf(word)) {
    const hash = hashOf(stem)
    const first = firstAt(stemHashes, hash)
    const end = Math.min(stemHashes.length, first + CANDIDATES_MAX)
    for (let at = first; at < end && stemHashes[at] === hash; at++) terms.add(stemTerms[at]!)
  }
  const forms: Form[] = []
  for (const term of terms) {
    const text = stringAt(segment.terms, term)
    const languages = text === word ? 0 : sharedForms(word, text)
    if (languages !== 0) forms.push({ text, languages, gigs: postingStarts[term + 1]! - postingStarts[term]! })
  }
  return forms
}

function firstAt(hashes: Uint32Array, hash: number): number {
  let low = 0
  let high = hashes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (hashes[middle]! < hash) low = middle + 1
    else high = middle
  }
  return low
}

/** FNV-1a, in 28 bits, so that with a term it is exact in one number. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash ^ (hash >>> 28)) & 0xfffffff
}
