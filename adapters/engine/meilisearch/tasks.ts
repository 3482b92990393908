// The server takes a change as a task and does it later: waited for, within limits, and told apart from one that failed.
import type { Meilisearch } from 'meilisearch'
import { EngineError } from '../index.ts'

/** Tasks of one batch of gigs. */
export const TASK_MS_MAX = 60_000
/** Asked again after these, the last one over and over: most are done at the second look. */
const LOOK_AFTER_MS = [5, 10, 20, 40, 80]
/** Tasks named in one question. */
const TASKS_ASKED_MAX = 500

/** Resolves when all are done; 'engine_busy' when that takes too long, 'engine_down' when one failed. */
export const tasksDone = async (
  client: Meilisearch,
  uids: readonly number[],
  withinMs = TASK_MS_MAX,
): Promise<void> => {
  const until = Date.now() + withinMs
  let left = [...uids]
  for (let looks = 0; left.length > 0; looks++) {
    await pause(LOOK_AFTER_MS[Math.min(looks, LOOK_AFTER_MS.length - 1)]!)
    const asked = left.slice(0, TASKS_ASKED_MAX)
    const { results } = await client.tasks.getTasks({ uids: asked, limit: asked.length })
    for (const { uid, status, error } of results) {
      if (status === 'enqueued' || status === 'processing') continue
      left = left.filter((one) => one !== uid)
      if (status !== 'succeeded')
        throw new EngineError('engine_down', `the search server did not do task ${uid}: ${error?.message ?? status}`)
    }
    if (left.length > 0 && Date.now() > until)
      throw new EngineError('engine_busy', `the search server has ${left.length} tasks left after ${withinMs} ms`)
  }
}

/** Resolves when the server has no task left for these indexes, also of those whose answer was lost. */
export const tasksOver = async (
  client: Meilisearch,
  indexes: readonly string[],
  withinMs = TASK_MS_MAX,
): Promise<void> => {
  const until = Date.now() + withinMs
  for (let looks = 0; ; looks++) {
    const { total } = await client.tasks.getTasks({
      indexUids: [...indexes],
      statuses: ['enqueued', 'processing'],
      limit: 1,
    })
    if (total === 0) return
    if (Date.now() > until) throw new EngineError('engine_busy', `the search server has ${total} tasks left`)
    await pause(LOOK_AFTER_MS[Math.min(looks, LOOK_AFTER_MS.length - 1)]!)
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
