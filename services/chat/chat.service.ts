// Chat: conversations of two, numbered messages, read marks. Key: the conversation's id. A message is stored, then answered,
// then sent to every connection of every member; marks and typing are told as they come and kept no longer than needed.
import { service, type Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT, type Caller } from '../shapes.ts'
import { chat as contract, type Message } from './contract.ts'
import { conversations, mustBelong, otherOf, pairOf, spoken, type ConversationDoc } from './conversation.ts'
import { blocks, changeRow, inbox, rowId, toucher, type InboxRow } from './inbox.ts'
import {
  ANSWER_BYTES_MAX,
  byClientId,
  bytesOf,
  lastMessage,
  messages,
  publicMessage,
  stretch,
  type MessageDoc,
} from './messages.ts'
import { peersOf } from './peers.ts'
import { inboxMarks, recovery } from './recovery.ts'
import { sender } from './sending.ts'
import { verifyChat } from './verify.ts'
import { viewed } from './views.ts'

/** Messages one sync answers per conversation, and over all of them; the rest is asked for again (`hasMore`). */
export const SYNC_MESSAGES_EACH = 200
export const SYNC_MESSAGES_ALL = 2000
const HISTORY_DEFAULT = 50
/** How often a change of a message looks again after losing its write. */
const CHANGE_TRIES = 8

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const fanout = await here.open('fanout')
  await documents.declare([conversations, messages, inbox, inboxMarks, blocks] as never)
  const now = () => here.clock.now()
  const warn = (...args: unknown[]) => here.log.warn(...args)
  const tell = (members: readonly string[], ev: string, data: unknown) =>
    fanout.toUsers(members, JSON.stringify({ ev, data }))
  const touching = toucher(documents, warn)
  const kept = await recovery({
    documents,
    touching,
    now,
    warn,
    nodeId: here.id,
    liveNodes: () => here.placement.nodes(contract.name),
    idAt: (at) => here.newId('msg', { id: 'first', at }).slice(0, -ID_TAIL),
  })
  const sequencer = sender({
    documents,
    now,
    newId: () => here.newId('msg'),
    stored: (message, members) => {
      tell(members, 'message', publicMessage(message))
      touching.touch(message.conversation, members, message.sentAt)
    },
  })

  const mine = async (id: string, caller: Caller): Promise<ConversationDoc> =>
    mustBelong(await documents.get(conversations, id), caller.id)
  const isBlocked = async (from: string, by: string): Promise<boolean> =>
    (await documents.get(blocks, rowId(by, from))) !== null

  /** Only the sender changes a message; its id and seq stay. */
  const change = async (
    conversation: ConversationDoc,
    caller: Caller,
    id: string,
    next: (message: MessageDoc) => MessageDoc,
  ): Promise<Message> => {
    for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
      const found = await documents.get(messages, id)
      if (!found || found.conversation !== conversation.id) throw refuse('not_found', 'there is no such message')
      if (found.sender !== caller.id) throw refuse('forbidden', 'only its sender changes a message')
      const changed = { ...next(found), version: found.version + 1 }
      if ((await documents.replace(messages, changed, found.version)).ok) return publicMessage(changed)
    }
    throw refuse('overloaded', 'this message is being changed too often', { retryAfterSeconds: 1 })
  }

  /** Who is blocked may still learn that a message arrived before. */
  const beforeTheBlock = async ({
    params: { id, clientId },
    caller,
    meta,
  }: Ctx<(typeof contract)['actions']['send']>): Promise<Message> => {
    const first = await byClientId(documents, id, caller.id, clientId)
    if (!first) throw refuse('forbidden', 'this person does not take messages from you')
    meta.$statusCode = 200
    return publicMessage(first)
  }

  /** What came after a seq, per conversation, as far as one answer goes. */
  const missed = async (asked: readonly (readonly [id: string, after: number])[]) => {
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

  return {
    actions: {
      open: async (ctx) => {
        const { with: other, gig = null } = ctx.params
        if (other === ctx.caller.id)
          throw refuse('validation_failed', 'a conversation takes two', {
            errors: [{ path: 'with', message: 'is yourself' }],
          })
        const [card] = await ctx.call('account.cards', { ids: [other] })
        if (!card) throw refuse('not_found', 'there is no such person')
        const pair = pairOf(ctx.caller.id, other)
        const at = now()
        const made: ConversationDoc = {
          id: here.newId('cnv', ctx.meta.command),
          version: 1,
          pair,
          members: [ctx.caller.id, other],
          gig,
          createdAt: at,
        }
        const fresh = (await documents.insert(conversations, made)).ok
        const { docs } = await documents.find(conversations, { index: 'byPair', equals: { pair }, limit: 1 })
        const conversation = docs[0]!
        // Rows are made by whoever opens, also after a crash between the two writes.
        await documents.insertMany(
          inbox,
          conversation.members.map((user): InboxRow => ({
            id: rowId(conversation.id, user),
            version: 1,
            user,
            conversation: conversation.id,
            lastAt: at,
            readSeq: 0,
          })),
        )
        if (!fresh) ctx.meta.$statusCode = 200
        return (await viewed(documents, ctx.call, ctx.caller, [conversation]))[0]!
      },
      list: async (ctx) => {
        const { limit = LIMIT_DEFAULT, cursor = null } = ctx.params
        await touching.flush()
        const rows = await documents.find(inbox, {
          index: 'byUser',
          equals: { user: ctx.caller.id },
          order: 'desc',
          limit,
          cursor,
        })
        const found = await documents.getMany(
          conversations,
          rows.docs.map(({ conversation }) => conversation),
        )
        return {
          data: await viewed(
            documents,
            ctx.call,
            ctx.caller,
            found.filter((one) => one !== null),
          ),
          nextCursor: rows.next,
        }
      },
      get: async (ctx) => (await viewed(documents, ctx.call, ctx.caller, [await mine(ctx.params.id, ctx.caller)]))[0]!,
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
      send: async (ctx) => {
        const { id: conversation, clientId, text, attachments = [] } = ctx.params
        const other = otherOf(await mine(conversation, ctx.caller), ctx.caller.id)
        if (await isBlocked(ctx.caller.id, other)) return beforeTheBlock(ctx)
        const { message, known } = await sequencer.send({
          conversation,
          sender: ctx.caller.id,
          clientId,
          text,
          attachments,
          deadlineAt: ctx.deadlineAt,
        })
        if (known) ctx.meta.$statusCode = 200
        return publicMessage(message)
      },
      read: async (ctx) => {
        const { id, seq } = ctx.params
        const conversation = await mine(id, ctx.caller)
        const reached = Math.min(seq, (await lastMessage(documents, id))?.seq ?? 0)
        let moved = false
        const row = await changeRow(documents, rowId(id, ctx.caller.id), (before) => {
          moved = before.readSeq < reached
          return moved ? { ...before, readSeq: reached } : null
        })
        const mark = row?.readSeq ?? 0
        if (moved) tell(conversation.members, 'read', { conversation: id, user: ctx.caller.id, seq: mark })
        return { seq: mark }
      },
      sync: async (ctx) => {
        const asked = Object.entries(ctx.params.conversations)
        const found = await documents.getMany(
          conversations,
          asked.map(([id]) => id),
        )
        const own = asked.filter((_, at) => found[at]?.members.includes(ctx.caller.id))
        return { conversations: await missed(own) }
      },
      edit: async (ctx) => {
        const text = spoken(ctx.params.text)
        const conversation = await mine(ctx.params.id, ctx.caller)
        const edited = await change(conversation, ctx.caller, ctx.params.message, (message) => {
          if (message.deleted) throw refuse('conflict', 'the message was deleted')
          return { ...message, text, editedAt: now() }
        })
        tell(conversation.members, 'message.edited', edited)
        return edited
      },
      erase: async (ctx) => {
        const conversation = await mine(ctx.params.id, ctx.caller)
        const erased = await change(conversation, ctx.caller, ctx.params.message, (message) => ({
          ...message,
          text: '',
          attachments: [],
          deleted: true,
        }))
        tell(conversation.members, 'message.deleted', erased)
        return erased
      },
      typing: async (ctx) => {
        const conversation = await mine(ctx.params.id, ctx.caller)
        const other = otherOf(conversation, ctx.caller.id)
        if (!(await isBlocked(ctx.caller.id, other)))
          tell([other], 'typing', { conversation: conversation.id, user: ctx.caller.id })
        return {}
      },
      block: async (ctx) => {
        const { id: blocked } = ctx.params
        if (blocked === ctx.caller.id) throw refuse('validation_failed', 'nobody blocks themselves')
        const [card] = await ctx.call('account.cards', { ids: [blocked] })
        if (!card) throw refuse('not_found', 'there is no such person')
        await documents.insert(blocks, {
          id: rowId(ctx.caller.id, blocked),
          version: 1,
          blocker: ctx.caller.id,
          blocked,
          at: now(),
        })
        // Whoever was blocked sees from now on no more of who did it.
        fanout.toNodes('chat.blocked', { blocker: ctx.caller.id, blocked })
        return { blocked: true }
      },
      peers: async ({ params: { user, users } }) => ({ peers: await peersOf(documents, user, users) }),
      verify: () => verifyChat(documents),
    },
    stopped: async () => {
      await sequencer.box.drained()
      sequencer.box.stop()
      await kept.stop()
    },
  }
})

/** Characters of an id that are chance; those before them are time. */
const ID_TAIL = 16

const cursorOf = (seq: number): string => Buffer.from(`after/${seq}`).toString('base64url')
const positionOf = (cursor: string): number => {
  const [, seq] = /^after\/(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (!seq || cursorOf(Number(seq)) !== cursor) throw refuse('bad_cursor')
  return Number(seq)
}
