// Virtual time in which much happens at once: promises run as they do, only waiting is by this clock. A process can be killed:
// whatever of it waited for something never goes on; what it had stored stays stored.
import type { World } from '../test/sim/world.ts'

export type Virtual = World & {
  /** The process is gone at once; another starts after a while. */
  kill(restartMs: number): void
  onStart(start: () => void): void
  /** Until it is so, or that time has come. */
  goOn(until: () => boolean, latest: number): Promise<void>
}

type Job = { at: number; order: number; run: () => void; stale: (() => boolean) | undefined }

export const virtual = (chance: World['random'], start: number): Virtual => {
  const jobs: Job[] = []
  /** Jobs of the process that runs now which have not ended, and how to take them up again. */
  const unfinished = new Set<{ left: (() => void) | undefined }>()
  const counts: Record<string, number> = {}
  let [now, order, instance, upAt] = [start, 0, 1, start]
  let onStart = () => {}
  let wrong: unknown

  const push = (at: number, run: () => void, stale?: () => boolean) => {
    const job = { at, order: order++, run, stale }
    let place = jobs.push(job) - 1
    for (let up = (place - 1) >> 1; place > 0 && isBefore(job, jobs[up]!); up = (place - 1) >> 1) {
      jobs[place] = jobs[up]!
      jobs[(place = up)] = job
    }
  }
  const pop = (): Job => {
    const first = jobs[0]!
    const last = jobs.pop()!
    if (jobs.length === 0) return first
    let place = 0
    for (let down = 1; down < jobs.length; down = place * 2 + 1) {
      if (down + 1 < jobs.length && isBefore(jobs[down + 1]!, jobs[down]!)) down++
      if (!isBefore(jobs[down]!, last)) break
      jobs[place] = jobs[down]!
      place = down
    }
    jobs[place] = last
    return first
  }

  const here: Virtual = {
    random: chance,
    now: () => now,
    faulty: false,
    instance: () => `process-${instance}`,
    steps: () => [],
    note: () => undefined,
    counts,
    count: (name) => (counts[name] = (counts[name] ?? 0) + 1),
    later: (ms, _name, run, { stale, left } = {}) => {
      const begin = () => {
        // Nobody is there yet to do it.
        if (now < upAt) return push(upAt, begin, stale)
        const one = { left }
        unfinished.add(one)
        const mine = instance
        run().then(
          () => mine === instance && unfinished.delete(one),
          (error: unknown) => (wrong ??= error),
        )
      }
      push(now + Math.max(0, ms), begin, stale)
    },
    pause: (ms) => {
      const mine = instance
      return new Promise((resolve) => push(now + ms, () => mine === instance && resolve()))
    },
    run: (until) => here.goOn(() => false, until),
    mayCrash: () => undefined,
    must: (invariant, holds, about) => {
      if (!holds) throw new Error(`${invariant}: ${typeof about === 'string' ? about : about()}`)
    },
    kill: (restartMs) => {
      instance++
      upAt = now + restartMs
      const died = [...unfinished]
      unfinished.clear()
      push(upAt, () => onStart())
      for (const { left } of died) left?.()
    },
    onStart: (run) => {
      onStart = run
    },
    goOn: async (until, latest) => {
      while (jobs.length > 0 && !until()) {
        const job = pop()
        if (job.at > latest) return push(job.at, job.run, job.stale)
        if (job.stale?.()) continue
        now = job.at
        job.run()
        await new Promise((resolve) => setImmediate(resolve))
        if (wrong) throw wrong
      }
    },
  }
  return here
}

const isBefore = (one: Job, other: Job): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order)
