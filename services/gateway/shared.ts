// The second level: answers that any gateway has prepared, in the shared cache under the generations of what they stand on.
// A notice ends those generations, so nothing has to be looked for. What this gateway has heard and the cache not yet, it
// does not ask the cache about.
import { createHash } from 'node:crypto'
import type { Cache } from '../../adapters/cache/index.ts'
import { STALE_IF_ERROR_MS } from './age.ts'

export type SharedAnswer = { bytes: Uint8Array; shows: readonly string[]; madeAt: number }
/** Where an answer belongs, and what is there. Kept under what was true when it was looked for, whatever has changed since. */
export type Place = { found: SharedAnswer | null; keep(answer: SharedAnswer): void }
export type SharedAnswers = {
  /** null: no second level now. */
  look(wanted: { key: string; tags: readonly string[]; generations: readonly string[] }): Promise<Place | null>
  end(names: readonly string[]): void
  endAll(): void
  stop(): void
}

/** What was ended is told to the cache in batches of so long. */
const TELL_EVERY_MS = 10
/** Names waiting to be told; beyond it everything is ended. */
export const ENDING_MAX = 10_000
const EVERYTHING = '*'

export const sharedAnswers = (cache: Cache, heard: (name: string) => void): SharedAnswers => {
  if (!cache.shared) return NOBODY
  /** Ended here and not told yet, with how often. */
  const ending = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  const look: SharedAnswers['look'] = async ({ key, tags, generations }) => {
    const names = [...tags, ...generations]
    const isUntold = () => ending.has(EVERYTHING) || names.some((name) => ending.has(name))
    if (isUntold()) return null
    const texts = await cache.generations(names)
    if (!texts) return null
    const place = placeOf(key, texts)
    const found = await cache.get(place)
    return isUntold()
      ? null
      : {
          found: found === null ? null : unpacked(found),
          keep: (answer) => void cache.set(place, packed(answer), STALE_IF_ERROR_MS),
        }
  }

  const end = (names: readonly string[]) => {
    for (const name of ending.size < ENDING_MAX ? names : [EVERYTHING]) ending.set(name, (ending.get(name) ?? 0) + 1)
    timer ??= setTimeout(() => void tell(), TELL_EVERY_MS).unref()
  }

  const tell = async () => {
    timer = undefined
    const told = [...ending]
    await (ending.has(EVERYTHING) ? cache.endAll() : cache.end(told.map(([name]) => name)))
    for (const [name, times] of told) if (ending.get(name) === times) ending.delete(name)
    if (ending.size > 0) timer ??= setTimeout(() => void tell(), TELL_EVERY_MS).unref()
  }

  const unhear = cache.onEnded(heard)
  return {
    look,
    end,
    endAll: () => end([EVERYTHING]),
    stop: () => {
      unhear()
      clearTimeout(timer)
    },
  }
}

const NOBODY: SharedAnswers = {
  look: async () => null,
  end: () => undefined,
  endAll: () => undefined,
  stop: () => undefined,
}

const placeOf = (key: string, generations: readonly string[]): string =>
  createHash('sha256')
    .update(JSON.stringify([key, ...generations]))
    .digest('base64url')

/** A line of JSON, then the answer as it is. */
const packed = ({ bytes, shows, madeAt }: SharedAnswer): string =>
  `${JSON.stringify({ madeAt, shows })}\n${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()}`

const unpacked = (text: string): SharedAnswer => {
  const at = text.indexOf('\n')
  const { madeAt, shows } = JSON.parse(text.slice(0, at)) as Omit<SharedAnswer, 'bytes'>
  return { madeAt, shows, bytes: Buffer.from(text.slice(at + 1)) }
}
