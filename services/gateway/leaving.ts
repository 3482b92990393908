// How a gateway that stops sends its people away: each is told a moment of its own to come back at, and then they are closed
// in slices, those first who wait for no answer, so that the gateways they come to are met by a stream and not by a wall.
import type { Connection } from './connection.ts'
import { CLOSE } from './frames.ts'

/** Reconnects a second that a drained gateway asks its clients for. */
export const RECONNECTS_PER_SECOND = 1000
/** Sockets closed a second. */
export const CLOSES_PER_SECOND = 2000
const SLICE_MS = 100

export type Slices = { left(): number; stop(): void }

/** Calls `each` for all of them, so many every SLICE_MS. */
export const inSlices = (all: Iterable<Connection>, perSecond: number, each: (one: Connection) => void): Slices => {
  const left = [...all]
  const atOnce = Math.ceil((perSecond * SLICE_MS) / 1000)
  const timer = setInterval(() => {
    for (const one of left.splice(0, atOnce)) each(one)
    if (left.length === 0) clearInterval(timer)
  }, SLICE_MS)
  return {
    left: () => left.length,
    stop: () => {
      clearInterval(timer)
      left.length = 0
    },
  }
}

export const leave = (open: ReadonlySet<Connection>): Slices => {
  const spreadSeconds = Math.max(1, open.size / RECONNECTS_PER_SECOND)
  for (const { socket } of open) socket?.send(drainingFrame(Math.random() * spreadSeconds))
  const idle = [...open].sort((one, other) => one.underWay - other.underWay)
  return inSlices(idle, CLOSES_PER_SECOND, close)
}

/** One that still waits for an answer gets it first: whoever stops the gateway closes what is left. */
const close = (one: Connection): void => {
  if (one.underWay === 0) one.socket?.close(CLOSE.draining, 'draining')
}

const drainingFrame = (retryAfter: number): string =>
  JSON.stringify({ ev: 'draining', data: { retryAfter: Math.round(retryAfter * 10) / 10 } })

/** Frames may have been lost on the way here: whoever follows anything asks again for what came after. */
export const MISSED_FRAME = JSON.stringify({ ev: 'missed', data: {} })
