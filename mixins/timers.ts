// Timers are data: `wakeAt` on the document, indexed. Due actors are found, woken on their owner, and decide again there,
// so a timer fires once however often it is found, and after an outage each fires once.
import type { Collection, Documents } from '../adapters/documents/index.ts'
import type { ActorDoc } from './actor.ts'
import type { Node } from './node.ts'

export const TIMER_TICK_MS = 1000
/** Due actors woken in one look. */
export const TIMER_BATCH = 200
/** Wake-ups under way at once. */
const WAKING_MAX = 32
/** A timer that fails is tried again after this, doubled each time up to the maximum (machine ms). */
const RETRY_MS = 1000
const RETRY_MAX_MS = 60_000
/** Failing timers remembered; the oldest is forgotten (and so tried at once) past this. */
const FAILING_MAX = 10_000

export type Timekeeper = {
  /** Wakes everything due now that this node owns, until nothing is; answers how many were woken. */
  wakeDue(): Promise<number>
  /** When the next timer of the whole collection is due (platform epoch ms), null when none is armed. */
  nextAt(): Promise<number | null>
  start(): void
  stop(): void
}

export const timekeeper = <T extends ActorDoc>(
  node: Node,
  documents: Documents,
  service: string,
  of: Collection<T>,
  wake: (key: string) => Promise<unknown>,
): Timekeeper => {
  const failing = new Map<string, { tries: number; notBefore: number }>()
  let ticking: NodeJS.Timeout | undefined
  let looking: Promise<number> | null = null
  let nextLook: Promise<number> | null = null

  /** One look serves everybody who asked before it began: the clock may have been moved since. */
  const wakeDue = (): Promise<number> => {
    if (!looking) return (looking = look().finally(() => (looking = null)))
    return (nextLook ??= looking
      .catch(() => 0)
      .then(() => {
        nextLook = null
        return wakeDue()
      }))
  }

  const look = async (): Promise<number> => {
    let woken = 0
    // One question for all its pages: a cursor goes on only with what it came from.
    const to = node.clock.now()
    let cursor: string | null = null
    do {
      const { docs, next }: { docs: T[]; next: string | null } = await documents.find(of, {
        index: 'byWake',
        to,
        limit: TIMER_BATCH,
        cursor,
      })
      const mine = docs.filter(({ id }) => isOurs(id) && (failing.get(id)?.notBefore ?? 0) <= Date.now())
      await inParallel(mine, WAKING_MAX, async ({ id }) => {
        if (await wakeOne(id)) woken++
      })
      cursor = next
    } while (cursor)
    return woken
  }

  const isOurs = (id: string): boolean => {
    const owner = node.placement.owner(service, id)
    return owner === null || owner === node.id
  }

  const wakeOne = async (id: string): Promise<boolean> => {
    try {
      await wake(id)
      failing.delete(id)
      return true
    } catch (error) {
      const tries = (failing.get(id)?.tries ?? 0) + 1
      failing.set(id, { tries, notBefore: Date.now() + Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (tries - 1)) })
      if (failing.size > FAILING_MAX) failing.delete(failing.keys().next().value!)
      node.log.error(`timer of ${of.name} ${id} failed ${tries} times:`, error)
      return false
    }
  }

  return {
    wakeDue,
    nextAt: async () => (await documents.find(of, { index: 'byWake', limit: 1 })).docs[0]?.wakeAt ?? null,
    start: () => {
      ticking = setInterval(
        () => void wakeDue().catch((error) => node.log.warn(`looking for due ${of.name}:`, error)),
        TIMER_TICK_MS,
      )
      ticking.unref()
    },
    stop: () => clearInterval(ticking),
  }
}

export const inParallel = async <I>(
  items: readonly I[],
  atOnce: number,
  each: (item: I) => Promise<void>,
): Promise<void> => {
  const left = [...items].reverse()
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await each(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
