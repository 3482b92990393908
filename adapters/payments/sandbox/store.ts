// What the sandbox provider remembers, in one SQLite file. Nothing is answered before it is on disk, and history stays
// on disk: memory holds only the work of the moment.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

/** How much work may wait for the next commit. */
export const QUEUED_WORK_MAX = 2_000

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type StripeObject = { id: string; object: string; [field: string]: Json }

/** An object beside what the API never shows: where it lives and what will happen to it. */
export type Stored = {
  body: StripeObject
  /** Connected account, '' for the platform. */
  account: string
  /** What it is listed under: a refund's payment intent, a transfer's group. */
  parent?: string
  /** Epoch ms on the platform's clock at which it changes by itself. */
  dueAt?: number | null
  plan?: Json
}
export type Page = {
  kind: string
  account: string
  parent?: string
  createdFrom?: number
  createdTo?: number
  /** Fields of the object that must be equal, by names from our own code. */
  is?: Record<string, string>
}
export type Cursor = { limit: number; startingAfter?: string; endingBefore?: string }

export type Store = ReturnType<typeof openStore>

export const openStore = (file: string) => {
  const database = new DatabaseSync(file)
  database.exec(SCHEMA)
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? database.prepare(sql)
    statements.set(sql, known)
    return known
  }
  const run = (sql: string, ...values: SQLInputValue[]) => prepared(sql).run(...values)
  const row = (sql: string, ...values: SQLInputValue[]) => prepared(sql).get(...values)
  const rows = (sql: string, ...values: SQLInputValue[]) => prepared(sql).all(...values)
  const get = (id: string): Stored | undefined => {
    const found = row('SELECT * FROM objects WHERE id = ?', id)
    return found && storedOf(found)
  }
  return {
    run,
    row,
    rows,
    get,
    commit: groupCommit(database),
    put: (stored: Stored) => {
      run(
        PUT,
        stored.body.id,
        stored.body.object,
        stored.account,
        stored.parent ?? '',
        Number(stored.body.created ?? 0),
        stored.dueAt ?? null,
        JSON.stringify(stored.plan ?? null),
        JSON.stringify(stored.body),
      )
    },
    /** The next object that changes by itself, oldest due first. */
    nextDue: (now: number): Stored | undefined => {
      const found = row('SELECT * FROM objects WHERE due_at <= ? ORDER BY due_at, seq LIMIT 1', now)
      return found && storedOf(found)
    },
    list: (page: Page, cursor: Cursor) => listPage(rows, row, page, cursor),
    setting: (name: string, make: () => string): string => {
      run('INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING', name, make())
      return String(row('SELECT value FROM settings WHERE name = ?', name)?.value)
    },
    setSetting: (name: string, value: string) =>
      run(
        'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        name,
        value,
      ),
    close: () => {
      statements.clear()
      database.close()
    },
  }
}

// The lock is exclusive so that a second process on the same file is refused at once instead of sharing half a
// provider. All tables are made in one commit: ten waits for the disk would hold up the first start.
const SCHEMA = `
  PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4000;
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, account TEXT NOT NULL, parent TEXT NOT NULL, created INTEGER NOT NULL, due_at INTEGER,
    plan TEXT NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS objects_listed ON objects (kind, account, seq);
  CREATE INDEX IF NOT EXISTS objects_of_parent ON objects (kind, account, parent, seq) WHERE parent <> '';
  CREATE INDEX IF NOT EXISTS objects_due ON objects (due_at, seq) WHERE due_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS balances (account TEXT NOT NULL, currency TEXT NOT NULL, available INTEGER NOT NULL,
    pending INTEGER NOT NULL, PRIMARY KEY (account, currency)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS idempotency_keys (account TEXT NOT NULL, key TEXT NOT NULL, created_at INTEGER NOT NULL,
    request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, key)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS idempotency_keys_age ON idempotency_keys (created_at);
  CREATE TABLE IF NOT EXISTS deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL,
    attempt INTEGER NOT NULL, due_at INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_at);
  COMMIT;`

const PUT = `INSERT INTO objects (id, kind, account, parent, created, due_at, plan, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
  parent = excluded.parent, due_at = excluded.due_at, plan = excluded.plan, body = excluded.body`

type Row = Record<string, unknown>

const storedOf = (found: Row): Stored => ({
  body: JSON.parse(String(found.body)) as StripeObject,
  account: String(found.account),
  parent: String(found.parent),
  dueAt: found.due_at === null ? null : Number(found.due_at),
  plan: JSON.parse(String(found.plan)) as Json,
})

type Rows = (sql: string, ...values: SQLInputValue[]) => Row[]
type OneRow = (sql: string, ...values: SQLInputValue[]) => Row | undefined

/** Newest first; one row more than asked for says whether there is more. */
const listPage = (rows: Rows, row: OneRow, page: Page, cursor: Cursor) => {
  const seqOf = (id: string) => Number(row('SELECT seq FROM objects WHERE id = ?', id)?.seq ?? 0)
  const backwards = cursor.endingBefore !== undefined
  const where = ['kind = ?', 'account = ?']
  const values: SQLInputValue[] = [page.kind, page.account]
  const narrow = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return
    where.push(condition)
    values.push(value)
  }
  narrow("parent <> '' AND parent = ?", page.parent)
  narrow('created >= ?', page.createdFrom)
  narrow('created <= ?', page.createdTo)
  for (const [name, value] of Object.entries(page.is ?? {})) narrow(`body ->> '$.${name}' = ?`, value)
  narrow('seq < ?', cursor.startingAfter && seqOf(cursor.startingAfter))
  narrow('seq > ?', cursor.endingBefore && seqOf(cursor.endingBefore))
  const sql = `SELECT body FROM objects WHERE ${where.join(' AND ')} ORDER BY seq ${backwards ? 'ASC' : 'DESC'} LIMIT ?`
  const found = rows(sql, ...values, cursor.limit + 1).map((each) => JSON.parse(String(each.body)) as StripeObject)
  const data = found.slice(0, cursor.limit)
  return { data: backwards ? data.reverse() : data, hasMore: found.length > cursor.limit }
}

type Work = { run: () => void; resolve: () => void; reject: (error: unknown) => void }

/** All that arrives in one turn of the event loop shares one commit: one wait for the disk, however many callers. */
const groupCommit = (database: DatabaseSync) => {
  let waiting: Work[] = []
  const flush = () => {
    const batch = waiting
    waiting = []
    try {
      database.exec('BEGIN IMMEDIATE')
      const settle = batch.map((work) => runOne(database, work))
      database.exec('COMMIT')
      for (const done of settle) done()
    } catch (error) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK')
      for (const work of batch) work.reject(error)
    }
  }
  return <T>(run: () => T): Promise<T> => {
    if (waiting.length >= QUEUED_WORK_MAX) return Promise.reject(new StoreBusy('too much work is waiting'))
    return new Promise<T>((resolve, reject) => {
      let result: T
      waiting.push({
        run: () => {
          result = run()
        },
        resolve: () => resolve(result),
        reject,
      })
      if (waiting.length === 1) setImmediate(flush)
    })
  }
}

export class StoreBusy extends Error {}

const runOne = (database: DatabaseSync, work: Work): (() => void) => {
  database.exec('SAVEPOINT work')
  try {
    work.run()
    database.exec('RELEASE work')
    return work.resolve
  } catch (error) {
    database.exec('ROLLBACK TO work')
    database.exec('RELEASE work')
    return () => work.reject(error)
  }
}
