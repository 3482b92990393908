// The suite of the documents port on SQLite, and on MongoDB where TEST_MONGO_URL names a server.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import type { Documents, Key, Query } from './index.ts'
import { openMongoose } from './mongoose.ts'
import { queriesSuite } from './queries.suite.ts'
import { openSqlite } from './sqlite.ts'
import { declareThings, readAll, thing } from './things.fixture.ts'
import type { Product, Run, Thing } from './things.fixture.ts'
import { writesSuite } from './writes.suite.ts'

const log = { warn: () => {} }
const open: Record<string, () => Promise<{ documents: Documents; remove: () => Promise<void> | void }>> = {
  SQLite: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'documents-'))
    const documents = await openSqlite({ file: join(folder, 'deeper', 'test.sqlite'), log })
    return { documents, remove: () => rmSync(folder, { recursive: true }) }
  },
  ...(process.env['TEST_MONGO_URL'] && { MongoDB: () => openTestDatabase(process.env['TEST_MONGO_URL'] as string) }),
}

for (const [name, openProduct] of Object.entries(open)) {
  const opened = openProduct()
  let documents: Documents
  test.before(async () => {
    documents = (await opened).documents
  })
  test.after.always(async () => {
    const { remove } = await opened
    await documents.close()
    await remove()
  })
  const product: Product = { name, documents: () => documents }
  // One after the other where a server answers: all at once would wait for its connections, not for its answers.
  const run: Run = name === 'SQLite' ? test : test.serial
  writesSuite(run, product)
  queriesSuite(run, product)
  run(`${name}: any query finds and counts what a plain list would`, async (t) => {
    const holds = fc.asyncProperty(things, queries, (docs, asked) => sameAsList(product.documents(), docs, asked))
    await t.notThrowsAsync(async () => fc.assert(holds, { numRuns: 15 }))
  })
}

/** A database of its own for every run, dropped afterwards. */
async function openTestDatabase(server: string) {
  const url = new URL(server)
  url.pathname = `/documents-test-${process.pid}-${Date.now()}`
  const remove = async () => {
    const { default: mongoose } = await import('mongoose')
    const connection = await mongoose.createConnection(url.href).asPromise()
    await connection.dropDatabase()
    await connection.close()
  }
  return { documents: await openMongoose({ url: url.href, log }), remove }
}

const key = fc.constantFrom<Key>(-1, 0, 1, 2.5, '', '1', 'a', 'é', '😀', '\uffee')
const missing = fc.constantFrom(undefined, null)
const things = fc
  .array(
    fc.record({
      kind: fc.oneof(fc.constantFrom('cup', 'mug'), missing),
      rank: fc.oneof({ weight: 5, arbitrary: key }, missing),
    }),
    { maxLength: 40 },
  )
  .map((list) => list.map((rest, i) => thing(`t${(i * 17) % 41}`, rest as Omit<Thing, 'id' | 'version'>)))
const bound = fc.option(key, { nil: undefined })
const queries = fc.array(
  fc.record({
    kind: fc.option(fc.constantFrom('cup', 'mug'), { nil: undefined }),
    from: bound,
    to: bound,
    order: fc.constantFrom('asc' as const, 'desc' as const),
    limit: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 10, maxLength: 10 },
)
type Asked = {
  kind: string | undefined
  from: Key | undefined
  to: Key | undefined
  order: 'asc' | 'desc'
  limit: number
}

async function sameAsList(documents: Documents, docs: Thing[], asked: Asked[]): Promise<void> {
  const of = await declareThings(documents, { byRank: { keys: ['kind', 'rank'] }, rank: { keys: ['rank'] } })
  await documents.insertMany(of, docs)
  for (const { kind, from, to, order, limit } of asked) {
    const index = kind === undefined ? 'rank' : 'byRank'
    const query = {
      index,
      ...(kind !== undefined && { equals: { kind } }),
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    }
    const expected = docs
      .filter(({ rank }) => rank !== undefined && rank !== null)
      .filter((doc) => kind === undefined || doc.kind === kind)
      .filter(
        ({ rank }) =>
          (from === undefined || comparePlainly(rank as Key, from) >= 0) &&
          (to === undefined || comparePlainly(rank as Key, to) <= 0),
      )
      .toSorted((a, b) => comparePlainly(a.rank as Key, b.rank as Key) || comparePlainly(a.id, b.id))
      .map(({ id }) => id)
    const found = (await readAll(documents, of, { ...query, order, limit } as Query)).map(({ id }) => id)
    const counted = await documents.count(of, query)
    const right = order === 'asc' ? expected : expected.toReversed()
    if (found.join() !== right.join() || counted !== right.length)
      throw new Error(`found ${found}, counted ${counted}, expected ${right}`)
  }
}

/** Numbers before strings, strings by code point. */
function comparePlainly(a: Key, b: Key): number {
  if (typeof a === 'number' || typeof b === 'number')
    return Number(typeof a === 'string') - Number(typeof b === 'string') || Number(a) - Number(b)
  const [left, right] = [[...a], [...b]].map((list) => list.map((character) => character.codePointAt(0) as number))
  const differs = (left as number[]).findIndex((point, i) => point !== right?.[i])
  if (differs === -1) return (left as number[]).length - (right as number[]).length
  return (left as number[])[differs]! - (right?.[differs] ?? -1)
}
