// Reading a conversation: pages of it, and the mark up to which it was read. What was missed: missing.ts.
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { lastChangeOf } from './changing.ts'
import { hearersOf, mustBelong } from './conversation.ts'
import { changeRow, rowId } from './inbox.ts'
import { lastMessage, messages, publicMessage, seenBy, stretch, type Stretch } from './messages.ts'
import type { Pacing } from './pacing.ts'
import type { Asked, Chat, Handlers } from './parts.ts'
import type { Sender } from './sending.ts'
import { afterReading } from './unseen.ts'

const HISTORY_DEFAULT = 50

export const reading = (
  chat: Chat,
  sequencer: Sender,
  pacing: Pacing,
): Handlers<'messages' | 'message' | 'history' | 'read'> => ({
  messages: async (ctx) => {
    const { before, limit = LIMIT_DEFAULT, cursor } = ctx.params
    const after = cursor === undefined ? ctx.params.after : positionOf(cursor)
    const { messages: data, hasMore, lastChange } = await pageOf(chat, ctx, { after, before, limit })
    const forwards = before === undefined || after !== undefined
    return {
      data,
      nextCursor: hasMore && forwards ? cursorOf(data.at(-1)!.seq) : null,
      hasMore,
      lastChange,
    }
  },
  message: async ({ params: { id, user } }) => {
    const found = await chat.documents.get(messages, id)
    if (!found) return null
    const message = publicMessage(found)
    if (user === undefined) return message
    return (await chat.roster.of(found.conversation))?.members.includes(user) ? seenBy(message, user) : null
  },
  history: (ctx) => {
    const { after, before, limit = HISTORY_DEFAULT } = ctx.params
    return pageOf(chat, ctx, { after, before, limit })
  },
  read: (ctx) => markRead(chat, sequencer, pacing, ctx),
})

const pageOf = async (chat: Chat, { params: { id }, caller }: Asked<'messages' | 'history'>, asked: Stretch) => {
  const conversation = mustBelong(await chat.roster.read(id), caller.id)
  // Before the messages, so that they hold at least so many changes.
  const lastChange = await lastChangeOf(chat, conversation)
  const { docs, hasMore } = await stretch(chat.documents, id, asked)
  return { messages: docs.map((message) => seenBy(publicMessage(message), caller.id)), hasMore, lastChange }
}

const markRead = async (
  { documents, mine, now }: Chat,
  { lastSeq, lastAt }: Sender,
  pacing: Pacing,
  { params: { id, seq }, caller }: Asked<'read'>,
) => {
  const conversation = await mine(id, caller)
  const isKnown = seq <= lastSeq(id)
  const last = isKnown
    ? { seq: lastSeq(id), sentAt: lastAt(id) }
    : ((await lastMessage(documents, id)) ?? { seq: 0, sentAt: 0 })
  const reached = Math.min(seq, last.seq)
  let moved = false
  const row = await changeRow(documents, rowId(id, caller.id), (before) => {
    moved = before.readSeq < reached
    if (!moved) return null
    return afterReading(before, { reached, last, now: now() })
  })
  const mark = row?.readSeq ?? 0
  if (moved) pacing.read(id, caller.id, mark, hearersOf(conversation, caller.id))
  return { seq: mark }
}

const cursorOf = (seq: number): string => Buffer.from(`after/${seq}`).toString('base64url')
const positionOf = (cursor: string): number => {
  const [, seq] = /^after\/(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (!seq || cursorOf(Number(seq)) !== cursor) throw refuse('bad_cursor')
  return Number(seq)
}
