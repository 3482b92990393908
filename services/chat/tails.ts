// The latest messages of the conversations that move, as they go on the wire, so that thousands who come back at once need
// not have theirs read, decoded and encoded again. Any node may keep a tail, for none is believed: before one is used the
// store is asked whether there is anything after it, which costs a look into two indexes.
import type { Documents } from '../../adapters/documents/index.ts'
import { messages } from './messages.ts'
import type { Wire } from './wire.ts'

/** Messages of one tail, and their bytes on the wire together. */
export const TAIL_MESSAGES_MAX = 50
export const TAIL_BYTES_MAX = 16 * 1024
/** Over all conversations; the tail that was not used for the longest goes first. */
export const TAILS_BYTES_MAX = 64 * 1024 * 1024
/** What a message costs in memory beside its letters. */
const ENTRY_BYTES = 100

/** Without a gap up to the last message, with every change up to `lastChange`. */
export type Tail = { messages: readonly Wire[]; lastChange: number }
export type Tails = {
  /** The tail if it holds everything after that seq and is as the store is now. */
  current(conversation: string, after: number): Promise<Tail | null>
  /** A message was stored that, being new, has no change; `lastChange` are the changes before it. */
  add(conversation: string, message: Wire, lastChange: number): void
  /** What was read, up to the last message there is. */
  keep(conversation: string, tail: Tail): void
  drop(conversation: string): void
  bytes(): number
}
type Kept = { messages: Wire[]; lastChange: number; bytes: number }

export const tails = (documents: Documents): Tails => {
  // In order of use.
  const all = new Map<string, Kept>()
  let bytes = 0

  const drop = (conversation: string) => {
    bytes -= all.get(conversation)?.bytes ?? 0
    all.delete(conversation)
  }

  const put = (conversation: string, kept: Kept) => {
    drop(conversation)
    const { messages: list } = kept
    while (list.length > TAIL_MESSAGES_MAX || (kept.bytes > TAIL_BYTES_MAX && list.length > 0))
      kept.bytes -= costOf(list.shift()!)
    if (list.length === 0) return
    all.set(conversation, kept)
    bytes += kept.bytes
    for (const oldest of all.keys()) {
      if (bytes <= TAILS_BYTES_MAX) return
      drop(oldest)
    }
  }

  const isCurrent = async (conversation: string, lastSeq: number, lastChange: number): Promise<boolean> => {
    const later = (index: string, from: number) => documents.count(messages, { index, equals: { conversation }, from })
    const counts = await Promise.all([later('bySeq', lastSeq + 1), later('byChange', lastChange + 1)])
    return counts.every((count) => count === 0)
  }

  const current: Tails['current'] = async (conversation, after) => {
    const kept = all.get(conversation)
    const last = kept?.messages.at(-1)
    if (!kept || !last || after < kept.messages[0]!.seq - 1 || after > last.seq) return null
    // What it holds now, whatever is added or dropped while the store is asked.
    const tail = { messages: kept.messages.slice(), lastChange: kept.lastChange }
    const isStill = await isCurrent(conversation, last.seq, tail.lastChange)
    if (all.get(conversation) === kept) {
      if (isStill) put(conversation, kept)
      else if (kept.messages.at(-1) === last) drop(conversation)
    }
    return isStill ? tail : null
  }

  const add: Tails['add'] = (conversation, message, lastChange) => {
    const kept = all.get(conversation)
    const size = costOf(message)
    if (kept?.messages.at(-1)?.seq !== message.seq - 1)
      return put(conversation, { messages: [message], lastChange, bytes: size })
    drop(conversation)
    kept!.messages.push(message)
    put(conversation, Object.assign(kept!, { bytes: kept!.bytes + size }))
  }

  return {
    current,
    add,
    keep: (conversation, { messages: read, lastChange }) =>
      put(conversation, {
        messages: [...read],
        lastChange,
        bytes: read.reduce((sum, message) => sum + costOf(message), 0),
      }),
    drop,
    bytes: () => bytes,
  }
}

const costOf = ({ bytes }: Wire): number => bytes + ENTRY_BYTES
