// The messages' store: numbered per conversation, once per clientId; and what a message is on the wire.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { iso } from '../shapes.ts'
import type { Message } from './contract.ts'

export type MessageDoc = Doc & {
  conversation: string
  seq: number
  sender: string
  clientId: string
  text: string
  attachments: string[]
  sentAt: number
  editedAt: number | null
  deleted: boolean
}
/** The unique number is what makes a stale owner lose; the unique clientId is what makes a repeated send one message. */
export const messages = collection<MessageDoc>('messages', {
  bySeq: { keys: ['conversation', 'seq'], unique: true },
  byClientId: { keys: ['conversation', 'sender', 'clientId'], unique: true },
})

export const publicMessage = (message: MessageDoc): Message => ({
  id: message.id,
  conversation: message.conversation,
  seq: message.seq,
  clientId: message.clientId,
  sender: message.sender,
  text: message.text,
  attachments: message.attachments,
  sentAt: iso(message.sentAt),
  ...(message.editedAt !== null && { editedAt: iso(message.editedAt) }),
  ...(message.deleted && { deleted: true }),
})

export const lastMessage = async (documents: Documents, conversation: string): Promise<MessageDoc | null> =>
  (await documents.find(messages, { index: 'bySeq', equals: { conversation }, order: 'desc', limit: 1 })).docs[0] ?? null

export const byClientId = async (documents: Documents, conversation: string, sender: string, clientId: string): Promise<MessageDoc | null> =>
  (await documents.find(messages, { index: 'byClientId', equals: { conversation, sender, clientId }, limit: 1 })).docs[0] ?? null

export type Stretch = { after?: number | undefined; before?: number | undefined; limit: number }

/** A stretch of a conversation in order of seq, and whether there is more in the direction asked. */
export const stretch = async (documents: Documents, conversation: string, { after, before, limit }: Stretch): Promise<{ docs: MessageDoc[]; hasMore: boolean }> => {
  const backwards = before !== undefined && after === undefined
  const { docs } = await documents.find(messages, {
    index: 'bySeq', equals: { conversation }, order: backwards ? 'desc' : 'asc', limit: limit + 1,
    ...(after !== undefined && { from: after + 1 }), ...(before !== undefined && { to: before - 1 }),
  })
  const page = docs.slice(0, limit)
  return { docs: backwards ? page.reverse() : page, hasMore: docs.length > limit }
}
