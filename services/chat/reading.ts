// Reading a conversation: pages of it, what was missed of it, and the mark up to which it was read.
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import type { Message } from './contract.ts'
import { conversations } from './conversation.ts'
import { changeRow, rowId } from './inbox.ts'
import { ANSWER_BYTES_MAX, bytesOf, lastMessage, publicMessage, stretch } from './messages.ts'
import type { Asked, Chat, Handlers } from './parts.ts'
import { dueAfterReading } from './unseen.ts'

/** Messages one sync answers per conversation, and over all of them; the rest is asked for again (`hasMore`). */
export const SYNC_MESSAGES_EACH = 200
export const SYNC_MESSAGES_ALL = 2000
const HISTORY_DEFAULT = 50

export const reading = (chat: Chat): Handlers<'messages' | 'history' | 'sync' | 'read'> => {
  const { documents, mine } = chat
  return {
    messages: async (ctx) => {
      const { id, before, limit = LIMIT_DEFAULT, cursor } = ctx.params
      await mine(id, ctx.caller)
      const after = cursor === undefined ? ctx.params.after : positionOf(cursor)
      const { docs, hasMore } = await stretch(documents, id, { after, before, limit })
      const forwards = before === undefined || after !== undefined
      return {
        data: docs.map(publicMessage),
        nextCursor: hasMore && forwards ? cursorOf(docs.at(-1)!.seq) : null,
        hasMore,
      }
    },
    history: async (ctx) => {
      const { id, after, before, limit = HISTORY_DEFAULT } = ctx.params
      await mine(id, ctx.caller)
      const { docs, hasMore } = await stretch(documents, id, { after, before, limit })
      return { messages: docs.map(publicMessage), hasMore }
    },
    sync: async (ctx) => {
      const asked = Object.entries(ctx.params.conversations)
      const found = await documents.getMany(
        conversations,
        asked.map(([id]) => id),
      )
      const own = asked.filter((_, at) => found[at]?.members.includes(ctx.caller.id))
      return { conversations: await missed(chat, own) }
    },
    read: (ctx) => markRead(chat, ctx),
  }
}

/** What came after a seq, per conversation, as far as one answer goes. */
const missed = async ({ documents }: Chat, asked: readonly (readonly [id: string, after: number])[]) => {
  const answered: Record<string, { messages: Message[]; lastSeq: number; hasMore: boolean }> = {}
  let room = SYNC_MESSAGES_ALL
  let bytesRoom = ANSWER_BYTES_MAX
  for (const [id, after] of asked) {
    const hasRoom = room > 0 && bytesRoom > 0
    const limit = Math.min(room, SYNC_MESSAGES_EACH)
    const { docs, hasMore } = hasRoom
      ? await stretch(documents, id, { after, limit, bytesMax: bytesRoom })
      : { docs: [], hasMore: true }
    const isAll = docs.length > 0 && !hasMore
    const lastSeq = isAll ? docs.at(-1)!.seq : ((await lastMessage(documents, id))?.seq ?? 0)
    room -= docs.length
    bytesRoom -= docs.reduce((sum, message) => sum + bytesOf(message), 0)
    answered[id] = { messages: docs.map(publicMessage), lastSeq, hasMore: hasMore && lastSeq > after }
  }
  return answered
}

const markRead = async ({ documents, now, mine, tell }: Chat, { params: { id, seq }, caller }: Asked<'read'>) => {
  const conversation = await mine(id, caller)
  const lastSeq = (await lastMessage(documents, id))?.seq ?? 0
  const reached = Math.min(seq, lastSeq)
  let moved = false
  const row = await changeRow(documents, rowId(id, caller.id), (before) => {
    moved = before.readSeq < reached
    if (!moved) return null
    return { ...before, readSeq: reached, dueAt: dueAfterReading(before, { reached, lastSeq, now: now() }) }
  })
  const mark = row?.readSeq ?? 0
  if (moved) tell(conversation.members, 'read', { conversation: id, user: caller.id, seq: mark })
  return { seq: mark }
}

const cursorOf = (seq: number): string => Buffer.from(`after/${seq}`).toString('base64url')
const positionOf = (cursor: string): number => {
  const [, seq] = /^after\/(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (!seq || cursorOf(Number(seq)) !== cursor) throw refuse('bad_cursor')
  return Number(seq)
}
