// One search over all parts: match, filter, count, rank; once more with less asked when nothing was found.
import { QUERY_CHARS_MAX, type Loosened, type Ranking, type SearchQuery, type SearchResult } from '../index.ts'
import { isBrowsing, shelfOf, shelvesOf } from './browse.ts'
import { livingCount, namesOf, type Collection, type Part } from './collection.ts'
import { readCursor, writeCursor, type Cursor } from '../cursor.ts'
import { countFacets } from './facets.ts'
import { applyFilters, checkFilter, FILTER_BITS, filterNames, filterWithout, type Filter } from './filter.ts'
import { loosening, type Loosening } from './loosen.ts'
import { everyGig, matchText, wordWeight, type Scratch, type Scratches } from './match.ts'
import { isSort, pinnedIn, rankHits, relevance, type Page, type Ranked } from './order.ts'
import { planText, type Plan, type Slot } from './plan.ts'
import { pinKey, readRanking, type Settings } from './settings.ts'
import { stringAt } from './table.ts'

export type SearchContext = {
  collection: Collection
  settings: Settings
  scratches: Scratches
  /** Epoch ms. */
  now: number
}

const LIMIT_MAX = 100
const LIMIT_USUAL = 24

/** A word of the query that is asked for, with its weight. */
type Word = { slot: Slot; weight: number }
type Task = {
  query: SearchQuery
  filter: Filter
  words: readonly Word[]
  asOf: number
  ranking: Ranking
  pinned: readonly string[]
  after: Cursor | null
}

export function searchGigs(context: SearchContext, query: SearchQuery): SearchResult {
  const startedAt = performance.now()
  checkFilter(query.filter ?? {})
  const after = query.cursor === undefined || query.cursor === null ? null : readCursor(query, query.cursor)
  const { parts } = context.collection
  const { scratches, settings } = context
  const text = (query.q ?? '').slice(0, QUERY_CHARS_MAX)
  const plan = planText({ parts, synonyms: settings.synonyms, scratches }, text)
  const whole: Loosening = { kept: 2 ** plan.slots.length - 1, dropped: 0 }
  const weights = weightsOf(context, plan, after)
  const task = {
    query,
    asOf: after?.asOf ?? context.now,
    ranking: after ? readRanking(after.ranking) : settings.ranking,
    pinned: after?.pinned ?? settings.pins.get(pinKey(text)) ?? [],
    after,
  }
  const answer = (loose: Loosening) => {
    const words = plan.slots.map((slot, at) => ({ slot, weight: weights[at]! }))
    const filter = filterWithout(query.filter ?? {}, loose.dropped)
    return run(context, { ...task, filter, words: words.filter((_, at) => loose.kept & (1 << at)) })
  }
  let asked: Loosening = after ? { kept: after.kept, dropped: after.dropped } : whole
  let found = answer(asked)
  if (!after && found.total === 0) {
    const looser = loosened(context, query, plan)
    if (looser) found = answer((asked = looser))
  }
  const limit = limitOf(query)
  const shown = found.page.best.slice(0, limit)
  const last = shown.at(-1)
  const more = found.page.best.length > limit && last
  const { asOf, ranking, pinned } = task
  return {
    hits: shown.map(hitOf(found.scores)),
    total: found.total,
    totalIsExact: true,
    facets: found.facets,
    nextCursor: more ? writeCursor(query, { ...keysOf(last), asOf, ...asked, ranking, pinned, weights }) : null,
    ...(plan.corrected === undefined ? {} : { corrected: plan.corrected }),
    ...said(plan, asked),
    ...(query.highlight ? { matched: matchedBy(plan, asked) } : {}),
    tookMs: Math.round((performance.now() - startedAt) * 100) / 100,
  }
}

/** Later pages keep the first one's weights, unless another number of words shows a cursor made up by hand. */
function weightsOf({ collection }: SearchContext, plan: Plan, after: Cursor | null): number[] {
  if (after && after.weights.length === plan.slots.length) return after.weights
  const gigs = livingCount(collection)
  return plan.slots.map((slot) => wordWeight(slot.postings, gigs))
}

function loosened({ collection, scratches }: SearchContext, query: SearchQuery, plan: Plan): Loosening | null {
  const { loosen = 'words', filter = {} } = query
  if (loosen === 'no') return null
  return loosening({
    parts: collection.parts,
    scratches,
    slots: plan.slots,
    filter,
    filtersToo: loosen === 'filters',
  })
}

function said({ slots }: Plan, { kept, dropped }: Loosening): { loosened?: Loosened[] } {
  const words = slots.filter((_, at) => (kept & (1 << at)) === 0).map(({ word }) => ({ kind: 'word' as const, word }))
  const filters = filterNames(dropped).map((filter) => ({ kind: 'filter' as const, filter }))
  return words.length + filters.length === 0 ? {} : { loosened: [...words, ...filters] }
}

function matchedBy({ slots }: Plan, { kept }: Loosening): NonNullable<SearchResult['matched']> {
  const used = slots.filter((_, at) => kept & (1 << at))
  return {
    words: [...new Set(used.flatMap(({ words }) => [...words]))],
    starts: used.flatMap(({ start }) => (start === null ? [] : [start])),
  }
}

function run(context: SearchContext, task: Task) {
  const { query, filter, words, after } = task
  const sort = query.sort !== undefined && isSort(query.sort) ? query.sort : 'relevance'
  const page: Page = { sort, room: limitOf(query) + 1, after, best: [] }
  const facets = countFacets(query.facets ?? [], namesOf(context.collection))
  const scores = new Map<Ranked, number>()
  const isShelf = words.length === 0 && task.pinned.length === 0 && isBrowsing(filter, query.facets ?? [])
  let total = 0
  context.collection.parts.forEach((part, at) => {
    const scratch = context.scratches.for(part.segment.gigs)
    const pinned = sort === 'relevance' ? pinnedIn(part, task.pinned) : new Map<number, number>()
    const count = isShelf
      ? shelfOf(part, filter.category!, scratch)
      : withPinned(candidates(part, { words, at, scratch }), pinned, scratch)
    const categories = isShelf ? shelvesOf(part).living : null
    if (count === 0 && !categories) return
    const on = applyFilters(part, isShelf ? filterWithout(filter, FILTER_BITS.category) : filter, { count, scratch })
    const hits = on === 0 ? scratch.gigs.subarray(0, count) : passing(scratch, count)
    total += hits.length
    facets.add({ part, count, hits, on, scratch, categories })
    const scoring = { asOf: task.asOf, hasText: words.length > 0, ranking: task.ranking, pinned, scratch }
    rankHits(part, page, { hits, scoring })
    for (const ranked of page.best) if (ranked.part === part) scores.set(ranked, relevance(part, ranked.gig, scoring))
  })
  return { total, page, scores, facets: facets.result() }
}

type Candidates = { words: readonly Word[]; at: number; scratch: Scratch }

function candidates(part: Part, { words, at, scratch }: Candidates): number {
  if (words.length === 0) return everyGig(part, scratch)
  return matchText(
    part,
    words.map(({ slot, weight }) => ({ runs: slot.runs[at]!, weight })),
    scratch,
  )
}

/** Pinned gigs are there whether they have the words or not. */
function withPinned(count: number, pinned: ReadonlyMap<number, number>, { gigs, text }: Scratch): number {
  if (pinned.size === 0) return count
  const there = new Set<number>()
  for (let at = 0; at < count; at++) if (pinned.has(gigs[at]!)) there.add(gigs[at]!)
  let end = count
  for (const gig of pinned.keys()) {
    if (there.has(gig)) continue
    gigs[end++] = gig
    text[gig] = 0
  }
  return end
}

function passing({ gigs, fails, hits }: Scratch, count: number): Uint32Array {
  let end = 0
  for (let at = 0; at < count; at++) if (fails[at] === 0) hits[end++] = gigs[at]!
  return hits.subarray(0, end)
}

function limitOf({ limit = LIMIT_USUAL }: SearchQuery): number {
  return Math.min(LIMIT_MAX, Math.max(1, Math.trunc(limit) || 1))
}

function hitOf(scores: ReadonlyMap<Ranked, number>) {
  return (ranked: Ranked) => ({ id: idOf(ranked), score: scores.get(ranked) ?? 0 })
}

const keysOf = (ranked: Ranked) => ({ first: ranked.first, second: ranked.second, id: idOf(ranked) })
const idOf = ({ part, gig }: Ranked) => stringAt(part.segment.ids, gig)
