// What was given to be sent and is not acknowledged yet, in the order it was given. Bounded. With a storage it outlives the
// page: one entry under one key, so that two pages on the same storage do not write over each other.
import type { Sending, StorageLike } from './types.ts'

/** Messages waiting at once; one more is refused with `queue_full`. */
export const QUEUE_MAX = 500

export type Outbox = {
  /** False when there is no room, here or in the storage. */
  add(sending: Sending): boolean
  /** The oldest of a conversation, or undefined. */
  first(conversation: string): Sending | undefined
  find(conversation: string, clientId: string): Sending | undefined
  remove(sending: Sending): void
  all(): Sending[]
}

export const outbox = (storage?: StorageLike, account = ''): Outbox => {
  const prefix = `gigwire.sending.${account}.`
  const keyOf = ({ conversation, clientId }: Sending) => `${prefix}${conversation}.${clientId}`
  let list = kept(storage, prefix)

  const isStored = (sending: Sending): boolean => {
    try {
      storage?.setItem(keyOf(sending), JSON.stringify(sending))
      return true
    } catch {
      return false
    }
  }
  return {
    add: (sending) => {
      if (list.length >= QUEUE_MAX || !isStored(sending)) return false
      list.push(sending)
      return true
    },
    first: (conversation) => list.find((one) => one.conversation === conversation),
    find: (conversation, clientId) =>
      list.find((one) => one.conversation === conversation && one.clientId === clientId),
    remove: (sending) => {
      list = list.filter((one) => one !== sending)
      storage?.removeItem(keyOf(sending))
    },
    all: () => [...list],
  }
}

const kept = (storage: StorageLike | undefined, prefix: string): Sending[] =>
  Array.from({ length: storage?.length ?? 0 }, (_, at) => storage!.key(at) ?? '')
    .filter((key) => key.startsWith(prefix))
    .flatMap((key) => parsed(storage!.getItem(key)))
    .sort((one, other) => one.at - other.at || one.nth - other.nth)
    .slice(0, QUEUE_MAX)

/** What cannot be read any more is passed over. */
const parsed = (text: string | null): Sending[] => {
  try {
    return text ? [JSON.parse(text) as Sending] : []
  } catch {
    return []
  }
}
