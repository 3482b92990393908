// Saying something: the way of one send, from who may to the answer.
import { refuse } from '../errors.ts'
import { isBlocked } from './blocking.ts'
import type { Message } from './contract.ts'
import { otherOf } from './conversation.ts'
import { byClientId, publicMessage } from './messages.ts'
import type { Asked, Chat, Handlers } from './parts.ts'
import type { Sender } from './sending.ts'

export const saying = (chat: Chat, sequencer: Sender): Handlers<'send'> => ({
  send: async (ctx) => {
    const { id: conversation, clientId, text, attachments = [] } = ctx.params
    const other = otherOf(await chat.mine(conversation, ctx.caller), ctx.caller.id)
    if (await isBlocked(chat.documents, ctx.caller.id, other)) return beforeTheBlock(chat, ctx)
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
})

/** Who is blocked may still learn that a message arrived before. */
const beforeTheBlock = async (
  { documents }: Chat,
  { params: { id, clientId }, caller, meta }: Asked<'send'>,
): Promise<Message> => {
  const first = await byClientId(documents, id, caller.id, clientId)
  if (!first) throw refuse('forbidden', 'this person does not take messages from you')
  meta.$statusCode = 200
  return publicMessage(first)
}
