// A corpus and queries that say by construction who should find whom. The n-th gig is always the same.
import type { IndexedGig } from '../../adapters/engine/index.ts'
import { chance, type Chance } from '../../services/sandbox/demo/chance.ts'
import { ATTRIBUTES, PROSE, TITLES, TOPICS, type Tongue, type Topic } from './topics.ts'

export type LabelledGig = { gig: IndexedGig; topic: string; subcategory: string; attribute: string; tongue: Tongue }
export type LabelledQuery = { q: string; kind: string; topic: string; attribute: string | null; tongue: Tongue }

const DAY_MS = 86_400_000
/** When every corpus was made. */
export const CORPUS_AT = Date.UTC(2026, 0, 1)
/** Most sellers write in English. */
const TONGUES: readonly Tongue[] = ['en', 'en', 'en', 'en', 'en', 'en', 'es', 'de', 'fr', 'ja', 'zh']

export const labelledGig = (number: number): LabelledGig => {
  const dice = chance(number * 7919 + 3)
  const topic = dice.pick(TOPICS)
  const other = dice.pick(TOPICS)
  const wanted = dice.pick(TONGUES)
  const tongue = topic.names[wanted] ? wanted : 'en'
  const attribute = dice.pick(ATTRIBUTES)
  const name = dice.pick(topic.names[tongue]!)
  const title = dice.pick(TITLES[tongue]).replace('{n}', name).replace('{a}', attribute)
  const aside = dice.next() < 0.4 ? ` (${(other.names[tongue] ?? other.names.en)![0]} ✓)` : ''
  const gig: IndexedGig = {
    id: `gig_${number.toString(36).padStart(6, '0')}`,
    version: 1,
    title,
    description: `${dice.some(PROSE[tongue], 2).join(' ')} ${dice.next() < 0.7 ? dice.pick(topic.names[tongue]!) : ''}${aside}`,
    tags: tongue === 'en' ? tagsOf(dice, topic, attribute) : [attribute.replace(' ', '-')],
    category: topic.category,
    subcategory: topic.subcategory,
    sellerId: `usr_${number % 997}`,
    sellerName: 'Sam',
    sellerLevel: dice.pick(['new', 'level_one', 'level_two', 'top_rated']),
    languages: ['en'],
    price: dice.whole(5, 400) * 100,
    currency: 'usd',
    deliveryDays: dice.whole(1, 14),
    rating: dice.whole(30, 50) / 10,
    reviewCount: dice.whole(0, 40),
    orderCount: dice.whole(0, 90),
    createdAt: CORPUS_AT - dice.whole(0, 700) * DAY_MS,
    quality: Math.round(100 * dice.next()) / 100,
  }
  return { gig, topic: topic.id, subcategory: topic.subcategory, attribute, tongue }
}

const tagsOf = (dice: Chance, topic: Topic, attribute: string): string[] => [
  ...dice.some(topic.tags, 1),
  ...(dice.next() < 0.5 ? [attribute.replace(' ', '-')] : []),
  ...(dice.next() < 0.2 ? [dice.pick(dice.pick(TOPICS).tags)] : []),
]

/** Every topic in every way somebody may ask for it. */
export const labelledQueries = (): LabelledQuery[] =>
  TOPICS.flatMap((topic, at) => {
    const dice = chance(at * 101 + 7)
    const english = topic.names.en!
    const usual = english[0]!
    const attribute = dice.pick(ATTRIBUTES)
    const asked = (kind: string, q: string, tongue: Tongue = 'en', wanted: string | null = null) => {
      return { q, kind, topic: topic.id, attribute: wanted, tongue }
    }
    return [
      asked('word', usual),
      ...english.slice(1).map((name) => asked('synonym', name)),
      ...topic.inflected.map((form) => asked('inflection', form)),
      asked('typo', misspelt(dice, usual)),
      asked('prefix', usual.slice(0, Math.max(4, Math.ceil(usual.length * 0.6)))),
      asked('attribute', `${attribute} ${usual}`, 'en', attribute),
      asked('sentence', `I need a ${usual} for my ${attribute} company`, 'en', attribute),
      asked('too much', `${usual} ${attribute} unicorn`, 'en', attribute),
      ...(['es', 'de', 'fr', 'ja', 'zh'] as const).flatMap((tongue) =>
        (topic.names[tongue] ?? []).filter((name) => !isEnglish(name)).map((name) => asked(tongue, name, tongue)),
      ),
    ]
  })

/** What is spelled alike in English does not say in which language an answer is wanted. */
const isEnglish = (name: string) =>
  TOPICS.some((topic) =>
    [...topic.names.en!, ...topic.inflected].some((one) => one.toLowerCase() === name.toLowerCase()),
  )

/** Two neighbours of its longest word change places. */
const misspelt = (dice: Chance, text: string): string => {
  const longest = text.split(' ').reduce((best, word) => (word.length > best.length ? word : best))
  if (longest.length < 4) return text
  const at = dice.whole(1, longest.length - 3)
  return text.replace(longest, longest.slice(0, at) + longest[at + 1] + longest[at] + longest.slice(at + 2))
}

/** 3: what was asked for; 2: without the wish; 1: a neighbour. Who writes in another language is not looked for. */
/** From this grade on a gig is wanted. */
export const wantedFrom = ({ attribute }: LabelledQuery): number => (attribute === null ? 2 : 3)

export const gradeOf = (query: LabelledQuery, one: LabelledGig): number => {
  if (one.tongue !== query.tongue) return 0
  if (one.topic === query.topic) return query.attribute === null || one.attribute === query.attribute ? 3 : 2
  const topic = TOPICS.find(({ id }) => id === query.topic)!
  return one.subcategory === topic.subcategory ? 1 : 0
}
