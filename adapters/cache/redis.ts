// The shared cache on Redis, with a bounded near copy in this process that Redis keeps coherent (client-side tracking).
// Reads cost one trip at most; a Redis that is gone, stalled or slow costs a few budgets once, then nothing until it is back.
// A generation is a key with a text of chance: whoever misses it makes it, whoever ends it deletes it.

import { randomBytes } from 'node:crypto'
import type { RedisClientType } from 'redis'
import type { AdapterContext } from '../index.ts'
import { breaker } from '../breaker.ts'
import { CACHE_BUDGET_MS, GENERATION_MS, keepable, type Cache } from './index.ts'
import { lru } from './lru.ts'

export type RedisCacheOptions = {
  url: string
  log: AdapterContext['log']
  prefix?: string
  /** How long one question may take: CACHE_BUDGET_MS unless told. */
  budgetMs?: number
}

/** Bounds of the near copy; a larger value is fetched each time. */
export const NEAR_ENTRIES_MAX = 5_000
export const NEAR_BYTES_MAX = 32 * 1024 * 1024
export const NEAR_VALUE_BYTES_MAX = 64 * 1024
/** Generations known near by. */
export const NEAR_GENERATIONS_MAX = 20_000
export const NEAR_GENERATIONS_BYTES_MAX = 6 * 1024 * 1024
/** Different keys being fetched at one time; beyond that the answer is a miss. */
export const READS_MAX = 1_000
/**
 * Keys whose change could not be told to Redis while it was away. Beyond that a value is ended by its time to live, and for
 * a generation all are ended.
 */
export const OWED_MAX = 10_000
/** A silent link is noticed after both at most, so that is how long a near copy can be behind during a partition. */
const PING_INTERVAL_MS = 2_000
const SILENCE_MS_MAX = 3_000
/** How long opening waits for Redis before it goes on without. */
const OPEN_MS_MAX = 500
const RECONNECT_MS_MAX = 3_000

export const redisCache = async (options: RedisCacheOptions): Promise<Cache> => {
  const { url, log, prefix = 'gigwire:cache:', budgetMs = CACHE_BUDGET_MS } = options
  const { createClient } = await import('redis')
  const client = createClient({
    url,
    RESP: 3,
    emitInvalidate: true,
    disableOfflineQueue: true,
    commandsQueueMaxLength: READS_MAX * 4,
    pingInterval: PING_INTERVAL_MS,
    socket: { connectTimeout: SILENCE_MS_MAX, socketTimeout: PING_INTERVAL_MS + SILENCE_MS_MAX, reconnectStrategy },
  }) as unknown as RedisClientType

  // expiry travels with the value on the wall clock, because every process that reads it has to agree on it
  const near = lru({ entriesMax: NEAR_ENTRIES_MAX, bytesMax: NEAR_BYTES_MAX, now: Date.now })
  const nearGenerations = lru({
    entriesMax: NEAR_GENERATIONS_MAX,
    bytesMax: NEAR_GENERATIONS_BYTES_MAX,
    now: Date.now,
  })
  const endedHere = new Set<{ heard: (name: string) => void }>()
  const reads = new Map<string, Read>()
  const owed = new Set<string>()
  let lastError = 'no answer yet'

  const gate = breaker({
    failuresMax: 3,
    pauseMs: 100,
    pauseMsMax: 2_000,
    probe: async () => {
      const askedAt = performance.now()
      await client.ping()
      return performance.now() - askedAt <= budgetMs
    },
    changed: (closed) => {
      forgetNear()
      if (closed) payOwed()
      if (closed) log.info('cache: redis is up')
      else log.warn('cache: redis is down, going on without', { reason: lastError })
    },
  })

  const forgetNear = (): void => {
    near.clear()
    nearGenerations.clear()
    for (const read of reads.values()) read.current = false
  }

  const forgetOne = (key: string): void => {
    near.drop(key)
    nearGenerations.drop(key)
    const read = reads.get(key)
    if (read) read.current = false
  }

  // one connection keeps its order: these deletions are ahead of every read that follows
  const payOwed = (): void => {
    if (owed.size === 0) return
    const keys = [...owed]
    owed.clear()
    client.del(keys.map((key) => prefix + key)).catch(() => keys.forEach(owe))
  }

  const owe = (key: string): void => {
    if (owed.size < OWED_MAX) owed.add(key)
    else if (key.startsWith(GENERATION)) owed.add(ALL)
  }

  const inTime = async <T>(question: Promise<T>): Promise<T> => {
    try {
      const answer = await within(budgetMs, question)
      gate.worked()
      return answer
    } catch (error) {
      lastError = (error as Error).message
      gate.failed()
      throw error
    }
  }

  type Receive = (key: string, read: Read, kept: string | null) => string | null

  /** One question for all who ask it at once; null past READS_MAX. */
  const ask = (key: string, question: () => Promise<string | null>, receive: Receive): Promise<string | null> => {
    const under = reads.get(key)
    if (under) return under.answer
    if (reads.size >= READS_MAX) return Promise.resolve(null)
    const read: Read = {
      current: true,
      answer: inTime(question()).then(
        (kept) => receive(key, read, kept),
        () => null,
      ),
    }
    reads.set(key, read)
    void read.answer.then(() => reads.delete(key))
    return read.answer
  }

  const receivedGeneration: Receive = (key, read, text) => {
    if (text !== null && read.current) nearGenerations.set(key, text, Date.now() + GENERATION_MS / 2)
    return text
  }

  // made and then read in one trip: Redis tracks what is read, not what is written
  const generation = (key: string): Promise<string | null> | string =>
    nearGenerations.get(key) ??
    ask(
      key,
      async () => {
        const made = randomBytes(9).toString('base64url')
        const [, text] = await Promise.all([
          client.set(prefix + key, made, { condition: 'NX', expiration: { type: 'PX', value: GENERATION_MS } }),
          client.get(prefix + key),
        ])
        return text
      },
      receivedGeneration,
    )

  const received: Receive = (key, read, kept) => {
    const entry = kept === null ? null : unpack(kept)
    if (entry === null || entry.expiresAt <= Date.now()) return null
    if (read.current && entry.text.length <= NEAR_VALUE_BYTES_MAX) near.set(key, entry.text, entry.expiresAt)
    return entry.text
  }

  const change = async (keys: readonly string[], told: () => Promise<unknown>): Promise<void> => {
    keys.forEach(forgetOne)
    if (!gate.closed()) return keys.forEach(owe)
    await inTime(told()).catch(() => keys.forEach(owe))
  }
  const remove = (keys: readonly string[]): Promise<void> =>
    change(keys, () => client.del(keys.map((key) => prefix + key)))

  const invalidated = (key: string): void => {
    // what this process changes it has forgotten before Redis says so
    const wasEndedElsewhere = nearGenerations.get(key) !== null && key.startsWith(NAMED)
    forgetOne(key)
    if (wasEndedElsewhere) for (const { heard } of endedHere) heard(key.slice(NAMED.length))
  }

  client.on('invalidate', (key: Buffer | string | null) => {
    if (key === null) forgetNear()
    else invalidated(key.toString().slice(prefix.length))
  })
  client.on('error', (error: Error) => {
    lastError = error.message
    gate.trip()
  })
  client.on('ready', () => gate.retry())

  await opened(client)
  if (!gate.closed()) await settled(gate.closed)
  if (!gate.closed()) log.warn('cache: redis is down at the start, going on without', { reason: lastError })

  return {
    shared: true,
    get: async (name) => {
      if (!gate.closed()) return null
      const key = VALUE + name
      return near.get(key) ?? ask(key, () => client.get(prefix + key), received)
    },
    set: (name, value, ttlMs) => {
      const key = VALUE + name
      if (!keepable(value, ttlMs)) return remove([key])
      const keepMs = Math.max(1, Math.floor(ttlMs))
      return change([key], () =>
        client.set(prefix + key, pack(value, Date.now() + keepMs), { expiration: { type: 'PX', value: keepMs } }),
      )
    },
    drop: (name) => remove([VALUE + name]),
    generations: async (names) => {
      if (!gate.closed()) return null
      const [all, ...own] = await Promise.all([ALL, ...names.map((name) => NAMED + name)].map(generation))
      return all === null || own.includes(null) ? null : own.map((text) => `${all}.${text}`)
    },
    end: (names) => (names.length === 0 ? Promise.resolve() : remove(names.map((name) => NAMED + name))),
    endAll: () => remove([ALL]),
    onEnded: (heard) => {
      const one = { heard }
      endedHere.add(one)
      return () => void endedHere.delete(one)
    },
    state: () => (gate.closed() ? 'up' : 'down'),
    close: async () => {
      gate.stop()
      forgetNear()
      client.destroy()
    },
  }
}

/** Keys by what they are. */
const VALUE = 'v:'
const GENERATION = 'g'
/** The generation that all others have part in, and the others. */
const ALL = `${GENERATION}*`
const NAMED = `${GENERATION}:`

/** A question under way. Not current: the key changed meanwhile, so the answer may be given but not kept. */
type Read = { current: boolean; answer: Promise<string | null> }

const reconnectStrategy = (retries: number): number =>
  Math.min(50 * 2 ** Math.min(retries, 10), RECONNECT_MS_MAX) * (0.75 + Math.random() / 4)

const pack = (text: string, expiresAt: number): string => `${expiresAt.toString(36)}:${text}`

const unpack = (kept: string): { text: string; expiresAt: number } | null => {
  const at = kept.indexOf(':')
  const expiresAt = Number.parseInt(kept.slice(0, at), 36)
  return at < 1 || Number.isNaN(expiresAt) ? null : { text: kept.slice(at + 1), expiresAt }
}

const within = async <T>(budgetMs: number, question: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${budgetMs} ms`)), budgetMs)
  })
  try {
    return await Promise.race([question, late])
  } finally {
    clearTimeout(timer)
  }
}

// the client goes on trying by itself for ever; opening only lends it a moment, so that a healthy start is up at once
const opened = async (client: RedisClientType): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, OPEN_MS_MAX)
  })
  await Promise.race([
    client.connect().then(
      () => undefined,
      () => undefined,
    ),
    enough,
  ])
  clearTimeout(timer)
}

const settled = async (closed: () => boolean): Promise<void> => {
  for (let waitedMs = 0; !closed() && waitedMs < CACHE_BUDGET_MS; waitedMs += 5)
    await new Promise((resolve) => setTimeout(resolve, 5))
}
