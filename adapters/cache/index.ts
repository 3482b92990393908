// Shared second-level cache for prepared public answers. Optional by nature: it fails open. Whatever goes wrong inside
// (product down, slow, full) `get` answers null within its budget and `set` is dropped; a caller never sees an error.

export interface Cache {
  /** Whether other processes keep and find the same. One that nobody shares is of no use behind a nearer one. */
  readonly shared: boolean
  /** The text kept under key, or null: not there, expired, or the cache could not say within CACHE_BUDGET_MS. */
  get(key: string): Promise<string | null>
  /** Keeps text for ttlMs at most. Dropped silently when it can't be kept or exceeds CACHE_VALUE_BYTES_MAX. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  /** Forgets one key. */
  drop(key: string): Promise<void>
  /**
   * A text for each name, the same for all who ask until somebody ends it, and never that one again; null: the cache can't
   * say now. Put into keys, what was kept under them is found no more once it is ended, without anybody looking for it.
   */
  generations(names: readonly string[]): Promise<readonly string[] | null>
  /** Ends these for everybody. Where that can't be told now, it is told before this process asks anything again. */
  end(names: readonly string[]): Promise<void>
  /** Ends every generation there is. */
  endAll(): Promise<void>
  /** Hears of names asked for here that somebody else has ended, soon after. Returns the function that stops listening. */
  onEnded(heard: (name: string) => void): () => void
  /** 'up', or 'down' while a breaker keeps the product out of the way. For health pages, never for decisions. */
  state(): 'up' | 'down'
  close(): Promise<void>
}

/** How long one cache question may take before it counts as a miss. */
export const CACHE_BUDGET_MS = 50
export const CACHE_VALUE_BYTES_MAX = 1024 * 1024
/** An ended or long unused generation takes what was kept under it along. Longer than anything is kept. */
export const GENERATION_MS = 15 * 60_000
/** Bounds of the embedded product. */
export const CACHE_ENTRIES_MAX = 20_000
export const CACHE_BYTES_MAX = 64 * 1024 * 1024

/** Whether a value may be kept at all. One that may not also ends what was kept under its key: older than no answer is worse. */
export const keepable = (value: string, ttlMs: number): boolean =>
  ttlMs > 0 && value.length <= CACHE_VALUE_BYTES_MAX && Buffer.byteLength(value) <= CACHE_VALUE_BYTES_MAX
