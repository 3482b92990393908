// Text to words, the same way for gigs and for queries: compatibility forms unified, case and diacritics folded.
import { isStopWord } from './language/index.ts'

/** A word longer than this is cut, so that no text can make an endless term. */
export const WORD_CHARS_MAX = 40
/** Words of one field beyond this many are not indexed. */
export const FIELD_WORDS_MAX = 2000

const ASCII = /^\p{ASCII}*$/u
const ASCII_WORD = /c\+\+|[cf]#|[a-z0-9]+/g
const WORD = /c\+\+|[cf]#|[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu
const IDEOGRAPHS = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}]+/gu
// Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowels and the stretching tatweel.
const MARKS = /[\u0300-\u036f]|[\u0591-\u05bd\u05bf\u05c1\u05c2]|[\u064b-\u0652\u0670]|\u0640/g
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ħ: 'h',
  ı: 'i',
  þ: 'th',
  ς: 'σ',
}
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g')

/** `Café Ⅷ` → `cafe viii`. Folding twice is folding once. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  const plain = text.normalize('NFKD').toLowerCase().replace(MARKS, '')
  return plain.replace(LETTER, (letter) => LETTERS[letter] ?? letter).normalize('NFC')
}

/** Tags are compared folded, with single spaces. */
export const foldTag = (tag: string) => fold(tag).replace(/\s+/g, ' ').trim()

/** The words of a gig's field. Text written without spaces becomes pairs of characters and its last character. */
export function indexWords(text: string): string[] {
  return split(text, (pairs, last) => [...pairs, last])
}

/** The words of a query, in order. A lone ideograph stays one character and is looked for as the start of a pair. */
export function queryWords(text: string): string[] {
  return split(text, (pairs, last) => (pairs.length > 0 ? pairs : [last]))
}

/** The words of a query without those that tell nothing, unless nothing else is left. */
export function tellingWords(text: string): string[] {
  const all = queryWords(text)
  const telling = all.filter((word) => !isStopWord(word))
  return telling.length > 0 ? telling : all
}

export const isIdeograph = (word: string) => word.length <= 2 && word.search(IDEOGRAPHS) === 0

/** The folded text with some of its words replaced. */
export function replaceWords(text: string, replacements: ReadonlyMap<string, string>): string {
  return fold(text)
    .replace(WORD, (word) => replacements.get(cut(word)) ?? word)
    .trim()
    .toWellFormed()
}

const WRITTEN_WORD = new RegExp(WORD.source, 'giu')

export type WordPlace = { from: number; to: number; word: string; /** Written without spaces. */ isRun: boolean }

/** Where the words stand in a text as it is, each with its folded form. */
export function wordPlaces(text: string): WordPlace[] {
  return [...text.matchAll(WRITTEN_WORD)].flatMap(({ 0: written, index }) => {
    const cuts = [0, ...[...written.matchAll(IDEOGRAPHS)].flatMap((run) => [run.index, run.index + run[0].length])]
    return [...new Set(cuts)].flatMap((from, at, all) => {
      const to = all[at + 1] ?? written.length
      const piece = written.slice(from, to)
      if (piece === '') return []
      return [{ from: index + from, to: index + to, word: cut(fold(piece)), isRun: piece.search(IDEOGRAPHS) === 0 }]
    })
  })
}

type Emit = (pairs: string[], last: string) => string[]

function split(text: string, emit: Emit): string[] {
  const folded = fold(text)
  const plain = ASCII.test(folded)
  const words = folded.match(plain ? ASCII_WORD : WORD) ?? []
  const out = plain ? words : words.flatMap((word) => splitIdeographs(word, emit))
  return (out.length > FIELD_WORDS_MAX ? out.slice(0, FIELD_WORDS_MAX) : out).map(cut)
}

function splitIdeographs(word: string, emit: Emit): string[] {
  if (ASCII.test(word) || word.search(IDEOGRAPHS) < 0) return [word]
  const out: string[] = []
  let end = 0
  for (const run of word.matchAll(IDEOGRAPHS)) {
    if (run.index > end) out.push(word.slice(end, run.index))
    out.push(...emitRun([...run[0]], emit))
    end = run.index + run[0].length
  }
  if (end < word.length) out.push(word.slice(end))
  return out
}

function emitRun(characters: string[], emit: Emit): string[] {
  const pairs = characters.slice(1).map((character, at) => `${characters[at]}${character}`)
  return emit(pairs, characters.at(-1) ?? '')
}

const cut = (word: string) => (word.length > WORD_CHARS_MAX ? word.slice(0, WORD_CHARS_MAX) : word)
