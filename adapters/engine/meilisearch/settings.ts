// How Meilisearch is to index and answer, as code: compared with what the server has, and sent where it differs, since a
// changed setting makes the server index everything again.
import type { Meilisearch, Settings } from 'meilisearch'

/** Hits of one question that can be reached through windows; the server's default is 1,000. */
export const REACHED_MAX = 20_000
/** The port's limit, and the server's default. */
export const FACET_VALUES_MAX = 100

const FILTERED = [
  'id',
  'category',
  'subcategory',
  'sellerId',
  'sellerLevel',
  'languages',
  'tagKeys',
  'words',
  'price',
  'priceFrom',
  'deliveryDays',
  'deliverySteps',
  'rating',
  'ratingSteps',
  'reviewCount',
  'orderCount',
  'createdAt',
]

export const GIG_SETTINGS = {
  searchableAttributes: ['title', 'tags', 'about', 'prose'],
  filterableAttributes: FILTERED,
  sortableAttributes: ['id', 'createdAt', 'rating', 'reviewCount', 'price', 'orderCount'],
  // A sort decides first, as the port says; without one the text does, and quality breaks its ties.
  rankingRules: ['sort', 'words', 'typo', 'proximity', 'attribute', 'exactness', 'quality:desc'],
  typoTolerance: {
    enabled: true,
    minWordSizeForTypos: { oneTypo: 4, twoTypos: 8 },
    disableOnNumbers: true,
  },
  // Texts are sent as the words that our own splitting makes of them: `c++` is one.
  nonSeparatorTokens: ['#', '+'],
  pagination: { maxTotalHits: REACHED_MAX },
  // Of the prices only the least and the most are wanted, which the server adds by itself.
  faceting: { maxValuesPerFacet: FACET_VALUES_MAX, sortFacetValuesBy: { '*': 'count', price: 'alpha' } },
} as const satisfies Settings

/** What was removed, and at which version: what arrives late does not bring it back. */
export const GONE_SETTINGS = {
  searchableAttributes: [],
  filterableAttributes: ['id', 'at'],
  sortableAttributes: ['id'],
} as const satisfies Settings

/** Answers the task's number where something had to be sent. */
export const ensureSettings = async (client: Meilisearch, uid: string, wanted: Settings): Promise<number | null> => {
  const present = (await client.index(uid).getSettings()) as Record<string, unknown>
  const differing = Object.entries(wanted).filter(([name, value]) => !has(present[name], value))
  if (differing.length === 0) return null
  return (await client.index(uid).updateSettings(Object.fromEntries(differing))).taskUid
}

/** Whether what the server says is what is wanted; it may say more, and lists of names have no order but two. */
const has = (present: unknown, wanted: unknown): boolean => {
  if (Array.isArray(wanted))
    return Array.isArray(present) && present.length === wanted.length && sameItems(present, wanted)
  if (typeof wanted !== 'object' || wanted === null) return present === wanted
  if (typeof present !== 'object' || present === null) return false
  return Object.entries(wanted).every(([name, value]) => has((present as Record<string, unknown>)[name], value))
}

const sameItems = (present: readonly unknown[], wanted: readonly unknown[]): boolean =>
  wanted.every((one, at) => present[at] === one) || (!isOrdered(wanted) && wanted.every((one) => present.includes(one)))
const isOrdered = (wanted: readonly unknown[]): boolean =>
  wanted === GIG_SETTINGS.rankingRules || wanted === GIG_SETTINGS.searchableAttributes
