// Prepared answers to anonymous public reads: bytes, tag and headers, made once and served until they age or what they show
// changes. A hit takes no promise. Many who miss at once wait for one computation; one that was overtaken by a change is
// answered to those who wait and kept for nobody. Where nothing new can be made, the old stands in, and says so.
import type { Cache } from '../../adapters/cache/index.ts'
import type { Fanout } from '../../adapters/fanout/index.ts'
import { refusal, refuse } from '../errors.ts'
import { absent } from './absent.ts'
import { marksOf, mayStandIn, PATIENCE_MS, RETRY_MS, verdictOn, type Ages } from './age.ts'
import { etagOf } from './conditional.ts'
import { endings, generations, type Stand } from './endings.ts'
import type { Header } from './headers.ts'
import { troubleOf } from './problem.ts'
import { sharedAnswers, type SharedAnswer } from './shared.ts'
import { shelf, type ShelfLimits } from './shelf.ts'

export type Wanted = {
  /** One answer, however its address was spelled. */
  key: string
  /** What it is about: a notice of one of these ends it at once. */
  tags: readonly string[]
  /** A notice of one of these: it is behind, and made again. */
  generations: readonly string[]
  /** Not being there is remembered until a notice of this. */
  absence?: string
  maxAgeSeconds: number
  staleSeconds: number
  /** Given where the bytes are text and come with these headers whoever made them: it may come from the shared cache. */
  headers?: readonly Header[]
  make: () => Promise<Made>
  /** Counts every answer served. */
  served: { add(): void }
}
export type Made = {
  bytes: Uint8Array
  headers: readonly Header[]
  /** Tags that came with what it shows: a notice of one, and it is over, in half a second at most. */
  shows?: readonly string[]
}
/** Times are machine epoch ms: fresh until, and until when it is served while a new one is made. */
export type Prepared = Ages & {
  bytes: Uint8Array
  etag: string
  /** Frozen: the listener joins them once for all who get them. */
  headers: readonly Header[]
  /** What else is said of it now: empty while it is fresh. */
  marks: readonly Header[]
  tags: readonly string[]
  stand: Stand
  /** Something it shows is gone: it is made again, and never stands in. */
  isOver: boolean
  /** When the next one could last not be made; 0: never. */
  failedAt: number
  wanted: Wanted
}

export type Hot = {
  /** The answer kept for exactly this address, if it may still be served without waiting. */
  find(url: string, now?: number): Prepared | undefined
  /** Waits for the answer: kept, being made, or made now. */
  get(url: string, wanted: Wanted): Promise<Prepared>
  bump(tags: readonly string[]): void
  clear(): void
  size(): { entries: number; bytes: number; making: number; absent: number }
  stop(): void
}

export type HotLimits = ShelfLimits & { makingMax: number }
export const HOT: HotLimits = {
  entriesMax: 20_000,
  bytesMax: 64 * 1024 * 1024,
  answerBytesMax: 1024 * 1024,
  addressesMax: 50_000,
  addressLettersMax: 8 * 1024 * 1024,
  /** Answers being made past which an old one is served on rather than renewed. */
  makingMax: 64,
}
/** The notice that names what has changed: `{tags}`. */
export const HOT_CHANGED = 'hot.changed'

type Flight = { promise: Promise<Prepared>; since: number }

export type HotParts = {
  fanout: Pick<Fanout, 'onNodes' | 'onMissed' | 'state'>
  cache: Cache
  limits?: HotLimits
  /** Counts answers that came from the shared cache. */
  shared?: { add(): void }
  /** The machine's clock, epoch ms. */
  now?: () => number
}

export const hotAnswers = ({
  fanout,
  cache,
  limits = HOT,
  shared: fromShared,
  now: clock = Date.now,
}: HotParts): Hot => {
  const kept = shelf<Prepared>(limits)
  const flights = new Map<string, Flight>()
  const missing = absent(clock)
  const ended = endings()
  const moving = generations()
  let heardAt = clock()

  const find = (url: string, now = clock()): Prepared | undefined => {
    const answer = kept.at(url)
    if (!answer) return undefined
    if (now < answer.freshUntil && !answer.isOver && !moving.isBehind(answer.stand)) return answer
    return usable(answer, now)
  }

  /** An answer that may be served without waiting for the next; the next is made meanwhile where it is time for it. */
  const usable = (answer: Prepared, now: number): Prepared | undefined => {
    const hearing = heard(answer, now)
    const isMaking = flights.has(answer.wanted.key)
    const verdict = verdictOn(answer, { now, isBehind: moving.isBehind(answer.stand), isMaking, heardAt: hearing })
    if (verdict === 'serve') return answer
    const justFailed = now - answer.failedAt < RETRY_MS
    if (verdict === 'wait') {
      const isBusy = justFailed || flights.size >= limits.makingMax
      return isBusy && mayStandIn(answer, { now, heardAt: hearing }) ? marked(answer, now) : undefined
    }
    if (!justFailed && flights.size < limits.makingMax) void make(answer.wanted).catch(() => undefined)
    return now < answer.freshUntil ? answer : marked(answer, now)
  }

  /** An answer that stands on nothing that could be told of has nothing to miss. */
  const heard = ({ tags, stand }: Prepared, now: number): number => {
    if (fanout.state() === 'up') heardAt = now
    return tags.length + stand.length === 0 ? now : heardAt
  }

  const get = async (url: string, wanted: Wanted): Promise<Prepared> => {
    const known = wanted.absence === undefined ? undefined : missing.find(wanted.absence)
    if (known !== undefined) throw refuse('not_found', known)
    const old = kept.of(wanted.key)
    const answer = (old && usable(old, clock())) ?? (await newer(wanted, old))
    kept.remember(url, wanted.key)
    return answer
  }

  /** A new one, or the old one where a new one can't be had in time. */
  const newer = async (wanted: Wanted, old: Prepared | null | undefined): Promise<Prepared> => {
    if (!old) return make(wanted)
    try {
      return await inTime(make(wanted))
    } catch (error) {
      // A notice may have ended it meanwhile.
      const still = kept.of(wanted.key)
      const now = clock()
      if (!still || troubleOf(error).status < 500) throw error
      still.failedAt = now
      if (!mayStandIn(still, { now, heardAt: heard(still, now) })) throw error
      return marked(still, now)
    }
  }

  const make = (wanted: Wanted): Promise<Prepared> => {
    const under = flights.get(wanted.key)
    // Who asks after a change must not join a computation that began before it.
    if (under && !ended.since(under.since, wanted.tags)) return under.promise
    const since = ended.now()
    const promise = run(wanted, since).finally(() => {
      if (flights.get(wanted.key)?.promise === promise) flights.delete(wanted.key)
    })
    flights.set(wanted.key, { promise, since })
    return promise
  }

  const run = async (wanted: Wanted, since: number): Promise<Prepared> => {
    const stand = moving.of(wanted.generations)
    const madeAt = clock()
    const place = wanted.headers ? await shared.look(wanted) : null
    const found = place?.found
      ? prepared(wanted, ofShared(wanted, place.found), { madeAt: Math.min(place.found.madeAt, madeAt), stand })
      : null
    if (found && clock() < found.freshUntil) {
      fromShared?.add()
      return keep(found, since)
    }
    try {
      const made = await wanted.make()
      const answer = keep(prepared(wanted, made, { madeAt, stand }), since)
      place?.keep({ bytes: made.bytes, shows: made.shows ?? [], madeAt })
      return answer
    } catch (error) {
      const now = clock()
      if (found && troubleOf(error).status >= 500 && mayStandIn(found, { now, heardAt: heard(found, now) })) {
        found.failedAt = now
        return marked(keep(found, since), now)
      }
      refused(wanted, error, since)
      throw error
    }
  }

  const keep = (answer: Prepared, since: number): Prepared => {
    if (!ended.since(since, answer.tags)) kept.put(answer)
    return answer
  }

  /** Out of order, the old one stands; refused, it is over, and that it is gone may be remembered. */
  const refused = ({ key, tags, absence }: Wanted, error: unknown, since: number) => {
    const old = kept.of(key)
    if (troubleOf(error).status >= 500) {
      if (old) old.failedAt = clock()
      return
    }
    kept.drop(key)
    const told = refusal(error)
    if (absence !== undefined && told?.code === 'not_found' && !ended.since(since, tags))
      missing.keep(absence, told.detail)
  }

  const changed = (tag: string) => {
    for (const answer of kept.tagged(tag))
      if (answer.wanted.tags.includes(tag)) kept.drop(answer.wanted.key)
      else answer.isOver = true
    missing.end(tag)
    ended.end(tag)
    moving.move(tag)
  }

  const bump = (tags: readonly string[]) => {
    tags.forEach(changed)
    shared.end(tags)
  }

  const clear = () => {
    kept.clear()
    missing.clear()
    ended.endAll()
    flights.clear()
    shared.endAll()
  }

  // Where the notice is late or lost, the shared copy's end tells it too.
  const shared = sharedAnswers(cache, changed)
  const unhear = fanout.onNodes(HOT_CHANGED, (data) => bump(tagsOf(data)))
  const unmiss = fanout.onMissed(clear)
  return {
    find,
    get,
    bump,
    clear,
    size: () => ({ ...kept.size(), making: flights.size, absent: missing.size() }),
    stop: () => {
      unhear()
      unmiss()
      shared.stop()
      kept.clear()
    },
  }
}

const prepared = (
  wanted: Wanted,
  { bytes, headers, shows = [] }: Made,
  { madeAt, stand }: { madeAt: number; stand: Stand },
): Prepared => {
  const etag = etagOf(bytes)
  const freshUntil = madeAt + wanted.maxAgeSeconds * 1000
  return {
    bytes,
    etag,
    headers: Object.freeze([...headers, ['ETag', etag]] as const),
    marks: NO_MARKS,
    tags: shows.length > 0 ? [...new Set([...wanted.tags, ...shows])] : wanted.tags,
    stand,
    isOver: false,
    failedAt: 0,
    madeAt,
    freshUntil,
    staleUntil: freshUntil + wanted.staleSeconds * 1000,
    wanted,
  }
}
const ofShared = ({ headers = [] }: Wanted, { bytes, shows }: SharedAnswer): Made => ({ bytes, headers, shows })

const NO_MARKS: readonly Header[] = []

const marked = (answer: Prepared, now: number): Prepared => {
  answer.marks = marksOf(answer, now)
  return answer
}

const inTime = async (making: Promise<Prepared>): Promise<Prepared> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(refuse('unavailable', 'it takes too long to make')), PATIENCE_MS)
  })
  try {
    return await Promise.race([making, late])
  } finally {
    clearTimeout(timer)
    // Its failure was already told, or comes when nobody waits any more.
    making.catch(() => undefined)
  }
}

const tagsOf = (data: unknown): readonly string[] => {
  const tags = (data as { tags?: unknown } | null)?.tags
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : []
}
