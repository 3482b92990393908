// English words to stems, after Porter's second stemmer: `translating`, `translated` and `translation` are one.
// Words come folded. Production keeps apart from product: where `-ion` follows `ct` it makes another thing of a word.
import { rewrite, rulesOf } from './suffix.ts'

const VOWEL = /[aeiouy]/
const REGION = /[aeiouy][^aeiouy]/
const DOUBLED = /(bb|dd|ff|gg|mm|nn|pp|rr|tt)$/
const SHORT_END = /(^[aeiouy][^aeiouy]|[^aeiouy][aeiouy][^aeiouywx])$/

/** Where the first, and after it the second, vowel and consonant are over: suffixes go only from there on. */
const regionsOf = (word: string): [first: number, second: number] => {
  const regionFrom = (from: number) => {
    const at = word.slice(from).search(REGION)
    return at < 0 ? word.length : from + at + 2
  }
  const first = regionFrom(0)
  return [first, regionFrom(first)]
}

const LATER = rulesOf([
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['abli', 'able'],
  ['entli', 'ent'],
  ['ization', 'ize'],
  ['isation', 'ize'],
  ['izer', 'ize'],
  ['iser', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['alli', 'al'],
  ['fulness', 'ful'],
  ['ousli', 'ous'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['bli', 'ble'],
  ['logi', 'log'],
  ['fulli', 'ful'],
  ['lessli', 'less'],
])
const LATER_STILL = rulesOf([
  ['alize', 'al'],
  ['icate', 'ic'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
])
const LAST = rulesOf(
  'ement ance ence able ible ment ant ent ism ate iti ous ive ize ise al er ic'
    .split(' ')
    .map((suffix) => [suffix, ''] as const),
)

export const stemEnglish = (word: string): string => {
  if (word.length < 3) return word
  if (NO_AGENTS.has(withoutPlural(word))) return withoutPlural(word)
  const [first, second] = regionsOf(word)
  let stem = withoutAgent(withoutTense(withoutPlural(word), first), first)
  if (/[^aeiouy]y$/.test(stem) && stem.length > 2) stem = `${stem.slice(0, -1)}i`
  stem = rewrite(stem, LATER, first)
  stem = rewrite(stem, LATER_STILL, first)
  stem = /[^c][st]ion$/.test(stem) && stem.length - 3 >= second ? stem.slice(0, -3) : rewrite(stem, LAST, second)
  return withoutSilentE(stem, first, second).replace(/lys[it]$|lyz$/, 'lys')
}

const withoutPlural = (word: string): string => {
  if (word.endsWith('sses')) return word.slice(0, -2)
  if (word.endsWith('ies')) return word.length > 4 ? `${word.slice(0, -3)}i` : word.slice(0, -1)
  if (!word.endsWith('s') || /(us|ss)$/.test(word)) return word
  return VOWEL.test(word.slice(0, -2)) ? word.slice(0, -1) : word
}

const withoutTense = (word: string, first: number): string => {
  if (word.endsWith('eed')) return word.length - 3 >= first ? word.slice(0, -1) : word
  const suffix = /(ingly|edly|ing|ed)$/.exec(word)?.[0]
  const stem = suffix ? word.slice(0, -suffix.length) : word
  return suffix && VOWEL.test(stem) ? asVerb(stem, first) : word
}

/** A writer writes; a poster does not post. */
const withoutAgent = (word: string, first: number): string => {
  const isAgent = word.length >= AGENT_CHARS_MIN && /[^e](er|or)$/.test(word)
  return isAgent && VOWEL.test(word.slice(0, -2)) ? asVerb(word.slice(0, -2), first) : word
}
const AGENT_CHARS_MIN = 6
const NO_AGENTS: ReadonlySet<string> = new Set(
  'poster sticker folder header counter corner customer character printer letter number'.split(' '),
)

const asVerb = (stem: string, first: number): string => {
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`
  if (DOUBLED.test(stem)) return stem.slice(0, -1)
  return stem.length <= first && SHORT_END.test(stem) ? `${stem}e` : stem
}

const withoutSilentE = (stem: string, first: number, second: number): string => {
  const end = stem.length - 1
  if (stem.endsWith('e')) {
    return end >= second || (end >= first && !SHORT_END.test(stem.slice(0, -1))) ? stem.slice(0, -1) : stem
  }
  return stem.endsWith('ll') && end >= second ? stem.slice(0, -1) : stem
}
