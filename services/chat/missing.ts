// What somebody missed: per conversation the messages after a seq, and the changes after a change, in answers of bounded
// size. Following `hasMore` closes any gap.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Message } from './contract.ts'
import {
  ANSWER_BYTES_MAX,
  bytesOf,
  changedAfter,
  fitting,
  lastMessage,
  messagesFrom,
  publicMessage,
  type MessageDoc,
} from './messages.ts'
import type { Chat, Handlers } from './parts.ts'

/** Messages one sync answers per conversation, and over all of them; the rest is asked for again (`hasMore`). */
export const SYNC_MESSAGES_EACH = 200
export const SYNC_MESSAGES_ALL = 2000

type Asked = { id: string; after: number; afterChange: number | undefined }
type Read = { asked: Asked; messages: MessageDoc[]; lastSeq: number; changed: MessageDoc[]; moreChanges: boolean }
type Missed = { messages: Message[]; lastSeq: number; hasMore: boolean; changed?: Message[]; lastChange?: number }

export const missing = ({ documents, roster }: Chat): Handlers<'sync'> => ({
  sync: async ({ params: { conversations, changes = {} }, caller }) => {
    const ids = Object.keys(conversations)
    const members = await roster.members(ids)
    const own = ids.filter((_, at) => members[at]!.includes(caller.id))
    const each = Math.min(SYNC_MESSAGES_EACH, Math.floor(SYNC_MESSAGES_ALL / Math.max(1, own.length)))
    const reads = await Promise.all(
      own.map((id) => readOne(documents, { id, after: conversations[id]!, afterChange: changes[id] }, each)),
    )
    let bytes = ANSWER_BYTES_MAX
    const answers = reads.map((read): [string, Missed] => {
      const { missed, taken } = fit(read, bytes, each, caller.id)
      bytes -= taken
      return [read.asked.id, missed]
    })
    return { conversations: Object.fromEntries(answers) }
  },
})

const readOne = async (documents: Documents, asked: Asked, each: number): Promise<Read> => {
  const { id, after, afterChange } = asked
  // Changes first: what is changed meanwhile is in the messages, and asked for again.
  const { docs: changed, hasMore: moreChanges } =
    afterChange === undefined ? { docs: [], hasMore: false } : await changedAfter(documents, id, afterChange, each)
  // From the one that is known: where it is the last, that is known too.
  const { docs, hasMore } = await messagesFrom(documents, id, Math.max(1, after), each + 1)
  const messages = docs.filter(({ seq }) => seq > after)
  const lastSeq = docs.length > 0 && !hasMore ? docs.at(-1)!.seq : ((await lastMessage(documents, id))?.seq ?? 0)
  return { asked, messages, lastSeq, changed, moreChanges }
}

/** As much of it as there is room for. */
const fit = (read: Read, bytesMax: number, each: number, viewer: string): { missed: Missed; taken: number } => {
  const { asked, lastSeq } = read
  const changed = read.changed.slice(0, fitting(read.changed, bytesMax))
  const changedBytes = sum(changed)
  const messages = read.messages.slice(0, Math.min(each, fitting(read.messages, bytesMax - changedBytes)))
  const moreChanges = read.moreChanges || changed.length < read.changed.length
  const missed: Missed = {
    messages: messages.map((message) => publicMessage(message, viewer)),
    lastSeq,
    hasMore: moreChanges || lastSeq > (messages.at(-1)?.seq ?? asked.after),
    ...(asked.afterChange !== undefined && {
      changed: changed.map((message) => publicMessage(message, viewer)),
      lastChange: changed.at(-1)?.change ?? asked.afterChange,
    }),
  }
  return { missed, taken: changedBytes + sum(messages) }
}

const sum = (docs: readonly MessageDoc[]): number => docs.reduce((bytes, message) => bytes + bytesOf(message), 0)
