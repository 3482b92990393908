// Chance that can be had again: the same seed gives the same numbers. What runs at the same time draws from a stream of
// its own, so that who comes first does not change what the other draws.
import { hash } from '../../mixins/placement.ts'

export type Random = {
  /** 0 ≤ number < 1. */
  next(): number
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number
  chance(share: number): boolean
  pick<T>(list: readonly T[]): T
  shuffled<T>(list: readonly T[]): T[]
  /** A stream of its own under this name. */
  stream(name: string): Random
}

/** Mulberry32: 32 bits of state are plenty for choosing whom to kill. */
export const random = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    whole,
    chance: (share) => next() < share,
    pick: (list) => list[whole(0, list.length - 1)]!,
    shuffled: (list) => {
      const left = [...list]
      return Array.from({ length: left.length }, () => left.splice(whole(0, left.length - 1), 1)[0]!)
    },
    stream: (name) => random(hash(`${seed}/${name}`)),
  }
}
