// Documents in MongoDB, through mongoose, for any number of machines. A write is journaled on a majority of the replica
// set when it is acknowledged. Only single-document atomicity is used; whatever MongoDB could read differently is
// refused before.
import type { Connection, Model } from 'mongoose'
import { checkBulk, checkCollection, checkId, checkNext, encodeDocument, keysOf } from './document.ts'
import { DocumentsError, WRITES_WAITING_MAX } from './index.ts'
import type { Collection, Doc, Documents, Found, Inserted, Query, Replaced } from './index.ts'
import { fromStored, toStored } from './mongo-document.ts'
import type { Stored } from './mongo-document.ts'
import { documentsErrorOf, duplicateIndexOf, duplicatesOf } from './mongo-errors.ts'
import { filterOf, indexSpecs, sortOf } from './mongo-filter.ts'
import { cursorAfter, limitOf, planQuery } from './query.ts'

export type MongooseOptions = { url: string; log: { warn(...args: unknown[]): void } }

/** Used when the URL names no database. */
const DATABASE = 'gigwire'
const SELECTION_WAIT_MS = 2_000
const POOL_WAIT_MS = 500
const POOL_SIZE = 50
const READ_MAX_MS = 10_000
const WRITE_CONCERN = { w: 'majority', j: true, wtimeoutMS: 5_000 } as const
/**
 * Replacements of one bulk call that are under way at once: each needs its own outcome, which no bulk of MongoDB
 * gives.
 */
const REPLACING_AT_ONCE_MAX = 16
/** A document of the database's own, written by `ping`: a store that can only read is not up. */
const PROBE: Collection = { name: 'store-probe', indexes: {} }

type Store = {
  connection: Connection
  makeModel: (of: Collection) => Model<Stored>
  declared: Map<string, Declared>
  writing: number
}
type Declared = { of: Collection; keys: string[]; model: Model<Stored> }

export const openMongoose = async ({ url, log }: MongooseOptions): Promise<Documents> => {
  const { default: mongoose } = await import('mongoose')
  const connection = mongoose.createConnection(url, {
    ...(namesDatabase(url) ? {} : { dbName: DATABASE }),
    serverSelectionTimeoutMS: SELECTION_WAIT_MS,
    connectTimeoutMS: SELECTION_WAIT_MS,
    socketTimeoutMS: 20_000,
    waitQueueTimeoutMS: POOL_WAIT_MS,
    maxPoolSize: POOL_SIZE,
    retryWrites: true,
    retryReads: true,
    writeConcern: WRITE_CONCERN,
    readPreference: 'primary',
    ignoreUndefined: true,
    autoIndex: false,
    autoCreate: false,
    bufferCommands: false,
  })
  connection.on('error', (error: Error) => log.warn('documents:', error.message))
  await asked(async () => connection.asPromise()).catch(async (error: unknown) => {
    await connection.close().catch(() => {})
    throw error
  })
  const makeModel = (of: Collection) => {
    const fields = Object.fromEntries(keysOf(of).map((key) => [key, mongoose.Schema.Types.Mixed]))
    const options = { strict: false, versionKey: false, id: false, minimize: false, collection: of.name } as const
    const schema = new mongoose.Schema({ ...fields, _id: String, version: Number }, options)
    for (const { name, fields: spec, unique, present } of indexSpecs(of)) {
      schema.index(spec, { name, partialFilterExpression: present, ...(unique && { unique }) })
    }
    return connection.model(of.name, schema, of.name, { overwriteModels: true }) as unknown as Model<Stored>
  }
  const store: Store = { connection, makeModel, declared: new Map(), writing: 0 }
  await declare(store, [PROBE])
  return documentsOf(store)
}

/** mongodb://user@host,host/name?options: a name after the hosts. */
const namesDatabase = (url: string): boolean => /^mongodb(?:\+srv)?:\/\/[^/]+\/[^?]/.test(url)

const documentsOf = (store: Store): Documents => ({
  declare: (collections) => declare(store, collections),
  insert: (of, doc) => insert(store, of, doc),
  insertMany: (of, docs) => insertMany(store, of, docs),
  insertInOrder: async (of, docs) => {
    const outcomes = await insertMany(store, of, docs, { ordered: true })
    const end = outcomes.findIndex(({ ok }) => !ok)
    return end < 0 ? outcomes : outcomes.slice(0, end + 1)
  },
  get: async (of, id) => (await getMany(store, of, [id]))[0] ?? null,
  getMany: (of, ids) => getMany(store, of, ids),
  replace: (of, doc, ifVersion) => replace(store, of, { doc, ifVersion }),
  replaceMany: (of, docs) => replaceMany(store, of, docs),
  remove: (of, id, ifVersion) => remove(store, of, id, ifVersion),
  find: (of, query) => find(store, of, query),
  findTexts: async (of, query) => {
    const { docs, next } = await find(store, of, query)
    return { docs: docs.map((doc) => JSON.stringify(doc)), next }
  },
  count: (of, query) => count(store, of, query),
  scan: (of, page) => scan(store, of, page),
  ping: () => ping(store),
  close: () => store.connection.close(),
})

const declare = async (store: Store, collections: readonly Collection[]): Promise<void> => {
  for (const of of collections) checkCollection(of)
  for (const of of collections) {
    const model = store.makeModel(of)
    await asked(() => model.createIndexes())
    store.declared.set(of.name, { of, keys: keysOf(of), model })
  }
}

/** Straight to the collection: mongoose's casting would change values, and every check has been made. */
const insert = async (store: Store, of: Collection, doc: Doc): Promise<Inserted> => {
  const { model, keys } = declaredOf(store, of)
  const stored = toStored(doc, encodeDocument(doc, keys))
  const done = await conflictOr(() => written(store, 1, () => model.collection.insertOne(stored as never)))
  if (typeof done !== 'string') return { ok: true }
  const [conflict] = await nameConflicts(model, [[doc.id, done]])
  return { ok: false, conflict: conflict as string }
}

/** An ordered one stops at the first conflict. */
const insertMany = async (
  store: Store,
  of: Collection,
  docs: readonly Doc[],
  { ordered } = { ordered: false },
): Promise<Inserted[]> => {
  const { model, keys } = declaredOf(store, of)
  checkBulk(docs)
  const stored = docs.map((doc) => toStored(doc, encodeDocument(doc, keys)))
  if (stored.length === 0) return []
  const duplicates = await written(store, stored.length, () =>
    model.collection.insertMany(stored as never[], { ordered }).then(() => new Map<number, string>(), duplicatesOf),
  )
  const refused = [...duplicates.keys()]
  const names = await nameConflicts(
    model,
    refused.map((i) => [(docs[i] as Doc).id, duplicates.get(i) as string]),
  )
  const outcomes: Inserted[] = docs.map(() => ({ ok: true }))
  for (const [at, i] of refused.entries()) outcomes[i] = { ok: false, conflict: names[at] as string }
  return outcomes
}

/** When a document's id is taken, that is the conflict, whichever index the server happened to look at first. */
const nameConflicts = async (
  model: Model<Stored>,
  refused: (readonly [id: string, conflict: string])[],
): Promise<string[]> => {
  const unsure = refused.filter(([, conflict]) => conflict !== 'id').map(([id]) => id)
  const question = model
    .find({ _id: { $in: unsure } }, { _id: 1 })
    .maxTimeMS(READ_MAX_MS)
    .lean<{ _id: string }[]>()
  const taken = new Set(unsure.length === 0 ? [] : (await asked(() => question.exec())).map(({ _id }) => _id))
  return refused.map(([id, conflict]) => (taken.has(id) ? 'id' : conflict))
}

const replace = async (
  store: Store,
  of: Collection,
  { doc, ifVersion }: { doc: Doc; ifVersion: number },
): Promise<Replaced> => {
  const { model, keys } = declaredOf(store, of)
  checkNext(doc, ifVersion)
  const stored = toStored(doc, encodeDocument(doc, keys))
  const done = await conflictOr(() =>
    written(store, 1, () => model.collection.replaceOne({ _id: doc.id as never, version: ifVersion }, stored as never)),
  )
  if (typeof done === 'string') return { ok: false, conflict: done }
  return done.matchedCount === 1 ? { ok: true } : { ok: false, conflict: 'stale' }
}

const replaceMany = async (
  store: Store,
  of: Collection,
  docs: readonly { doc: Doc; ifVersion: number }[],
): Promise<Replaced[]> => {
  const { keys } = declaredOf(store, of)
  checkBulk(docs)
  for (const { doc, ifVersion } of docs) {
    checkNext(doc, ifVersion)
    encodeDocument(doc, keys)
  }
  const outcomes: Replaced[] = []
  let next = 0
  const lane = async () => {
    while (next < docs.length) {
      const at = next++
      outcomes[at] = await replace(store, of, docs[at] as { doc: Doc; ifVersion: number })
    }
  }
  await Promise.all(Array.from({ length: REPLACING_AT_ONCE_MAX }, lane))
  return outcomes
}

const remove = async (store: Store, of: Collection, id: string, ifVersion?: number): Promise<boolean> => {
  const { model } = declaredOf(store, of)
  checkId(id)
  const filter = { _id: id as never, ...(ifVersion === undefined ? {} : { version: ifVersion }) }
  const { deletedCount } = await asked(() => written(store, 1, () => model.collection.deleteOne(filter)))
  return deletedCount === 1
}

const getMany = async <T extends Doc>(
  store: Store,
  of: Collection<T>,
  ids: readonly string[],
): Promise<(T | null)[]> => {
  const { model } = declaredOf(store, of)
  checkBulk(ids)
  ids.forEach(checkId)
  if (ids.length === 0) return []
  const rows = await asked(() =>
    model
      .find({ _id: { $in: [...ids] } })
      .maxTimeMS(READ_MAX_MS)
      .lean<Stored[]>()
      .exec(),
  )
  const found = new Map(rows.map((row) => [row._id, row]))
  return ids.map((id) => {
    const row = found.get(id)
    return row ? fromStored<T>(row) : null
  })
}

const find = async <T extends Doc>(store: Store, of: Collection<T>, query: Query): Promise<Found<T>> => {
  const { model, of: known } = declaredOf(store, of)
  const plan = planQuery(known, query)
  if (plan.empty) return { docs: [], next: null }
  const question = model
    .find(filterOf(plan))
    .hint(plan.name)
    .sort(sortOf(plan))
    .limit(plan.limit + 1)
  const rows = await asked(() => question.maxTimeMS(READ_MAX_MS).lean<Stored[]>().exec())
  const docs = rows.slice(0, plan.limit).map((row) => fromStored<T>(row))
  return { docs, next: rows.length > plan.limit ? cursorAfter(plan, docs.at(-1) as T) : null }
}

const count = async (store: Store, of: Collection, { index, equals, from, to }: Query): Promise<number> => {
  const { model, of: known } = declaredOf(store, of)
  const plan = planQuery(known, {
    index,
    ...(equals && { equals }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  })
  if (plan.empty) return 0
  return asked(() => model.countDocuments(filterOf(plan)).hint(plan.name).maxTimeMS(READ_MAX_MS).exec())
}

const scan = async <T extends Doc>(
  store: Store,
  of: Collection<T>,
  page: { after?: string | null; limit?: number } = {},
): Promise<Found<T>> => {
  const { model } = declaredOf(store, of)
  const limit = limitOf(page)
  const after = page.after ?? null
  if (after !== null) checkId(after)
  const question = model
    .find(after === null ? {} : { _id: { $gt: after } })
    .sort({ _id: 1 })
    .limit(limit + 1)
  const rows = await asked(() => question.maxTimeMS(READ_MAX_MS).lean<Stored[]>().exec())
  const docs = rows.slice(0, limit).map((row) => fromStored<T>(row))
  return { docs, next: rows.length > limit ? (docs.at(-1) as T).id : null }
}

const ping = async (store: Store): Promise<void> => {
  const { model } = declaredOf(store, PROBE)
  try {
    await written(store, 1, () =>
      model.collection.updateOne({ _id: 'probe' as never }, { $inc: { version: 1 } }, { upsert: true }),
    )
  } catch (error) {
    throw new DocumentsError('store_down', (error as Error).message)
  }
}

const declaredOf = (store: Store, of: Collection): Declared => {
  const declared = store.declared.get(of.name)
  if (!declared) throw new DocumentsError('bad_query', `collection ${of.name} is used before it is declared`)
  return declared
}

/** A write under the store's bound; what MongoDB says about it is told in the port's words. */
const written = async <R>(store: Store, count: number, act: () => Promise<R>): Promise<R> => {
  if (store.writing + count > WRITES_WAITING_MAX)
    throw new DocumentsError('store_busy', 'too much is waiting for the store')
  store.writing += count
  try {
    return await act()
  } finally {
    store.writing -= count
  }
}

const asked = async <R>(act: () => Promise<R>): Promise<R> => {
  try {
    return await act()
  } catch (error) {
    throw documentsErrorOf(error)
  }
}

/** The name of the unique index that was in the way, or what the write answered. */
const conflictOr = async <R extends object>(act: () => Promise<R>): Promise<R | string> => {
  try {
    return await act()
  } catch (error) {
    const conflict = duplicateIndexOf(error)
    if (conflict !== null) return conflict
    throw documentsErrorOf(error)
  }
}
