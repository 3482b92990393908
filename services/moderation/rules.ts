// May this gig be seen? Every reason against it is one plain sentence that names the field, so that its seller knows
// what to change. Pure: the same text always gets the same answer.
import type { GigContent } from '../gig/contract.ts'
import { PACKAGE_NAMES } from '../gig/contract.ts'
import { contactsIn } from './contact.ts'
import { normal, unleeted } from './normal.ts'
import { bannedClassesIn } from './words.ts'

export const TITLE_LENGTH_MIN = 5
export const DESCRIPTION_LENGTH_MIN = 10
/** The most reasons given at once. */
export const REASONS_MAX = 20

/** Empty: it may be seen. */
export const reasonsAgainst = (gig: GigContent): string[] => {
  const reasons = [
    ...tooLittle(gig),
    ...textsOf(gig).flatMap(([field, text]) => inText(field, text)),
    ...inTitle(gig.title),
    ...inDescription(gig.description),
  ]
  return [...new Set(reasons)].slice(0, REASONS_MAX)
}

const tooLittle = ({ title, description }: GigContent): string[] => [
  ...(title.trim().length < TITLE_LENGTH_MIN
    ? [`The title is too short: it needs at least ${TITLE_LENGTH_MIN} characters.`]
    : []),
  ...(description.trim().length < DESCRIPTION_LENGTH_MIN
    ? [`The description is too short: it needs at least ${DESCRIPTION_LENGTH_MIN} characters.`]
    : []),
]

/** Every text a buyer can read, with the words a seller knows it by. */
const textsOf = (gig: GigContent): [field: string, text: string][] => [
  ['title', gig.title],
  ['description', gig.description],
  ...gig.tags.map((tag, at): [string, string] => [`tag ${at + 1}`, tag]),
  ...PACKAGE_NAMES.flatMap((name) => packageTexts(name, gig.packages[name])),
  ...gig.extras.map(({ title }, at): [string, string] => [`title of extra ${at + 1}`, title]),
  ...gig.faq.flatMap(({ question, answer }, at): [string, string][] => [
    [`question ${at + 1} of the FAQ`, question],
    [`answer ${at + 1} of the FAQ`, answer],
  ]),
  ...gig.requirements.map(({ question, choices = [] }, at): [string, string] => [
    `requirement ${at + 1}`,
    [question, ...choices].join('\n'),
  ]),
]

const packageTexts = (name: string, one: GigContent['packages']['basic'] | undefined): [string, string][] =>
  one
    ? [
        [`title of the ${name} package`, one.title],
        [`description of the ${name} package`, one.description],
        [`features of the ${name} package`, one.features.join('\n')],
      ]
    : []

const inText = (field: string, text: string): string[] => {
  const plain = normal(text)
  const classes = new Set([...bannedClassesIn(plain), ...bannedClassesIn(unleeted(plain))])
  return [
    ...[...classes].map((name) => `There is something about ${name} in the ${field}: that is not allowed here.`),
    ...contactsIn(plain).map(
      (contact) => `There is ${contact} in the ${field}: talk to buyers in messages here instead.`,
    ),
    ...(SAME_SIGN.test(text) ? [`One character is repeated too often in the ${field}.`] : []),
    ...(SAME_WORD.test(plain) ? [`One word is repeated too often in the ${field}.`] : []),
  ]
}

/** Lines of dashes, dots and the like separate parts; letters and exclamation marks shout. */
const SAME_SIGN = /([\p{L}!?$€%&])\1{6,}/u
const SAME_WORD = /(?<![\p{L}\p{N}])([\p{L}\p{N}]{2,40})(?:[\s,.!?]{1,3}\1){4,}(?![\p{L}\p{N}])/u

const TITLE_CAPITALS_MAX = 0.7
const TITLE_LETTERS_JUDGED = 16
const inTitle = (title: string): string[] =>
  isShouting(title, TITLE_LETTERS_JUDGED, TITLE_CAPITALS_MAX) ? ['The title is written mostly in capitals.'] : []

const DESCRIPTION_CAPITALS_MAX = 0.6
const DESCRIPTION_LETTERS_JUDGED = 60
const WORDS_JUDGED = 20
/** A word of four letters or more that makes up more than this share of a text is there for the search engine. */
const WORD_SHARE_MAX = 0.35
const inDescription = (description: string): string[] => [
  ...(isShouting(description, DESCRIPTION_LETTERS_JUDGED, DESCRIPTION_CAPITALS_MAX)
    ? ['The description is written mostly in capitals.']
    : []),
  ...(isStuffed(description) ? ['One word is repeated too often in the description.'] : []),
]

const isShouting = (text: string, lettersMin: number, shareMax: number): boolean => {
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0
  const letters = capitals + (text.match(/\p{Ll}/gu)?.length ?? 0)
  return letters >= lettersMin && capitals / letters > shareMax
}

const isStuffed = (text: string): boolean => {
  const words = normal(text).match(/[\p{L}\p{N}]+/gu) ?? []
  if (words.length < WORDS_JUDGED) return false
  const counts = new Map<string, number>()
  for (const word of words) if (word.length >= 4) counts.set(word, (counts.get(word) ?? 0) + 1)
  return Math.max(0, ...counts.values()) / words.length > WORD_SHARE_MAX
}
