// Changing what was said. Every change takes the conversation's next change number, in the conversation's turn, and reaches
// its message before the next number is taken: who has seen a number has seen all before it. Id and seq stay; of a text only
// the latest is kept.
import { refuse } from '../errors.ts'
import { judge, type Judgement } from '../moderation/contract.ts'
import type { Caller } from '../shapes.ts'
import type { Message } from './contract.ts'
import { conversations, isBlockedIn, spoken, type ConversationDoc } from './conversation.ts'
import { messages, publicMessage, type MessageDoc } from './messages.ts'
import { tellMessage, type Chat, type Handlers } from './parts.ts'
import type { Sender } from './sending.ts'
import type { Suspicions } from './suspicions.ts'
import type { Tails } from './tails.ts'

/** How often a change looks again after losing a write. */
const CHANGE_TRIES = 8

type Asked = { params: { id: string; message: string }; deadlineAt: number }
/** The message as it shall be, null where it is so already. May refuse. */
type Next = (message: MessageDoc, conversation: ConversationDoc) => Promise<MessageDoc | null> | MessageDoc | null
export type Change = (asked: Asked, next: Next) => Promise<Message>

export const changing = (
  chat: Chat,
  sequencer: Sender,
  suspicions: Suspicions,
  tails: Tails,
): Handlers<'edit' | 'erase' | 'release' | 'remove'> => {
  const change = changer(chat, sequencer, tails)
  return {
    edit: async (ctx) => {
      const judgement = judge(spoken(ctx.params.text))
      await chat.mine(ctx.params.id, ctx.caller)
      return change(ctx, async (message, conversation) => {
        mustBeOf(message, ctx.caller)
        if (message.deleted) throw refuse('conflict', 'the message was deleted')
        if (isBlockedIn(conversation, ctx.caller.id))
          throw refuse('forbidden', 'this person does not take messages from you')
        await suspicions.note(message, judgement)
        return edited(message, judgement, chat.now())
      })
    },
    erase: async (ctx) => {
      await chat.mine(ctx.params.id, ctx.caller)
      return change(ctx, (message) => {
        mustBeOf(message, ctx.caller)
        return erased(message)
      })
    },
    release: (ctx) =>
      change(ctx, (message) => {
        if (message.deleted) throw refuse('conflict', 'the message was deleted')
        const { held, ...seen } = message
        return held ? seen : null
      }),
    remove: (ctx) => change(ctx, erased),
  }
}

const mustBeOf = (message: MessageDoc, caller: Caller): void => {
  if (message.sender !== caller.id) throw refuse('forbidden', 'only its sender changes a message')
  if (message.offer) throw refuse('conflict', 'an offer is not changed: withdraw it and make another')
}

/** What is held stays held whatever it is changed to: a moderator decides. */
const edited = (message: MessageDoc, { outcome, text, masked }: Judgement, now: number): MessageDoc => {
  const { masked: _, ...before } = message
  return {
    ...before,
    text,
    editedAt: now,
    ...(masked && { masked }),
    ...(outcome === 'hold' && { held: true }),
  }
}

const erased = (message: MessageDoc): MessageDoc | null => {
  const { masked: _, held: __, offer: ___, ...before } = message
  return message.deleted ? null : { ...before, text: '', attachments: [], deleted: true }
}

export const changer = (chat: Chat, { box }: Sender, tails: Tails): Change => {
  const { documents, roster } = chat
  // Whose last change is known to have reached its message.
  const applied = new WeakSet<ConversationDoc>()

  const take = async (id: string, messageId: string, next: Next): Promise<Message> => {
    for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
      const conversation = await (attempt === 0 ? roster.of(id) : roster.read(id))
      const message = await documents.get(messages, messageId)
      if (!conversation || message?.conversation !== id) throw refuse('not_found', 'there is no such message')
      const after = await next(message, conversation)
      if (!after) return publicMessage(message)
      const changed = await number(conversation, message, after)
      if (changed) return told(changed, roster.known(id) ?? conversation)
    }
    throw refuse('overloaded', 'this message is being changed too often', { retryAfterSeconds: 1 })
  }

  const told = (changed: MessageDoc, conversation: ConversationDoc): Message => {
    tails.drop(conversation.id)
    const message = publicMessage(changed)
    tellMessage(chat, changed.deleted ? 'message.deleted' : 'message.edited', message, conversation)
    return message
  }

  /** Takes the number, then writes the message; null where somebody else wrote either first. */
  const number = async (conversation: ConversationDoc, message: MessageDoc, after: MessageDoc) => {
    if (!applied.has(conversation)) await settle(conversation)
    const lastChange = (conversation.lastChange ?? 0) + 1
    const version = message.version + 1
    const claimed: ConversationDoc = {
      ...conversation,
      version: conversation.version + 1,
      lastChange,
      changing: { message: message.id, version },
    }
    if (!(await documents.replace(conversations, claimed, conversation.version)).ok) return null
    roster.put(claimed)
    const changed: MessageDoc = { ...after, version, change: lastChange }
    if (!(await documents.replace(messages, changed, message.version)).ok) return null
    applied.add(claimed)
    return changed
  }

  /**
   * A number whose owner died or stands still before the message was written: the message takes the number as it is, so
   * that who took it can only lose.
   */
  const settle = async ({ lastChange, changing: last }: ConversationDoc): Promise<void> => {
    const message = last && (await documents.get(messages, last.message))
    if (!last || !message || message.version >= last.version) return
    await documents.replace(
      messages,
      { ...message, version: message.version + 1, change: lastChange! },
      message.version,
    )
  }

  return ({ params: { id, message }, deadlineAt }, next) => box.run(id, deadlineAt, () => take(id, message, next))
}

/** The last change that has reached its message. */
export const lastChangeOf = async ({ documents }: Chat, conversation: ConversationDoc): Promise<number> => {
  const { lastChange = 0, changing: last } = conversation
  if (!last) return lastChange
  const message = await documents.get(messages, last.message)
  return message && message.version < last.version ? lastChange - 1 : lastChange
}
