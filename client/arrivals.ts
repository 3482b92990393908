// One conversation on its way to the application: each message once, in the order of seq, and then each of its changes once,
// in the order of change, whatever order and how often they come in. What is ahead of a gap of messages is held until the
// gap is filled; a change ahead of a gap comes again when the gap is asked for. Pure.
import type { Position } from './types.ts'
import type { Message } from './wire.ts'

/** Messages held ahead of a gap; what does not fit comes again when the gap is closed. */
export const HOLD_MAX = 500

export type Arrivals = {
  /** Everything up to here was handed out, or was so when it was handed out. */
  position(): Position
  /** Something after the position is known to exist, or it is not known yet which changes came before it. */
  isBehind(): boolean
  /** What came, from wherever, in whatever order. */
  put(message: Message): void
  /** There is something up to this seq, and `isAll`: every change up to now was given to `change`. */
  know(seq: number, isAll: boolean): void
  /**
   * A message as a change made it; true where that is to be told: it was handed out, as it was before. One that came by
   * itself (`isLive`) counts only if it is the next, else it makes this be behind; others are all there are, in order.
   */
  change(message: Message, isLive: boolean): boolean
  /** The next message in order, or undefined where it is not here yet. */
  next(): Message | undefined
}

/** Without a `change`, from now on: which came before is not told. */
export const arrivals = ({ seq: from = 0, change: since }: Partial<Position>): Arrivals => {
  let seq = from
  let change = since ?? 0
  let lastSeq = seq
  let lastChange = change
  /** Handed out before this began, and not known as of which change. */
  let before = since === undefined ? from : 0
  /** The first change that came by itself: from here on it is now. */
  let now = Infinity
  const held = new Map<number, Message>()
  /** Versions by seq that were handed out before the number of their change was reached. */
  const early = new Map<number, number>()

  const put = (message: Message) => {
    lastSeq = Math.max(lastSeq, message.seq)
    if (message.seq <= seq) return
    const other = held.get(message.seq)
    if (other ? other.version < message.version : held.size < HOLD_MAX || message.seq === seq + 1)
      held.set(message.seq, message)
  }

  return {
    position: () => ({ seq, change }),
    isBehind: () => lastSeq > seq || lastChange > change || before > 0,
    put,
    know: (last, isAll) => {
      lastSeq = Math.max(lastSeq, last)
      if (isAll) before = 0
    },
    change: (message, isLive) => {
      const nth = message.change!
      put(message)
      if (nth <= change) return false
      lastChange = Math.max(lastChange, nth)
      if (isLive) {
        now = Math.min(now, nth)
        if (nth > change + 1) return false
      }
      change = nth
      const isNew = message.version > (early.get(message.seq) ?? 0)
      if (change === lastChange) early.clear()
      return isNew && message.seq <= seq && (message.seq > before || nth >= now)
    },
    next: () => {
      const message = held.get(seq + 1)
      const nth = message?.change ?? 0
      if (!message || (nth > change && early.size >= HOLD_MAX)) return
      held.delete(++seq)
      if (nth > change) {
        early.set(seq, message.version)
        lastChange = Math.max(lastChange, nth)
      }
      return message
    },
  }
}
