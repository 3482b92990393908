// npm run eval:search: how good the answers are, as numbers, over a corpus that says who should find whom.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openMeili } from '../bench/meili.ts'
import { openEmbeddedEngine } from '../adapters/engine/embedded.ts'
import { RANKING_USUAL, type Engine, type Ranking } from '../adapters/engine/index.ts'
import { SYNONYMS } from '../services/search/synonyms.ts'
import { labelledGig } from './eval/corpus.ts'
import { measure } from './eval/measure.ts'
import { runScript } from './own-node.ts'

const HELP = `npm run eval:search -- [--gigs 20000] [--ranking '{"quality":0.5}'] [--synonyms no]
NDCG@10, recall@50 and the share of queries that find nothing, per kind of query. Where MEILI_URL (and MEILI_KEY) name a
Meilisearch, of both engines.`

const evaluate = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      gigs: { type: 'string', default: '20000' },
      ranking: { type: 'string', default: '{}' },
      synonyms: { type: 'string', default: 'yes' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const gigs = Array.from({ length: Number(values.gigs) }, (_, at) => labelledGig(at))
  const tuning = {
    ranking: { ...RANKING_USUAL, ...(JSON.parse(values.ranking) as Partial<Ranking>) },
    synonyms: values.synonyms === 'no' ? [] : SYNONYMS,
  }
  const dir = await mkdtemp(join(tmpdir(), 'eval-search-'))
  const engine = await openEmbeddedEngine({ dir, log: { info() {}, warn: console.warn, error: console.error } })
  try {
    await show('embedded', { engine, gigs, ...tuning })
  } finally {
    await engine.close()
    await rm(dir, { recursive: true })
  }
  const meili = await openMeili('eval')
  try {
    if (meili) await show('Meilisearch', { engine: meili.engine, gigs, ...tuning })
  } finally {
    await meili?.drop()
  }
  return 0
}

type Judged = {
  engine: Engine
  gigs: ReturnType<typeof labelledGig>[]
  ranking: Ranking
  synonyms: readonly (readonly string[])[]
}

const show = async (name: string, { engine, gigs, ranking, synonyms }: Judged): Promise<void> => {
  await engine.setRanking(ranking)
  await engine.setSynonyms(synonyms)
  for (let at = 0; at < gigs.length; at += BATCH) await engine.upsert(gigs.slice(at, at + BATCH).map(({ gig }) => gig))
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`
  console.log(name)
  console.table(
    [...(await measure(engine, gigs))].map(([kind, figures]) => ({
      kind,
      queries: figures.queries,
      'NDCG@10': figures.ndcg.toFixed(3),
      'recall@50': figures.recall.toFixed(3),
      'nothing found': percent(figures.nothing),
    })),
  )
}
const BATCH = 8000

if (import.meta.main) await runScript(evaluate)
