// Changing what was said: only its sender edits or deletes a message; its id and seq stay.
import { refuse } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import type { Message } from './contract.ts'
import { spoken, type ConversationDoc } from './conversation.ts'
import { messages, publicMessage, type MessageDoc } from './messages.ts'
import type { Chat, Handlers } from './parts.ts'

/** How often a change of a message looks again after losing its write. */
const CHANGE_TRIES = 8

export const changing = (chat: Chat): Handlers<'edit' | 'erase'> => {
  const { now, mine, tell } = chat
  return {
    edit: async (ctx) => {
      const text = spoken(ctx.params.text)
      const conversation = await mine(ctx.params.id, ctx.caller)
      const edited = await change(chat, conversation, ctx.caller, ctx.params.message, (message) => {
        if (message.deleted) throw refuse('conflict', 'the message was deleted')
        return { ...message, text, editedAt: now() }
      })
      tell(conversation.members, 'message.edited', edited)
      return edited
    },
    erase: async (ctx) => {
      const conversation = await mine(ctx.params.id, ctx.caller)
      const erased = await change(chat, conversation, ctx.caller, ctx.params.message, (message) => ({
        ...message,
        text: '',
        attachments: [],
        deleted: true,
      }))
      tell(conversation.members, 'message.deleted', erased)
      return erased
    },
  }
}

const change = async (
  { documents }: Chat,
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
