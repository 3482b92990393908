// The conversations a node knows: who is in them, who blocked whom. Members never change; the rest is changed in the owner's
// turn, which tells this, and is read again after a while in case another owner changed it.
import { BULK_MAX, type Documents } from '../../adapters/documents/index.ts'
import { recent } from '../../mixins/recent.ts'
import { conversations, type ConversationDoc } from './conversation.ts'

/** Conversations known at once. */
export const KNOWN_MAX = 50_000
/** A conversation is believed to be as it was read for this long. */
export const KNOWN_MS = 30_000

export type Roster = {
  /** What is known and not too old, without a read. */
  known(id: string): ConversationDoc | undefined
  /** What is known, read where it is not. */
  of(id: string): Promise<ConversationDoc | null>
  /** Read now. */
  read(id: string): Promise<ConversationDoc | null>
  /** In the order of ids: members do not change, so any age will do. */
  members(ids: readonly string[]): Promise<(readonly string[])[]>
  put(conversation: ConversationDoc): void
  forget(id: string): void
}
type Known = { conversation: ConversationDoc; seenAt: number }

export const roster = (documents: Documents): Roster => {
  const all = recent<Known>(KNOWN_MAX)

  const put = (conversation: ConversationDoc) => {
    // A read that was under way meanwhile may bring an older one.
    const known = all.get(conversation.id)
    if (known && known.conversation.version > conversation.version) return
    all.set(conversation.id, { conversation, seenAt: performance.now() })
  }
  const known = (id: string) => {
    const found = all.get(id)
    return found && performance.now() - found.seenAt < KNOWN_MS ? found.conversation : undefined
  }
  const read = async (id: string) => {
    const found = await documents.get(conversations, id)
    if (found) put(found)
    return found
  }

  const members = async (ids: readonly string[]) => {
    const unknown = ids.filter((id) => !all.get(id))
    const parts = []
    for (let at = 0; at < unknown.length; at += BULK_MAX)
      parts.push(documents.getMany(conversations, unknown.slice(at, at + BULK_MAX)))
    const found = (await Promise.all(parts)).flat()
    for (const one of found) if (one) put(one)
    const fresh = new Map(found.map((one, at) => [unknown[at]!, one?.members ?? []]))
    return ids.map((id) => all.get(id)?.conversation.members ?? fresh.get(id) ?? [])
  }

  return {
    known,
    of: async (id) => known(id) ?? read(id),
    read,
    members,
    put,
    forget: (id) => all.delete(id),
  }
}
