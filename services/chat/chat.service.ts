// Chat: conversations of two, numbered messages, read marks. Key: the conversation's id. A message is stored, then answered,
// then sent to every connection of every member; marks and typing are told as they come and kept no longer than needed.
import { service } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT, type Caller } from '../shapes.ts'
import { chat as contract, type Conversation, type Message } from './contract.ts'
import { conversations, mustBelong, otherOf, pairOf, spoken, type ConversationDoc } from './conversation.ts'
import { blocks, changeRow, inbox, rowId, toucher, type InboxRow } from './inbox.ts'
import { lastMessage, messages, publicMessage, stretch, type MessageDoc } from './messages.ts'
import { sender } from './sending.ts'
import { verifyChat } from './verify.ts'

/** Messages one sync answers per conversation, and over all of them; the rest is asked for again (`hasMore`). */
const SYNC_MESSAGES_EACH = 200
const SYNC_MESSAGES_ALL = 2000
/** Messages looked at to count what is unread; more than that is shown as that many. */
const UNREAD_MAX = 200
const HISTORY_DEFAULT = 50

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const fanout = await here.open('fanout')
  await documents.declare([conversations, messages, inbox, blocks] as never)
  const sequencer = sender(documents)
  const touching = toucher(documents, (...args) => here.log.warn(...args))

  const tell = (members: readonly string[], ev: string, data: unknown) => fanout.toUsers(members, JSON.stringify({ ev, data }))
  const mine = async (id: string, caller: Caller): Promise<ConversationDoc> => mustBelong(await documents.get(conversations, id), caller.id)

  /** Conversations as one member sees them: live from the messages, so that no crash leaves a wrong count behind. */
  const view = async (caller: Caller, list: readonly ConversationDoc[]): Promise<Conversation[]> => {
    const people = [...new Set(list.flatMap(({ members }) => members))]
    const cards = new Map((await here.call('account.cards', { ids: people })).map((card, at) => [people[at]!, card]))
    return Promise.all(
      list.map(async (conversation) => {
        const [last, rows] = await Promise.all([
          lastMessage(documents, conversation.id),
          documents.getMany(inbox, conversation.members.map((member) => rowId(conversation.id, member))),
        ])
        const read = Object.fromEntries(rows.flatMap((row) => (row ? [[row.user, row.readSeq]] : [])))
        return {
          id: conversation.id,
          members: conversation.members.map((id) => ({ id, username: cards.get(id)?.username ?? '', displayName: cards.get(id)?.displayName ?? '' })),
          gig: conversation.gig,
          lastSeq: last?.seq ?? 0,
          lastMessage: last && publicMessage(last),
          unread: await unread(conversation.id, caller.id, read[caller.id] ?? 0, last?.seq ?? 0),
          read,
          createdAt: iso(conversation.createdAt),
        }
      }),
    )
  }

  const unread = async (id: string, user: string, readSeq: number, lastSeq: number): Promise<number> => {
    if (lastSeq <= readSeq) return 0
    const { docs } = await stretch(documents, id, { after: readSeq, limit: UNREAD_MAX })
    return docs.filter(({ sender: from }) => from !== user).length
  }

  /** Only the sender changes a message; its id and seq stay. */
  const change = async (conversation: ConversationDoc, caller: Caller, id: string, next: (message: MessageDoc) => MessageDoc): Promise<Message> => {
    const found = await documents.get(messages, id)
    if (!found || found.conversation !== conversation.id) throw refuse('not_found', 'there is no such message')
    if (found.sender !== caller.id) throw refuse('forbidden', 'only its sender changes a message')
    if (found.deleted) throw refuse('conflict', 'the message was deleted')
    const changed = { ...next(found), version: found.version + 1 }
    if (!(await documents.replace(messages, changed, found.version)).ok) throw refuse('conflict', 'the message was changed meanwhile')
    return publicMessage(changed)
  }

  return {
    actions: {
      open: async (ctx) => {
        const { with: other, gig = null } = ctx.params
        if (other === ctx.caller.id) throw refuse('validation_failed', 'a conversation takes two', { errors: [{ path: 'with', message: 'is yourself' }] })
        const [card] = await ctx.call('account.cards', { ids: [other] })
        if (!card) throw refuse('not_found', 'there is no such person')
        const pair = pairOf(ctx.caller.id, other)
        const now = here.clock.now()
        const made: ConversationDoc = { id: here.newId('cnv', ctx.meta.command), version: 1, pair, members: [ctx.caller.id, other], gig, createdAt: now }
        const fresh = (await documents.insert(conversations, made)).ok
        const { docs } = await documents.find(conversations, { index: 'byPair', equals: { pair }, limit: 1 })
        const conversation = docs[0]!
        // Rows are made by whoever opens, also after a crash between the two writes.
        await documents.insertMany(inbox, conversation.members.map((user): InboxRow => ({ id: rowId(conversation.id, user), version: 1, user, conversation: conversation.id, lastAt: now, readSeq: 0 })))
        if (!fresh) ctx.meta.$statusCode = 200
        return (await view(ctx.caller, [conversation]))[0]!
      },
      list: async (ctx) => {
        const { limit = LIMIT_DEFAULT, cursor = null } = ctx.params
        await touching.flush()
        const rows = await documents.find(inbox, { index: 'byUser', equals: { user: ctx.caller.id }, order: 'desc', limit, cursor })
        const found = await documents.getMany(conversations, rows.docs.map(({ conversation }) => conversation))
        return { data: await view(ctx.caller, found.filter((one) => one !== null)), nextCursor: rows.next }
      },
      get: async (ctx) => (await view(ctx.caller, [await mine(ctx.params.id, ctx.caller)]))[0]!,
      messages: async (ctx) => {
        const { id, before, limit = LIMIT_DEFAULT, cursor } = ctx.params
        await mine(id, ctx.caller)
        const after = cursor === undefined ? ctx.params.after : positionOf(cursor)
        const { docs, hasMore } = await stretch(documents, id, { after, before, limit })
        const forwards = before === undefined || after !== undefined
        return { data: docs.map(publicMessage), nextCursor: hasMore && forwards ? cursorOf(docs.at(-1)!.seq) : null, hasMore }
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
        if (await documents.get(blocks, rowId(other, ctx.caller.id))) throw refuse('forbidden', 'this person does not take messages from you')
        const draft = { id: here.newId('msg'), conversation, sender: ctx.caller.id, clientId, text, attachments, now: here.clock.now(), deadlineAt: ctx.deadlineAt }
        const { message, members, known } = await sequencer.send(draft)
        const said = publicMessage(message)
        if (known) ctx.meta.$statusCode = 200
        else {
          tell(members, 'message', said)
          touching.touch(conversation, members, message.sentAt)
        }
        return said
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
        const answered: Record<string, { messages: Message[]; lastSeq: number; hasMore: boolean }> = {}
        let room = SYNC_MESSAGES_ALL
        for (const [id, after] of Object.entries(ctx.params.conversations)) {
          const conversation = await documents.get(conversations, id)
          if (!conversation?.members.includes(ctx.caller.id)) continue
          const [last, missed] = await Promise.all([
            lastMessage(documents, id),
            room > 0 ? stretch(documents, id, { after, limit: Math.min(room, SYNC_MESSAGES_EACH) }) : { docs: [], hasMore: true },
          ])
          room -= missed.docs.length
          answered[id] = { messages: missed.docs.map(publicMessage), lastSeq: last?.seq ?? 0, hasMore: missed.hasMore && (last?.seq ?? 0) > after }
        }
        return { conversations: answered }
      },
      edit: async (ctx) => {
        const conversation = await mine(ctx.params.id, ctx.caller)
        const text = spoken(ctx.params.text)
        const edited = await change(conversation, ctx.caller, ctx.params.message, (message) => ({ ...message, text, editedAt: here.clock.now() }))
        tell(conversation.members, 'message.edited', edited)
        return edited
      },
      erase: async (ctx) => {
        const conversation = await mine(ctx.params.id, ctx.caller)
        const erased = await change(conversation, ctx.caller, ctx.params.message, (message) => ({ ...message, text: '', attachments: [], deleted: true }))
        tell(conversation.members, 'message.deleted', erased)
        return erased
      },
      typing: async (ctx) => {
        const conversation = await mine(ctx.params.id, ctx.caller)
        tell([otherOf(conversation, ctx.caller.id)], 'typing', { conversation: conversation.id, user: ctx.caller.id })
        return {}
      },
      block: async (ctx) => {
        const { id: blocked } = ctx.params
        if (blocked === ctx.caller.id) throw refuse('validation_failed', 'nobody blocks themselves')
        const [card] = await ctx.call('account.cards', { ids: [blocked] })
        if (!card) throw refuse('not_found', 'there is no such person')
        await documents.insert(blocks, { id: rowId(ctx.caller.id, blocked), version: 1, blocker: ctx.caller.id, blocked, at: here.clock.now() })
        return { blocked: true }
      },
      verify: () => verifyChat(documents),
    },
    stopped: async () => {
      await sequencer.box.drained()
      sequencer.box.stop()
      await touching.stop()
    },
  }
})

const cursorOf = (seq: number): string => Buffer.from(`after/${seq}`).toString('base64url')
const positionOf = (cursor: string): number => {
  const [, seq] = /^after\/(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (!seq) throw refuse('bad_cursor')
  return Number(seq)
}
