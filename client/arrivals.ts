// One conversation's messages on their way to the application: each once, in the order of seq, whatever order and how
// often they come in. What is ahead of a gap is held until the gap is filled. Pure.
import type { Message } from './wire.ts'

/** Messages held ahead of a gap; what does not fit comes again when the gap is closed. */
export const HOLD_MAX = 500

export type Arrivals = {
  /** The seq of the last message handed out. */
  position(): number
  /** Something after the position is known to exist and has not been handed out. */
  isBehind(): boolean
  /** What came, from wherever, in whatever order. */
  put(message: Message): void
  /** There is something up to this seq. */
  know(seq: number): void
  /** An edited or deleted message: true when it was not handed out yet, and so will be as it is now. */
  amend(message: Message): boolean
  /** The next message in order, or undefined where it is not here yet. */
  next(): Message | undefined
}

export const arrivals = (from: number): Arrivals => {
  let position = from
  let known = from
  const held = new Map<number, Message>()

  const put = (message: Message) => {
    const { seq } = message
    if (seq <= position) return
    if (seq > known) known = seq
    const before = held.get(seq)
    if (before ? isOlder(message, before) : held.size >= HOLD_MAX && seq > position + 1) return
    held.set(seq, message)
  }

  return {
    position: () => position,
    isBehind: () => known > position,
    put,
    know: (seq) => {
      if (seq > known) known = seq
    },
    amend: (message) => {
      put(message)
      return message.seq > position
    },
    next: () => {
      const message = held.get(position + 1)
      if (message) held.delete(++position)
      return message
    },
  }
}

/** An answer made before an edit may arrive after it. */
const isOlder = (message: Message, before: Message): boolean =>
  before.deleted ? !message.deleted : (before.editedAt ?? '') > (message.editedAt ?? '')
