// What a client asks, in the engine's terms. Pure; what makes no sense is refused with the parameter's name.
import type { Static } from 'typebox'
import { QUERY_CHARS_MAX, type Facet, type SearchQuery } from '../../adapters/engine/index.ts'
import { refuse, type FieldError } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import type { search } from './contract.ts'

export type Asked = Static<(typeof search)['actions']['gigs']['params']>

export const FACETS: readonly Facet[] = [
  'category',
  'subcategory',
  'sellerLevel',
  'language',
  'deliveryDays',
  'rating',
  'price',
]
/** What is counted unless asked otherwise: what every result page shows. */
const FACETS_DEFAULT: readonly Facet[] = ['category', 'sellerLevel', 'price']
const LEVELS: readonly string[] = ['new', 'level_one', 'level_two', 'top_rated']
const LANGUAGE = /^[a-z]{2}$/
/** Values one comma list may have. */
export const LIST_MAX = 20

export const queryOf = (asked: Asked): SearchQuery => {
  const lists = {
    sellerLevel: listOf(asked.sellerLevel),
    language: listOf(asked.language?.toLowerCase()),
    tags: listOf(asked.tags),
    facets: listOf(asked.facets),
  }
  refuseIf([
    ...outside('sellerLevel', lists.sellerLevel, (level) => LEVELS.includes(level), `one of ${LEVELS.join(', ')}`),
    ...outside('language', lists.language, (language) => LANGUAGE.test(language), 'a language of two letters'),
    ...outside('facets', lists.facets, (facet) => FACETS.includes(facet as Facet), `one of ${FACETS.join(', ')}`),
    ...Object.entries(lists).flatMap(([path, list]) =>
      list && list.length > LIST_MAX ? [{ path, message: `has more than ${LIST_MAX} values` }] : [],
    ),
    ...(asked.minPrice !== undefined && asked.maxPrice !== undefined && asked.minPrice > asked.maxPrice
      ? [{ path: 'minPrice', message: 'is above maxPrice' }]
      : []),
  ])
  return {
    q: queryText(asked.q),
    filter: given({
      category: asked.category,
      subcategory: asked.subcategory,
      minPrice: asked.minPrice,
      maxPrice: asked.maxPrice,
      deliveryDays: asked.deliveryDays,
      minRating: asked.minRating,
      sellerLevel: lists.sellerLevel,
      languages: lists.language,
      tags: lists.tags,
    }),
    sort: asked.sort ?? 'relevance',
    facets: (lists.facets as Facet[] | undefined) ?? FACETS_DEFAULT,
    limit: asked.limit ?? LIMIT_DEFAULT,
    cursor: asked.cursor ?? null,
    loosen: asked.loosen ?? 'words',
    highlight: asked.highlight ?? false,
  }
}

/** Cut, trimmed, and without half a character at the end. */
export const queryText = (q = ''): string => q.slice(0, QUERY_CHARS_MAX).toWellFormed().trim()

const listOf = (commas: string | undefined): string[] | undefined => {
  if (commas === undefined) return undefined
  const values = commas
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean)
  return [...new Set(values)]
}

const outside = (
  path: string,
  values: string[] | undefined,
  fits: (value: string) => boolean,
  wanted: string,
): FieldError[] =>
  (values ?? [])
    .filter((value) => !fits(value))
    .slice(0, 1)
    .map((value) => ({ path, message: `"${value.slice(0, 40)}" is not ${wanted}` }))

const refuseIf = (errors: readonly FieldError[]): void => {
  const [first] = errors
  if (first) throw refuse('validation_failed', `${first.path}: ${first.message}`, { errors: [...errors] })
}

type Filter = NonNullable<SearchQuery['filter']>
/** Without what was not asked; an empty list asks for nothing. */
const given = (filter: { [K in keyof Filter]: Filter[K] | undefined }): Filter =>
  Object.fromEntries(
    Object.entries(filter).filter(([, value]) => value !== undefined && (!Array.isArray(value) || value.length > 0)),
  )
