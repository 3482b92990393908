import { CACHE_BYTES_MAX, CACHE_ENTRIES_MAX, keepable, type Cache } from './index.ts'
import { lru } from './lru.ts'

export type MemoryCacheOptions = { entriesMax?: number; bytesMax?: number }

/** The embedded cache: one process, no second party, never down. */
export const memoryCache = (options: MemoryCacheOptions = {}): Cache => {
  // the monotonic clock, so that a corrected wall clock neither revives nor kills what is kept
  const now = (): number => performance.now()
  const texts = lru({
    entriesMax: options.entriesMax ?? CACHE_ENTRIES_MAX,
    bytesMax: options.bytesMax ?? CACHE_BYTES_MAX,
    now,
  })

  return {
    get: async (key) => texts.get(key),
    set: async (key, value, ttlMs) => {
      if (keepable(value, ttlMs)) texts.set(key, value, now() + ttlMs)
      else texts.drop(key)
    },
    drop: async (key) => texts.drop(key),
    state: () => 'up',
    close: async () => texts.clear(),
  }
}
