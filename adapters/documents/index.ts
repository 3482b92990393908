// The port every stored document goes through. Narrow on purpose: what is not here, no service may ask of a database.
// One document is the unit of atomicity; a conditional write (`replace … ifVersion`) or a unique index is the only guard
// the rest of the system relies on. Both products (SQLite, MongoDB) pass the same suite in documents.test.ts.

/** A stored document: plain JSON, addressed by `id`, guarded by `version` (1 after insert, +1 with every replace). */
export type Doc = { id: string; version: number }

/** A value an index key may have. Times are stored as ISO strings or epoch milliseconds, never as Date. */
export type Key = string | number

/**
 * One declared index. `keys` are top-level field names, in order; the document's `id` is always the last, hidden key, so
 * that order is total. A document that lacks (undefined or null) any of the keys is not in the index: that is how a timer
 * index holds only armed timers, and a unique index only those that have the value.
 */
export type Index = { keys: readonly string[]; unique?: true }

/** A declared collection. Names are lower-case words; a store makes schema and indexes from this alone. */
export type Collection<T extends Doc = Doc> = {
  name: string
  indexes: Record<string, Index>
  /** Carries the document's type only; never set. */
  of?: T
}

export const collection = <T extends Doc>(name: string, indexes: Record<string, Index> = {}): Collection<T> => ({
  name,
  indexes,
})

/** What a write came to. `conflict` names the unique index that was in the way ('id' for the document's own id). */
export type Inserted = { ok: true } | { ok: false; conflict: string }
/** `stale`: no document of that id has that version (it moved on, or is gone). */
export type Replaced = { ok: true } | { ok: false; conflict: 'stale' | (string & {}) }

export type Query = {
  index: string
  /** Equal values for the first n keys of the index, n ≥ 0. */
  equals?: Record<string, Key>
  /** Inclusive bounds on the key that follows the equal ones. Numbers come before strings; strings go by code point. */
  from?: Key
  to?: Key
  order?: 'asc' | 'desc'
  /** 1..FIND_MAX documents; 20 unless given. */
  limit?: number
  /** `next` of the page before. Anything else throws BadCursor. */
  cursor?: string | null
}
export type Found<T> = { docs: T[]; next: string | null }

/** The most documents one `find` returns. */
export const FIND_MAX = 1000
/** The most documents one bulk call takes. */
export const BULK_MAX = 1000
/** The largest stored document, in bytes of JSON. Larger ones are refused with DocumentTooLarge, nothing is written. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
/** Writes that may wait for the store at once; past it a write is refused with StoreBusy at once. */
export const WRITES_WAITING_MAX = 20_000
/** A page ends early, with `next`, once its documents have this many characters of JSON together. */
export const FIND_CHARS_MAX = 8 * 1024 * 1024

export interface Documents {
  /** Makes tables and indexes. Called for every collection before its first use; idempotent; adding an index later is allowed. */
  declare(collections: readonly Collection[]): Promise<void>
  /** Stores a new document exactly once. The document is durable when the promise resolves. */
  insert<T extends Doc>(of: Collection<T>, doc: T): Promise<Inserted>
  /** Each document on its own: outcomes in the same order, one that conflicts does not stop the others. */
  insertMany<T extends Doc>(of: Collection<T>, docs: readonly T[]): Promise<Inserted[]>
  /** In order up to the first that conflicts, which is the last outcome then: nothing after it is stored. */
  insertInOrder<T extends Doc>(of: Collection<T>, docs: readonly T[]): Promise<Inserted[]>
  get<T extends Doc>(of: Collection<T>, id: string): Promise<T | null>
  /** In the order of ids, null where there is none. */
  getMany<T extends Doc>(of: Collection<T>, ids: readonly string[]): Promise<(T | null)[]>
  /** Replaces the document if it is still at `ifVersion`; `doc.version` must be `ifVersion + 1`. Durable when resolved. */
  replace<T extends Doc>(of: Collection<T>, doc: T, ifVersion: number): Promise<Replaced>
  replaceMany<T extends Doc>(of: Collection<T>, docs: readonly { doc: T; ifVersion: number }[]): Promise<Replaced[]>
  /** True when a document went away. With `ifVersion`, only that version does. */
  remove<T extends Doc>(of: Collection<T>, id: string, ifVersion?: number): Promise<boolean>
  /** By a declared index only; a query that the index does not serve throws NoIndex. Sees every write acknowledged before. */
  find<T extends Doc>(of: Collection<T>, query: Query): Promise<Found<T>>
  /** The same documents, each as JSON text: for who reads many only to hand them on. */
  findTexts<T extends Doc>(of: Collection<T>, query: Query): Promise<Found<string>>
  /** How many a query (without limit and cursor) matches. */
  count<T extends Doc>(of: Collection<T>, query: Omit<Query, 'limit' | 'cursor' | 'order'>): Promise<number>
  /** Every document in id order, in pages: for rebuilds and checks, never on a request's path. */
  scan<T extends Doc>(of: Collection<T>, page?: { after?: string | null; limit?: number }): Promise<Found<T>>
  /** Bytes of each declared collection's documents, estimated from the latest; absent where a product cannot tell cheaply. */
  sizes?(): Promise<Record<string, number>>
  /** Answers once the store can read and write; throws StoreDown otherwise. For health checks. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** A store error that a caller may meet; `code` is stable. `retryable` ones may be tried again after a moment. */
export class DocumentsError extends Error {
  readonly code:
    | 'no_index'
    | 'bad_cursor'
    | 'bad_query'
    | 'bad_document'
    | 'document_too_large'
    | 'store_busy'
    | 'store_down'
    | 'store_full'
  readonly retryable: boolean
  constructor(code: DocumentsError['code'], message: string) {
    super(message)
    this.name = 'DocumentsError'
    this.code = code
    this.retryable = code === 'store_busy' || code === 'store_down'
  }
}
