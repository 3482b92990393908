// How long to wait before the next try. Full jitter: thousands who lost the same server come back spread out. Pure.

export type Backoff = { minMs: number; maxMs: number }

/** Somewhere between nothing and a ceiling that doubles with each failed try, up to `maxMs`. */
export const jittered = (attempt: number, { minMs, maxMs }: Backoff, random: number): number =>
  random * Math.min(maxMs, minMs * 2 ** attempt)

/** For whom the server sent away for what it did (4400, 4429): the upper half of the longest wait. */
export const long = ({ maxMs }: Backoff, random: number): number => (maxMs * (1 + random)) / 2
