// Virtual time for the money simulation: what happens next is drawn from the seed alone. A process that dies never goes on:
// its promise stays open, and what it had stored stays stored.
import type { Random } from '../chaos/random.ts'

type Job = {
  at: number
  order: number
  name: string
  run: () => Promise<unknown>
  /** What nobody needs any more is dropped, not run. */
  stale?: (() => boolean) | undefined
  /** Told when it was left in the middle: it died, or waits for something later. */
  left?: (() => void) | undefined
}
type Options = Pick<Job, 'stale' | 'left'>
export type World = {
  random: Random
  now(): number
  faulty: boolean
  /** Names the process that runs now; another after every crash. */
  instance(): string
  /** The last steps, or with a trace all of them, as text. */
  steps(): string[]
  /** A line of the trace; costs nothing without one. */
  note(text: () => string): void
  counts: Record<string, number>
  count(name: string): void
  later(ms: number, name: string, run: () => Promise<unknown>, options?: Options): void
  /** Goes on after a while; others come in between. */
  pause(ms: number, name: string): Promise<void>
  /** With a chance: dies here, for good. Whoever asks awaits what it is given, if anything. */
  mayCrash(): Promise<never> | undefined
  /** What may never be: the run ends with it, whoever may catch it on the way. */
  must(invariant: string, holds: boolean, about: string | (() => string)): void
  run(until: number, after: () => void): Promise<void>
}
export class Violation extends Error {}

export const CRASH = 0.03
const STEPS_KEPT = 40

export const world = (random: Random, start: number, isTraced: boolean): World => {
  const jobs = heap()
  const steps: { at: number; name: string }[] = []
  let now = start
  let order = 0
  let instance = 1
  let violation: Violation | null = null
  /** Ends the wait for the job that runs: it goes on later or never. */
  let leave = () => {}
  let isLeft = false
  let isResumed = false
  const park = () => {
    isLeft = true
    leave()
  }
  const step = (name: string) => {
    if (!isTraced && steps.length >= STEPS_KEPT) steps.shift()
    steps.push({ at: now, name })
  }

  const runOne = async (job: Job) => {
    isLeft = isResumed = false
    step(job.name)
    let wrong: unknown
    await new Promise<void>((resolve) => {
      leave = resolve
      job.run().then(
        () => resolve(),
        (error: unknown) => {
          wrong = error
          resolve()
        },
      )
    })
    // Everything inside runs in microtasks: after this nothing is left but what waits for a later job.
    if (isLeft || isResumed) await new Promise((resolve) => setImmediate(resolve))
    if (violation) throw violation
    if (wrong) throw wrong
    if (isLeft) job.left?.()
  }

  const here: World = {
    random,
    faulty: true,
    now: () => now,
    instance: () => `process-${instance}`,
    steps: () => steps.map(({ at, name }) => `${new Date(at).toISOString()} ${name}`),
    note: (text) => {
      if (isTraced) steps.push({ at: now, name: `  ${text()}` })
    },
    counts: {},
    count: (name) => (here.counts[name] = (here.counts[name] ?? 0) + 1),
    later: (ms, name, run, { stale, left } = {}) =>
      jobs.push({ at: now + Math.max(0, ms), order: order++, name, run, stale, left }),
    pause: (ms, name) => {
      const waited = new Promise<void>((resolve) =>
        here.later(ms, name, async () => {
          isResumed = true
          resolve()
        }),
      )
      park()
      return waited
    },
    mayCrash: () => {
      if (!here.faulty || !random.chance(CRASH)) return undefined
      here.count('crashes')
      instance++
      park()
      return new Promise<never>(() => undefined)
    },
    must: (invariant, holds, about) => {
      if (holds) return
      violation ??= new Violation(`${invariant}: ${typeof about === 'string' ? about : about()}`)
      throw violation
    },
    run: async (until, after) => {
      for (let job = jobs.popUntil(until); job; job = jobs.popUntil(until)) {
        if (job.stale?.()) continue
        now = job.at
        here.count('steps')
        await runOne(job)
        after()
      }
      now = until
    },
  }
  return here
}

/** Earliest first, of those at one time the first said. */
const heap = () => {
  const jobs: Job[] = []
  const before = (one: Job, other: Job) => one.at < other.at || (one.at === other.at && one.order < other.order)
  const push = (job: Job) => {
    let at = jobs.push(job) - 1
    for (let up = (at - 1) >> 1; at > 0 && before(job, jobs[up]!); up = (at - 1) >> 1) {
      jobs[at] = jobs[up]!
      jobs[(at = up)] = job
    }
  }
  const popUntil = (until: number): Job | undefined => {
    const first = jobs[0]
    if (!first || first.at > until) return undefined
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
  return { push, popUntil }
}
