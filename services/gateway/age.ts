// How old a prepared answer may be and what is said of an old one. Pure. Ages count from when its making began: what it
// shows was true then. Three things make it old: time, a change among what it was chosen from (it is then behind), and a
// change of something it shows (it is then over).
import type { Header } from './headers.ts'

/**
 * An answer that is behind or over is served while the next is made, if it is no older than this. While the next is long in
 * the making, one that is only behind is served for its whole time: what it shows is as it was.
 */
export const BEHIND_MS_MAX = 500
/** A hot answer that is always behind is made again so often, however many changes there are. */
export const PACE_MS = 250
/** While nothing newer can be made, an old answer stands in for so long … */
export const STALE_IF_ERROR_MS = 10 * 60_000
/**
 * … but only for so long after the last moment in which this gateway would have heard that its owner deleted what it
 * shows. With what a silent link takes to be noticed, that is under a minute.
 */
export const UNHEARD_MS_MAX = 50_000
/** Who could have an old answer waits so long for a new one. */
export const PATIENCE_MS = 1000
/** After one could not be made, the next try of the same waits so long; the old one is served. */
export const RETRY_MS = 500

export type Ages = { madeAt: number; freshUntil: number; staleUntil: number; isOver: boolean }
export type Circumstances = {
  now: number
  /** Something it was chosen from has changed. */
  isBehind: boolean
  /** The next one is being made. */
  isMaking: boolean
  /** Epoch ms up to which all endings were heard. */
  heardAt: number
}

/** serve: as it is. renew: serve, and make the next one. wait: for the next one. */
export const verdictOn = (
  answer: Ages,
  { now, isBehind, isMaking, heardAt }: Circumstances,
): 'serve' | 'renew' | 'wait' => {
  const age = now - answer.madeAt
  if (answer.isOver || isBehind) {
    if (age <= PACE_MS) return 'serve'
    if (age <= BEHIND_MS_MAX) return 'renew'
    return isMaking && !answer.isOver && now < answer.freshUntil ? 'serve' : 'wait'
  }
  if (now < answer.freshUntil) return 'serve'
  return now < answer.staleUntil && wasHeard(answer, { now, heardAt }) ? 'renew' : 'wait'
}

/** Whether it may stand in for one that can't be made: never with something on it that has changed. */
export const mayStandIn = (answer: Ages, { now, heardAt }: Pick<Circumstances, 'now' | 'heardAt'>): boolean =>
  !answer.isOver &&
  now < Math.max(answer.staleUntil, answer.madeAt + STALE_IF_ERROR_MS) &&
  wasHeard(answer, { now, heardAt })

const wasHeard = (
  { madeAt }: Pick<Ages, 'madeAt'>,
  { now, heardAt }: Pick<Circumstances, 'now' | 'heardAt'>,
): boolean => now - Math.max(heardAt, madeAt) <= UNHEARD_MS_MAX

/** Said of an answer past its time (RFC 9111 Age, RFC 9211 Cache-Status): a negative ttl is how long ago it ended. */
export const marksOf = (
  { madeAt, freshUntil }: Pick<Ages, 'madeAt' | 'freshUntil'>,
  now: number,
): readonly Header[] => [
  ['Age', String(Math.max(0, Math.floor((now - madeAt) / 1000)))],
  ['Cache-Status', `gigwire; hit; ttl=${Math.min(0, -Math.ceil((now - freshUntil) / 1000))}; detail=stale`],
]
