// Where the book is kept. The truth is one collection of batches: what was entered together is one document, numbered without
// a gap, so a batch is there whole or not at all, and of two writers who both believe to keep the book only one can write
// the next. Everything else (the index of entries, checkpoints) can be made again from them.
import type { Collection, Doc, Documents } from '../../adapters/documents/index.ts'
import { BULK_MAX, collection } from '../../adapters/documents/index.ts'
import type { AccountSums } from './balances.ts'
import type { LedgerEntry } from './contract.ts'
import { isOwned } from './posting.ts'

/** `id` is the batch's number, `first` the seq of its first entry. */
type Batch = Doc & { first: number; entries: LedgerEntry[] }
/** An entry under its business key, for the question whether it is known and for reading. */
export type IndexedEntry = Doc & Omit<LedgerEntry, 'id'>
/** One entry that touches an owned account, or is about something that is asked for by name. */
type Line = Doc & { account: string; seq: number; entry: string }
/** The sums after a batch. Parts carry the accounts; the head is written last and makes them count. */
type Checkpoint = Doc & {
  batch: number
  headOf?: number
  parts: number
  seq: number
  hash: string
  accounts: AccountSums[]
}

export const batches = collection<Batch>('ledger_batches', { byFirst: { keys: ['first'], unique: true } })
export const indexedEntries = collection<IndexedEntry>('ledger_entries')
export const lines = collection<Line>('ledger_lines', { byAccount: { keys: ['account', 'seq'] } })
export const checkpoints = collection<Checkpoint>('ledger_checkpoints', { byHead: { keys: ['headOf'] } })

export const batchId = (number: number): string => String(number).padStart(12, '0')

/** False: another writer has entered that batch. */
export const append = async (documents: Documents, number: number, entries: LedgerEntry[]): Promise<boolean> =>
  (await documents.insert(batches, { id: batchId(number), version: 1, first: entries[0]!.seq, entries })).ok

const READ_BATCHES = 20

/** The batches after a number, in order, a page at a time. */
export async function* batchesAfter(
  documents: Documents,
  number: number,
): AsyncGenerator<{ number: number; entries: LedgerEntry[] }> {
  let after: string | null = number > 0 ? batchId(number) : null
  do {
    const page: { docs: Batch[]; next: string | null } = await documents.scan(batches, { after, limit: READ_BATCHES })
    for (const { id, entries } of page.docs) yield { number: Number(id), entries }
    after = page.next
  } while (after)
}

export const hasBatch = async (documents: Documents, number: number): Promise<boolean> =>
  (await documents.get(batches, batchId(number))) !== null

/** The entries known under these ids. */
export const entriesById = async (documents: Documents, ids: readonly string[]): Promise<(LedgerEntry | null)[]> =>
  ids.length === 0 ? [] : (await documents.getMany(indexedEntries, ids)).map((doc) => doc && entryOf(doc))

const entryOf = ({ version: _version, ...entry }: IndexedEntry): LedgerEntry => entry

/** Makes entries findable by id and by owned account. Done twice it is done once. */
export const indexEntries = async (documents: Documents, entries: readonly LedgerEntry[]): Promise<void> => {
  const found = entries.map((entry): IndexedEntry => ({ ...entry, version: 1 }))
  await insertAll(documents, lines, entries.flatMap(linesOf))
  // Last: an entry that is found by its id has its lines.
  await insertAll(documents, indexedEntries, found)
}

/** What entries can be asked for by, besides accounts: `about:ord_1`. */
const LISTED_BY: readonly string[] = ['order', 'payout', 'dispute']
const ABOUT = 'about:'

const linesOf = ({ id, seq, legs, about }: LedgerEntry): Line[] =>
  [
    ...new Set([
      ...legs.map(({ account }) => account).filter(isOwned),
      ...LISTED_BY.flatMap((name) => (about[name] === undefined ? [] : [`${ABOUT}${about[name]}`])),
    ]),
  ].map((account) => ({ id: `${account}/${batchId(seq)}`, version: 1, account, seq, entry: id }))

const insertAll = async <T extends Doc>(documents: Documents, of: Collection<T>, docs: readonly T[]): Promise<void> => {
  for (let at = 0; at < docs.length; at += BULK_MAX) await documents.insertMany(of, docs.slice(at, at + BULK_MAX))
}

type Asked = {
  /** '' for all entries. */
  account: string
  limit: number
  cursor?: string | undefined
  /** Only entries with a lower seq; without a cursor. */
  before?: number | undefined
}
type Page = { data: LedgerEntry[]; next: string | null }

/** Entries read on at once: what fits one message between nodes. */
export const AFTER_MAX = 1000
const AFTER_BATCHES = 4
const AFTER_READS = 16

/** The next entries after a seq, in order. Few at a time where batches are small; none only where there are no more. */
export const entriesAfter = async (documents: Documents, seq: number): Promise<LedgerEntry[]> => {
  const { docs: before } = await documents.find(batches, { index: 'byFirst', to: seq, order: 'desc', limit: 1 })
  const data: LedgerEntry[] = []
  let from: number | null = before[0]?.first ?? 0
  for (let read = 0; read < AFTER_READS && from !== null && data.length < AFTER_MAX; read++) {
    const { docs }: { docs: Batch[] } = await documents.find(batches, { index: 'byFirst', from, limit: AFTER_BATCHES })
    for (const { entries } of docs) data.push(...entries.filter((entry) => entry.seq > seq))
    const last = docs.at(-1)
    from = docs.length === AFTER_BATCHES && last ? last.entries.at(-1)!.seq + 1 : null
  }
  return data.slice(0, AFTER_MAX)
}

/** Entries that touch an account, or are `about:` something, newest first. */
export const entriesOf = (documents: Documents, asked: Asked): Promise<Page> =>
  isOwned(asked.account) || asked.account.startsWith(ABOUT)
    ? entriesOfOwned(documents, asked)
    : entriesOfPlatform(documents, asked)

const entriesOfOwned = async (documents: Documents, { account, limit, cursor, before }: Asked): Promise<Page> => {
  const range = before === undefined ? {} : { to: before - 1 }
  const { docs, next } = await documents.find(lines, {
    index: 'byAccount',
    equals: { account },
    ...range,
    order: 'desc',
    limit,
    cursor: cursor ?? null,
  })
  const entries = await entriesById(
    documents,
    docs.map(({ entry }) => entry),
  )
  return { data: entries.filter((entry) => entry !== null), next }
}

/** Most entries touch the platform's own accounts, so these are read from the batches themselves. The cursor is a seq. */
const entriesOfPlatform = async (
  documents: Documents,
  { account, limit, cursor, before: asked }: Asked,
): Promise<Page> => {
  const before = cursor === undefined ? (asked ?? Number.MAX_SAFE_INTEGER) : Number(cursor)
  const data: LedgerEntry[] = []
  if (!Number.isSafeInteger(before) || before < 1) return { data, next: null }
  for (let to = before - 1; to > 0 && data.length <= limit;) {
    const { docs } = await documents.find(batches, { index: 'byFirst', to, order: 'desc', limit: READ_BATCHES })
    const touching = docs
      .flatMap(({ entries }) => entries.toReversed())
      .filter(({ seq, legs }) => seq < before && (account === '' || legs.some((leg) => leg.account === account)))
    data.push(...touching)
    to = docs.length > 0 ? docs.at(-1)!.first - 1 : 0
  }
  const page = data.slice(0, limit)
  return { data: page, next: data.length > limit ? String(page.at(-1)!.seq) : null }
}

/** Accounts in one document of a checkpoint: about a megabyte. */
const ACCOUNTS_PER_PART = 10_000
/** Checkpoints kept: the newest, and one before in case a part of it is lost. */
const CHECKPOINTS_KEPT = 2

export type Snapshot = { batch: number; seq: number; hash: string; accounts: AccountSums[] }

/** Kept in the order of names: two writers of one checkpoint write the same parts. */
export const keepCheckpoint = async (documents: Documents, { accounts: unsorted, ...at }: Snapshot): Promise<void> => {
  const accounts = unsorted.toSorted(([one], [other]) => (one < other ? -1 : 1))
  const parts = Math.ceil(accounts.length / ACCOUNTS_PER_PART)
  for (let part = 0; part < parts; part++) {
    const some = accounts.slice(part * ACCOUNTS_PER_PART, (part + 1) * ACCOUNTS_PER_PART)
    await documents.insert(checkpoints, { id: partId(at.batch, part), version: 1, ...at, parts, accounts: some })
  }
  await documents.insert(checkpoints, {
    id: partId(at.batch, 'head'),
    version: 1,
    ...at,
    parts,
    headOf: at.batch,
    accounts: [],
  })
  await forgetOldCheckpoints(documents)
}

const partId = (batch: number, part: number | 'head'): string => `${batchId(batch)}/${part}`

const forgetOldCheckpoints = async (documents: Documents): Promise<void> => {
  const { docs } = await documents.find(checkpoints, { index: 'byHead', order: 'desc' })
  for (const { batch, parts, id } of docs.slice(CHECKPOINTS_KEPT)) {
    await documents.remove(checkpoints, id)
    for (let part = 0; part < parts; part++) await documents.remove(checkpoints, partId(batch, part))
  }
}

/** The newest checkpoint that is there in all its parts. */
export const newestCheckpoint = async (documents: Documents): Promise<Snapshot | null> => {
  const { docs } = await documents.find(checkpoints, { index: 'byHead', order: 'desc' })
  for (const { batch, parts, seq, hash } of docs) {
    const accounts: AccountSums[] = []
    let whole = true
    for (let part = 0; part < parts && whole; part++) {
      const found = await documents.get(checkpoints, partId(batch, part))
      whole = found !== null
      for (const one of found?.accounts ?? []) accounts.push(one)
    }
    if (whole) return { batch, seq, hash, accounts }
  }
  return null
}
