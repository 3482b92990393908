// What holds for the SQLite product alone: processes that die or share the file, a full disk, the plan of every query.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { thing } from './things.fixture.ts'
import type { Thing } from './things.fixture.ts'
import { DOCUMENT_BYTES_MAX, DocumentsError, FIND_CHARS_MAX, WRITES_WAITING_MAX, collection } from './index.ts'
import type { Doc, Query } from './index.ts'
import { planQuery } from './query.ts'
import { openLink } from './sqlite-link.ts'
import { countStatement, findStatement, insertSql, tableSchema } from './sqlite-statements.ts'
import { openSqlite } from './sqlite.ts'

const log = { warn: () => {} }
const things = collection<Thing>('things', {
  byRank: { keys: ['kind', 'rank'] },
  byKind: { keys: ['kind'] },
  byMail: { keys: ['mail'], unique: true },
})
const entries = collection<Doc & { writer: string }>('entries', { byWriter: { keys: ['writer'] } })

const newFile = (t: ExecutionContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'documents-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'test.sqlite')
}
const openStore = async (t: ExecutionContext, file: string) => {
  const documents = await openSqlite({ file, log })
  t.teardown(() => documents.close())
  return documents
}
const startWriter = (file: string, prefix: string, count: number) => {
  const script = fileURLToPath(new URL('./sqlite-writer.fixture.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file, prefix, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part))
  /** A last line that was cut short was not said. */
  const acknowledged = () =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1)
  return { child, closed: once(child, 'close'), acknowledged }
}
const until = async (holds: () => boolean) => {
  const endsAt = Date.now() + 60_000
  while (!holds() && Date.now() < endsAt) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a process killed while it writes loses nothing that it acknowledged', async (t) => {
  const file = newFile(t)
  const said: string[] = []
  for (const round of ['first', 'second', 'third']) {
    const { child, closed, acknowledged } = startWriter(file, round, 1_000_000)
    await until(() => acknowledged().length > 200)
    child.kill('SIGKILL')
    await closed
    said.push(...acknowledged())
  }
  const documents = await openStore(t, file)
  await documents.declare([entries])
  const kept = new Set<string>()
  for (let after: string | null | undefined; after !== null;) {
    const page = await documents.scan(entries, { after: after ?? null, limit: 1_000 })
    for (const { id } of page.docs) kept.add(id)
    after = page.next
  }
  t.true(said.length > 600)
  t.deepEqual(
    said.filter((id) => !kept.has(id)),
    [],
  )
})

test('two processes write to one file and a third sees all of it', async (t) => {
  const file = newFile(t)
  const documents = await openStore(t, file)
  await documents.declare([entries])
  const writers = ['left', 'right'].map((prefix) => startWriter(file, prefix, 1_500))
  const codes = await Promise.all(writers.map(async ({ closed }) => (await closed)[0] as number))
  t.deepEqual(codes, [0, 0])
  for (const writer of ['left', 'right'])
    t.is(await documents.count(entries, { index: 'byWriter', equals: { writer } }), 1_500)
})

test('a store opened again has everything', async (t) => {
  const file = newFile(t)
  const before = await openSqlite({ file, log })
  await before.declare([things])
  await before.insert(things, thing('a', { mail: 'a@x' }))
  await before.close()
  await t.throwsAsync(() => before.insert(things, thing('b')), { message: /closed/ })
  const after = await openStore(t, file)
  await after.declare([things])
  t.is((await after.find(things, { index: 'byMail', equals: { mail: 'a@x' } })).docs[0]?.id, 'a')
})

test('writes that wait when the store closes are kept and acknowledged', async (t) => {
  const file = newFile(t)
  const before = await openSqlite({ file, log })
  await before.declare([things])
  const inserted = Promise.all(Array.from({ length: 100 }, (_, i) => before.insert(things, thing(`t${i}`))))
  await before.close()
  t.true((await inserted).every(({ ok }) => ok))
  const after = await openStore(t, file)
  await after.declare([things])
  t.is((await after.scan(things, { limit: 1_000 })).docs.length, 100)
})

test('every query walks its own index, in order, and looks at nothing else', async (t) => {
  const file = newFile(t)
  await (await openStore(t, file)).declare([things])
  const database = new DatabaseSync(file)
  t.teardown(() => database.close())
  const planOf = (statement: { sql: string; params: (string | number)[] }) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${statement.sql}`)
      .all(...statement.params)
      .map((row) => row['detail'])
  const bounds = { equals: { kind: 'cup' }, from: 1, to: 9 }
  const cases: [Query, RegExp][] = [
    [{ index: 'byRank' }, /^SEARCH things USING INDEX things\.byRank \(key_kind>\?\)$/],
    [
      { index: 'byRank', equals: { kind: 'cup', rank: 1 } },
      /^SEARCH .* things\.byRank \(key_kind=\? AND key_rank=\?\)$/,
    ],
    [{ index: 'byRank', ...bounds }, /^SEARCH .* things\.byRank \(key_kind=\? AND key_rank>\? AND key_rank<\?\)$/],
    [
      { index: 'byRank', ...bounds, order: 'desc' },
      /^SEARCH .* things\.byRank \(key_kind=\? AND key_rank>\? AND key_rank<\?\)$/,
    ],
    [{ index: 'byMail', from: 'a' }, /^SEARCH .* things\.byMail \(key_mail>\?\)$/],
  ]
  for (const [query, expected] of cases) {
    const [detail, ...others] = planOf(findStatement(things, planQuery(things, query)))
    t.regex(String(detail), expected)
    t.deepEqual(others, [])
    t.regex(String(planOf(countStatement(things, planQuery(things, query)))[0]), /INDEX things\./)
  }
  const paged = (order: 'asc' | 'desc') => ({
    ...planQuery(things, { index: 'byRank', ...bounds, order }),
    after: [2, 'a'],
  })
  const [up, down] = [
    planOf(findStatement(things, paged('asc'))).join(),
    planOf(findStatement(things, paged('desc'))).join(),
  ]
  t.regex(up, /^SEARCH .* \(key_kind=\? AND \(key_rank,id\)>\(\?,\?\) AND key_rank<\?\)$/)
  t.regex(down, /^SEARCH .* \(key_kind=\? AND key_rank>\? AND \(key_rank,id\)<\(\?,\?\)\)$/)
})

test('on a full disk writes are refused, reads go on, and writes resume with room', async (t) => {
  const file = newFile(t)
  const documents = await openStore(t, file)
  await documents.declare([things])
  await documents.insert(things, thing('before'))
  const writer = await openLink({
    worker: new URL('./sqlite-worker.ts', import.meta.url),
    data: { file, role: 'writer', answerCharsMax: FIND_CHARS_MAX },
    heapMb: 64,
    waitingMax: 100,
    log,
  })
  t.teardown(() => writer.close())
  const run = async (sql: string, ...params: (string | number)[]) => (await writer.ask([{ sql, params }]))[0]
  // The limit belongs to the connection: SQLite then answers what it answers when the disk has no block left.
  const limitPages = (count: number) => run(`PRAGMA max_page_count = ${count}`)
  const insertLarge = (id: string) =>
    run(insertSql('things'), id, 1, JSON.stringify(thing(id, { note: 'x'.repeat(500_000) })))
  await limitPages(20)
  t.like(await insertLarge('refused'), { code: 13, failed: 'database or disk is full' })
  t.is((await documents.get(things, 'before'))?.id, 'before')
  t.is(await documents.get(things, 'refused'), null)
  await limitPages(1_000_000)
  t.is(await insertLarge('after'), 1)
  t.is((await documents.get(things, 'after'))?.id, 'after')
})

test('one refused write does not undo the others of its group', async (t) => {
  const documents = await openStore(t, newFile(t))
  await documents.declare([things])
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      documents.insert(things, thing(`t${i}`, { mail: i % 3 ? `${i}@x` : 'same@x' })),
    ),
  )
  t.is(outcomes.filter(({ ok }) => ok).length, 41)
  t.is((await documents.scan(things, { limit: 100 })).docs.length, 41)
})

test('a write waits for another program that holds the file, and is then stored', async (t) => {
  const file = newFile(t)
  const documents = await openStore(t, file)
  await documents.declare([things])
  const other = new DatabaseSync(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const inserted = documents.insert(things, thing('a'))
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.is(await documents.get(things, 'a'), null)
  other.exec('COMMIT')
  t.deepEqual(await inserted, { ok: true })
})

test('the connection that writes asks the disk for every commit', async (t) => {
  const file = newFile(t)
  await (await openStore(t, file)).declare([things])
  const worker = new URL('./sqlite-worker.ts', import.meta.url)
  const writer = await openLink({
    worker,
    data: { file, role: 'writer', answerCharsMax: FIND_CHARS_MAX },
    heapMb: 64,
    waitingMax: 100,
    log,
  })
  t.teardown(() => writer.close())
  const settings = `SELECT journal_mode, synchronous, '{}' FROM pragma_synchronous, pragma_journal_mode`
  t.deepEqual(await writer.ask([{ sql: `INSERT INTO things (id, version, doc) ${settings}`, params: [] }]), [1])
  const database = new DatabaseSync(file)
  t.teardown(() => database.close())
  t.like(database.prepare('SELECT id, version FROM things').get(), { id: 'wal', version: 2 })
})

test('a collection declared between writes leaves every write its own outcome', async (t) => {
  const documents = await openStore(t, newFile(t))
  await documents.declare([things])
  await documents.insert(things, thing('taken'))
  const rounds = Array.from({ length: 10 }, async (_, i) => {
    const [stored, refused] = [documents.insert(things, thing(`t${i}`)), documents.insert(things, thing('taken'))]
    const declared = documents.declare([collection(`late-${i}`)])
    const last = documents.insert(things, thing('taken'))
    return Promise.all([stored, refused, declared, last])
  })
  for (const [stored, refused, , last] of await Promise.all(rounds))
    t.deepEqual([stored.ok, refused.ok, last.ok], [true, false, false])
})

test('more writes than may wait are refused at once, and those that wait are kept', async (t) => {
  const documents = await openStore(t, newFile(t))
  await documents.declare([things])
  const inserts = Array.from({ length: WRITES_WAITING_MAX + 500 }, (_, i) => documents.insert(things, thing(`t${i}`)))
  const outcomes = await Promise.allSettled(inserts)
  const refused = outcomes
    .filter((outcome) => outcome.status === 'rejected')
    .map(({ reason }) => (reason as DocumentsError).code)
  t.deepEqual(new Set(refused), new Set(['store_busy']))
  t.is(refused.length, 500)
  t.is((await documents.getMany(things, ['t0', 't19999', 't20000'])).filter((doc) => doc !== null).length, 2)
})

test('a page of very large documents ends early and goes on', async (t) => {
  const documents = await openStore(t, newFile(t))
  await documents.declare([things])
  const large = 'x'.repeat(DOCUMENT_BYTES_MAX - 1_000)
  for (const id of ['a', 'b', 'c', 'd']) await documents.insert(things, thing(id, { kind: 'large', note: large }))
  const first = await documents.find(things, { index: 'byKind' })
  t.is(first.docs.length, Math.ceil(FIND_CHARS_MAX / DOCUMENT_BYTES_MAX) + 1)
  t.is((await documents.find(things, { index: 'byKind', cursor: first.next })).docs.length, 1)
  const all = await documents.getMany(things, ['a', 'b', 'c', 'd', 'none'])
  t.deepEqual(
    all.map((doc) => (doc?.note as string | undefined)?.length),
    [large.length, large.length, large.length, large.length, undefined],
  )
})

test('a worker that dies fails what it held, and the next one carries on', async (t) => {
  const file = newFile(t)
  await (await openStore(t, file)).declare([things])
  const warned: unknown[] = []
  const reader = await openLink({
    worker: new URL('./sqlite-worker.ts', import.meta.url),
    data: { file, role: 'reader', answerCharsMax: FIND_CHARS_MAX },
    heapMb: 32,
    waitingMax: 100,
    log: { warn: (...args) => warned.push(args) },
  })
  t.teardown(() => reader.close())
  // What a reader can not do at all ends its thread by an uncaught error.
  const outcomes = await Promise.allSettled([
    reader.declare([]),
    reader.ask([{ sql: 'SELECT 1 AS value', params: [] }]),
  ])
  for (const outcome of outcomes)
    t.is(outcome.status === 'rejected' && (outcome.reason as DocumentsError).code, 'store_down')
  t.is(warned.length, 1)
  let answer: unknown
  for (let tries = 0; tries < 200 && answer === undefined; tries += 1) {
    answer = await reader.ask([{ sql: 'SELECT count(*) AS value FROM things', params: [] }]).catch(() => undefined)
    if (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  t.deepEqual(answer, [{ values: [0], more: false }])
})

test('a file that can not be opened is said at once', async (t) => {
  const error = await t.throwsAsync(() => openSqlite({ file: tmpdir(), log }), { instanceOf: DocumentsError })
  t.is(error?.code, 'store_down')
})

test('the schema of a collection is plain SQL that another tool can read', (t) => {
  const { create, indexes } = tableSchema(things)
  t.is(
    create,
    'CREATE TABLE IF NOT EXISTS "things" (id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL)',
  )
  t.true(indexes.every(({ create: sql }) => / WHERE key_\w+ IS NOT NULL/.test(sql)))
})

test('what the documents of a collection take is told, near enough', async (t) => {
  const documents = await openStore(t, newFile(t))
  await documents.declare([things, entries])
  t.like(await documents.sizes!(), { things: 0, entries: 0 })
  const made = Array.from({ length: 500 }, (_, at) => ({ id: `e${at}`, version: 1, writer: 'w'.repeat(200) }))
  await documents.insertMany(entries, made)
  const bytes = made.reduce((sum, one) => sum + JSON.stringify(one).length, 0)
  const sizes = await documents.sizes!()
  t.is(sizes.things, 0)
  t.true(Math.abs(sizes.entries! - bytes) < bytes / 10, `${sizes.entries} of ${bytes}`)
})
