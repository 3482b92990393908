// npm run bench:search -- --gigs 100000 [--queries 1000] [--compared 250] [--sqlite no]: what a search takes at a size, quiet and with
// gigs changing meanwhile. SQLite FTS5 answers the same questions, `compared` a class, each right after the engine; where MEILI_URL (and
// MEILI_KEY) name a Meilisearch, it answers all of them behind the same port, each right after the engine too, in an index of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { openEmbeddedEngine } from '../adapters/engine/embedded.ts'
import type { Engine, SearchQuery } from '../adapters/engine/index.ts'
import { chance, type Chance } from '../services/sandbox/demo/chance.ts'
import { table } from './harness.ts'
import { benchGig, CLASSES, typedStart } from './search-corpus.ts'
import { openSqliteSearch, type SqliteSearch } from './search-sqlite.ts'

const { values } = parseArgs({
  options: {
    gigs: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '1000' },
    sqlite: { type: 'string', default: 'yes' },
    compared: { type: 'string', default: '250' },
  },
})
const gigCount = Number(values.gigs)
const queryCount = Number(values.queries)
const comparedEvery = Math.max(1, Math.round(queryCount / Number(values.compared)))
const IN_FLIGHT = 16
/** Small batches cost a server that makes a transaction of each most of its time. */
const PEER_BATCH = 8000
const WRITTEN_AT_ONCE = 10
const WRITE_EVERY_MS = 20
/** Classes that FTS5 answers alike. */
const COMPARED = ['text + 2 filters + facets + sort', 'category browse + facets', 'prefix']

const dir = await mkdtemp(join(tmpdir(), 'bench-search-'))
const open = (): Promise<Engine> =>
  openEmbeddedEngine({ dir: join(dir, 'index'), log: { info() {}, warn: console.warn, error: console.error } })
let engine = await open()
const peer = await openPeer()
let sqlite: SqliteSearch | null = null
let writing = false
try {
  await build('engine', engine)
  if (peer) await build('Meilisearch', peer.engine, PEER_BATCH)
  const reopenedAt = performance.now()
  await engine.close()
  engine = await open()
  console.log(`reopened in ${ms(performance.now() - reopenedAt)}, resident ${rssMb()} MB`)
  if (values.sqlite !== 'no') buildSqlite((sqlite = openSqliteSearch(join(dir, 'fts.sqlite'))))
  const quiet = await measureAll()
  const during = await whileWriting(measureAll)
  console.log(
    table(
      ['ms, p50 / p99', 'engine', 'its own time', `with ${during.perSecond} writes/s`, 'FTS5, no typos', 'found'],
      quiet.map((row, at) => [row.name, row.waited, row.worked, during.rows[at]!.waited, row.compared, row.found]),
    ),
  )
  if (peer)
    console.log(
      table(
        ['ms, p50 / p99', 'Meilisearch', 'its own time', 'with the same writes', 'found', 'engine / its own, p50, p99'],
        quiet.map((row, at) => [
          row.name,
          row.peer.waited,
          row.peer.worked,
          during.rows[at]!.peer.waited,
          row.peer.found,
          row.peer.ratio,
        ]),
      ),
    )
  await measureConcurrently('engine', engine)
  if (peer) await measureConcurrently('Meilisearch', peer.engine)
  await measureUpdates('engine', engine)
  if (peer) await measureUpdates('Meilisearch', peer.engine)
} finally {
  await engine.close()
  await peer?.drop()
  sqlite?.close()
  await rm(dir, { recursive: true })
}

async function openPeer(): Promise<{ engine: Engine; drop(): Promise<void> } | null> {
  const url = process.env['MEILI_URL']
  if (!url) return null
  const key = process.env['MEILI_KEY'] ?? ''
  const [{ openMeilisearchEngine }, { Meilisearch }] = await Promise.all([
    import('../adapters/engine/meilisearch.ts'),
    import('meilisearch'),
  ])
  const index = `bench_${process.pid}`
  const log = { info() {}, warn: console.warn, error: console.error }
  const opened = await openMeilisearchEngine({ url, key, index, log })
  return {
    engine: opened,
    async drop() {
      await opened.close()
      const client = new Meilisearch({ host: url, ...(key && { apiKey: key }) })
      await Promise.all([index, `${index}_gone`].map((uid) => client.deleteIndex(uid)))
    },
  }
}

async function build(name: string, engine: Engine, batch = Number(values.batch)) {
  const delay = watchDelay()
  let indexingMs = 0
  for (const gigs of batches(batch)) {
    const startedAt = performance.now()
    await engine.upsert(gigs)
    indexingMs += performance.now() - startedAt
  }
  const flushedAt = performance.now()
  await engine.flush()
  const { gigs, bytes } = await engine.stats()
  const seconds = (indexingMs + performance.now() - flushedAt) / 1000
  console.log(
    `${name}: ${gigs} gigs in ${seconds.toFixed(1)} s, index ${Math.round(bytes / 1e6)} MB, resident ${rssMb()} MB, loop delay ${delay()}`,
  )
}

function buildSqlite(search: SqliteSearch) {
  let indexingMs = 0
  for (const gigs of batches()) {
    const startedAt = performance.now()
    search.index(gigs)
    indexingMs += performance.now() - startedAt
  }
  console.log(
    `FTS5: built in ${(indexingMs / 1000).toFixed(1)} s, ${Math.round(search.bytes() / 1e6)} MB, resident with the engine's ${rssMb()} MB`,
  )
}

function* batches(size = Number(values.batch)) {
  for (let from = 0; from < gigCount; from += size)
    yield Array.from({ length: Math.min(size, gigCount - from) }, (_, at) => benchGig(from + at))
}

type Row = { name: string; waited: string; worked: string; compared: string; found: string; peer: PeerRow }
type PeerRow = { waited: string; worked: string; found: string; ratio: string }

async function measureAll(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, make] of Object.entries(CLASSES)) rows.push(await measure(name, async (dice) => make(dice)))
  rows.push(await measure('newest, deep pages', deepPages(engine), peer && deepPages(peer.engine)))
  rows.push(await measureSuggest())
  return rows
}

type Make = (dice: Chance) => Promise<SearchQuery>

async function measure(name: string, make: Make, makeForPeer: Make | null = null): Promise<Row> {
  const compared: number[] = []
  const [own, other] = [samples(), samples()]
  const [dice, peerDice] = [chance(11), chance(11)]
  for (let at = 0; at < queryCount; at++) {
    const query = await make(dice)
    await sample(own, engine, query)
    if (peer) await sample(other, peer.engine, makeForPeer ? await makeForPeer(peerDice) : query)
    if (!sqlite || writing || at % comparedEvery !== 0 || !COMPARED.includes(name)) continue
    const comparedAt = performance.now()
    sqlite.search(query)
    compared.push(performance.now() - comparedAt)
  }
  return {
    name,
    waited: quantiles(own.waited),
    worked: quantiles(own.worked),
    compared: quantiles(compared),
    found: String(Math.round(own.found / queryCount)),
    peer: peerRow(own.waited, other),
  }
}

type Samples = { waited: number[]; worked: number[]; found: number }
function samples(): Samples {
  return { waited: [], worked: [], found: 0 }
}

async function sample(into: Samples, asked: Engine, query: SearchQuery) {
  const askedAt = performance.now()
  const { total, tookMs } = await asked.search(query)
  into.waited.push(performance.now() - askedAt)
  into.worked.push(tookMs)
  into.found += total
}

/** What the engine's callers wait, over what Meilisearch says it works: the lower the better. */
function peerRow(own: readonly number[], { waited, worked, found }: Samples): PeerRow {
  const ratio = (share: number) => (quantile(own, share) / quantile(worked, share)).toFixed(2)
  return {
    waited: quantiles(waited),
    worked: quantiles(worked),
    found: peer ? String(Math.round(found / queryCount)) : '',
    ratio: worked.length > 0 ? `${ratio(0.5)}, ${ratio(0.99)}` : '',
  }
}

async function measureSuggest(): Promise<Row> {
  const [waited, others]: number[][] = [[], []]
  const dice = chance(12)
  for (let at = 0; at < queryCount; at++) {
    const typed = typedStart(dice)
    const askedAt = performance.now()
    await engine.suggest(typed, 10)
    waited!.push(performance.now() - askedAt)
    if (!peer) continue
    const othersAt = performance.now()
    await peer.engine.suggest(typed, 10)
    others!.push(performance.now() - othersAt)
  }
  const row = peerRow(waited!, { waited: others!, worked: [], found: 0 })
  return {
    name: 'suggest',
    waited: quantiles(waited!),
    worked: '',
    compared: '',
    found: '',
    peer: { ...row, found: '' },
  }
}

/** Continues one walk through everything, newest first, starting over at its end. */
function deepPages(asked: Engine): () => Promise<SearchQuery> {
  let cursor: string | null = null
  return async () => {
    cursor = (await asked.search({ sort: 'newest', limit: 100, cursor })).nextCursor
    return { sort: 'newest', limit: 20, cursor }
  }
}

async function whileWriting<T>(work: () => Promise<T>): Promise<{ rows: T; perSecond: number }> {
  writing = true
  let written = 0
  const dice = chance(13)
  const startedAt = performance.now()
  const writer = (async () => {
    for (let version = 2; writing; version++) {
      const gigs = Array.from({ length: WRITTEN_AT_ONCE }, () => benchGig(dice.whole(0, gigCount - 1), version))
      await Promise.all([engine.upsert(gigs), peer?.engine.upsert(gigs)])
      written += WRITTEN_AT_ONCE
      await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS))
    }
  })()
  const rows = await work()
  const perSecond = Math.round(written / ((performance.now() - startedAt) / 1000))
  writing = false
  await writer
  return { rows, perSecond }
}

async function measureConcurrently(name: string, engine: Engine) {
  const make = CLASSES['text + 2 filters + facets + sort']!
  const dice = chance(14)
  const waited: number[] = []
  const delay = watchDelay()
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      for (let at = 0; at < queryCount / IN_FLIGHT; at++) {
        const query = make(dice)
        const askedAt = performance.now()
        await engine.search(query)
        waited.push(performance.now() - askedAt)
      }
    }),
  )
  const perSecond = Math.round(waited.length / ((performance.now() - startedAt) / 1000))
  console.log(
    `${name}: text, ${IN_FLIGHT} in flight: ${quantiles(waited)} ms, ${perSecond}/s, main loop delay ${delay()}`,
  )
}

async function measureUpdates(name: string, engine: Engine) {
  const waited: number[] = []
  const dice = chance(15)
  for (let at = 0; at < 300; at++) {
    const gig = benchGig(dice.whole(0, gigCount - 1), 1_000_000 + at)
    const startedAt = performance.now()
    await engine.upsert([gig])
    waited.push(performance.now() - startedAt)
  }
  const flushedAt = performance.now()
  await engine.flush()
  console.log(
    `${name}: one gig updated and visible: ${quantiles(waited)} ms, then on disk in ${ms(performance.now() - flushedAt)}`,
  )
}

function rssMb(): number {
  return Math.round(process.memoryUsage.rss() / 1e6)
}

function watchDelay(): () => string {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  return () => {
    histogram.disable()
    return `p99 ${ms(histogram.percentile(99) / 1e6)}, most ${ms(histogram.max / 1e6)}`
  }
}

function quantiles(samples: readonly number[]): string {
  if (samples.length === 0) return ''
  return `${quantile(samples, 0.5).toFixed(2)} / ${quantile(samples, 0.99).toFixed(2)}`
}

function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}
