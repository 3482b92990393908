// Changes on their way into an index: one batch at a time, made of what came while the one before was written. What is there
// is read first, so that an older version never overwrites a newer one; a batch counts when the server has done its tasks.
import type { Meilisearch } from 'meilisearch'
import { EngineError } from '../index.ts'
import { leftToWrite, type Change, type Known } from './changes.ts'
import { idsIn } from './question.ts'
import type { GigRecord } from './record.ts'
import { tasksDone, tasksOver } from './tasks.ts'

/** Changes that may wait at once; past it 'engine_busy'. */
export const CHANGES_WAITING_MAX = 50_000
/** Of one batch, and of one request, which is one task: making its text costs the main thread some ten milliseconds. */
const BATCH_MAX = 8000
const REQUEST_MAX = 2000
/** Removals are remembered this long against late deliveries. */
const GONE_KEPT_MS = 7 * 24 * 3600 * 1000
const SWEEP_EVERY_MS = 3600 * 1000

export type Uids = { gigs: string; gone: string }
export type Writer = {
  /** Resolves when searches see all of them. */
  write(changes: readonly Change<GigRecord>[]): Promise<void>
  /** Runs when all that was written before is done; what is written meanwhile waits. */
  alone(work: () => Promise<void>): Promise<void>
  /** Resolves when nothing waits. */
  settled(): Promise<void>
  waiting(): number
}
type Job = {
  changes: readonly Change<GigRecord>[]
  work: (() => Promise<void>) | null
  resolve: () => void
  reject: (error: unknown) => void
}

export const createWriter = (client: Meilisearch, { gigs, gone }: Uids): Writer => {
  let jobs: Job[] = []
  let waiting = 0
  let pumping: Promise<void> | null = null
  // A task whose outcome is not known may still be done: nothing is read until the server has none left.
  let unclear = false
  let sweptAt = Date.now()

  const write = (changes: readonly Change<GigRecord>[]): Promise<void> => {
    if (changes.length === 0) return Promise.resolve()
    if (waiting > 0 && waiting + changes.length > CHANGES_WAITING_MAX)
      return Promise.reject(new EngineError('engine_busy', 'too many gigs are waiting to be indexed'))
    return queued({ changes, work: null })
  }

  const queued = ({ changes, work }: Pick<Job, 'changes' | 'work'>): Promise<void> => {
    waiting += changes.length
    return new Promise((resolve, reject) => {
      jobs.push({ changes, work, resolve, reject })
      pumping ??= pump()
    })
  }

  const pump = async () => {
    // All that comes in this turn goes together.
    await Promise.resolve()
    while (jobs.length > 0) await batch(taken())
    pumping = null
  }

  const taken = (): Job[] => {
    let count = 0
    const end = jobs.findIndex(({ changes, work }, at) => {
      count += changes.length
      return at > 0 && (count > BATCH_MAX || work !== null || jobs[0]!.work !== null)
    })
    const some = end < 0 ? jobs : jobs.slice(0, end)
    jobs = jobs.slice(some.length)
    return some
  }

  const batch = async (some: readonly Job[]) => {
    const changes = some.flatMap((job) => job.changes)
    try {
      if (unclear) await tasksOver(client, [gigs, gone])
      unclear = true
      if (some[0]!.work) await some[0]!.work()
      else await tasksDone(client, await send(changes))
      unclear = false
      for (const { resolve } of some) resolve()
    } catch (error) {
      for (const { reject } of some) reject(error)
    } finally {
      waiting -= changes.length
    }
  }

  const send = async (changes: readonly Change<GigRecord>[]): Promise<number[]> => {
    const { upserts, removals } = leftToWrite(changes, await known([...new Set(changes.map(({ id }) => id))]))
    const tasks: number[] = []
    const at = Date.now()
    // First what was removed is remembered, then it goes.
    for (const some of pieces(removals))
      tasks.push((await client.index(gone).addDocuments(some.map(({ id, version }) => ({ id, version, at })))).taskUid)
    for (const some of pieces(removals.filter(({ wasThere }) => wasThere)))
      tasks.push((await client.index(gigs).deleteDocuments(some.map(({ id }) => id))).taskUid)
    for (const some of pieces(upserts)) tasks.push((await client.index(gigs).addDocuments([...some])).taskUid)
    if (at - sweptAt > SWEEP_EVERY_MS) {
      sweptAt = at
      tasks.push((await client.index(gone).deleteDocuments({ filter: `at < ${at - GONE_KEPT_MS}` })).taskUid)
    }
    return tasks
  }

  const known = async (ids: readonly string[]): Promise<Map<string, Known>> => {
    const found = new Map<string, Known>()
    for (const some of pieces(ids)) {
      // By a filter, which travels in the body: an address has no room for that many.
      const asked = { filter: idsIn(some), fields: ['id', 'version'] as ('id' | 'version')[], limit: some.length }
      const [living, removed] = await Promise.all(
        [gigs, gone].map((uid) => client.index<{ id: string; version: number }>(uid).getDocuments(asked)),
      )
      for (const { id, version } of living!.results) found.set(id, { living: version })
      for (const { id, version } of removed!.results) found.set(id, { ...found.get(id), gone: version })
    }
    return found
  }

  return {
    write,
    alone: (work) => queued({ changes: [], work }),
    settled: async () => {
      while (pumping) await pumping
    },
    waiting: () => waiting,
  }
}

function* pieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += REQUEST_MAX) yield all.slice(at, at + REQUEST_MAX)
}
