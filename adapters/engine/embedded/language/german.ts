// German words to stems: the ends of cases, numbers and comparison, after Savoy's light stemmer. Words come folded.
import { rewrite, rulesOf } from './suffix.ts'

const CASES = rulesOf([
  ['ern', ''],
  ['em', ''],
  ['en', ''],
  ['er', ''],
  ['es', ''],
  ['e', ''],
])
/** The genitive, and the plural of borrowed words: `Logos`. */
const GENITIVE = /[abdfghklmnot]s$/
const COMPARISONS = rulesOf([
  ['est', ''],
  ['er', ''],
  ['en', ''],
])
const CHARS_MIN = 4

/** `Übersetzungen` and `Übersetzung`, `schönes` and `schönste` not: sound shifts are left alone. */
export const stemGerman = (word: string): string => {
  if (word.length <= CHARS_MIN) return word
  const bare = GENITIVE.test(word) ? word.slice(0, -1) : rewrite(word, CASES, CHARS_MIN - 1)
  return rewrite(bare, COMPARISONS, CHARS_MIN)
}
