// Which terms of a segment are forms of a word: a sorted list of hashed stems beside the terms that have them. Hashes may
// meet by chance: who looks up compares the words themselves.
import { sharedForms, stemsOf } from './language/index.ts'
import type { Segment } from './segment.ts'
import { stringAt } from './table.ts'

export type StemTable = { stemHashes: Uint32Array; stemTerms: Uint32Array }

/** Terms looked at for one stem: more can only be made up to have the same hash. */
const CANDIDATES_MAX = 64
const TERM_BITS = 2 ** 24

/** The hashes of words' stems, kept because the same words come again in every segment. */
export type StemMemo = Map<string, readonly number[]>
/** Words remembered; all are forgotten when there are more. Longer ones would keep the texts they were cut from. */
const REMEMBERED_MAX = 65_536
const REMEMBERED_CHARS_MAX = 12

export function stemTable(terms: readonly string[], memo: StemMemo): StemTable {
  const found: number[] = []
  terms.forEach((term, at) => {
    let hashes = memo.get(term)
    if (hashes === undefined) {
      hashes = [...new Set(stemsOf(term).map(hashOf))]
      if (memo.size >= REMEMBERED_MAX) memo.clear()
      if (term.length <= REMEMBERED_CHARS_MAX) memo.set(term, hashes)
    }
    for (const hash of hashes) found.push(entryOf(hash, at))
  })
  return unpack(Float64Array.from(found).sort())
}

/**
 * One sorted list out of several, with pauses. `codes`: per segment and term its number among the merged terms, which
 * rises with the term, or `gone`.
 */
export function* mergeStems(
  segments: readonly Segment[],
  codes: readonly Uint32Array[],
  gone: number,
): Generator<void, StemTable> {
  const lists = segments.map(({ columns: { stemHashes, stemTerms } }, source) => {
    const list = new Float64Array(stemHashes.length)
    let end = 0
    for (let at = 0; at < stemHashes.length; at++) {
      const code = codes[source]![stemTerms[at]!]!
      if (code !== gone) list[end++] = entryOf(stemHashes[at]!, code)
    }
    return list.subarray(0, end)
  })
  yield
  const merged = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0))
  const heads = lists.map(() => 0)
  let end = 0
  for (;;) {
    let lowest = Infinity
    for (let at = 0; at < lists.length; at++) lowest = Math.min(lowest, lists[at]![heads[at]!] ?? Infinity)
    if (lowest === Infinity) break
    for (let at = 0; at < lists.length; at++) if (lists[at]![heads[at]!] === lowest) heads[at]! += 1
    merged[end++] = lowest
    if (end % MERGE_STEP === 0) yield
  }
  return unpack(merged.subarray(0, end))
}
const MERGE_STEP = 4096

/** Hash and term as one number, so that both are sorted at once. */
const entryOf = (hash: number, term: number) => hash * TERM_BITS + term

function unpack(sorted: Float64Array): StemTable {
  const stemHashes = new Uint32Array(sorted.length)
  const stemTerms = new Uint32Array(sorted.length)
  for (let at = 0; at < sorted.length; at++) {
    stemHashes[at] = Math.floor(sorted[at]! / TERM_BITS)
    stemTerms[at] = sorted[at]! - stemHashes[at]! * TERM_BITS
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
