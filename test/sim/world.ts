// Virtual time and actors in memory for the money simulation: what happens next is drawn from the seed alone. A process that
// dies never goes on: its promise stays open, and what it had stored stays stored.
import type { Collection } from '../../adapters/documents/index.ts'
import type { Actor, ActorDoc, Decide, Said } from '../../mixins/actor.ts'
import type { Random } from '../chaos/random.ts'

type Job = { at: number; order: number; name: string; run: () => Promise<unknown> }
export type World = {
  random: Random
  now(): number
  faulty: boolean
  /** Names the process that runs now; another after every crash. */
  instance(): string
  steps: string[]
  counts: Record<string, number>
  count(name: string): void
  later(ms: number, name: string, run: () => Promise<unknown>): void
  /** With a chance: dies here, for good. */
  mayCrash(): Promise<void>
  run(until: number, after: () => void): Promise<void>
}
export const CRASH = 0.03
const STEPS_KEPT = 40

export const world = (random: Random, start: number): World => {
  const jobs: Job[] = []
  let now = start
  let order = 0
  let instance = 1
  /** A binary heap: earliest first, of those at one time the first said. */
  const before = (one: Job, other: Job) => one.at < other.at || (one.at === other.at && one.order < other.order)
  const push = (job: Job) => {
    let at = jobs.push(job) - 1
    for (let up = (at - 1) >> 1; at > 0 && before(job, jobs[up]!); up = (at - 1) >> 1) {
      jobs[at] = jobs[up]!
      jobs[(at = up)] = job
    }
  }
  const pop = (): Job => {
    const first = jobs[0]!
    const last = jobs.pop()!
    if (jobs.length === 0) return first
    let at = 0
    for (let down = 1; down < jobs.length; down = at * 2 + 1) {
      if (down + 1 < jobs.length && before(jobs[down + 1]!, jobs[down]!)) down++
      if (!before(jobs[down]!, last)) break
      jobs[at] = jobs[down]!
      at = down
    }
    jobs[at] = last
    return first
  }
  const here: World = {
    random,
    faulty: true,
    now: () => now,
    instance: () => `process-${instance}`,
    steps: [],
    counts: {},
    count: (name) => (here.counts[name] = (here.counts[name] ?? 0) + 1),
    later: (ms, name, run) => push({ at: now + Math.max(0, ms), order: order++, name, run }),
    mayCrash: async () => {
      if (!here.faulty || !random.chance(CRASH)) return
      here.count('crashes')
      instance++
      await new Promise<never>(() => undefined)
    },
    run: async (until, after) => {
      while (jobs.length > 0 && jobs[0]!.at <= until) {
        const job = pop()
        now = job.at
        here.count('steps')
        here.steps.push(`${new Date(now).toISOString()} ${job.name}`)
        if (here.steps.length > STEPS_KEPT) here.steps.shift()
        let wrong: unknown
        job.run().catch((error: unknown) => (wrong = error))
        // Everything inside runs in microtasks, so after this nothing is left but what waits for a later job.
        await new Promise((resolve) => setImmediate(resolve))
        if (wrong) throw wrong
        after()
      }
      now = until
    },
  }
  return here
}

export type Memory<T extends ActorDoc> = Actor<T> & { docs: Map<string, T> }
export type Hear = (said: Said, id: string) => Promise<void>
export type Harm = { unversioned: boolean }
const RETRY_MS = 1000

/** An actor whose documents are in memory; writes are conditional on the version, what is said comes at least once and in order. */
export const memory = <T extends ActorDoc>(
  here: World,
  of: Collection<T>,
  wake: Decide<T, unknown>,
  hear: Hear,
  harm: Harm,
): Memory<T> => {
  const docs = new Map<string, T>()
  const lanes = new Map<string, { said: Said; id: string }[]>()
  const indexes = Object.values((of as unknown as { indexes?: Record<string, Index> }).indexes ?? {})
  const unique = indexes.filter((index) => index.unique).map(({ keys }) => keys[0] as keyof T & string)

  const turn = async (id: string, decide: Decide<T, unknown>): Promise<unknown> => {
    for (;;) {
      const state = docs.get(id) ?? null
      // Clones: a decision that changed what it was given would be found out.
      const { next, say = [], result } = decide(state && structuredClone(state), here.now())
      if (!next) return result
      // Others get in between reading and writing.
      if (here.faulty && here.random.chance(0.05))
        await new Promise<void>((resolve) =>
          here.later(here.random.whole(0, 2000), `write ${id}`, async () => resolve()),
        )
      const is = docs.get(id)?.version ?? 0
      if (!harm.unversioned && is !== (state?.version ?? 0)) {
        here.count('conflicts')
        continue
      }
      for (const key of unique)
        for (const other of docs.values())
          if (other.id !== id && next[key] != null && other[key] === next[key])
            throw Object.assign(new Error('taken'), { taken: true })
      docs.set(id, { ...next, version: is + 1 })
      say.forEach((said, at) => enqueue(id, said, `${id}/${is + 1}/${at}`))
      if (next.wakeAt != null) armed(id, next.wakeAt)
      // Stored and said, but whoever asked never learns.
      await here.mayCrash()
      return result
    }
  }
  const armed = (id: string, at: number) =>
    here.later(at - here.now(), `wake ${id}`, async () => {
      const doc = docs.get(id)
      // A decision without `next` keeps its timer: a lost wake-up would be lost for good.
      if (doc && doc.wakeAt != null && doc.wakeAt <= here.now()) await turn(id, wake)
      if (docs.get(id)?.wakeAt === at && doc?.wakeAt === at) armed(id, here.now() + RETRY_MS * 60)
    })
  const enqueue = (key: string, said: Said, id: string) => {
    const lane = lanes.get(key) ?? []
    lanes.set(key, lane)
    if (lane.push({ said, id }) === 1) deliver(key, lane)
  }
  const deliver = (key: string, lane: { said: Said; id: string }[]) => {
    const { said, id } = lane[0]!
    let done = false
    here.later(here.random.whole(0, 200), `${said.name} of ${key}`, async () => {
      // Asked again unless acknowledged: the process that delivers may die in the middle.
      here.later(RETRY_MS, `look whether ${id} was heard`, async () => {
        if (!done && lane[0]?.id === id) deliver(key, lane)
      })
      try {
        await hear(said, id)
      } catch (error) {
        if ((error as { type?: string }).type !== 'unavailable') throw error
        return
      }
      if (here.faulty && here.random.chance(0.25)) return here.count('heard again')
      if (done || lane[0]?.id !== id) return
      done = true
      lane.shift()
      if (lane[0]) deliver(key, lane)
    })
  }
  return { docs, turn, read: async (id: string) => docs.get(id) ?? null } as unknown as Memory<T>
}
type Index = { keys: string[]; unique?: boolean }
