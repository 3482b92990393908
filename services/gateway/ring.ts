// The latest frames of one topic, by number and without a gap, kept so that who comes back is answered from memory. Pure.
import { TAIL_MAX } from '../topic.ts'

export type Ring = {
  /** The number of the last frame seen, or that its actor told of; -1 before either. */
  last: number
  /** Frames last - length + 1 … last. */
  frames: string[]
  /** Letters of the frames together. */
  size: number
  /** It has all that its actor could tell, as far as the bounds go. Not after a gap: then its actor is asked again. */
  isWhole: boolean
}

/** Frames one topic keeps, and their letters together. */
export const RING_FRAMES_MAX = TAIL_MAX
export const RING_SIZE_MAX = 256 * 1024

export const emptyRing = (): Ring => ({ last: -1, frames: [], size: 0, isWhole: false })

/** Keeps the frame; false when it is not new: said twice, or later than what came after it. */
export const keep = (ring: Ring, seq: number, frame: string): boolean => {
  if (seq <= ring.last) return false
  if (seq !== ring.last + 1) cut(ring)
  ring.last = seq
  ring.frames.push(frame)
  ring.size += frame.length
  while (ring.frames.length > RING_FRAMES_MAX || ring.size > RING_SIZE_MAX) ring.size -= ring.frames.shift()!.length
  return true
}

/** Forgets all frames: what comes next does not follow them. */
export const cut = (ring: Ring): void => {
  ring.frames = []
  ring.size = 0
  ring.isWhole = false
}

/** Puts what its actor told (frames up to seq, without a gap) before what has come meanwhile. */
export const fill = (ring: Ring, seq: number, told: readonly string[]): void => {
  const first = ring.last - ring.frames.length + 1
  // What came meanwhile does not follow: what lies between is not known, and stays so until somebody asks again.
  if (first > seq + 1) return
  const newer = ring.last > seq ? ring.frames.slice(seq + 1 - first) : []
  Object.assign(ring, { last: seq - told.length, frames: [], size: 0 })
  for (const frame of told) keep(ring, ring.last + 1, frame)
  for (const frame of newer) keep(ring, ring.last + 1, frame)
  ring.isWhole = true
}

/** Every frame after a number, or null when some of them are not here (or never were). */
export const framesAfter = (ring: Ring, after: number): string[] | null => {
  const missing = ring.last - after
  return missing < 0 || missing > ring.frames.length ? null : ring.frames.slice(ring.frames.length - missing)
}
