// A thread with one connection to the file. As writer it puts everything that has arrived into one transaction, so that
// one fsync serves many writers; as reader it answers questions in order. It knows SQL and nothing about documents. It
// imports nothing of ours but types, so that it can also be started from its source text.
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { SqlValue, TableSchema } from './sqlite-statements.ts'

/** An answer is cut, or leaves in parts, past `answerCharsMax`. */
export type WorkerOptions = { file: string; role: 'writer' | 'reader'; answerCharsMax: number }
/** One message holds many statements; columns of plain values are the cheapest to copy between threads. */
export type Statements = {
  sql: string[]
  params: SqlValue[][]
  /** Which of them are run only if the one before changed a row; otherwise their answer is that none did. */
  follows?: boolean[]
}
export type Request = Statements | { declare: TableSchema[] } | { close: true }
/** `code` is SQLite's result code. */
export type Failure = { failed: string; code: number }
/** Rows changed, or the rows read (`more` when they were cut short), or why not. */
export type Answer = number | { values: SqlValue[]; more: boolean } | Failure
/** Answers to the oldest open statements, in order; `done` when a request is wholly answered. */
export type Reply = { answers: Answer[]; done: boolean }

/** Prepared statements kept; shapes of queries are few, this only bounds a mistake. */
const PREPARED_MAX = 500
/** How long another process may hold the file's write lock before a group is refused. */
const LOCK_WAIT_MS = 5_000
/** SQLite's own waiting sleeps up to 100 ms at a time; asking anew after this keeps it brief. */
const LOCK_ROUND_MS = 10
/**
 * Left free for other processes between groups, for as long after one of them has been seen to write to the same file.
 */
const YIELD_MS = 2
const YIELDING_MS = 1_000
/** Written pages, of 4 KiB, that the log holds before they go to their places: one written again and again goes once. */
const CHECKPOINT_PAGES = 4000
/** A question without a limit has one row for an answer, or none. */
const LIMITED = ' LIMIT '
const SQLITE_ERROR = 1
const SQLITE_BUSY = 5
/** BUSY, NOMEM, INTERRUPT, IOERR, CORRUPT, FULL: SQLite may have undone the transaction by itself. */
const ENDS_TRANSACTION = new Set([SQLITE_BUSY, 7, 9, 10, 11, 13])

const { file, role, answerCharsMax } = workerData as WorkerOptions
const port = parentPort
if (!port) throw new Error('sqlite-worker.ts runs as a worker thread only')
const database = untilUnlocked(open)
const prepared = new Map<string, StatementSync>()
const waiting: Request[] = []
let versionSeen = dataVersion()
let yieldingUntil = 0

port.on('message', (request: Request) => {
  waiting.push(request)
  // After this turn of the loop, so that every request that is already here joins the same group.
  if (waiting.length === 1) setImmediate(role === 'writer' ? writeWaiting : readWaiting)
})
say({ answers: [], done: true })

function open(): DatabaseSync {
  const opened = new DatabaseSync(file, { timeout: role === 'writer' ? LOCK_ROUND_MS : LOCK_WAIT_MS })
  if (role === 'reader') opened.exec('PRAGMA query_only = 1; PRAGMA cache_size = -8000')
  else
    opened.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8000;
       PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    )
  return opened
}

/** Answers leave in the order of the requests: what stands between two writes ends the group of the first. */
function writeWaiting(): void {
  let group: Statements[] = []
  for (const request of waiting.splice(0)) {
    if ('sql' in request) {
      group.push(request)
      continue
    }
    if (group.length > 0) writeGroup(group)
    group = []
    if ('declare' in request) say({ answers: [declareAll(request.declare)], done: true })
    else close()
  }
  if (group.length > 0) writeGroup(group)
}

/** Either the whole group is durable, bar statements that were refused by a constraint, or nothing of it is there. */
function writeGroup(requests: Statements[]): void {
  let answers: Answer[][]
  try {
    yieldToOthers()
    untilUnlocked(() => database.exec('BEGIN IMMEDIATE'))
    answers = requests.map(runAll)
    database.exec('COMMIT')
  } catch (error) {
    rollback()
    const failure = failureOf(error)
    answers = requests.map(({ sql }) => sql.map(() => failure))
  }
  for (const list of answers) say({ answers: list, done: true })
}

function runAll({ sql, params, follows }: Statements): Answer[] {
  const answers: Answer[] = []
  for (const [i, text] of sql.entries())
    answers.push(follows?.[i] && answers[i - 1] !== 1 ? 0 : runOne(text, params[i] as SqlValue[]))
  return answers
}

/** A refused statement undoes itself alone; an error of the store itself ends the group. */
function runOne(sql: string, params: SqlValue[]): Answer {
  try {
    return Number(prepare(sql).run(...params).changes)
  } catch (error) {
    const failure = failureOf(error)
    if (ENDS_TRANSACTION.has(failure.code)) throw error
    return failure
  }
}

function readWaiting(): void {
  for (const request of waiting.splice(0)) {
    if ('sql' in request) readAll(request)
    else if ('close' in request) close()
    else throw new Error('a reader declares nothing')
  }
}

/** Large answers leave in parts, so that this thread never holds much text at once. */
function readAll({ sql, params }: Statements): void {
  let answers: Answer[] = []
  let chars = 0
  for (const [i, text] of sql.entries()) {
    const answer = readOne(text, params[i] as SqlValue[])
    answers.push(answer)
    if (typeof answer === 'object' && 'values' in answer) for (const value of answer.values) chars += lengthOf(value)
    if (chars < answerCharsMax) continue
    say({ answers, done: false })
    answers = []
    chars = 0
  }
  say({ answers, done: true })
}

function readOne(sql: string, params: SqlValue[]): Answer {
  try {
    const statement = prepare(sql)
    if (!sql.includes(LIMITED)) {
      const row = statement.get(...params)
      return { values: row === undefined ? [] : [valueOf(row)], more: false }
    }
    const values: SqlValue[] = []
    let chars = 0
    for (const row of statement.iterate(...params)) {
      if (chars >= answerCharsMax) return { values, more: true }
      const value = valueOf(row)
      values.push(value)
      chars += lengthOf(value)
    }
    return { values, more: false }
  } catch (error) {
    return failureOf(error)
  }
}

/** A row is a list of one where the binding can make lists, which are much cheaper than objects. */
function valueOf(row: object): SqlValue {
  return (Array.isArray(row) ? row[0] : (row as { value: SqlValue }).value) as SqlValue
}

/** Other processes may declare at the same time: the lock is taken before looking at what is there. */
function declareAll(schemas: TableSchema[]): Answer {
  try {
    untilUnlocked(() => database.exec('BEGIN IMMEDIATE'))
    for (const schema of schemas) declareOne(schema)
    database.exec('COMMIT')
    return 0
  } catch (error) {
    rollback()
    return failureOf(error)
  }
}

function declareOne({ table, create, columns, indexes }: TableSchema): void {
  database.exec(create)
  const present = new Set(
    database
      .prepare(`PRAGMA table_xinfo("${table}")`)
      .all()
      .map((row) => row['name']),
  )
  for (const { name, add } of columns) if (!present.has(name)) database.exec(add)
  const made = new Map(
    database
      .prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?`)
      .all(table)
      .map((row) => [`"${row['name']}"`, row['sql']]),
  )
  for (const index of indexes) {
    const sql = made.get(index.name)
    if (sql === undefined) database.exec(index.create)
    else if (sql !== index.create)
      throw new Error(`index ${index.name} exists with other keys: give the new one a new name`)
  }
}

function prepare(sql: string): StatementSync {
  const known = prepared.get(sql)
  if (known) return known
  if (prepared.size >= PREPARED_MAX) prepared.clear()
  const made = database.prepare(sql)
  if (role === 'reader') made.setReturnArrays?.(true)
  prepared.set(sql, made)
  return made
}

/** Several processes may write to one file; without a pause between commits the others would never get their turn. */
function yieldToOthers(): void {
  const version = dataVersion()
  if (version !== versionSeen) yieldingUntil = Date.now() + YIELDING_MS
  versionSeen = version
  if (Date.now() < yieldingUntil) sleep(YIELD_MS)
}

function dataVersion(): unknown {
  return prepare('PRAGMA data_version').get()?.['data_version']
}

function untilUnlocked<T>(act: () => T): T {
  const endsAt = Date.now() + LOCK_WAIT_MS
  for (;;) {
    try {
      return act()
    } catch (error) {
      if (failureOf(error).code !== SQLITE_BUSY || Date.now() >= endsAt) throw error
      sleep(1)
    }
  }
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function rollback(): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // SQLite had already undone it.
  }
}

function failureOf(error: unknown): Failure {
  const { message, errcode } = error as Error & { errcode?: number }
  return { failed: message, code: errcode === undefined ? SQLITE_ERROR : errcode & 0xff }
}

function lengthOf(value: SqlValue): number {
  return typeof value === 'string' ? value.length : 1
}

function say(reply: Reply): void {
  port?.postMessage(reply)
}

function close(): void {
  prepared.clear()
  database.close()
  say({ answers: [0], done: true })
}
