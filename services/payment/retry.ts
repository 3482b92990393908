// What follows a failed call to the provider, by the class of its error alone: one table. Unknown is not failed, the same
// key is sent while the provider surely remembers it, and a new key only when the call surely did not run. Pure.
import type { PaymentsError } from '../../adapters/payments/index.ts'

export type ErrorKind = Exclude<PaymentsError['kind'], 'bad_signature'>

/** again: the same key. renew: a new attempt under a new key. give_up: refused for good. stop: our mistake, people must look. */
export type Verdict =
  | { action: 'again' | 'renew'; afterMs: number; state: 'waiting' | 'unknown' }
  | { action: 'give_up' }
  | { action: 'stop' }

/** How a call has fared so far, this failure included. */
export type Tried = {
  /** Failures of this class in a row under this key. */
  tries: number
  /** Attempts, each under a key of its own, this one included. */
  attempts: number
  /** Since the key was first used. */
  ageMs: number
  /** 0 to 1: spreads what failed together. */
  chance: number
}

const HOUR_MS = 3_600_000
/** The provider may forget a key after 24 hours; past this it is not sent again. */
export const KEY_AGE_MAX_MS = 23 * HOUR_MS
export const LATER_MS = 6 * HOUR_MS
/** Attempts of a call that is refused for now; a day's worth. */
export const ATTEMPTS_MAX = 4

type Rule = (tried: Tried) => Verdict

export const RULES: Readonly<Record<ErrorKind, Rule>> = {
  rate: (tried) => ({ action: 'again', afterMs: backoffMs(tried, 1000, 60_000), state: 'waiting' }),
  in_use: (tried) => ({ action: 'again', afterMs: backoffMs(tried, 500, 10_000), state: 'unknown' }),
  unknown: (tried) =>
    tried.ageMs < KEY_AGE_MAX_MS
      ? { action: 'again', afterMs: backoffMs(tried, 1000, 15 * 60_000), state: 'unknown' }
      : { action: 'renew', afterMs: 0, state: 'unknown' },
  definitive_later: ({ attempts }) =>
    attempts < ATTEMPTS_MAX ? { action: 'renew', afterMs: LATER_MS, state: 'waiting' } : { action: 'give_up' },
  definitive: () => ({ action: 'give_up' }),
  bug: () => ({ action: 'stop' }),
}

export const verdictOn = (kind: ErrorKind, tried: Tried): Verdict => RULES[kind](tried)

/** Doubled with every try up to a maximum, between half and the whole of it. */
const backoffMs = ({ tries, chance }: Tried, firstMs: number, maxMs: number): number =>
  Math.round(Math.min(maxMs, firstMs * 2 ** Math.min(tries - 1, 20)) * (0.5 + chance / 2))
