// What is known of languages: which words tell nothing, which words are forms of one word. A language is a bit, so that
// a text, a word or a rule can be of several.
import { stemEnglish } from './english.ts'
import { stemGerman } from './german.ts'
import { stemFrench, stemSpanish } from './romance.ts'
import { STOP_WORDS } from './stop-words.ts'

export const LANGUAGE_BITS = { en: 1, es: 2, de: 4, fr: 8 } as const
export const LANGUAGES_ALL = 15

const LANGUAGES = [
  { bit: LANGUAGE_BITS.en, stem: stemEnglish },
  { bit: LANGUAGE_BITS.es, stem: stemSpanish },
  { bit: LANGUAGE_BITS.de, stem: stemGerman },
  { bit: LANGUAGE_BITS.fr, stem: stemFrench },
] as const

const stopWordLanguages: ReadonlyMap<string, number> = STOP_WORDS.reduce((languages, { language, words }) => {
  for (const word of words.split(' ')) languages.set(word, (languages.get(word) ?? 0) | LANGUAGE_BITS[language])
  return languages
}, new Map<string, number>())

export const isStopWord = (word: string) => stopWordLanguages.has(word)

/** Counts the languages of a text by its stop words. */
export type Tongues = { counts: Uint32Array }
export const noTongues = (): Tongues => ({ counts: new Uint32Array(LANGUAGES.length) })

/** True when the word was a stop word. */
export const hearWord = ({ counts }: Tongues, word: string): boolean => {
  const languages = stopWordLanguages.get(word)
  if (languages === undefined) return false
  for (let at = 0; at < counts.length; at++) if (languages & LANGUAGES[at]!.bit) counts[at]! += 1
  return true
}

/** The bits of the language heard most; of all that were heard alike, so of all four when none was. */
export const languagesHeard = ({ counts }: Tongues): number => {
  const most = Math.max(...counts)
  return LANGUAGES.reduce((bits, { bit }, at) => (counts[at] === most ? bits | bit : bits), 0)
}

/** Shorter stems would join words that have nothing to do with each other. */
const STEM_CHARS_MIN = 4
const STEMMED = /^[a-z]{4,}$/

/** The word's stem per language, in the order of LANGUAGES; null where it has none. */
const stemsByLanguage = (word: string): (string | null)[] =>
  LANGUAGES.map(({ stem }) => {
    const made = stem(word)
    return made.length < STEM_CHARS_MIN ? null : made
  })

/** The distinct stems of a word; none for what is not a plain word. */
export const stemsOf = (word: string): string[] => {
  if (!STEMMED.test(word)) return []
  return [...new Set(stemsByLanguage(word).filter((stem) => stem !== null))]
}

/** In which languages two words are forms of one: the bits. */
export const sharedForms = (left: string, right: string): number => {
  if (!STEMMED.test(left) || !STEMMED.test(right)) return 0
  const others = stemsByLanguage(right)
  return stemsByLanguage(left).reduce((bits, stem, at) => {
    return stem !== null && stem === others[at] ? bits | LANGUAGES[at]!.bit : bits
  }, 0)
}
