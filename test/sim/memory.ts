// An actor whose documents are in memory: writes are conditional on the version, what is said comes at least once and in
// order, and others come in between wherever they may.
import type { Collection } from '../../adapters/documents/index.ts'
import type { Actor, ActorDoc, Decide, Said } from '../../mixins/actor.ts'
import type { World } from './world.ts'

export type Memory<T extends ActorDoc> = Actor<T> & { docs: Map<string, T> }
/** What each group hears, as its service's `hears` says. What nobody listens to is not said. */
export type Hears = Record<string, Record<string, (data: never, id: string) => Promise<unknown>>>
export type MemoryOptions<T extends ActorDoc> = {
  wake(state: T, now: number): ReturnType<Decide<T, unknown>>
  hears: Hears
  /** Told of every write. */
  stored?: (before: T | null, after: T) => void
  /** Told of everything that was said, once. */
  said?: (said: Said, id: string) => void
}

/** How soon what was not heard to its end is told again. */
const RETRY_MS = 1000
/** How soon a timer whose turn was lost is looked at again. */
const WAKE_AGAIN_MS = 60_000
const HEARD_AGAIN = 0.25
const WRITTEN_LATE = 0.05

export const memory = <T extends ActorDoc>(
  here: World,
  of: Collection<T>,
  { wake, hears, stored, said: saying }: MemoryOptions<T>,
): Memory<T> => {
  const docs = new Map<string, T>()
  const lanes = new Map<string, Waiting[]>()
  const indexes = Object.values((of as unknown as { indexes?: Record<string, Index> }).indexes ?? {})
  const unique = indexes.filter((index) => index.unique).map(({ keys }) => keys[0] as keyof T & string)
  /** Who has a unique value, by `field/value`. */
  const taken = new Map<string, string>()

  const turn = async (id: string, decide: Decide<T, unknown>): Promise<unknown> => {
    for (;;) {
      const state = docs.get(id) ?? null
      // Frozen: a decision that changed what it was given would be found out.
      const { next, say = [], result } = decide(state, here.now())
      if (!next) return result
      if (here.faulty && here.random.chance(WRITTEN_LATE))
        await here.pause(here.random.whole(0, 2000), `late write of ${id}`)
      const version = docs.get(id)?.version ?? 0
      if (version !== (state?.version ?? 0)) {
        here.count('conflicts')
        continue
      }
      const after = frozen({ ...next, version: version + 1 })
      claim(state, after)
      docs.set(id, after)
      stored?.(state, after)
      say.forEach((one, at) => enqueue(id, frozen(one), `${id}/${version + 1}/${at}`))
      if (after.wakeAt != null && after.wakeAt !== state?.wakeAt) armed(id, after.wakeAt)
      // Stored and said, but whoever asked never learns.
      const death = here.mayCrash()
      if (death) await death
      return result
    }
  }
  const claim = (before: T | null, after: T) => {
    for (const field of unique) {
      const [was, is] = [before?.[field] ?? null, after[field] ?? null]
      if (was === is) continue
      if (is !== null && taken.has(`${field}/${is}`)) throw conflict()
      if (is !== null) taken.set(`${field}/${is}`, after.id)
      if (was !== null) taken.delete(`${field}/${was}`)
    }
  }
  const armed = (id: string, wakeAt: number, at = wakeAt) =>
    here.later(
      at - here.now(),
      `wake ${id}`,
      async () => {
        // Should it die before the timer moved: a lost wake-up would be lost for good.
        armed(id, wakeAt, here.now() + WAKE_AGAIN_MS)
        await turn(id, (state, now) => (state && isDue(state, now) ? wake(state, now) : { result: null }))
      },
      { stale: () => docs.get(id)?.wakeAt !== wakeAt },
    )
  const known = new Map<string, { group: string; hear: Waiting['hear'] }[]>()
  const hearersOf = (name: string) => {
    const hearers =
      known.get(name) ??
      Object.entries(hears).flatMap(([group, { [name]: hear }]) => (hear === undefined ? [] : [{ group, hear }]))
    known.set(name, hearers)
    return hearers
  }
  const enqueue = (key: string, said: Said, id: string) => {
    saying?.(said, id)
    for (const { group, hear } of hearersOf(said.name)) {
      const name = `${group}/${key}`
      const lane = lanes.get(name) ?? []
      lanes.set(name, lane)
      if (lane.push({ said, id, hear }) === 1) deliver(lane, here.random.whole(0, 200))
    }
  }
  /** Told again until it was heard to its end; one after the other, for each group at its own pace. */
  const deliver = (lane: Waiting[], afterMs: number) => {
    const first = lane[0]!
    const { said, id, hear } = first
    const isOver = () => lane[0] !== first
    const again = () => deliver(lane, RETRY_MS)
    const tell = async () => {
      try {
        await hear(said.data as never, id)
      } catch (error) {
        if ((error as { type?: string }).type !== 'unavailable') throw error
        return again()
      }
      if (isOver()) return
      if (here.faulty && here.random.chance(HEARD_AGAIN)) {
        here.count('heard again')
        return again()
      }
      lane.shift()
      if (lane[0]) deliver(lane, here.random.whole(0, 200))
    }
    here.later(afterMs, `${said.name} of ${id}`, tell, { stale: isOver, left: again })
  }
  return { docs, turn, read: async (id: string) => docs.get(id) ?? null } as unknown as Memory<T>
}
type Waiting = { said: Said; id: string; hear: Hears[string][string] }
type Index = { keys: string[]; unique?: boolean }

const conflict = () => Object.assign(new Error('taken'), { type: 'conflict', code: 409 })
const isDue = ({ wakeAt }: ActorDoc, now: number) => wakeAt != null && wakeAt <= now

/** Frozen to the bottom; what was frozen before is not gone through again. */
const frozen = <V>(value: V): V => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const part of Object.values(value)) frozen(part)
  return value
}
