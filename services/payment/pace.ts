// Background calls leave room for buyers at the checkout: each kind of call has its own even pace, below the provider's limit.
import type { CallName } from './operation.ts'

/** 0: go now, the slot is taken. Else how long to wait before asking again, machine ms. */
export type Pace = (name: CallName) => number

/** The provider takes 25 a second per endpoint; buyers and people have the rest. */
export const BACKGROUND_CALLS_PER_SECOND = 15
/** Calls of one kind that may go at once after a quiet while. */
const BURST = 5

export const paced = (perSecond: number, now: () => number): Pace => {
  const slots = new Map<CallName, number>()
  const spacingMs = 1000 / perSecond
  return (name) => {
    const at = now()
    const next = Math.max(slots.get(name) ?? 0, at - BURST * spacingMs)
    if (next > at) return Math.ceil(next - at)
    slots.set(name, next + spacingMs)
    return 0
  }
}
