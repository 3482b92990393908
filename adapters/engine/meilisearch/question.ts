// A search in Meilisearch's terms. One request carries several questions: the page, counts of facets that ignore their own
// filter, and a look at how the words were met.
import type { MultiSearchQuery } from 'meilisearch'
import type { Facet, FilterName, SearchQuery, Sort } from '../index.ts'
import type { Filter } from '../embedded/filter.ts'
import { isIdeograph, tellingWords } from '../embedded/text.ts'
import { keyOf, tagKeyOf } from './record.ts'

/** What the server reads of a question's text. */
export const WORDS_MAX = 10

export type AskedWord = { word: string; /** Perhaps only its start was typed. */ open: boolean }

export const wordsOf = (text: string): AskedWord[] => {
  const all = [...new Set(tellingWords(text))].slice(0, WORDS_MAX)
  const isOpen = /[\p{L}\p{N}\p{M}+#]$/u.test(text)
  return all.map((word, at) => ({ word, open: at === all.length - 1 && (isOpen || isIdeograph(word)) }))
}

/** A space at the end says that the last word is whole. */
export const textOf = (words: readonly AskedWord[]): string => {
  const last = words.at(-1)
  return words.map(({ word }) => word).join(' ') + (last && !last.open ? ' ' : '')
}

export const quoted = (value: string) => `"${value.replaceAll('"', '\\"')}"`
const anyOf = (field: string, values: readonly string[]) => `${field} IN [${values.map(quoted).join(', ')}]`
export const idsIn = (ids: readonly string[]) => anyOf('id', ids.map(keyOf))

const CONDITIONS: Readonly<Record<FilterName, (filter: Filter) => string[]>> = {
  category: ({ category }) => (category === undefined ? [] : [`category = ${quoted(keyOf(category))}`]),
  subcategory: ({ subcategory }) => (subcategory === undefined ? [] : [`subcategory = ${quoted(keyOf(subcategory))}`]),
  sellerId: ({ sellerId }) => (sellerId === undefined ? [] : [`sellerId = ${quoted(keyOf(sellerId))}`]),
  price: ({ minPrice, maxPrice }) => [
    ...(minPrice === undefined ? [] : [`price >= ${minPrice}`]),
    ...(maxPrice === undefined ? [] : [`price <= ${maxPrice}`]),
  ],
  deliveryDays: ({ deliveryDays }) => (deliveryDays === undefined ? [] : [`deliveryDays <= ${deliveryDays}`]),
  rating: ({ minRating }) => (minRating === undefined ? [] : [`rating >= ${minRating}`]),
  sellerLevel: ({ sellerLevel }) => (sellerLevel?.length ? [anyOf('sellerLevel', sellerLevel.map(keyOf))] : []),
  language: ({ languages }) => (languages?.length ? [anyOf('languages', languages.map(keyOf))] : []),
  tags: ({ tags = [] }) => [...new Set(tags.map(tagKeyOf))].map((tag) => `tagKeys = ${quoted(tag)}`),
}
const FILTER_NAMES = Object.keys(CONDITIONS) as FilterName[]

/** All of these are to hold. */
export const conditionsOf = (filter: Filter, without?: FilterName): string[] =>
  FILTER_NAMES.filter((name) => name !== without).flatMap((name) => CONDITIONS[name](filter))
export const isFilteredBy = (filter: Filter, name: FilterName): boolean => CONDITIONS[name](filter).length > 0

export const FACET_FIELDS: Readonly<Record<Facet, readonly string[]>> = {
  category: ['category'],
  subcategory: ['subcategory'],
  sellerLevel: ['sellerLevel'],
  language: ['languages'],
  deliveryDays: ['deliverySteps'],
  rating: ['ratingSteps'],
  price: ['price', 'priceFrom'],
}

export type SortField = 'createdAt' | 'rating' | 'reviewCount' | 'price' | 'orderCount'
type Ordered = { field: SortField; direction: 'asc' | 'desc' }
/** Besides the id, which decides last. */
export const SORTS: Readonly<Record<Exclude<Sort, 'relevance'>, readonly Ordered[]>> = {
  newest: [{ field: 'createdAt', direction: 'desc' }],
  rating: [
    { field: 'rating', direction: 'desc' },
    { field: 'reviewCount', direction: 'desc' },
  ],
  price: [{ field: 'price', direction: 'asc' }],
  '-price': [{ field: 'price', direction: 'desc' }],
  bestselling: [
    { field: 'orderCount', direction: 'desc' },
    { field: 'rating', direction: 'desc' },
  ],
}
export const sortOf = ({ sort }: SearchQuery): keyof typeof SORTS | null =>
  sort !== undefined && Object.hasOwn(SORTS, sort) ? (sort as keyof typeof SORTS) : null
export const orderOf = (sort: keyof typeof SORTS): string[] => [
  ...SORTS[sort].map(({ field, direction }) => `${field}:${direction}`),
  'id:asc',
]

export type Place = { first: number; second: number; id: string }

/** What stands after this place: a page is found as fast however deep it is. */
export const after = (sort: keyof typeof SORTS, { first, second, id }: Place): string => {
  const keys = [first, second]
  return SORTS[sort].reduceRight(
    (rest, { field, direction }, at) => {
      const value = keys[at]!
      return `(${field} ${direction === 'asc' ? '>' : '<'} ${value} OR (${field} = ${value} AND ${rest}))`
    },
    `id > ${quoted(keyOf(id))}`,
  )
}

export type Asking = { uid: string; words: readonly AskedWord[]; conditions: readonly string[] }

/** All words are wanted; what may be left out is decided by us, who can say so. */
export const question = ({ uid, words, conditions }: Asking, more: Partial<MultiSearchQuery>): MultiSearchQuery => ({
  indexUid: uid,
  q: textOf(words),
  matchingStrategy: 'all',
  ...(conditions.length > 0 && { filter: [...conditions] }),
  attributesToRetrieve: ['id'],
  ...more,
})
