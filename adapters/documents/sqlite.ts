// Documents in one SQLite file, for a single machine: several processes may share it. A write is on disk when it is
// acknowledged (WAL, synchronous=FULL), and whatever waits together is committed together.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { checkBulk, checkCollection, checkId, checkNext, encodeDocument, keysOf } from './document.ts'
import { DocumentsError, FIND_CHARS_MAX, WRITES_WAITING_MAX } from './index.ts'
import type { Collection, Doc, Documents, Found, Inserted, Query, Replaced } from './index.ts'
import { cursorAfter, limitOf, planQuery } from './query.ts'
import { openLink } from './sqlite-link.ts'
import type { Link, LinkOptions } from './sqlite-link.ts'
import {
  conflictNames,
  countStatement,
  findStatement,
  getSql,
  insertSql,
  removeSql,
  replaceSql,
  scanSql,
  sizeSql,
  tableSchema,
} from './sqlite-statements.ts'
import type { SqlValue, Statement } from './sqlite-statements.ts'
import type { Answer, Failure, WorkerOptions } from './sqlite-worker.ts'

export type SqliteOptions = { file: string; log: LinkOptions['log'] }

/** Questions that may wait for the reader at once. */
export const READS_WAITING_MAX = 20_000
/**
 * What a thread may grow to; it stays far below, for messages and answers are bounded by characters. Not a guard: a
 * thread that reaches it inside SQLite's binding takes the whole process with it.
 */
const WRITER_HEAP_MB = 192
const READER_HEAP_MB = 192
/** A document of the file's own, written by `ping`: a store that can only read is not up. */
const PROBE: Collection = { name: 'store-probe', indexes: {} }

type Store = { writer: Link; reader: Link; declared: Map<string, Declared> }
type Declared = { of: Collection; keys: string[]; conflicts: Map<string, string> }

export const openSqlite = async (options: SqliteOptions): Promise<Documents> => {
  mkdirSync(dirname(options.file), { recursive: true })
  const open = (role: WorkerOptions['role'], heapMb: number, waitingMax: number) =>
    openLink({
      worker: new URL('./sqlite-worker.ts', import.meta.url),
      data: { file: options.file, role, answerCharsMax: FIND_CHARS_MAX },
      heapMb,
      waitingMax,
      log: options.log,
    })
  const writer = await open('writer', WRITER_HEAP_MB, WRITES_WAITING_MAX)
  const reader = await open('reader', READER_HEAP_MB, READS_WAITING_MAX).catch(async (error: unknown) => {
    await writer.close()
    throw error
  })
  const store: Store = { writer, reader, declared: new Map() }
  await declare(store, [PROBE])
  return documentsOf(store)
}

const documentsOf = (store: Store): Documents => ({
  declare: (collections) => declare(store, collections),
  insert: async (of, doc) => only(await insertAll(store, of, [doc])),
  insertMany: (of, docs) => insertAll(store, of, docs),
  insertInOrder: async (of, docs) => {
    const outcomes = await insertAll(store, of, docs, { inOrder: true })
    const end = outcomes.findIndex(({ ok }) => !ok)
    return end < 0 ? outcomes : outcomes.slice(0, end + 1)
  },
  get: async (of, id) => only(await getAll(store, of, [id])),
  getMany: (of, ids) => getAll(store, of, ids),
  replace: async (of, doc, ifVersion) => only(await replaceAll(store, of, [{ doc, ifVersion }])),
  replaceMany: (of, docs) => replaceAll(store, of, docs),
  remove: (of, id, ifVersion) => remove(store, of, id, ifVersion),
  find: async (of, query) => {
    const { docs, next } = await findTexts(store, of, query)
    return { docs: docs.map((text) => JSON.parse(text)), next }
  },
  findTexts: (of, query) => findTexts(store, of, query),
  count: (of, query) => count(store, of, query),
  scan: (of, page) => scan(store, of, page),
  sizes: () => sizes(store),
  ping: () => ping(store),
  close: async () => {
    await Promise.all([store.writer.close(), store.reader.close()])
  },
})

const declare = async (store: Store, collections: readonly Collection[]): Promise<void> => {
  for (const of of collections) checkCollection(of)
  checkAnswer(only(await store.writer.declare(collections.map(tableSchema))))
  for (const of of collections) store.declared.set(of.name, { of, keys: keysOf(of), conflicts: conflictNames(of) })
}

const insertAll = async (
  store: Store,
  of: Collection,
  docs: readonly Doc[],
  { inOrder } = { inOrder: false },
): Promise<Inserted[]> => {
  const { keys, conflicts } = declaredOf(store, of)
  checkBulk(docs)
  const sql = insertSql(of.name)
  const answers = await store.writer.ask(
    docs.map((doc, at) => ({
      sql,
      params: [doc.id, doc.version, encodeDocument(doc, keys)],
      ...(inOrder && at > 0 && { follows: true as const }),
    })),
  )
  return answers.map((answer) => outcome(answer, conflicts, 'id'))
}

const replaceAll = async (
  store: Store,
  of: Collection,
  docs: readonly { doc: Doc; ifVersion: number }[],
): Promise<Replaced[]> => {
  const { keys, conflicts } = declaredOf(store, of)
  checkBulk(docs)
  const sql = replaceSql(of.name)
  const statements = docs.map(({ doc, ifVersion }): Statement => {
    checkNext(doc, ifVersion)
    return { sql, params: [doc.version, encodeDocument(doc, keys), doc.id, ifVersion] }
  })
  const answers = await store.writer.ask(statements)
  return answers.map((answer) => outcome(answer, conflicts, 'stale'))
}

const remove = async (store: Store, of: Collection, id: string, ifVersion?: number): Promise<boolean> => {
  declaredOf(store, of)
  checkId(id)
  const conditional = ifVersion !== undefined
  const params: SqlValue[] = conditional ? [id, ifVersion] : [id]
  return checkAnswer(only(await store.writer.ask([{ sql: removeSql(of.name, conditional), params }]))) === 1
}

const getAll = async <T extends Doc>(
  store: Store,
  of: Collection<T>,
  ids: readonly string[],
): Promise<(T | null)[]> => {
  declaredOf(store, of)
  checkBulk(ids)
  ids.forEach(checkId)
  const sql = getSql(of.name)
  const answers = await store.reader.ask(ids.map((id) => ({ sql, params: [id] })))
  return answers.map((answer) => {
    const text = rowsOf(answer).values[0]
    return text === undefined ? null : (JSON.parse(text as string) as T)
  })
}

const findTexts = async (store: Store, of: Collection, query: Query): Promise<Found<string>> => {
  const plan = planQuery(declaredOf(store, of).of, query)
  if (plan.empty) return { docs: [], next: null }
  const { docs, more } = await page(store.reader, findStatement(of, plan), plan.limit)
  return { docs, next: more ? cursorAfter(plan, JSON.parse(docs.at(-1)!)) : null }
}

const count = async (store: Store, of: Collection, query: Query): Promise<number> => {
  const { index, equals, from, to } = query
  const plan = planQuery(declaredOf(store, of).of, {
    index,
    ...(equals && { equals }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  })
  return plan.empty ? 0 : (rowsOf(only(await store.reader.ask([countStatement(of, plan)]))).values[0] as number)
}

const scan = async <T extends Doc>(
  store: Store,
  of: Collection<T>,
  { after, limit }: ScanPage = {},
): Promise<Found<T>> => {
  declaredOf(store, of)
  const most = limitOf(limit === undefined ? {} : { limit })
  const from = after ?? null
  if (from !== null) checkId(from)
  const params: SqlValue[] = from === null ? [most + 1] : [from, most + 1]
  const { docs: texts, more } = await page(store.reader, { sql: scanSql(of.name, from !== null), params }, most)
  const docs = texts.map((text) => JSON.parse(text) as T)
  return { docs, next: more ? (docs.at(-1) as T).id : null }
}
type ScanPage = { after?: string | null; limit?: number }

/** The statement asks for one row more than `limit`: whether it came says whether there is another page. */
const page = async (reader: Link, statement: Statement, limit: number): Promise<{ docs: string[]; more: boolean }> => {
  const { values, more } = rowsOf(only(await reader.ask([statement])))
  return { docs: values.slice(0, limit) as string[], more: more || values.length > limit }
}

const sizes = async ({ declared, reader }: Store): Promise<Record<string, number>> => {
  const names = [...declared.keys()]
  const answers = await reader.ask(names.map((name) => ({ sql: sizeSql(name), params: [] })))
  return Object.fromEntries(names.map((name, at) => [name, Math.round(Number(rowsOf(answers[at]!).values[0] ?? 0))]))
}

const ping = async (store: Store): Promise<void> => {
  const row = `"${PROBE.name}" (id, version, doc) VALUES ('probe', 1, '{}')`
  const sql = `INSERT INTO ${row} ON CONFLICT (id) DO UPDATE SET version = version + 1`
  try {
    checkAnswer(only(await store.writer.ask([{ sql, params: [] }])))
    rowsOf(only(await store.reader.ask([{ sql: getSql(PROBE.name), params: ['probe'] }])))
  } catch (error) {
    throw new DocumentsError('store_down', (error as Error).message)
  }
}

const declaredOf = (store: Store, of: Collection): Declared => {
  const declared = store.declared.get(of.name)
  if (!declared) throw new DocumentsError('bad_query', `collection ${of.name} is used before it is declared`)
  return declared
}

const outcome = (
  answer: Answer,
  conflicts: Map<string, string>,
  unchanged: 'id' | 'stale',
): { ok: true } | { ok: false; conflict: string } => {
  if (answer === 1) return { ok: true }
  if (answer === 0) return { ok: false, conflict: unchanged }
  const conflict = conflictOf(answer, conflicts)
  if (conflict === undefined) throw failure(answer as Failure)
  return { ok: false, conflict }
}

const conflictOf = (answer: Answer, conflicts: Map<string, string>): string | undefined => {
  if (typeof answer === 'number' || !('failed' in answer) || answer.code !== SQLITE_CONSTRAINT) return undefined
  return conflicts.get(answer.failed.slice(answer.failed.indexOf(': ') + 2))
}

const checkAnswer = (answer: Answer): number => {
  if (typeof answer === 'number') return answer
  throw failure(answer as Failure)
}

const rowsOf = (answer: Answer): { values: SqlValue[]; more: boolean } => {
  if (typeof answer === 'object' && 'values' in answer) return answer
  throw failure(answer as Failure)
}

const SQLITE_CONSTRAINT = 19
/** SQLite's result codes that say what a caller can do; every other one means that the store is in trouble. */
const CODES: Record<number, DocumentsError['code']> = {
  5: 'store_busy',
  6: 'store_busy',
  13: 'store_full',
  19: 'bad_query',
  1: 'bad_query',
}

const failure = ({ failed, code }: Failure): DocumentsError => new DocumentsError(CODES[code] ?? 'store_down', failed)

const only = <T>(list: readonly T[]): T => list[0] as T
