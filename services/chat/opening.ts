// Opening a conversation, and seeing those one has.
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { copyBlocks } from './blocking.ts'
import { conversations, pairOf, type ConversationDoc } from './conversation.ts'
import { inbox, rowId, type InboxRow, type Toucher } from './inbox.ts'
import type { Asked, Chat, Handlers } from './parts.ts'
import { viewed } from './views.ts'

export const opening = (chat: Chat, touching: Toucher): Handlers<'open' | 'list' | 'get'> => {
  const { documents } = chat
  return {
    open: async (ctx) => {
      await mustBeSomebodyElse(ctx)
      const { conversation, fresh } = await opened(chat, ctx)
      // Somebody who blocks meanwhile either finds the conversation, or is found here.
      await Promise.all([rowsFor(chat, conversation), copyBlocks(chat, conversation.id)])
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
    get: async (ctx) =>
      (await viewed(documents, ctx.call, ctx.caller, [await chat.mine(ctx.params.id, ctx.caller)]))[0]!,
  }
}

const mustBeSomebodyElse = async ({ params, caller, call }: Asked<'open'>): Promise<void> => {
  if (params.with === caller.id)
    throw refuse('validation_failed', 'a conversation takes two', {
      errors: [{ path: 'with', message: 'is yourself' }],
    })
  const [card] = await call('account.cards', { ids: [params.with] })
  if (!card || card.deleted) throw refuse('not_found', 'there is no such person')
}

/** The pair's one conversation, and whether it is new. */
type Opened = { conversation: ConversationDoc; fresh: boolean }
const opened = async (
  { documents, now, newId }: Chat,
  { params: { with: other, gig }, caller, meta }: Asked<'open'>,
): Promise<Opened> => {
  const pair = pairOf(caller.id, other)
  const made: ConversationDoc = {
    id: newId('cnv', meta.command),
    version: 1,
    pair,
    members: [caller.id, other],
    gig: gig ?? null,
    createdAt: now(),
  }
  const fresh = (await documents.insert(conversations, made)).ok
  const { docs } = await documents.find(conversations, { index: 'byPair', equals: { pair }, limit: 1 })
  return { conversation: docs[0]!, fresh }
}

/** Rows are made by whoever opens, also after a crash between the two writes. */
const rowsFor = async ({ documents, now }: Chat, { id, members }: ConversationDoc): Promise<void> => {
  const lastAt = now()
  const rows = members.map((user): InboxRow => ({
    id: rowId(id, user),
    version: 1,
    user,
    conversation: id,
    lastAt,
    readSeq: 0,
  }))
  await documents.insertMany(inbox, rows)
}
