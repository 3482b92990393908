// The messages' store: numbered per conversation, once per clientId; and what a message is on the wire.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { iso } from '../shapes.ts'
import type { OfferCard } from '../offer/contract.ts'
import type { Message } from './contract.ts'

export type MessageDoc = Doc & {
  conversation: string
  seq: number
  sender: string
  /** The how-manieth of its sender's in this conversation: with `seq` it tells how many the other had written by then. */
  senderSeq: number
  clientId: string
  text: string
  attachments: string[]
  sentAt: number
  /** When the first of its sender's messages in a row was sent; absent for the first itself. */
  runAt?: number
  editedAt: number | null
  deleted: boolean
  /** The conversation's number of its last change. */
  change?: number
  masked?: true
  held?: true
  offer?: OfferCard
}
/**
 * The unique numbers are what makes a stale owner lose; the unique clientId is what makes a repeated send one message.
 * Only messages that were changed are in `byChange`.
 */
export const messages = collection<MessageDoc>('messages', {
  bySeq: { keys: ['conversation', 'seq'], unique: true },
  byClientId: { keys: ['conversation', 'sender', 'clientId'], unique: true },
  byChange: { keys: ['conversation', 'change'], unique: true },
})

/** A message as somebody sees it: its sender sees all, the other of a held one that it is there. */
export const seenBy = (message: Message, viewer: string): Message =>
  message.held && message.sender !== viewer ? { ...message, text: '', attachments: [] } : message

/** As its sender sees it. */
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
  version: message.version,
  ...(message.change !== undefined && { change: message.change }),
  ...(message.masked && { masked: true }),
  ...(message.held && { held: true }),
  ...(message.offer && { offer: message.offer }),
})

/** How many messages a person had from the other, up to and with this one. */
export const fromOther = (message: Pick<MessageDoc, 'seq' | 'sender' | 'senderSeq'> | null, user: string): number =>
  !message ? 0 : message.sender === user ? message.seq - message.senderSeq : message.senderSeq

export const lastMessage = async (documents: Documents, conversation: string): Promise<MessageDoc | null> =>
  (await documents.find(messages, { index: 'bySeq', equals: { conversation }, order: 'desc', limit: 1 })).docs[0] ??
  null

export const bySeq = async (documents: Documents, conversation: string, seq: number): Promise<MessageDoc | null> =>
  (await documents.find(messages, { index: 'bySeq', equals: { conversation, seq }, limit: 1 })).docs[0] ?? null

export const byClientId = async (
  documents: Documents,
  conversation: string,
  sender: string,
  clientId: string,
): Promise<MessageDoc | null> =>
  (await documents.find(messages, { index: 'byClientId', equals: { conversation, sender, clientId }, limit: 1 }))
    .docs[0] ?? null

/**
 * Messages of one answer have at most this many bytes together, but for the last of them: a socket that is sent more than
 * it may have waiting is closed as too slow, and would ask for the same again.
 */
export const ANSWER_BYTES_MAX = 512 * 1024

/** Messages changed after a change, as they are now, in order of change. */
export const changedAfter = async (
  documents: Documents,
  conversation: string,
  after: number,
  limit: number,
): Promise<{ docs: MessageDoc[]; hasMore: boolean }> => {
  const { docs, next } = await documents.find(messages, {
    index: 'byChange',
    equals: { conversation },
    from: after + 1,
    limit,
  })
  return { docs, hasMore: next !== null }
}

export type Stretch = { after?: number | undefined; before?: number | undefined; limit: number; bytesMax?: number }

/** A stretch of a conversation in order of seq, and whether there is more in the direction asked. At least one if any. */
export const stretch = async (
  documents: Documents,
  conversation: string,
  asked: Stretch,
): Promise<{ docs: MessageDoc[]; hasMore: boolean }> => {
  const { after, before, limit, bytesMax = ANSWER_BYTES_MAX } = asked
  const backwards = before !== undefined && after === undefined
  const { docs, next } = await documents.find(messages, {
    index: 'bySeq',
    equals: { conversation },
    order: backwards ? 'desc' : 'asc',
    limit: limit + 1,
    ...(after !== undefined && { from: after + 1 }),
    ...(before !== undefined && { to: before - 1 }),
  })
  const page = docs.slice(0, Math.min(limit, fitting(docs, bytesMax)))
  return { docs: backwards ? page.reverse() : page, hasMore: docs.length > page.length || next !== null }
}

/** Messages from a seq on, as they are stored. */
export const textsFrom = async (
  documents: Documents,
  conversation: string,
  from: number,
  limit: number,
): Promise<{ texts: string[]; hasMore: boolean }> => {
  const { docs, next } = await documents.findTexts(messages, { index: 'bySeq', equals: { conversation }, from, limit })
  return { texts: docs, hasMore: next !== null }
}

/** How many of them an answer takes: the one that fills it is the last, none where there is no room at all. */
export const fitting = (docs: readonly Pick<Message, 'text' | 'attachments'>[], bytesMax: number): number => {
  if (bytesMax <= 0) return 0
  let bytes = 0
  const full = docs.findIndex((message) => (bytes += bytesOf(message)) >= bytesMax)
  return full < 0 ? docs.length : full + 1
}

/** What a message may be on the wire at most, line breaks and quotes escaped. */
export const bytesOf = ({ text, attachments, offer }: Pick<Message, 'text' | 'attachments' | 'offer'>): number =>
  ENVELOPE_BYTES + (offer ? OFFER_BYTES : 0) + 2 * Buffer.byteLength(text + attachments.join('"",'))
const ENVELOPE_BYTES = 400
/** With a title of 80 characters. */
const OFFER_BYTES = 900
