// The shared cache on Redis, with a bounded near copy in this process that Redis keeps coherent (client-side tracking).
// Reads cost one trip at most; a Redis that is gone, stalled or slow costs a few budgets once, then nothing until it is back.

import type { RedisClientType } from 'redis'
import type { AdapterContext } from '../index.ts'
import { breaker } from '../breaker.ts'
import { CACHE_BUDGET_MS, keepable, type Cache } from './index.ts'
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
/** Different keys being fetched at one time; beyond that the answer is a miss. */
export const READS_MAX = 1_000
/** Keys whose change could not be told to Redis while it was away; beyond that their time to live has to end them. */
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
    for (const read of reads.values()) read.current = false
  }

  const forgetOne = (key: string): void => {
    near.drop(key)
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

  const fetch = (key: string): Read => {
    const read: Read = {
      current: true,
      answer: inTime(client.get(prefix + key)).then(
        (kept) => received(key, read, kept),
        () => null,
      ),
    }
    reads.set(key, read)
    void read.answer.then(() => reads.delete(key))
    return read
  }

  const received = (key: string, read: Read, kept: string | null): string | null => {
    const entry = kept === null ? null : unpack(kept)
    if (entry === null || entry.expiresAt <= Date.now()) return null
    if (read.current && entry.text.length <= NEAR_VALUE_BYTES_MAX) near.set(key, entry.text, entry.expiresAt)
    return entry.text
  }

  const change = async (key: string, told: () => Promise<unknown>): Promise<void> => {
    forgetOne(key)
    if (!gate.closed()) return owe(key)
    await inTime(told()).catch(() => owe(key))
  }

  client.on('invalidate', (key: Buffer | string | null) => {
    if (key === null) forgetNear()
    else forgetOne(key.toString().slice(prefix.length))
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
    get: async (key) => {
      if (!gate.closed()) return null
      const kept = near.get(key)
      if (kept !== null) return kept
      const read = reads.get(key) ?? (reads.size < READS_MAX ? fetch(key) : undefined)
      return read === undefined ? null : read.answer
    },
    set: (key, value, ttlMs) =>
      change(key, () => {
        if (!keepable(value, ttlMs)) return client.del(prefix + key)
        const keepMs = Math.max(1, Math.floor(ttlMs))
        return client.set(prefix + key, pack(value, Date.now() + keepMs), { expiration: { type: 'PX', value: keepMs } })
      }),
    drop: (key) => change(key, () => client.del(prefix + key)),
    state: () => (gate.closed() ? 'up' : 'down'),
    close: async () => {
      gate.stop()
      forgetNear()
      client.destroy()
    },
  }
}

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
