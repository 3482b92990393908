// Operations nobody waits for, driven by this process one slot of the pace after another. What waits here is stored and has
// a timer: a process that dies forgets nothing but the order.
import type { CallName } from './operation.ts'
import type { Pace, PacedName } from './pace.ts'

export type Background = {
  /** Takes an operation up; one that waits already, or one too many, is left as it is: its timer comes back to it. */
  offer(id: string): void
  size(): number
  /** Resolves when what was under way has ended; what waits is left to others. */
  stop(): Promise<void>
}
/** Waits for the next slot of a kind of call; false when the process is leaving. */
export type Slot = (name: PacedName) => Promise<boolean>
type Parts = {
  pace: Pace
  /** The call an operation would make next: what waits for one kind of call never stands in the way of another. */
  nextCall(id: string): Promise<CallName | null>
  drive(id: string, slot: Slot): Promise<void>
  sleep(ms: number): Promise<void>
  warn(...args: unknown[]): void
}

/** Operations that may wait in memory, and that are driven at once per kind: enough to fill its slots while answers take a second. */
export const WAITING_MAX = 20_000
export const AT_ONCE = 128

type Lane = { waiting: Set<string>; driving: Map<string, Promise<void>> }

export const background = ({ pace, nextCall, drive, sleep, warn }: Parts): Background => {
  /** By the call that is next; in each in the order offered. */
  const lanes = new Map<CallName, Lane>()
  /** Offered, and not sorted into a lane yet. */
  const offered = new Set<string>()
  /** Of each kind the last in line: whoever came first goes first. */
  const lines = new Map<PacedName, Promise<unknown>>()
  let stopped = false

  const slot: Slot = (name) => {
    const turn = (lines.get(name) ?? Promise.resolve()).then(() => inTurn(name))
    lines.set(name, turn)
    return turn
  }
  const inTurn = async (name: PacedName): Promise<boolean> => {
    for (let pauseMs = pace.wait(name); pauseMs > 0 && !stopped; pauseMs = pace.wait(name)) await sleep(pauseMs)
    return !stopped
  }

  const laneOf = (name: CallName): Lane => {
    let lane = lanes.get(name)
    if (!lane) lanes.set(name, (lane = { waiting: new Set(), driving: new Map() }))
    return lane
  }
  const sort = async (id: string) => {
    try {
      const name = await nextCall(id)
      if (!name || stopped) return
      laneOf(name).waiting.add(id)
      fill(laneOf(name))
    } catch (error) {
      warn(`payment operation ${id} is left to its timer:`, error)
    } finally {
      offered.delete(id)
    }
  }

  const fill = (lane: Lane) => {
    for (const id of lane.waiting) {
      if (stopped || lane.driving.size >= AT_ONCE) return
      if (isDriven(id)) continue
      lane.waiting.delete(id)
      const one = drive(id, slot)
        .catch((error: unknown) => warn(`payment operation ${id} is left to its timer:`, error))
        .finally(() => {
          lane.driving.delete(id)
          for (const other of lanes.values()) fill(other)
        })
      lane.driving.set(id, one)
    }
  }
  const isDriven = (id: string): boolean => [...lanes.values()].some(({ driving }) => driving.has(id))
  const size = () =>
    [...lanes.values()].reduce((sum, { waiting, driving }) => sum + waiting.size + driving.size, offered.size)

  return {
    offer: (id) => {
      if (stopped || offered.has(id) || size() >= WAITING_MAX) return
      offered.add(id)
      void sort(id)
    },
    size,
    stop: async () => {
      stopped = true
      await Promise.all([...lanes.values()].flatMap(({ driving }) => [...driving.values()]))
    },
  }
}
