// Prepared answers to anonymous public reads: bytes, tag and headers, made once and served until they age or their tag is
// bumped. A hit takes no promise. Many who miss at once wait for one computation; one that was under way while its tag was
// bumped is answered to those who wait and kept for nobody.
import type { Fanout } from '../../adapters/fanout/index.ts'
import { etagOf } from './conditional.ts'
import type { Header } from './headers.ts'

export type Wanted = {
  /** One answer, however its address was spelled. */
  key: string
  tags: readonly string[]
  maxAgeSeconds: number
  staleSeconds: number
  make: () => Promise<Made>
  /** Counts every answer served. */
  served: { add(): void }
}
export type Made = { bytes: Uint8Array; headers: readonly Header[] }
export type Prepared = {
  bytes: Uint8Array
  etag: string
  /** Frozen: the listener joins them once for all who get them. */
  headers: readonly Header[]
  /** Machine epoch ms: fresh until, and until when it is served while a new one is made. */
  freshUntil: number
  staleUntil: number
  wanted: Wanted
}

export type Hot = {
  /** The answer kept for exactly this address, if it may still be served. */
  find(url: string): Prepared | undefined
  /** Waits for the answer: kept, being made, or made now. */
  get(url: string, wanted: Wanted): Promise<Prepared>
  bump(tags: readonly string[]): void
  clear(): void
  size(): { entries: number; bytes: number; making: number }
  stop(): void
}

export type HotLimits = {
  entriesMax: number
  bytesMax: number
  answerBytesMax: number
  addressesMax: number
  makingMax: number
}
export const HOT: HotLimits = {
  entriesMax: 20_000,
  bytesMax: 64 * 1024 * 1024,
  /** A larger answer is made anew every time. */
  answerBytesMax: 1024 * 1024,
  /** Spellings of addresses remembered. */
  addressesMax: 50_000,
  /** Answers renewed in the background at once; past it the old one is served on. */
  makingMax: 64,
}
/** The notice that names what has changed: `{tags}`. */
export const HOT_CHANGED = 'hot.changed'

/** Where an answer is kept; empty once it was dropped, so that an address that points here keeps no bytes alive. */
type Slot = { answer: Prepared | null }
type Flight = { promise: Promise<Prepared>; tags: readonly string[]; bumped: boolean }

export const hotAnswers = (fanout: Fanout, limits: HotLimits = HOT): Hot => {
  const addresses = new Map<string, Slot>()
  const slots = new Map<string, Slot>()
  const flights = new Map<string, Flight>()
  const byTag = new Map<string, Set<string>>()
  let bytes = 0

  const find = (url: string): Prepared | undefined => {
    const answer = addresses.get(url)?.answer
    if (!answer) return undefined
    const now = Date.now()
    if (now < answer.freshUntil) return answer
    if (now >= answer.staleUntil) return undefined
    renew(answer.wanted)
    return answer
  }

  const get = async (url: string, wanted: Wanted): Promise<Prepared> => {
    const kept = slots.get(wanted.key)?.answer
    const now = Date.now()
    const isUsable = kept && now < kept.staleUntil
    if (isUsable && now >= kept.freshUntil) renew(wanted)
    const answer = isUsable ? kept : await make(wanted)
    const slot = slots.get(wanted.key)
    if (slot) remember(url, slot)
    return answer
  }

  /** A failed renewal is tried again by the next who asks; until it is too old, the old answer stands. */
  const renew = (wanted: Wanted) => {
    if (!flights.has(wanted.key) && flights.size < limits.makingMax) void make(wanted).catch(() => undefined)
  }

  const make = (wanted: Wanted): Promise<Prepared> => {
    const under = flights.get(wanted.key)
    if (under) return under.promise
    const flight: Flight = { tags: wanted.tags, bumped: false, promise: run() }
    flights.set(wanted.key, flight)
    return flight.promise
    async function run() {
      try {
        const answer = prepared(wanted, await wanted.make())
        if (!flight.bumped && answer.bytes.length <= limits.answerBytesMax) keep(answer)
        return answer
      } finally {
        if (flights.get(wanted.key) === flight) flights.delete(wanted.key)
      }
    }
  }

  const keep = (answer: Prepared) => {
    const { key, tags } = answer.wanted
    // The slot stays, so that the addresses that point to it find the new answer.
    const slot = slots.get(key) ?? { answer: null }
    drop(key)
    slot.answer = answer
    slots.set(key, slot)
    bytes += answer.bytes.length
    for (const tag of tags) {
      const keys = byTag.get(tag)
      if (keys) keys.add(key)
      else byTag.set(tag, new Set([key]))
    }
    // In order of making: an answer lives seconds, so the oldest is as good as the least used.
    for (const oldest of slots.keys()) {
      if (slots.size <= limits.entriesMax && bytes <= limits.bytesMax) break
      drop(oldest)
    }
  }

  const drop = (key: string) => {
    const slot = slots.get(key)
    if (!slot?.answer) return
    bytes -= slot.answer.bytes.length
    for (const tag of slot.answer.wanted.tags) {
      const keys = byTag.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) byTag.delete(tag)
    }
    slot.answer = null
    slots.delete(key)
  }

  const remember = (url: string, slot: Slot) => {
    addresses.set(url, slot)
    if (addresses.size > limits.addressesMax) addresses.delete(addresses.keys().next().value!)
  }

  const bump = (tags: readonly string[]) => {
    for (const tag of tags) for (const key of byTag.get(tag) ?? []) drop(key)
    for (const [key, flight] of flights) {
      if (!flight.tags.some((tag) => tags.includes(tag))) continue
      flight.bumped = true
      // Who asks from now on must not join a computation that began before the change.
      flights.delete(key)
    }
  }

  const clear = () => {
    for (const key of slots.keys()) drop(key)
    for (const flight of flights.values()) flight.bumped = true
    flights.clear()
    addresses.clear()
  }

  const unhear = fanout.onNodes(HOT_CHANGED, (data) => bump(tagsOf(data)))
  const unmiss = fanout.onMissed(clear)
  return {
    find,
    get,
    bump,
    clear,
    size: () => ({ entries: slots.size, bytes, making: flights.size }),
    stop: () => {
      unhear()
      unmiss()
      clear()
    },
  }
}

const prepared = (wanted: Wanted, { bytes, headers }: Made): Prepared => {
  const etag = etagOf(bytes)
  const freshUntil = Date.now() + wanted.maxAgeSeconds * 1000
  return {
    bytes,
    etag,
    headers: Object.freeze([...headers, ['ETag', etag]] as const),
    freshUntil,
    staleUntil: freshUntil + wanted.staleSeconds * 1000,
    wanted,
  }
}

const tagsOf = (data: unknown): readonly string[] => {
  const tags = (data as { tags?: unknown } | null)?.tags
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : []
}
