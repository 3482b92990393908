// The front's end of the line to the worker: numbers requests, sends those of one tick together,
// starts a dead worker again.
import { Worker } from 'node:worker_threads'
import { EngineError } from '../index.ts'
import type { Answer, CallName, Calls, FromWorker, Request, WorkerOptions } from './protocol.ts'
import type { SettingsSent } from './settings.ts'

/** A worker that dies more often than this within the window stays dead. */
export const RESTARTS_MAX = 5
const RESTART_WINDOW_MS = 60_000
const RESTART_AFTER_MS = 100

export type LinkOptions = {
  dir: string
  /** Asked at each start of the worker. */
  settings: () => SettingsSent
  heapMbMax?: number
  warn: (text: string) => void
}

export type Link = {
  call<K extends CallName>(name: K, asked: Calls[K]['asked']): Promise<Calls[K]['answer']>
  restarts(): number
  close(): Promise<void>
}

type Waiting = { resolve: (answer: never) => void; reject: (error: EngineError) => void }

/** Resolves when the worker has loaded the index. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const waiting = new Map<number, Waiting>()
  let outbox: Request[] = []
  let worker: Worker | null = null
  let isReady = false
  let isClosed = false
  let numbered = 0
  let restarted = 0
  let recent: number[] = []
  let restartTimer: NodeJS.Timeout | null = null

  function start(onReady: () => void, onFailed: (error: Error) => void) {
    const { dir, settings, heapMbMax } = options
    worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { dir, settings: settings() } satisfies WorkerOptions,
      ...(heapMbMax ? { resourceLimits: { maxOldGenerationSizeMb: heapMbMax } } : {}),
    })
    let reason = new Error('the search worker stopped')
    worker.on('message', (message: FromWorker) => {
      if ('answers' in message) settle(message.answers)
      else if ('warning' in message) options.warn(message.warning)
      else {
        isReady = true
        onReady()
      }
    })
    worker.on('error', (error) => {
      reason = error instanceof Error ? error : new Error(String(error))
    })
    worker.on('exit', () => {
      worker = null
      const wasReady = isReady
      isReady = false
      rejectAll()
      if (isClosed) return
      if (wasReady) restart(reason)
      else onFailed(reason)
    })
  }

  function restart(reason: Error) {
    const now = Date.now()
    recent = [...recent.filter((at) => now - at < RESTART_WINDOW_MS), now]
    if (recent.length > RESTARTS_MAX) return options.warn(`search engine: stopped for good: ${reason.message}`)
    options.warn(`search engine: starting again: ${reason.message}`)
    restarted += 1
    restartTimer = setTimeout(() => start(() => {}, restart), RESTART_AFTER_MS * 2 ** (recent.length - 1))
  }

  function settle(answers: readonly Answer[]) {
    for (const answer of answers) {
      const asker = waiting.get(answer.number)
      waiting.delete(answer.number)
      if ('failure' in answer) asker?.reject(new EngineError(answer.failure.code, answer.failure.message))
      else asker?.resolve(answer.answer as never)
    }
  }

  function rejectAll() {
    for (const asker of waiting.values()) asker.reject(down())
    waiting.clear()
    outbox = []
  }

  function post() {
    const requests = outbox
    outbox = []
    if (requests.length > 0) worker?.postMessage(requests, [])
  }

  const down = () => new EngineError('engine_down', `the search engine is ${isClosed ? 'closed' : 'not running'}`)

  await new Promise<void>((resolve, reject) => {
    start(resolve, (error) => reject(new EngineError('engine_down', error.message)))
  })

  return {
    call(name, asked) {
      if (!isReady || isClosed) return Promise.reject(down())
      return new Promise((resolve, reject) => {
        const number = ++numbered
        waiting.set(number, { resolve, reject })
        if (outbox.length === 0) queueMicrotask(post)
        outbox.push({ number, name, asked } as Request)
      })
    },
    restarts: () => restarted,
    async close() {
      isClosed = true
      if (restartTimer) clearTimeout(restartTimer)
      await worker?.terminate()
      rejectAll()
    },
  }
}
