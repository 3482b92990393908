// Shared second-level cache for prepared public answers. Optional by nature: it fails open. Whatever goes wrong inside
// (product down, slow, full) `get` answers null within its budget and `set` is dropped; a caller never sees an error.

export interface Cache {
  /** The text kept under key, or null: not there, expired, or the cache could not say within CACHE_BUDGET_MS. */
  get(key: string): Promise<string | null>
  /** Keeps text for ttlMs at most. Dropped silently when it can't be kept or exceeds CACHE_VALUE_BYTES_MAX. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  /** Forgets one key. */
  drop(key: string): Promise<void>
  /** 'up', or 'down' while a breaker keeps the product out of the way. For health pages, never for decisions. */
  state(): 'up' | 'down'
  close(): Promise<void>
}

/** How long one cache question may take before it counts as a miss. */
export const CACHE_BUDGET_MS = 50
export const CACHE_VALUE_BYTES_MAX = 1024 * 1024
/** Bounds of the embedded product. */
export const CACHE_ENTRIES_MAX = 20_000
export const CACHE_BYTES_MAX = 64 * 1024 * 1024

/** Whether a value may be kept at all. One that may not also ends what was kept under its key: older than no answer is worse. */
export const keepable = (value: string, ttlMs: number): boolean =>
  ttlMs > 0 && value.length <= CACHE_VALUE_BYTES_MAX && Buffer.byteLength(value) <= CACHE_VALUE_BYTES_MAX
