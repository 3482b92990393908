// The book: everything waiting is decided and entered as one batch, stored first, then answered. Balances are in memory,
// brought up from a checkpoint and the batches after it. Any number of nodes may hold the book: who writes the next batch
// second has lost it, reads what was written, and decides again on the true balances.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Log } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { balances, type Balances } from './balances.ts'
import { BEGINNING, chained, type Position } from './chain.ts'
import type { LedgerEntry, Outcome, Posting } from './contract.ts'
import { decideAll, type Verdict } from './decision.ts'
import {
  append,
  batchesAfter,
  entriesById,
  hasBatch,
  indexEntries,
  keepCheckpoint,
  newestCheckpoint,
  type Snapshot,
} from './journal.ts'
import { mistakeOf } from './posting.ts'

export type Book = {
  post(entries: readonly Posting[]): Promise<Outcome[]>
  /** The balances as of everything acknowledged anywhere. Read at once, before the next await. */
  current(): Promise<{ balances: Balances; position: Position; batch: number }>
  /** Resolves when what was entered up to now is found by id and account. */
  indexed(): Promise<void>
  stop(): Promise<void>
}
export type BookOptions = {
  /** Entries between two checkpoints: a cold start reads at most about this many. */
  checkpointEvery: number
}
export const BOOK: BookOptions = { checkpointEvery: 10_000 }

/** Entries in one batch, and their JSON together. */
const BATCH_ENTRIES_MAX = 500
const BATCH_CHARS_MAX = 256_000
/** The longest entry as JSON. */
export const ENTRY_CHARS_MAX = 8_000
/** Entries that may wait; one more is refused as overloaded. */
const WAITING_MAX = 20_000
/** Entries that may be entered and not yet indexed; past it the next batch waits. */
const UNINDEXED_MAX = 20_000
const INDEX_AT_ONCE = 400
/** How often a batch is decided anew after another writer was first. */
const STALE_TRIES = 8

type Request = {
  entries: readonly Posting[]
  chars: number
  resolve: (outcomes: Outcome[]) => void
  reject: (error: unknown) => void
}

export const openBook = async (
  documents: Documents,
  log: Log,
  { checkpointEvery }: BookOptions = BOOK,
): Promise<Book> => {
  const snapshot = await newestCheckpoint(documents)
  const sums = balances(snapshot?.accounts)
  let position: Position = snapshot ? { seq: snapshot.seq, hash: snapshot.hash } : BEGINNING
  let batch = snapshot?.batch ?? 0
  let checkpointed = position.seq
  /** Taken, but kept only once all before it is indexed: what a checkpoint covers is never looked at again. */
  let checkpoint: Snapshot | null = null
  /** Entered, not yet indexed: in order, and by id. */
  const unindexed: LedgerEntry[] = []
  const unindexedById = new Map<string, LedgerEntry>()
  let indexing: Promise<void> | null = null
  const waiting: Request[] = []
  let waitingEntries = 0
  let working: Promise<void> | null = null
  let looking: Promise<number> | null = null
  /** Everything that moves the book forward, one after the other. */
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = <R>(job: () => Promise<R>): Promise<R> => {
    const done = last.then(job)
    last = done.catch(() => undefined)
    return done
  }

  const advance = (entries: readonly LedgerEntry[]) => {
    for (const entry of entries) {
      sums.apply(entry.legs)
      unindexed.push(entry)
      unindexedById.set(entry.id, entry)
    }
    const { seq, hash } = entries.at(-1)!
    position = { seq, hash }
    batch += 1
    if (checkpoint || seq - checkpointed < checkpointEvery) return
    checkpoint = { batch, seq, hash, accounts: sums.all() }
    checkpointed = seq
  }

  /** Reads what others have entered; answers how many batches that were. */
  const catchUp = async (): Promise<number> => {
    const before = batch
    for await (const { number, entries } of batchesAfter(documents, batch)) {
      if (number !== batch + 1) throw new Error(`batch ${batch + 1} of the ledger is missing`)
      advance(entries)
      if (unindexed.length > UNINDEXED_MAX) await index()
    }
    return batch - before
  }

  const index = (): Promise<void> => (indexing ??= indexAll())
  const indexAll = async () => {
    try {
      await indexUntilDone()
    } finally {
      indexing = null
    }
  }
  const indexUntilDone = async () => {
    while (unindexed.length > 0) {
      const some = unindexed.slice(0, INDEX_AT_ONCE)
      await indexEntries(documents, some)
      unindexed.splice(0, some.length)
      for (const { id } of some) unindexedById.delete(id)
      if (!checkpoint || some.at(-1)!.seq < checkpoint.seq) continue
      await keepCheckpoint(documents, checkpoint)
      checkpoint = null
    }
  }

  const indexLater = () =>
    void index().catch((error) => log.warn('indexing ledger entries, tried again with the next batch:', error))

  const post = (entries: readonly Posting[]): Promise<Outcome[]> => {
    const mistake = mistakeIn(entries)
    if (mistake) return Promise.reject(mistake)
    if (waitingEntries + entries.length > WAITING_MAX)
      return Promise.reject(
        refuse('overloaded', 'too many entries are waiting for the ledger', { retryAfterSeconds: 1 }),
      )
    return new Promise((resolve, reject) => {
      waiting.push({ entries, chars: JSON.stringify(entries).length, resolve, reject })
      waitingEntries += entries.length
      working ??= work()
    })
  }

  const work = async () => {
    // What arrives in the same moment goes into the same batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const requests = takeBatch()
      try {
        const verdicts = await inTurn(() => commit(requests.map(({ entries }) => entries)))
        requests.forEach(({ resolve, reject }, at) => settle(verdicts[at]!, resolve, reject))
      } catch (error) {
        for (const { reject } of requests) reject(error)
      }
    }
    // In the same moment as the last look at what waits: nobody who asks now is forgotten.
    working = null
  }

  const takeBatch = (): Request[] => {
    const taken: Request[] = []
    let entries = 0
    let chars = 0
    for (let next = waiting[0]; next; next = waiting[0]) {
      entries += next.entries.length
      chars += next.chars
      if (taken.length > 0 && (entries > BATCH_ENTRIES_MAX || chars > BATCH_CHARS_MAX)) break
      taken.push(waiting.shift()!)
      waitingEntries -= next.entries.length
    }
    return taken
  }

  const commit = async (requests: readonly (readonly Posting[])[]): Promise<Verdict[]> => {
    if (unindexed.length > UNINDEXED_MAX) await index()
    for (let attempt = 0; attempt < STALE_TRIES; attempt++) {
      const { verdicts, accepted } = decideAll(requests, sums, await knownOf(requests))
      if (accepted.length === 0) {
        // Refusing is only right if memory is: look before saying no.
        if (verdicts.some(saysNo) && (await catchUp()) > 0) continue
        return verdicts
      }
      const entries = chained(position, accepted)
      if (await append(documents, batch + 1, entries)) {
        advance(entries)
        indexLater()
        return verdicts
      }
      await catchUp()
    }
    throw refuse('overloaded', 'the ledger is being written elsewhere', { retryAfterSeconds: 1 })
  }

  const knownOf = async (requests: readonly (readonly Posting[])[]): Promise<Map<string, LedgerEntry>> => {
    const ids = [...new Set(requests.flatMap((entries) => entries.map(({ id }) => id)))]
    const known = new Map<string, LedgerEntry>()
    const elsewhere: string[] = []
    for (const id of ids) {
      const entry = unindexedById.get(id)
      if (entry) known.set(id, entry)
      else elsewhere.push(id)
    }
    for (const entry of await entriesById(documents, elsewhere)) if (entry) known.set(entry.id, entry)
    return known
  }

  /** One look serves everybody who asked before it began. */
  const look = (): Promise<number> =>
    (looking ??= inTurn(async () => {
      looking = null
      return (await hasBatch(documents, batch + 1)) ? catchUp() : 0
    }))

  await catchUp()
  indexLater()
  return {
    post,
    current: async () => {
      await look()
      return { balances: sums, position, batch }
    },
    indexed: async () => {
      await look()
      while (unindexed.length > 0) await index()
    },
    stop: async () => {
      while (working) await working
      await last
      await index().catch(() => undefined)
    },
  }
}

const settle = (verdict: Verdict, resolve: Request['resolve'], reject: Request['reject']) =>
  'error' in verdict ? reject(verdict.error) : resolve(verdict.outcomes)

const saysNo = (verdict: Verdict): boolean => 'error' in verdict || verdict.outcomes.includes('insufficient')

const mistakeIn = (entries: readonly Posting[]): Error | null => {
  for (const entry of entries) {
    const mistake = mistakeOf(entry) ?? (JSON.stringify(entry).length > ENTRY_CHARS_MAX ? 'it is too long' : null)
    if (mistake) return refuse('validation_failed', `${entry.id}: ${mistake}`)
  }
  return null
}
