// How good an engine's answers are: NDCG@10, recall@50, share of queries that find nothing.
import type { Engine } from '../../adapters/engine/index.ts'
import { gradeOf, labelledQueries, wantedFrom, type LabelledGig, type LabelledQuery } from './corpus.ts'

export type Figures = { queries: number; ndcg: number; recall: number; nothing: number }

const RANKED = 10
const RECALLED = 50
/** How much of a gig's worth its quality decides, among those of one grade. */
const QUALITY_SHARE = 0.3

/** Figures per kind of query, and of all together. */
export const measure = async (engine: Engine, gigs: readonly LabelledGig[]): Promise<Map<string, Figures>> => {
  const byId = new Map(gigs.map((one) => [one.gig.id, one]))
  const kinds = new Map<string, Figures[]>()
  for (const query of labelledQueries()) {
    const { hits, total } = await engine.search({ q: query.q, limit: RECALLED })
    const found = hits.flatMap(({ id }) => byId.get(id) ?? [])
    const one = { queries: 1, ...qualityOf(query, found, gigs), nothing: total === 0 ? 1 : 0 }
    for (const kind of [query.kind, 'all']) kinds.set(kind, [...(kinds.get(kind) ?? []), one])
  }
  return new Map([...kinds].map(([kind, all]) => [kind, mean(all)]))
}

const qualityOf = (query: LabelledQuery, found: readonly LabelledGig[], gigs: readonly LabelledGig[]) => {
  const gain = (one: LabelledGig) =>
    (2 ** gradeOf(query, one) - 1) * (1 - QUALITY_SHARE + QUALITY_SHARE * one.gig.quality)
  const ideal = gigs.map(gain).sort((left, right) => right - left)
  const wanted = gigs.filter((one) => gradeOf(query, one) >= wantedFrom(query)).length
  const got = found.filter((one) => gradeOf(query, one) >= wantedFrom(query)).length
  return {
    ndcg: ideal[0] === 0 ? 1 : discounted(found.map(gain)) / discounted(ideal),
    recall: wanted === 0 ? 1 : got / Math.min(wanted, RECALLED),
  }
}

const discounted = (gains: readonly number[]): number =>
  gains.slice(0, RANKED).reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0)

const mean = (all: readonly Figures[]): Figures => {
  const of = (pick: (one: Figures) => number) => all.reduce((sum, one) => sum + pick(one), 0) / all.length
  return {
    queries: all.length,
    ndcg: of(({ ndcg }) => ndcg),
    recall: of(({ recall }) => recall),
    nothing: of(({ nothing }) => nothing),
  }
}
