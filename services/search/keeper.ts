// Keeps this node's index right without being asked: compares it at the start, after the engine came back from a crash
// or lost something, and when notices may have been missed. Where each node has an index of its own, changes that one
// node heard are passed on to the others; where all share one, whoever heard has done it for all.
import type { Static } from 'typebox'
import type { Engine } from '../../adapters/engine/index.ts'
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Call } from '../../mixins/node.ts'
import type { Here } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import type { IndexedGig } from '../gig/contract.ts'
import { repair, type Repaired } from './repair.ts'

/** How often the engine is asked whether it is well. */
export const WATCH_MS = 5000
const RETRY_MS = 50
const RETRY_MAX_MS = 60_000

const CHANGED = 'index.changed'
const BEHIND = 'index.behind'
export type Change = { upsert: Static<typeof IndexedGig> } | { remove: { id: string; version: number } }

export type Keeper = {
  start(): void
  /** Compares and repairs now; asked again while it runs, both get the next one's answer. */
  repair(): Promise<Repaired>
  tellOthers(change: Change): void
  othersAreBehind(): void
  stop(): Promise<void>
}

export const keeper = (here: Here, engine: Engine, fanout: Fanout, repaired: (gigs: number) => void): Keeper => {
  let running: Promise<unknown> = Promise.resolve()
  let waiting: Promise<Repaired> | null = null
  let stopped = false
  let stopWaiting: () => void = () => undefined
  const whenStopped = new Promise<void>((resolve) => (stopWaiting = resolve))
  let watch: NodeJS.Timeout | undefined
  let restarts = 0
  const listening: (() => void)[] = []

  const callUntilStopped: Call = (name, params, options) =>
    stopped ? Promise.reject(refuse('unavailable', 'this node is stopping')) : here.call(name, params, options)

  /** One at a time, and at most one waiting. */
  const repairNow = (): Promise<Repaired> =>
    (waiting ??= running.then(() => {
      waiting = null
      const one = repair(engine, callUntilStopped).then((made) => {
        repaired(made.repaired)
        return made
      })
      running = one.catch(() => undefined)
      return one
    }))

  /** In the background, until it worked. */
  const repairSoon = async (why: string): Promise<void> => {
    for (let tries = 0; !stopped; tries++) {
      try {
        // Services of one node start side by side: asking a gig actor that is not there yet would only be logged as a fault.
        if (here.placement.nodes('gig').length === 0) throw refuse('unavailable', 'no gig actor yet')
        const { gigs, repaired } = await repairNow()
        if (repaired > 0) here.log.info(`${why}: ${repaired} of ${gigs} gigs put right in the index`)
        return
      } catch (error) {
        if (stopped) return
        here.log.debug(`${why}: the index could not be compared yet:`, error)
        await Promise.race([whenStopped, pause(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** tries))])
      }
    }
  }

  const look = async (): Promise<void> => {
    const health = await engine.stats()
    if (health.damaged) {
      await engine.clear()
      void repairSoon('the index was damaged')
    } else if ((health.restarts ?? 0) > restarts) void repairSoon('the engine was restarted')
    restarts = health.restarts ?? 0
  }

  const hear = (notice: unknown): void => {
    const { from, change } = notice as { from: string; change: Change }
    if (from === here.id || stopped) return
    const done = 'upsert' in change ? engine.upsert([change.upsert]) : engine.remove([change.remove])
    done.catch((error: unknown) => here.log.warn('a change heard from another node is not in the index yet:', error))
  }

  return {
    start: () => {
      if (!engine.shared) {
        listening.push(
          fanout.onNodes(CHANGED, hear),
          fanout.onNodes(BEHIND, (notice) => {
            if ((notice as { from: string }).from !== here.id) void repairSoon('another node took in many gigs')
          }),
          fanout.onMissed(() => void repairSoon('notices may have been missed')),
        )
      }
      const lookQuietly = () => look().catch((error: unknown) => here.log.debug('asking the engine how it is:', error))
      watch = setInterval(() => void lookQuietly(), WATCH_MS)
      watch.unref()
      void lookQuietly().then(() => repairSoon('at the start'))
    },
    repair: repairNow,
    tellOthers: (change) => void (engine.shared || fanout.toNodes(CHANGED, { from: here.id, change })),
    othersAreBehind: () => void (engine.shared || fanout.toNodes(BEHIND, { from: here.id })),
    stop: async () => {
      stopped = true
      stopWaiting()
      clearInterval(watch)
      for (const stop of listening) stop()
      await running
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
