// Meilisearch behind the engine's port, through its official client. Optional for the market: a server that is away costs a
// few failed questions, then nothing until a probe finds it back and sets it up.
import { Meilisearch } from 'meilisearch'
import { breaker } from '../breaker.ts'
import { bounded } from './bounded.ts'
import { readPins, readRanking } from './embedded/settings.ts'
import {
  EngineError,
  RANKING_USUAL,
  SEARCHES_WAITING_MAX,
  type Engine,
  type IndexedGig,
  type NextIndex,
  type SearchQuery,
} from './index.ts'
import type { Change } from './meilisearch/changes.ts'
import { isForbidden, verdictOf } from './meilisearch/failure.ts'
import { wire } from './meilisearch/http.ts'
import { keyOf, recordOf, type GigRecord } from './meilisearch/record.ts'
import { quoted } from './meilisearch/question.ts'
import { searchGigs } from './meilisearch/search.ts'
import { dropIndexes, ensureIndexes, ensureSynonyms, type Synonyms } from './meilisearch/setup.ts'
import { suggestTexts } from './meilisearch/suggest.ts'
import { synonymsOf } from './meilisearch/synonyms.ts'
import { tasksDone } from './meilisearch/tasks.ts'
import { createWriter, type Uids, type Writer } from './meilisearch/writer.ts'

export type MeilisearchOptions = {
  url: string
  key: string
  log: { info(...args: unknown[]): void; warn(...args: unknown[]): void; error(...args: unknown[]): void }
  /** Of the index; beside it stand `<index>_gone`, and `<index>_next` while it is made anew. */
  index?: string
}
/** The key is not taken. */
export class MeilisearchKeyError extends Error {}

/** A question that takes longer is given up; an order may take longer. */
export const SEARCH_MS_MAX = 2000
export const ORDER_MS_MAX = 30_000
/** Failures in a row after which nobody asks any more, and the pauses between probes. */
export const FAILURES_MAX = 5
const PAUSE_MS = 200
const PAUSE_MS_MAX = 5000
/** How long opening waits for the server before the market starts without it. */
const OPEN_MS_MAX = 5000
const CLOSE_MS_MAX = 5000
const VERSIONS_PAGE_MAX = 1000
const GONE_PAGE = 1000
/** Gigs sent on together while an index is made anew, and those that may wait meanwhile. */
const CHANGES_AT_ONCE = 1000
const FILL_WAITING_MAX = 10_000

export async function openMeilisearchEngine(options: MeilisearchOptions): Promise<Engine> {
  const { url, key, log, index = 'gigs' } = options
  const uids: Uids = { gigs: index, gone: `${index}_gone` }
  const nextUids: Uids = { gigs: `${index}_next`, gone: `${index}_next_gone` }
  const line = wire()
  const clientOf = (timeout: number) =>
    new Meilisearch({ host: url, ...(key && { apiKey: key }), httpClient: line.client, timeout })
  const searcher = clientOf(SEARCH_MS_MAX)
  const orderer = clientOf(ORDER_MS_MAX)
  const writer = createWriter(orderer, uids)
  let next: Writer | null = null
  let synonyms: Synonyms = {}
  let ranking = RANKING_USUAL
  let pins = readPins([])
  let returned = 0
  let lastReason: unknown = null

  const prepare = async () => {
    try {
      await searcher.health()
      await ensureIndexes(orderer, uids, synonyms)
      return true
    } catch (error) {
      lastReason = verdictOf(error).error
      if (isForbidden(error)) throw new MeilisearchKeyError('MEILI_KEY is not a key the search server takes')
      return false
    }
  }
  const gate = breaker({
    failuresMax: FAILURES_MAX,
    pauseMs: PAUSE_MS,
    pauseMsMax: PAUSE_MS_MAX,
    probe: prepare,
    changed: (closed) => {
      // What was said meanwhile may be missing there.
      if (closed) returned += 1
      if (closed) log.info('engine: the search server is up')
      else log.warn('engine: the search server is down, going on without:', lastReason)
    },
  })
  let isClosed = false

  const down = () => new EngineError('engine_down', `the search server is ${isClosed ? 'closed' : 'down'}`)
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isClosed || !gate.closed()) throw down()
    try {
      const answer = await work()
      gate.worked()
      return answer
    } catch (thrown) {
      const { error, server } = verdictOf(thrown)
      if (server !== 'well') lastReason = error
      if (server === 'failing') gate.failed()
      if (server === 'lost') gate.trip()
      throw error
    }
  }
  const waiting = bounded(SEARCHES_WAITING_MAX, 'too many searches are waiting')
  const asked = <T>(work: () => Promise<T>) => waiting(1, () => guarded(work))
  const written = (changes: readonly Change<GigRecord>[]) =>
    guarded(async () => {
      await Promise.all([writer.write(changes), next?.write(changes)])
    })

  const weighed = ({ trial }: SearchQuery) =>
    trial ? { ranking: readRanking(trial.ranking), pins: readPins(trial.pins) } : { ranking, pins }

  await opened(prepare, gate, log)
  return {
    shared: true,
    upsert: (gigs) => written(gigs.map(upsertOf)),
    remove: (gigs) => written(gigs.map(removalOf)),
    search: (query) =>
      asked(() => searchGigs({ client: searcher, uid: uids.gigs, ...weighed(query), now: Date.now() }, query)),
    async setSynonyms(groups) {
      synonyms = synonymsOf(groups)
      // A server that is away gets them when it is back.
      if (gate.closed())
        await guarded(async () => {
          const task = await ensureSynonyms(orderer, uids.gigs, synonyms)
          if (task !== null) await tasksDone(orderer, [task])
        })
    },
    async setRanking(wanted) {
      ranking = readRanking(wanted)
    },
    async setPins(wanted) {
      pins = readPins(wanted)
    },
    suggest: (prefix, limit) => asked(() => suggestTexts({ client: searcher, uid: uids.gigs }, prefix, limit)),
    flush: () => guarded(() => writer.settled()),
    versions: (page) => guarded(() => versionsOf(orderer, uids.gigs, page)),
    stats: () =>
      guarded(async () => {
        const { numberOfDocuments, rawDocumentDbSize } = await orderer.index(uids.gigs).getStats()
        return { gigs: numberOfDocuments, bytes: rawDocumentDbSize, restarts: Math.max(0, returned - 1) }
      }),
    clear: () =>
      guarded(() =>
        writer.alone(async () => {
          const tasks = await Promise.all([uids.gigs, uids.gone].map((uid) => orderer.index(uid).deleteAllDocuments()))
          await tasksDone(
            orderer,
            tasks.map(({ taskUid }) => taskUid),
          )
        }),
      ),
    rebuild: (fill) =>
      guarded(async () => {
        if (next) throw new EngineError('engine_busy', 'the index is being made anew')
        await dropIndexes(orderer, nextUids)
        await ensureIndexes(orderer, nextUids, synonyms)
        const beside = createWriter(orderer, nextUids)
        next = beside
        try {
          await copyGone(orderer, uids.gone, nextUids.gone)
          const filling = nextIndex(orderer, nextUids.gigs, beside)
          await fill(filling)
          await filling.settled()
          await writer.alone(() => beside.alone(() => swap(orderer, uids, nextUids)))
        } finally {
          next = null
          await beside.settled()
          await dropIndexes(orderer, nextUids)
        }
      }),
    async close() {
      isClosed = true
      gate.stop()
      await Promise.race([writer.settled(), atMost(CLOSE_MS_MAX)])
      line.close()
    },
  }
}

/** A wrong key stops the start; a server that is away does not. */
async function opened(
  prepare: () => Promise<boolean>,
  gate: { retry(): void; closed(): boolean },
  log: MeilisearchOptions['log'],
) {
  const until = Date.now() + OPEN_MS_MAX
  if (!(await prepare())) log.warn('engine: the search server does not answer yet')
  for (gate.retry(); !gate.closed() && Date.now() < until;) await pause(20)
}

const upsertOf = (gig: IndexedGig): Change<GigRecord> => ({ id: gig.id, version: gig.version, record: recordOf(gig) })
const removalOf = ({ id, version }: { id: string; version: number }): Change<GigRecord> => ({
  id,
  version,
  record: null,
})

type VersionsPage = { after?: string | null; limit: number }
async function versionsOf(client: Meilisearch, uid: string, { after, limit }: VersionsPage) {
  const most = Math.min(VERSIONS_PAGE_MAX, Math.max(1, Math.trunc(limit) || 1))
  const { hits } = await client.index(uid).search<{ id: string; version: number }>('', {
    ...(after !== undefined && after !== null && { filter: `id > ${quoted(keyOf(after))}` }),
    sort: ['id:asc'],
    limit: most + 1,
    attributesToRetrieve: ['id', 'version'],
  })
  const versions = hits.slice(0, most).map(({ id, version }) => ({ id, version }))
  return { versions, next: hits.length > most ? versions.at(-1)!.id : null }
}

/** Goes on while so much waits: the server does large batches in little more time than small ones. */
function nextIndex(client: Meilisearch, uid: string, writer: Writer): NextIndex & { settled(): Promise<void> } {
  let under: Promise<void>[] = []
  const write = async (changes: Change<GigRecord>[]) => {
    const written = writer.write(changes)
    // Told to whoever waits next; until then a refusal is not an unheard one.
    written.catch(() => undefined)
    under.push(written)
    while (under.length > 0 && writer.waiting() > FILL_WAITING_MAX) await under.shift()
  }
  const settled = async () => {
    await Promise.all(under)
    under = []
  }
  return {
    async upsert(gigs) {
      for (let at = 0; at < gigs.length; at += CHANGES_AT_ONCE)
        await write(gigs.slice(at, at + CHANGES_AT_ONCE).map(upsertOf))
    },
    remove: (gigs) => write(gigs.map(removalOf)),
    async versions(page) {
      await settled()
      return versionsOf(client, uid, page)
    },
    settled,
  }
}

/** What was removed stays so in an index made anew. */
async function copyGone(client: Meilisearch, from: string, to: string): Promise<void> {
  for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
    const { results }: { results: { id: string; version: number; at: number }[] } = await client
      .index(from)
      .getDocuments({
        filter: after === null ? 'id EXISTS' : `id > ${quoted(after)}`,
        sort: ['id:asc'],
        limit: GONE_PAGE,
      })
    if (results.length > 0) await tasksDone(client, [(await client.index(to).addDocuments(results)).taskUid])
    after = results.length === GONE_PAGE ? results.at(-1)!.id : null
  }
}

/** Both at once: no search sees one without the other. */
async function swap(client: Meilisearch, one: Uids, other: Uids): Promise<void> {
  const { taskUid } = await client.swapIndexes([
    { indexes: [one.gigs, other.gigs], rename: false },
    { indexes: [one.gone, other.gone], rename: false },
  ])
  await tasksDone(client, [taskUid])
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
/** Keeps no process alive. */
const atMost = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
