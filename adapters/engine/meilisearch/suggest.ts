// What a half-typed query may become: tags that start like it, its last word completed beside the words before it,
// categories that start like it. Counted by the server's search among facet values.
import type { Meilisearch } from 'meilisearch'
import { isStopWord } from '../embedded/language/index.ts'
import { foldTag, queryWords } from '../embedded/text.ts'
import { QUERY_CHARS_MAX, type Suggestion } from '../index.ts'

const SUGGESTIONS_MAX = 20
const CATEGORIES_MAX = 3

type Place = { client: Meilisearch; uid: string }
type Counts = Map<string, number>

export const suggestTexts = async (place: Place, typed: string, limit: number): Promise<Suggestion[]> => {
  const text = foldTag(typed.slice(0, QUERY_CHARS_MAX)).toWellFormed()
  const most = Math.min(SUGGESTIONS_MAX, Math.max(0, Math.trunc(limit) || 0))
  if (text === '' || most === 0) return []
  const words = queryWords(text)
  const last = words.at(-1)
  const isOpen = last !== undefined && text.endsWith(last)
  const start = isOpen ? text.slice(0, text.length - last.length) : ''
  const others = words.slice(0, -1).filter((word) => !isStopWord(word))
  const [tags, endings, categories, subcategories] = await Promise.all([
    valuesLike(place, { field: 'tagKeys', start: text }),
    isOpen ? valuesLike(place, { field: 'words', start: last, beside: others }) : new Map<string, number>(),
    valuesLike(place, { field: 'category', start: text, within: true }),
    valuesLike(place, { field: 'subcategory', start: text, within: true }),
  ])
  const counts: Counts = new Map(tags)
  for (const [ending, count] of endings) counts.set(start + ending, Math.max(count, counts.get(start + ending) ?? 0))
  counts.delete(text)
  const places = mostFrequent(new Map([...categories, ...subcategories])).slice(0, CATEGORIES_MAX)
  const room = Math.max(most - places.length, Math.ceil(most / 2))
  return [
    ...mostFrequent(counts)
      .slice(0, room)
      .map((completion) => ({ text: completion, kind: 'completion' as const })),
    ...places.map((category) => ({ text: category, kind: 'category' as const })),
  ].slice(0, most)
}

type Like = {
  field: string
  start: string
  /** Counted among gigs that have these words in title or tags. */
  beside?: readonly string[]
  /** The start of any of its words will do. */
  within?: boolean
}

/** The server forgives typing errors here too; a completion must begin with what was typed. */
const valuesLike = async (
  { client, uid }: Place,
  { field, start, beside = [], within = false }: Like,
): Promise<Counts> => {
  const { facetHits } = await client.index(uid).searchForFacetValues({
    facetName: field,
    facetQuery: start,
    ...(beside.length > 0 && { filter: beside.map((word) => `words = "${word}"`) }),
  })
  const fits = (value: string) =>
    within ? ` ${foldTag(value.replaceAll(/[^\p{L}\p{N}]+/gu, ' '))}`.includes(` ${start}`) : value.startsWith(start)
  return new Map(facetHits.filter(({ value }) => fits(value)).map(({ value, count }) => [value, count]))
}

const mostFrequent = (counts: Counts): string[] =>
  [...counts].sort((left, right) => right[1] - left[1] || (left[0] < right[0] ? -1 : 1)).map(([text]) => text)
