// Spanish and French words to stems: number and gender, and French verbs' commonest ends, after Savoy's light stemmers.
// Words come folded, without accents.
import { rewrite, rulesOf } from './suffix.ts'

const SPANISH = rulesOf([
  ['eses', 'es'],
  ['ces', 'z'],
  ['os', ''],
  ['as', ''],
  ['es', ''],
  ['o', ''],
  ['a', ''],
  ['e', ''],
])
const SPANISH_CHARS_MIN = 5
/** No Spanish end; likelier a slip of the finger. */
const DOUBLE_VOWEL = /(aa|ee|oo)s?$/

/** `diseños` and `diseño`, `traductora` and `traductores`. */
export const stemSpanish = (word: string): string =>
  word.length < SPANISH_CHARS_MIN || DOUBLE_VOWEL.test(word) ? word : rewrite(word, SPANISH, SPANISH_CHARS_MIN - 2)

const FRENCH_PLURALS = rulesOf([
  ['eaux', 'eau'],
  ['aux', 'al'],
  ['s', ''],
])
const FRENCH_FEMININES = rulesOf([
  ['trice', 'teur'],
  ['euse', 'eur'],
])
const FRENCH_CHARS_MIN = 5

/** `logos animés` and `logo animée`, `traductrice` and `traducteurs`. */
export const stemFrench = (word: string): string => {
  if (word.length < FRENCH_CHARS_MIN) return word
  const one = rewrite(rewrite(word, FRENCH_PLURALS, 3), FRENCH_FEMININES, 2)
  const bare = one.replace(/(er|ee|e)$/, '')
  return bare.length < 3 ? one : bare.replace(/([^aeiou])\1$/, '$1')
}
