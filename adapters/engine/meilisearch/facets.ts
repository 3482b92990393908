// Counts beside a list. Where a facet's own filter is on, its counts come from a question of their own without it.
import type { MultiSearchQuery, SearchResponse } from 'meilisearch'
import type { Facet, SearchQuery, SearchResult } from '../index.ts'
import type { Filter } from '../embedded/filter.ts'
import { histogramOf } from './buckets.ts'
import { conditionsOf, FACET_FIELDS, isFilteredBy, question, type AskedWord } from './question.ts'

export type Counted = Pick<SearchResponse, 'facetDistribution' | 'facetStats'>

const fieldsOf = (facets: readonly Facet[]) => facets.flatMap((facet) => FACET_FIELDS[facet])
const namesOf = (facets: SearchQuery['facets'] = []) =>
  [...new Set(facets)].filter((facet) => Object.hasOwn(FACET_FIELDS, facet))

/** Those that the list itself counts. */
export const facetsBeside = (facets: SearchQuery['facets'], filter: Filter): string[] =>
  fieldsOf(namesOf(facets).filter((facet) => !isFilteredBy(filter, facet)))

export type FacetAsking = { uid: string; words: readonly AskedWord[]; filter: Filter; facets: SearchQuery['facets'] }

/** One question for each facet whose own filter is on. */
export const facetQuestions = ({
  uid,
  words,
  filter,
  facets,
}: FacetAsking): { facet: Facet; asked: MultiSearchQuery }[] =>
  namesOf(facets)
    .filter((facet) => isFilteredBy(filter, facet))
    .map((facet) => ({
      facet,
      asked: question(
        { uid, words, conditions: conditionsOf(filter, facet) },
        { limit: 0, facets: [...FACET_FIELDS[facet]] },
      ),
    }))

export const facetsOf = (
  facets: SearchQuery['facets'],
  beside: Counted,
  own: ReadonlyMap<Facet, Counted>,
): SearchResult['facets'] =>
  Object.fromEntries(
    namesOf(facets).flatMap((facet) => {
      const value = valueOf(facet, own.get(facet) ?? beside)
      return value === null ? [] : [[facet, value]]
    }),
  ) as SearchResult['facets']

/** Null for the prices of nothing. */
const valueOf = (facet: Facet, { facetDistribution = {}, facetStats = {} }: Counted) => {
  const counts = facetDistribution[FACET_FIELDS[facet].at(-1)!] ?? {}
  if (facet !== 'price') return nonZero(counts)
  const prices = facetStats['price']
  return prices ? histogramOf(counts, prices) : null
}

const nonZero = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
