// Gigs and queries to measure search with: dense in topics, about as skewed in words as prose is. The n-th gig is always
// the same.
import type { Facet, IndexedGig, SearchQuery } from '../adapters/engine/index.ts'
import { chance, type Chance } from '../services/sandbox/demo/chance.ts'

const CATEGORIES = 12
const SUBCATEGORIES = 10
const TOPICS = (
  'logo website video voice illustration animation translation resume podcast marketing shopify wordpress ' +
  'python react mobile backend database trading fitness nutrition wedding portrait photography editing proofreading ' +
  'ghostwriting copywriting branding packaging architecture interior garden music mixing mastering guitar piano violin lesson'
).split(' ')
const SYLLABLES = 'ba ce di fo gu ka le mi no pu ra se ti vo wu xa ye zi lo ma ne ri so tu va pe'.split(' ')
const SMALL_WORDS = 'the and with for your of in to is my'.split(' ')
const WORDS = 40_000
const LEVELS = ['new', 'one', 'two', 'top']
const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'hi', 'ur', 'zh']
const FACETS: readonly Facet[] = ['category', 'subcategory', 'sellerLevel', 'language', 'price']
const MADE_AT = Date.UTC(2026, 0, 1)
const DAY_MS = 24 * 3600 * 1000

export const benchGig = (number: number, version = 1): IndexedGig => {
  const dice = chance(number * 7919 + version)
  const topic = dice.pick(TOPICS)
  const category = dice.whole(0, CATEGORIES - 1)
  const proseWord = () => {
    const share = dice.next()
    return share < 0.05 ? dice.pick(TOPICS) : share < 0.3 ? dice.pick(SMALL_WORDS) : wordOf(dice)
  }
  return {
    id: `gig_${(Math.imul(number, 2654435761) >>> 0).toString(36)}${number.toString(36)}`,
    version,
    title: `I will ${wordOf(dice)} ${topic} ${dice.pick(TOPICS)} ${wordOf(dice)} for your ${wordOf(dice)}`,
    description: Array.from({ length: 60 }, proseWord).join(' '),
    tags: [topic, dice.pick(TOPICS), wordOf(dice), `${topic} ${dice.pick(TOPICS)}`],
    category: `category-${category}`,
    subcategory: `subcategory-${category}-${dice.whole(0, SUBCATEGORIES - 1)}`,
    sellerId: `seller_${Math.floor(number * 0.3)}`,
    sellerName: wordOf(dice),
    sellerLevel: dice.pick(LEVELS),
    languages: [dice.pick(LANGUAGES), dice.pick(LANGUAGES)],
    price: 500 + Math.floor(10 ** (2 + dice.next() * 3)),
    currency: 'USD',
    deliveryDays: dice.whole(1, 30),
    rating: dice.next() < 0.3 ? 0 : dice.whole(30, 50) / 10,
    reviewCount: Math.floor(1000 ** dice.next()) - 1,
    orderCount: Math.floor(3000 ** dice.next()) - 1,
    createdAt: MADE_AT - Math.floor(dice.next() * 1000 * DAY_MS),
    quality: dice.next(),
  }
}

/** Per class: the n-th query, always the same. Deep pages are walked, see search.ts. */
export const CLASSES: Readonly<Record<string, (dice: Chance) => SearchQuery>> = {
  'text + 2 filters + facets + sort': (dice) => ({
    q: `${dice.pick(TOPICS)} ${dice.pick(TOPICS)}`,
    filter: { maxPrice: 5000 + dice.whole(0, 40_000), deliveryDays: 7 },
    facets: FACETS,
    sort: dice.pick(['price', 'rating', 'relevance'] as const),
  }),
  'category browse + facets': (dice) => ({
    filter: { category: `category-${dice.whole(0, CATEGORIES - 1)}` },
    facets: FACETS,
  }),
  typo: (dice) => ({ q: misspelt(dice, dice.pick(TOPICS)) }),
  prefix: (dice) => ({ q: dice.pick(TOPICS).slice(0, 3) }),
  'other form + highlight': (dice) => ({ q: `${dice.pick(TOPICS)}s ${dice.pick(TOPICS)} `, highlight: true }),
  'nothing fits, loosened': (dice) => ({ q: `${dice.pick(TOPICS)} ${dice.pick(TOPICS)} qqxqq`, facets: FACETS }),
}

export const typedStart = (dice: Chance): string => {
  const topic = dice.pick(TOPICS)
  return dice.next() < 0.5
    ? topic.slice(0, dice.whole(1, 4))
    : `${topic} ${dice.pick(TOPICS).slice(0, dice.whole(1, 3))}`
}

// The rarer a word the longer its number.
const wordOf = (dice: Chance): string => {
  let text = ''
  let rest = Math.floor(WORDS ** dice.next()) + SYLLABLES.length
  for (; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) text += SYLLABLES[rest % SYLLABLES.length]
  return text
}

const misspelt = (dice: Chance, text: string): string => {
  const at = 1 + Math.floor(dice.next() * (text.length - 2))
  return text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2)
}
