// Operations nobody waits for, driven by this process one slot of the pace after another. What waits here is stored and has
// a timer: a process that dies forgets nothing but the order.
import type { CallName } from './operation.ts'
import type { Pace } from './pace.ts'

export type Background = {
  /** Takes an operation up; one that waits already, or one too many, is left as it is: its timer comes back to it. */
  offer(id: string): void
  size(): number
  /** Resolves when what was under way has ended; what waits is left to others. */
  stop(): Promise<void>
}
/** Waits for the next slot of a kind of call; false when the process is leaving. */
export type Slot = (name: CallName) => Promise<boolean>
type Parts = {
  pace: Pace
  drive(id: string, slot: Slot): Promise<void>
  sleep(ms: number): Promise<void>
  warn(...args: unknown[]): void
}

/** Operations that may wait in memory, and that are driven at once: enough to fill every kind's slots while answers take a second. */
export const WAITING_MAX = 20_000
export const AT_ONCE = 64

export const background = ({ pace, drive, sleep, warn }: Parts): Background => {
  /** In the order offered. */
  const waiting = new Set<string>()
  const driving = new Map<string, Promise<void>>()
  /** Of each kind the last in line: whoever came first goes first. */
  const lines = new Map<CallName, Promise<unknown>>()
  let stopped = false

  const slot: Slot = (name) => {
    const turn = (lines.get(name) ?? Promise.resolve()).then(() => inTurn(name))
    lines.set(name, turn)
    return turn
  }
  const inTurn = async (name: CallName): Promise<boolean> => {
    for (let pauseMs = pace.wait(name); pauseMs > 0 && !stopped; pauseMs = pace.wait(name)) await sleep(pauseMs)
    return !stopped
  }

  const fill = () => {
    for (const id of waiting) {
      if (stopped || driving.size >= AT_ONCE) return
      if (driving.has(id)) continue
      waiting.delete(id)
      const one = drive(id, slot)
        .catch((error: unknown) => warn(`payment operation ${id} is left to its timer:`, error))
        .finally(() => {
          driving.delete(id)
          fill()
        })
      driving.set(id, one)
    }
  }

  return {
    offer: (id) => {
      if (stopped || waiting.size >= WAITING_MAX) return
      waiting.add(id)
      fill()
    },
    size: () => waiting.size + driving.size,
    stop: async () => {
      stopped = true
      await Promise.all(driving.values())
    },
  }
}
