// One search: a request with the page and its counts, and more only where nothing was found. By relevance the server gives
// the best of a window by the text alone, and quality, newness and pins order them here, so that their weights can be
// changed without indexing again.
import type { Meilisearch, MultiSearchQuery, SearchResponse } from 'meilisearch'
import { readCursor, writeCursor, type Cursor } from '../cursor.ts'
import { checkFilter, filterNames, filterWithout, type Filter } from '../embedded/filter.ts'
import { pinKey, readRanking } from '../embedded/settings.ts'
import {
  QUERY_CHARS_MAX,
  type Facet,
  type Loosened,
  type Ranking,
  type SearchQuery,
  type SearchResult,
} from '../index.ts'
import { facetQuestions, facetsBeside, facetsOf, type Counted } from './facets.ts'
import { loosening, wordsKept, type Choice, type Loosening } from './loosen.ts'
import { corrected, LOOKED_AT, LOOKED_FIELDS, matchedBy, metIn } from './matched.ts'
import * as ask from './question.ts'
import { REACHED_MAX } from './settings.ts'

/** Hits by relevance that are put in order together; the order of two windows is the server's. */
export const WINDOW = 200
const LIMIT_MAX = 100
const LIMIT_USUAL = 24
/** Above every score. */
const PINNED_SCORE = 1e12
const DAY_MS = 24 * 3600 * 1000

export type Searching = {
  client: Meilisearch
  uid: string
  ranking: Ranking
  pins: ReadonlyMap<string, readonly string[]>
  /** Epoch ms. */
  now: number
}
type Task = {
  query: SearchQuery
  text: string
  words: readonly ask.AskedWord[]
  filter: Filter
  after: Cursor | null
  asOf: number
  ranking: Ranking
  pinned: readonly string[]
}
type Found = {
  hits: Ranked[]
  more: boolean
  window: number
  total: number
  facets: SearchResult['facets']
  met: string[]
  tookMs: number
}
type Ranked = ask.Place & { score: number }
type Sorted = { id: string } & Partial<Record<ask.SortField | 'quality', number>>
type Answer = SearchResponse<Sorted>

export const searchGigs = async (searching: Searching, query: SearchQuery): Promise<SearchResult> => {
  checkFilter(query.filter ?? {})
  const after = query.cursor === undefined || query.cursor === null ? null : readCursor(query, query.cursor)
  const text = (query.q ?? '').slice(0, QUERY_CHARS_MAX).toWellFormed()
  const all = ask.wordsOf(text)
  const whole: Loosening = { kept: 2 ** all.length - 1, dropped: 0 }
  const task = (loose: Loosening): Task => ({
    query,
    text,
    words: wordsKept(all, loose.kept),
    filter: filterWithout(query.filter ?? {}, loose.dropped),
    after,
    asOf: after?.asOf ?? searching.now,
    ranking: after ? readRanking(after.ranking) : searching.ranking,
    pinned: after?.pinned ?? searching.pins.get(pinKey(text)) ?? [],
  })
  let loose: Loosening = after ? { kept: after.kept, dropped: after.dropped } : whole
  let found = await run(searching, task(loose))
  if (!after && found.total === 0 && query.loosen !== 'no') {
    const filter = query.filter ?? {}
    const spent = { ms: found.tookMs }
    const looser = await loosening({ words: all, filter }, query.loosen === 'filters', counter(searching, spent))
    if (looser) found = await run(searching, task((loose = looser)))
    found.tookMs += spent.ms
  }
  const asked = task(loose)
  const last = found.hits.at(-1)
  const instead = corrected(text, asked.words, found.met)
  const { asOf, ranking, pinned } = asked
  const place = { ...loose, asOf, ranking, pinned, weights: [found.window] }
  return {
    hits: found.hits.map(({ id, score }) => ({ id, score })),
    total: found.total,
    totalIsExact: false,
    facets: found.facets,
    nextCursor:
      found.more && last ? writeCursor(query, { first: last.first, second: last.second, id: last.id, ...place }) : null,
    ...(!after && found.met.length > 0 && instead !== undefined && { corrected: instead }),
    ...saidOf(all, loose),
    // Synonyms are the server's own, and its index's.
    ...(query.trial && { untried: ['synonyms' as const] }),
    ...(query.highlight && { matched: matchedBy(asked.words, found.met) }),
    // The server's own time, which it gives in whole milliseconds.
    tookMs: found.tookMs,
  }
}

const saidOf = (all: readonly ask.AskedWord[], { kept, dropped }: Loosening): { loosened?: Loosened[] } => {
  const words = all.filter((_, at) => (kept & (1 << at)) === 0).map(({ word }) => ({ kind: 'word' as const, word }))
  const filters = filterNames(dropped).map((filter) => ({ kind: 'filter' as const, filter }))
  return words.length + filters.length === 0 ? {} : { loosened: [...words, ...filters] }
}

const counter =
  ({ client, uid }: Searching, spent: { ms: number }) =>
  async (choices: readonly Choice[]) => {
    if (choices.length === 0) return []
    const { results } = await client.multiSearch({
      queries: choices.map(({ words, filter }) =>
        ask.question({ uid, words, conditions: ask.conditionsOf(filter) }, { limit: 0 }),
      ),
    })
    spent.ms += took(results)
    return results.map(({ estimatedTotalHits = 0 }) => estimatedTotalHits)
  }

const took = (results: readonly { processingTimeMs: number }[]) =>
  results.reduce((sum, { processingTimeMs }) => sum + processingTimeMs, 0)

const run = async (searching: Searching, task: Task): Promise<Found> => {
  const sort = ask.sortOf(task.query)
  return sort === null ? byRelevance(searching, task) : bySort(searching, task, sort)
}

const limitOf = ({ limit = LIMIT_USUAL }: SearchQuery) => Math.min(LIMIT_MAX, Math.max(1, Math.trunc(limit) || 1))

/** The questions that go with every page. */
const beside = ({ uid }: Searching, { query, words, filter, after }: Task) => ({
  own: facetQuestions({ uid, words, filter, facets: query.facets }),
  look:
    words.length > 0 && (!after || query.highlight)
      ? [
          ask.question(
            { uid, words, conditions: ask.conditionsOf(filter) },
            { limit: LOOKED_AT, attributesToRetrieve: [...LOOKED_FIELDS], showMatchesPosition: true },
          ),
        ]
      : [],
})

type Page = { page: MultiSearchQuery; more?: readonly MultiSearchQuery[] }

/** Asks for the page, what goes with every page, and `more`; the answers to that at the end. */
const asked = async (searching: Searching, task: Task, { page, more = [] }: Page) => {
  const { own, look } = beside(searching, task)
  const queries = [page, ...own.map((one) => one.asked), ...look, ...more]
  const results = (await searching.client.multiSearch({ queries })).results as unknown as Answer[]
  return {
    page: results[0]!,
    own: new Map<Facet, Counted>(own.map(({ facet }, at) => [facet, results[1 + at]!])),
    met: look.length > 0 ? metIn(results[1 + own.length]!.hits) : [],
    more: results.slice(1 + own.length + look.length),
    tookMs: took(results),
  }
}

const bySort = async (searching: Searching, task: Task, sort: keyof typeof ask.SORTS): Promise<Found> => {
  const { query, words, filter, after } = task
  const conditions = ask.conditionsOf(filter)
  const limit = limitOf(query)
  const fields = ask.SORTS[sort].map(({ field }) => field)
  const facets = facetsBeside(query.facets, filter)
  const all = (more: Partial<MultiSearchQuery>) => ask.question({ uid: searching.uid, words, conditions }, more)
  const page = ask.question(
    { uid: searching.uid, words, conditions: after ? [...conditions, ask.after(sort, after)] : conditions },
    {
      limit: limit + 1,
      sort: ask.orderOf(sort),
      attributesToRetrieve: ['id', ...fields],
      showRankingScore: words.length > 0,
      ...(!after && { facets }),
    },
  )
  const answers = await asked(searching, task, { page, more: after ? [all({ limit: 0, facets })] : [] })
  const counted = answers.more[0] ?? answers.page
  const hits = answers.page.hits.slice(0, limit).map((hit) => ({
    first: hit[fields[0]!] ?? 0,
    second: fields[1] === undefined ? 0 : (hit[fields[1]] ?? 0),
    id: hit.id,
    score: hit._rankingScore ?? 1,
  }))
  return {
    hits,
    more: answers.page.hits.length > limit,
    window: 0,
    total: counted.estimatedTotalHits ?? 0,
    facets: facetsOf(query.facets, counted, answers.own),
    met: answers.met,
    tookMs: answers.tookMs,
  }
}

const byRelevance = async (searching: Searching, task: Task): Promise<Found> => {
  const { query, words, filter, after, pinned } = task
  const limit = limitOf(query)
  const conditions = ask.conditionsOf(filter)
  const unpinned = pinned.length > 0 ? [...conditions, `NOT ${ask.idsIn(pinned)}`] : conditions
  const windowOf = (window: number) =>
    ask.question(
      { uid: searching.uid, words, conditions: unpinned },
      {
        offset: window * WINDOW,
        limit: WINDOW,
        attributesToRetrieve: ['id', 'quality', 'createdAt'],
        showRankingScore: words.length > 0,
      },
    )
  const pins = ask.question({ uid: searching.uid, words: [], conditions: [...conditions, ask.idsIn(pinned)] }, {})
  let window = windowIn(after)
  let furtherMs = 0
  const answers = await asked(searching, task, {
    page: { ...windowOf(window), facets: facetsBeside(query.facets, filter) },
    more: pinned.length > 0 ? [pins] : [],
  })
  const first = pinnedFirst(pinned, answers.more[0]?.hits ?? [])
  const matching = answers.page.estimatedTotalHits ?? 0
  const isLast = (at: number) => (at + 1) * WINDOW >= Math.min(matching, REACHED_MAX)
  const inOrder = (hits: Answer['hits'], at: number) =>
    [...(at === 0 ? first : []), ...hits.map((hit) => rankedOf(hit, task))].sort(better)
  let hits = inOrder(answers.page.hits, window)
  if (after) hits = hits.filter((hit) => better(after, hit) < 0)
  // A page that reaches beyond its window goes on in the next one.
  while (hits.length <= limit && !isLast(window)) {
    const { results } = await searching.client.multiSearch({ queries: [windowOf(window + 1)] })
    furtherMs += took(results)
    const further = inOrder((results[0] as unknown as Answer).hits, window + 1)
    const room = limit - hits.length
    if (room === 0) return found(hits, true)
    window += 1
    hits = [...hits, ...further]
    if (further.length === 0) break
  }
  return found(hits.slice(0, limit), hits.length > limit)

  function found(shown: Ranked[], more: boolean): Found {
    return {
      hits: shown,
      more,
      window,
      total: matching + first.length,
      facets: facetsOf(query.facets, answers.page, answers.own),
      met: answers.met,
      tookMs: answers.tookMs + furtherMs,
    }
  }
}

/** Windows of a cursor made up by hand end where the server's reach does. */
const windowIn = (after: Cursor | null): number => {
  const window = after?.weights[0] ?? 0
  return Number.isInteger(window) && window >= 0 && window < REACHED_MAX / WINDOW ? window : 0
}

const rankedOf = (hit: Answer['hits'][number], { asOf, ranking }: Task): Ranked => {
  const { quality = 0, createdAt = 0 } = hit
  const halfMs = ranking.freshnessDays * DAY_MS
  const fresh = 1 + (ranking.freshness * halfMs) / (halfMs + Math.max(0, asOf - createdAt))
  const score = (hit._rankingScore ?? 1) * (1 - ranking.quality + ranking.quality * quality) * fresh
  return { first: score, second: 0, id: hit.id, score }
}

const pinnedFirst = (pinned: readonly string[], hits: Answer['hits']): Ranked[] => {
  const there = new Set(hits.map(({ id }) => id))
  return pinned
    .filter((id) => there.has(id))
    .map((id, at) => ({ first: PINNED_SCORE - at, second: 0, id, score: PINNED_SCORE - at }))
}

const better = (left: ask.Place, right: ask.Place) => right.first - left.first || (left.id < right.id ? -1 : 1)
