// One search over all parts: match, filter, count, rank.
import { QUERY_CHARS_MAX, type SearchQuery, type SearchResult } from '../index.ts'
import { livingCount, type Collection, type Part } from './collection.ts'
import { readCursor, writeCursor, type Cursor } from './cursor.ts'
import { countFacets } from './facets.ts'
import { applyFilters } from './filter.ts'
import { everyGig, matchText, wordWeight, type createScratch, type Mode, type Scratch } from './match.ts'
import { isSort, rankHits, relevance, type Page, type Ranked } from './order.ts'
import { planText, type Plan, type Synonyms } from './plan.ts'
import { stringAt } from './table.ts'

export type SearchContext = {
  collection: Collection
  synonyms: Synonyms
  scratch: ReturnType<typeof createScratch>
  /** Epoch ms. */
  now: number
}

const LIMIT_MAX = 100
const LIMIT_USUAL = 24

export function searchGigs(context: SearchContext, query: SearchQuery): SearchResult {
  const startedAt = performance.now()
  const parts = context.collection.parts
  const after = query.cursor === undefined || query.cursor === null ? null : readCursor(query, query.cursor)
  const plan = planText(parts, (query.q ?? '').slice(0, QUERY_CHARS_MAX), context.synonyms)
  const weights = weightsOf(context, plan, after)
  const asOf = after?.asOf ?? context.now
  const first = run(context, { query, plan, weights, asOf, after, mode: after?.mode ?? 'all' })
  const isWide = !after && first.matched === 0 && plan.slots.length > 1
  const found = isWide ? run(context, { query, plan, weights, asOf, after, mode: 'any' }) : first
  const limit = limitOf(query)
  const shown = found.page.best.slice(0, limit)
  const last = shown.at(-1)
  const more = found.page.best.length > limit && last
  return {
    hits: shown.map(hitOf(found.scores)),
    total: found.total,
    totalIsExact: true,
    facets: found.facets,
    nextCursor: more ? writeCursor(query, { ...keysOf(last), asOf, mode: found.mode, weights }) : null,
    ...(plan.corrected === undefined ? {} : { corrected: plan.corrected }),
    tookMs: Math.round((performance.now() - startedAt) * 100) / 100,
  }
}

/** Later pages keep the first one's weights, unless another number of words shows a cursor made up by hand. */
function weightsOf({ collection }: SearchContext, plan: Plan, after: Cursor | null): number[] {
  if (after && after.weights.length === plan.slots.length) return after.weights
  const gigs = livingCount(collection)
  return plan.slots.map((slot) => wordWeight(slot.postings, gigs))
}

type Task = { query: SearchQuery; plan: Plan; weights: number[]; asOf: number; after: Cursor | null; mode: Mode }

function run(context: SearchContext, task: Task) {
  const { query, plan, asOf, after, mode } = task
  const sort = query.sort !== undefined && isSort(query.sort) ? query.sort : 'relevance'
  const page: Page = { sort, room: limitOf(query) + 1, after, best: [] }
  const facets = countFacets(query.facets ?? [])
  const scores = new Map<Ranked, number>()
  const hasText = plan.slots.length > 0
  let matched = 0
  let total = 0
  context.collection.parts.forEach((part, at) => {
    const scratch = context.scratch.for(part.segment.gigs)
    const count = candidates(part, { task, at, scratch })
    if (count === 0) return
    const on = applyFilters(part, query.filter ?? {}, { count, scratch })
    const hits = on === 0 ? scratch.gigs.subarray(0, count) : passing(scratch, count)
    matched += count
    total += hits.length
    facets.add({ part, count, hits, on, scratch })
    const scoring = { asOf, hasText, scratch }
    rankHits(part, page, { hits, scoring })
    for (const ranked of page.best) if (ranked.part === part) scores.set(ranked, relevance(part, ranked.gig, scoring))
  })
  return { matched, total, page, mode, scores, facets: facets.result() }
}

function candidates(part: Part, { task, at, scratch }: { task: Task; at: number; scratch: Scratch }): number {
  const {
    plan: { slots },
    weights,
    mode,
  } = task
  if (slots.length === 0) return everyGig(part, scratch)
  const words = slots.map((slot, word) => ({ runs: slot.runs[at]!, weight: weights[word]! }))
  return matchText(part, words, { mode, scratch })
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
