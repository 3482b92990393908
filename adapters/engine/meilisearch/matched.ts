// Which words answered: read off the first hits, since the server does not say what it took a typing error for.
import type { Hit } from 'meilisearch'
import { replaceWords } from '../embedded/text.ts'
import type { Matched } from '../index.ts'
import type { AskedWord } from './question.ts'

/** Hits looked at. */
export const LOOKED_AT = 5
export const LOOKED_FIELDS = ['title', 'tags', 'about', 'prose'] as const
type Looked = Partial<Record<(typeof LOOKED_FIELDS)[number], string>>

/** The words of the hits' texts that the server met, in the order of the texts. */
export const metIn = (hits: readonly Hit[]): string[] => {
  const met: string[] = []
  for (const hit of hits as readonly (Hit<Looked> & Looked)[])
    for (const field of LOOKED_FIELDS) {
      const bytes = Buffer.from(hit[field] ?? '')
      for (const { start, length } of hit._matchesPosition?.[field] ?? [])
        met.push(...wordsAround(bytes, start, length))
    }
  return met
}

/** The server marks only the start of a word that was half typed. Texts are words with single spaces. */
const wordsAround = (bytes: Buffer, start: number, length: number): string[] => {
  const from = bytes.lastIndexOf(' ', start) + 1
  const end = bytes.indexOf(' ', start + length)
  return bytes
    .subarray(from, end < 0 ? bytes.length : end)
    .toString()
    .split(' ')
    .filter(Boolean)
}

export const matchedBy = (words: readonly AskedWord[], met: readonly string[]): Matched => {
  const open = words.find((one) => one.open)?.word
  const isStart = (word: string) => open !== undefined && word !== open && word.startsWith(open)
  return {
    words: [...new Set(met.filter((word) => !isStart(word)))],
    starts: met.some(isStart) ? [open!] : [],
  }
}

/** The text with what nobody writes replaced by what was met instead; undefined when every word stands somewhere. */
export const corrected = (text: string, words: readonly AskedWord[], met: readonly string[]): string | undefined => {
  const known = new Set(met)
  const replaced = new Map<string, string>()
  words.forEach((asked, at) => {
    if (isMet(asked, known) || isJoined(words, at, known)) return
    const instead = splitOf(asked.word, met) ?? nearest(asked, known)
    if (instead !== null) replaced.set(asked.word, instead)
  })
  return replaced.size === 0 ? undefined : replaceWords(text, replaced)
}

const isMet = ({ word, open }: AskedWord, known: ReadonlySet<string>): boolean =>
  known.has(word) || (open && [...known].some((one) => one.startsWith(word)))

const isJoined = (words: readonly AskedWord[], at: number, known: ReadonlySet<string>): boolean => {
  const [before, { word }, next] = [words[at - 1], words[at]!, words[at + 1]]
  return (before !== undefined && known.has(before.word + word)) || (next !== undefined && known.has(word + next.word))
}

const splitOf = (word: string, met: readonly string[]): string | null => {
  const at = met.findIndex((one, place) => one + (met[place + 1] ?? '') === word && one !== word)
  return at < 0 ? null : `${met[at]} ${met[at + 1]}`
}

const EDITS_MAX = 2

/** The one with the fewest edits, of a half-typed word to its start; the first met of several. */
const nearest = ({ word, open }: AskedWord, known: ReadonlySet<string>): string | null => {
  let best: { one: string; edits: number } | null = null
  for (const one of known) {
    const edits = editsBetween(word, one, open)
    if (edits <= EDITS_MAX && (best === null || edits < best.edits)) best = { one, edits }
  }
  return best?.one ?? null
}

/** Letters changed, left out, added or swapped with their neighbour. */
const editsBetween = (typed: string, word: string, toStart: boolean): number => {
  if (!toStart && Math.abs(typed.length - word.length) > EDITS_MAX) return Infinity
  const rows: number[][] = [Array.from({ length: word.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= typed.length; row++) {
    const [above, now] = [rows[row - 1]!, [row]]
    for (let column = 1; column <= word.length; column++) {
      const same = typed[row - 1] === word[column - 1]
      const swapped =
        row > 1 && column > 1 && typed[row - 1] === word[column - 2] && typed[row - 2] === word[column - 1]
      now[column] = Math.min(
        above[column - 1]! + (same ? 0 : 1),
        above[column]! + 1,
        now[column - 1]! + 1,
        swapped ? rows[row - 2]![column - 2]! + 1 : Infinity,
      )
    }
    rows.push(now)
  }
  const last = rows.at(-1)!
  return toStart ? Math.min(...last) : last[word.length]!
}
