// The way to a worker and back. What is asked within one turn of the event loop travels in one message, what arrives
// while two messages are out waits here for the next: that is the group a commit serves. A worker that dies fails what
// it held, at once.
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { Worker } from 'node:worker_threads'
import { DocumentsError } from './index.ts'
import type { SqlValue, Statement, TableSchema } from './sqlite-statements.ts'
import type { Answer, Reply, Request, WorkerOptions } from './sqlite-worker.ts'

export type Link = {
  /**
   * Answers in the order of the statements. Refused with store_busy, nothing sent, when too much is waiting already.
   */
  ask(statements: Statement[]): Promise<Answer[]>
  declare(schemas: TableSchema[]): Promise<Answer[]>
  close(): Promise<void>
}
export type LinkOptions = {
  worker: URL
  data: WorkerOptions
  heapMb: number
  waitingMax: number
  log: { warn(...args: unknown[]): void }
}

/** Characters that may wait for one worker, whatever the number of statements. */
export const WAITING_CHARS_MAX = 128 * 1024 * 1024
/** What one message carries at most. */
const MESSAGE_STATEMENTS_MAX = 1_000
const MESSAGE_CHARS_MAX = 8 * 1024 * 1024
/** One being worked on, one ready behind it. */
const MESSAGES_OUT_MAX = 2
/** A worker that dies again and again is not started more often than this; meanwhile everything is refused at once. */
const RESTART_PAUSE_MS = 1_000
const CLOSE_WAIT_MS = 15_000

type Pending = {
  statements: Statement[]
  /** What is no statement travels alone, in its place. */
  alone?: Request
  expected: number
  chars: number
  answers: Answer[]
  resolve(answers: Answer[]): void
  reject(error: unknown): void
}
type State = {
  worker: Worker | null
  startedAt: number
  /** Said by the worker's first reply: the file is open. */
  opened: { resolve(): void; reject(error: unknown): void }
  waiting: Pending[]
  sent: Pending[]
  messagesOut: number
  statementsHeld: number
  charsHeld: number
  flushing: boolean
  closing: boolean
}

/** Resolves when the worker has opened its file. */
export const openLink = async (options: LinkOptions): Promise<Link> => {
  const state: State = {
    worker: null,
    startedAt: 0,
    opened: { resolve() {}, reject() {} },
    waiting: [],
    sent: [],
    messagesOut: 0,
    statementsHeld: 0,
    charsHeld: 0,
    flushing: false,
    closing: false,
  }
  await new Promise<void>((resolve, reject) => {
    state.opened = { resolve, reject }
    start(state, options)
  })
  return {
    ask: (statements) => ask(state, options, statements),
    declare: async (schemas) => {
      checkRoom(state, options, 1, 0)
      return hold(state, { ...ALONE, alone: { declare: schemas } })
    },
    close: () => close(state),
  }
}

/** Taken whole or refused whole; what is too large for one message travels in several. */
const ask = async (state: State, options: LinkOptions, statements: Statement[]): Promise<Answer[]> => {
  const parts = partsOf(statements)
  checkRoom(
    state,
    options,
    statements.length,
    parts.reduce((sum, { chars }) => sum + chars, 0),
  )
  const [first, ...others] = parts
  if (!first) return []
  if (others.length === 0) return hold(state, first)
  return (await Promise.all(parts.map((part) => hold(state, part)))).flat()
}

type Part = Pick<Pending, 'statements' | 'expected' | 'chars' | 'alone'>
const ALONE: Part = { statements: [], expected: 1, chars: 0 }

const partsOf = (statements: Statement[]): Part[] => {
  const parts: Part[] = []
  let part: Part | null = null
  for (const statement of statements) {
    const chars = charsOf(statement)
    // What follows another stays with it.
    if (!part || (part.chars + chars > MESSAGE_CHARS_MAX && !statement.follows))
      parts.push((part = { statements: [], expected: 0, chars: 0 }))
    part.statements.push(statement)
    part.expected += 1
    part.chars += chars
  }
  return parts
}

const checkRoom = (state: State, options: LinkOptions, count: number, chars: number): void => {
  if (state.closing) throw down('the store is closed')
  if (state.statementsHeld + count > options.waitingMax || state.charsHeld + chars > WAITING_CHARS_MAX) {
    throw new DocumentsError('store_busy', 'too much is waiting for the store')
  }
  if (!state.worker && !restart(state, options)) throw down('the store is down')
}

const hold = (state: State, part: Part): Promise<Answer[]> =>
  new Promise((resolve, reject) => {
    state.statementsHeld += part.expected
    state.charsHeld += part.chars
    state.waiting.push({ ...part, answers: [], resolve, reject })
    flushSoon(state)
  })

const flushSoon = (state: State): void => {
  if (state.flushing || state.messagesOut >= MESSAGES_OUT_MAX) return
  state.flushing = true
  setImmediate(() => {
    state.flushing = false
    while (state.messagesOut < MESSAGES_OUT_MAX && state.waiting.length > 0) send(state, nextMessage(state.waiting))
  })
}

/** Takes from the front what fits one message. */
const nextMessage = (waiting: Pending[]): Pending[] => {
  let count = 0
  let chars = 0
  let taken = 0
  for (const pending of waiting) {
    count += pending.expected
    chars += pending.chars
    const fits = count <= MESSAGE_STATEMENTS_MAX && chars <= MESSAGE_CHARS_MAX && !pending.alone
    if (taken > 0 && !fits) break
    taken += 1
    if (pending.alone) break
  }
  return waiting.splice(0, taken)
}

const send = (state: State, batch: Pending[]): void => {
  const statements = batch.flatMap((pending) => pending.statements)
  const columns = {
    sql: statements.map(({ sql }) => sql),
    params: statements.map(({ params }) => params),
    ...(statements.some(({ follows }) => follows) && { follows: statements.map(({ follows }) => follows === true) }),
  }
  for (const pending of batch) state.sent.push(pending)
  state.messagesOut += 1
  state.worker?.postMessage(batch[0]?.alone ?? columns)
}

const receive = (state: State, { answers, done }: Reply): void => {
  let finished = 0
  for (const answer of answers) {
    const pending = state.sent[finished] as Pending
    pending.answers.push(answer)
    if (pending.answers.length < pending.expected) continue
    finished += 1
    release(state, pending)
    pending.resolve(pending.answers)
  }
  state.sent.splice(0, finished)
  if (!done) return
  state.messagesOut -= 1
  state.opened.resolve()
  if (state.waiting.length > 0) flushSoon(state)
}

const start = (state: State, { worker: url, data, heapMb, log }: LinkOptions): void => {
  const worker = new Worker(sourceOf(url), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 16 },
  })
  state.worker = worker
  state.startedAt = performance.now()
  // Its first reply says that the file is open.
  state.messagesOut = 1
  const fail = (reason: string) => {
    if (state.worker !== worker) return
    state.worker = null
    if (!state.closing) log.warn(`documents ${data.role} stopped: ${reason}`)
    failAll(state, down(`the store's ${data.role} stopped: ${reason}`))
    void worker.terminate()
  }
  worker.on('message', (reply: Reply) => {
    if (state.worker === worker) receive(state, reply)
  })
  worker.on('messageerror', () => fail('a message could not be read'))
  worker.on('error', (error: unknown) => fail(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => fail(`it exited with ${code}`))
}

/**
 * A thread that strips types by itself keeps the stripper, 13 MB of it; here it is loaded anyway. Where there is none
 * to borrow (Deno), the file is started as it is.
 */
const sourceOf = (url: URL): URL => {
  if (typeof stripTypeScriptTypes !== 'function') return url
  const typed = readFileSync(url, 'utf8')
  // Node runs every file of ours through it, and still says once that calling it is experimental; this keeps the log
  // clean.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return new URL(`data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(typed))}`)
  } finally {
    process.emitWarning = emitWarning
  }
}

const restart = (state: State, options: LinkOptions): boolean => {
  if (performance.now() - state.startedAt < RESTART_PAUSE_MS) return false
  start(state, options)
  return true
}

/** Whether a statement that was out took effect is not known; nobody was told that it did. */
const failAll = (state: State, error: DocumentsError): void => {
  const all = [...state.sent.splice(0), ...state.waiting.splice(0)]
  state.messagesOut = 0
  state.opened.reject(error)
  for (const pending of all) {
    release(state, pending)
    pending.reject(error)
  }
}

/** What is already held is answered first; the worker then closes the file and is ended from here. */
const close = async (state: State): Promise<void> => {
  const { worker } = state
  if (state.closing || !worker) return
  state.closing = true
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_WAIT_MS)))
  await Promise.race([hold(state, { ...ALONE, alone: { close: true } }).catch(() => {}), late])
  clearTimeout(timer)
  failAll(state, down('the store is closed'))
  await worker.terminate()
}

const release = (state: State, pending: Pending): void => {
  state.statementsHeld -= pending.expected
  state.charsHeld -= pending.chars
}

const charsOf = ({ params }: Statement): number => {
  let chars = 0
  for (const value of params) chars += lengthOf(value)
  return chars
}

const lengthOf = (value: SqlValue): number => (typeof value === 'string' ? value.length : 8)

const down = (message: string): DocumentsError => new DocumentsError('store_down', message)
