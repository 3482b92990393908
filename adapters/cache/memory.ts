import { CACHE_BYTES_MAX, CACHE_ENTRIES_MAX, GENERATION_MS, keepable, type Cache } from './index.ts'
import { lru, type Lru } from './lru.ts'

/** What several nodes of one process share, as in tests. */
export type MemoryHub = { texts: Lru; generations: number; ended: Set<(name: string, by: object) => void> }

export type MemoryCacheOptions = { entriesMax?: number; bytesMax?: number; hub?: MemoryHub }

// the monotonic clock, so that a corrected wall clock neither revives nor kills what is kept
const now = (): number => performance.now()

export const memoryHub = ({ entriesMax, bytesMax }: Omit<MemoryCacheOptions, 'hub'> = {}): MemoryHub => ({
  texts: lru({ entriesMax: entriesMax ?? CACHE_ENTRIES_MAX, bytesMax: bytesMax ?? CACHE_BYTES_MAX, now }),
  generations: 0,
  ended: new Set(),
})

/** The embedded cache: one process, no second party, never down. */
export const memoryCache = (options: MemoryCacheOptions = {}): Cache => {
  const hub = options.hub ?? memoryHub(options)
  const { texts, ended } = hub
  const me = {}
  const listening = new Set<() => void>()

  const generation = (name: string): string => {
    const known = texts.get(GENERATION + name)
    if (known !== null) return known
    const made = (hub.generations++).toString(36)
    texts.set(GENERATION + name, made, now() + GENERATION_MS)
    return made
  }

  return {
    shared: options.hub !== undefined,
    get: async (key) => texts.get(VALUE + key),
    set: async (key, value, ttlMs) => {
      if (keepable(value, ttlMs)) texts.set(VALUE + key, value, now() + ttlMs)
      else texts.drop(VALUE + key)
    },
    drop: async (key) => texts.drop(VALUE + key),
    generations: async (names) => {
      const all = generation(ALL)
      return names.map((name) => `${all}.${generation(NAMED + name)}`)
    },
    end: async (names) => {
      for (const name of names) {
        texts.drop(GENERATION + NAMED + name)
        for (const hear of ended) hear(name, me)
      }
    },
    endAll: async () => texts.drop(GENERATION + ALL),
    onEnded: (heard) => {
      const hear = (name: string, by: object): void => {
        if (by !== me) heard(name)
      }
      const stop = (): void => {
        ended.delete(hear)
        listening.delete(stop)
      }
      ended.add(hear)
      listening.add(stop)
      return stop
    },
    state: () => 'up',
    close: async () => {
      for (const stop of listening) stop()
      if (!options.hub) texts.clear()
    },
  }
}

const VALUE = 'v:'
const GENERATION = 'g:'
const ALL = '*'
const NAMED = ':'
