// Blocking: who blocked a person takes no messages from them and hears nothing of them. The blocks themselves are the truth;
// the conversation of the two has a copy, changed in its owner's turn, so that a send need not look anywhere else.
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { conversations, pairOf, type ConversationDoc } from './conversation.ts'
import { blocks, rowId } from './inbox.ts'
import type { Asked, Chat, Handlers } from './parts.ts'
import { peersOf } from './peers.ts'
import type { Sender } from './sending.ts'

/** How often the copy is written again after somebody else changed the conversation. */
const COPY_TRIES = 8

export const blocking = (
  chat: Chat,
  sequencer: Sender,
): Handlers<'block' | 'unblock' | 'blocked' | 'blockChanged' | 'peers'> => {
  const { documents, now, notify } = chat
  return {
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
      await tellConversation(chat, ctx, blocked)
      // Whoever was blocked sees from now on no more of who did it.
      notify('chat.blocked', { blocker: ctx.caller.id, blocked })
      return { blocked: true }
    },
    unblock: async (ctx) => {
      await documents.remove(blocks, rowId(ctx.caller.id, ctx.params.id))
      await tellConversation(chat, ctx, ctx.params.id)
      return { blocked: false }
    },
    blocked: async (ctx) => {
      const { limit = LIMIT_DEFAULT, cursor = null } = ctx.params
      const { docs, next } = await documents.find(blocks, {
        index: 'byBlocker',
        equals: { blocker: ctx.caller.id },
        order: 'desc',
        limit,
        cursor,
      })
      const cards = await ctx.call('account.cards', { ids: docs.map(({ blocked }) => blocked) })
      return {
        data: docs.map(({ blocked, at }, index) => ({
          id: blocked,
          username: cards[index]?.username ?? '',
          displayName: cards[index]?.displayName ?? '',
          at: iso(at),
        })),
        nextCursor: next,
      }
    },
    blockChanged: async ({ params: { id }, deadlineAt }) => {
      // At once, so that what is being stored is not told; then what was before it in the row is waited for.
      await copyBlocks(chat, id)
      await sequencer.box.run(id, deadlineAt, async () => undefined)
      return {}
    },
    peers: async ({ params: { user, users } }) => ({ peers: await peersOf(documents, user, users) }),
  }
}

/** Done when the owner of the two people's conversation, if they have one, takes nothing of it any more. */
const tellConversation = async (
  { documents }: Chat,
  { caller, call }: Asked<'block' | 'unblock'>,
  other: string,
): Promise<void> => {
  const { docs } = await documents.find(conversations, {
    index: 'byPair',
    equals: { pair: pairOf(caller.id, other) },
    limit: 1,
  })
  if (docs[0]) await call('chat.blockChanged', { id: docs[0].id })
}

/** Makes the conversation's copy what the blocks are. */
export const copyBlocks = async ({ documents, roster }: Chat, id: string): Promise<ConversationDoc | null> => {
  for (let attempt = 0; attempt < COPY_TRIES; attempt++) {
    const conversation = await roster.read(id)
    if (!conversation) return null
    const blockers = await blockersIn(documents, conversation)
    if (String(blockers) === String(conversation.blockers ?? [])) return conversation
    const copied = { ...conversation, version: conversation.version + 1, blockers }
    if (!(await documents.replace(conversations, copied, conversation.version)).ok) continue
    roster.put(copied)
    return copied
  }
  throw refuse('overloaded', 'this conversation is being changed too often', { retryAfterSeconds: 1 })
}

const blockersIn = async (
  documents: Chat['documents'],
  { members: [one, other] }: ConversationDoc,
): Promise<string[]> => {
  if (!one || !other) return []
  const found = await documents.getMany(blocks, [rowId(one, other), rowId(other, one)])
  return [one, other].filter((_, at) => found[at])
}
