// Gigs, queries and folders for the engine's tests.
import type { ExecutionContext } from 'ava'
import fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Engine, IndexedGig, SearchQuery } from './index.ts'

const LONG_AGO = Date.UTC(2026, 0, 1)

export const quiet = { info: () => {}, warn: () => {}, error: () => {} }

export const gig = (id: string, over: Partial<IndexedGig> = {}): IndexedGig => ({
  id,
  version: 1,
  title: `I will do ${id}`,
  description: '',
  tags: [],
  category: 'design',
  subcategory: 'other',
  sellerId: `seller-${id}`,
  sellerName: 'Sam',
  sellerLevel: 'new',
  languages: ['en'],
  price: 1000,
  currency: 'USD',
  deliveryDays: 3,
  rating: 0,
  reviewCount: 0,
  orderCount: 0,
  createdAt: LONG_AGO,
  quality: 0.5,
  ...over,
})

export const newDir = async (t: ExecutionContext) => {
  const dir = await mkdtemp(join(tmpdir(), 'engine-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export const idsOf = async (engine: Engine, query: SearchQuery) =>
  (await engine.search(query)).hits.map((hit) => hit.id)
export const found = async (engine: Engine, query: SearchQuery) => (await idsOf(engine, query)).sort()

/** Every hit of every page. */
export const walk = async (engine: Engine, query: SearchQuery) => {
  const ids: string[] = []
  for (let cursor: string | null = null, page = 0; page === 0 || cursor; page++) {
    const result = await engine.search({ ...query, cursor })
    ids.push(...result.hits.map((hit) => hit.id))
    cursor = result.nextCursor
  }
  return ids
}

const WORDS = [
  'logo',
  'design',
  'designer',
  'website',
  'web',
  'voice',
  'video',
  'paint',
  'painting',
  'the',
  'will',
  'café',
  'seo',
  'song',
  'songs',
  'mobile',
  'mobility',
  'webdesign',
  'diseno',
  'disenos',
  'und',
  'der',
  'los',
  '设计',
  '网站设计',
]
const TYPED = [
  'lgoo',
  'websiet',
  'des',
  'painter',
  'mobilyti',
  'paint logo zzzz',
  'xyzzy',
  'the',
  'de',
  'songz',
  '设',
  'web desing ',
  'web design ',
  'logoseo',
  'songs mobile',
  'und logo',
  'diseno web',
  'logo xyzzy paint',
  'music song café voice',
]
const some = (words: string[], maxLength: number) => fc.array(fc.constantFrom(...words), { maxLength })
const text = (maxLength: number) => some(WORDS, maxLength).map((words) => words.join(' '))
/** Mostly absent, so that the filters together leave something to find. */
const maybe = <T>(value: fc.Arbitrary<T>) => {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
}

export const randomGig = (): fc.Arbitrary<IndexedGig> =>
  fc.record({
    id: fc.constant(''),
    version: fc.constant(1),
    title: text(5),
    description: text(12),
    tags: some(['Logo', 'web design', 'Café', 'seo'], 3),
    category: fc.constantFrom('design', 'music', 'writing'),
    subcategory: fc.constantFrom('ka', 'kb', 'kc', 'kd'),
    sellerId: fc.constantFrom('s1', 's2', 's3'),
    sellerName: fc.constantFrom('Ann', 'Bob'),
    sellerLevel: fc.constantFrom('new', 'one', 'top'),
    languages: some(['en', 'de', 'fr'], 3),
    price: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 500, max: 500_000 })),
    currency: fc.constant('USD'),
    deliveryDays: fc.integer({ min: 1, max: 30 }),
    rating: fc.integer({ min: 0, max: 50 }).map((tenths) => tenths / 10),
    reviewCount: fc.nat(3),
    orderCount: fc.nat(5),
    createdAt: fc.nat(9).map((at) => at * 1e9),
    quality: fc.double({ min: 0, max: 1, noNaN: true }),
  })

const randomFilter = () =>
  fc.record({
    category: maybe(fc.constantFrom('design', 'none')),
    subcategory: maybe(fc.constantFrom('ka', 'kb')),
    sellerId: maybe(fc.constant('s1')),
    minPrice: maybe(fc.nat(3000)),
    maxPrice: maybe(fc.nat(100_000)),
    deliveryDays: maybe(fc.integer({ min: 5, max: 30 })),
    minRating: maybe(fc.constantFrom(1, 4, 4.5)),
    sellerLevel: maybe(some(['new', 'top', 'none'], 2)),
    languages: maybe(some(['en', 'fr'], 2)),
    tags: maybe(some(['LOGO', 'cafe', 'web  design'], 2)),
  })

/** Groups of words and phrases that answer each other. */
export const randomSynonyms = (): fc.Arbitrary<string[][]> =>
  fc.subarray([
    ['logo', 'song'],
    ['seo', 'web design'],
    ['paint', 'voice video', 'diseno'],
    ['website mobile', 'cafe'],
  ])

export const randomQuery = (): fc.Arbitrary<SearchQuery> =>
  fc.record({
    q: fc.oneof(fc.constant(''), text(3), fc.constantFrom(...TYPED)),
    filter: randomFilter().map((filter) => {
      const given = Object.entries(filter).filter(([, value]) => value !== undefined)
      return Object.fromEntries(given) as NonNullable<SearchQuery['filter']>
    }),
    loosen: fc.constantFrom('words', 'words', 'filters', 'no'),
    sort: fc.constantFrom('relevance', 'newest', 'rating', 'price', '-price', 'bestselling'),
    facets: fc.subarray([
      'category',
      'subcategory',
      'sellerLevel',
      'language',
      'deliveryDays',
      'rating',
      'price',
    ] as const),
  })
