// npm run bench:search -- --gigs 100000 [--queries 1000] [--compared 250] [--sqlite no]: what a search takes at a size, quiet and with
// gigs changing meanwhile. SQLite FTS5 answers the same questions, `compared` a class, each right after the engine. Where MEILI_URL is set, an
// engine behind the same port can take the embedded one's place in `open`.
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
const WRITTEN_AT_ONCE = 10
const WRITE_EVERY_MS = 20
/** Classes that FTS5 answers alike. */
const COMPARED = ['text + 2 filters + facets + sort', 'category browse + facets', 'prefix']

const dir = await mkdtemp(join(tmpdir(), 'bench-search-'))
const open = (): Promise<Engine> =>
  openEmbeddedEngine({ dir: join(dir, 'index'), log: { info() {}, warn: console.warn, error: console.error } })
let engine = await open()
let sqlite: SqliteSearch | null = null
let writing = false
try {
  await buildEngine()
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
  await measureConcurrently()
  await measureUpdates()
} finally {
  await engine.close()
  sqlite?.close()
  await rm(dir, { recursive: true })
}

async function buildEngine() {
  const delay = watchDelay()
  let indexingMs = 0
  for (const gigs of batches()) {
    const startedAt = performance.now()
    await engine.upsert(gigs)
    indexingMs += performance.now() - startedAt
  }
  const flushedAt = performance.now()
  await engine.flush()
  const { gigs, bytes } = await engine.stats()
  const seconds = (indexingMs + performance.now() - flushedAt) / 1000
  console.log(
    `engine: ${gigs} gigs in ${seconds.toFixed(1)} s, index ${Math.round(bytes / 1e6)} MB, resident ${rssMb()} MB, loop delay ${delay()}`,
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

function* batches() {
  const size = Number(values.batch)
  for (let from = 0; from < gigCount; from += size)
    yield Array.from({ length: Math.min(size, gigCount - from) }, (_, at) => benchGig(from + at))
}

type Row = { name: string; waited: string; worked: string; compared: string; found: string }

async function measureAll(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, make] of Object.entries(CLASSES)) rows.push(await measure(name, async (dice) => make(dice)))
  rows.push(await measure('newest, deep pages', deepPages()))
  rows.push(await measureSuggest())
  return rows
}

async function measure(name: string, make: (dice: Chance) => Promise<SearchQuery>): Promise<Row> {
  const [waited, worked, compared]: number[][] = [[], [], []]
  const dice = chance(11)
  let found = 0
  for (let at = 0; at < queryCount; at++) {
    const query = await make(dice)
    const askedAt = performance.now()
    const { total, tookMs } = await engine.search(query)
    waited!.push(performance.now() - askedAt)
    worked!.push(tookMs)
    found += total
    if (!sqlite || writing || at % comparedEvery !== 0 || !COMPARED.includes(name)) continue
    const comparedAt = performance.now()
    sqlite.search(query)
    compared!.push(performance.now() - comparedAt)
  }
  return {
    name,
    waited: quantiles(waited!),
    worked: quantiles(worked!),
    compared: quantiles(compared!),
    found: String(Math.round(found / queryCount)),
  }
}

async function measureSuggest(): Promise<Row> {
  const waited: number[] = []
  const dice = chance(12)
  for (let at = 0; at < queryCount; at++) {
    const typed = typedStart(dice)
    const askedAt = performance.now()
    await engine.suggest(typed, 10)
    waited.push(performance.now() - askedAt)
  }
  return { name: 'suggest', waited: quantiles(waited), worked: '', compared: '', found: '' }
}

/** Continues one walk through everything, newest first, starting over at its end. */
function deepPages(): () => Promise<SearchQuery> {
  let cursor: string | null = null
  return async () => {
    cursor = (await engine.search({ sort: 'newest', limit: 100, cursor })).nextCursor
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
      await engine.upsert(Array.from({ length: WRITTEN_AT_ONCE }, () => benchGig(dice.whole(0, gigCount - 1), version)))
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

async function measureConcurrently() {
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
  console.log(`text, ${IN_FLIGHT} in flight: ${quantiles(waited)} ms, ${perSecond}/s, main loop delay ${delay()}`)
}

async function measureUpdates() {
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
    `one gig updated and visible: ${quantiles(waited)} ms, then on disk in ${ms(performance.now() - flushedAt)}`,
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
  const sorted = samples.toSorted((left, right) => left - right)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2)
  return `${at(0.5)} / ${at(0.99)}`
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}
