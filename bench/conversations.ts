// Conversations for a load, and what was said in them: stored in bulk as chat stores them.
import type { Documents } from '../adapters/documents/index.ts'
import { conversations, pairOf, type ConversationDoc } from '../services/chat/conversation.ts'
import { inbox, rowId, type InboxRow } from '../services/chat/inbox.ts'
import { messages, type MessageDoc } from '../services/chat/messages.ts'
import { inBulk, userId } from './people.ts'

export const conversationId = (at: number): string => `cnv_bench${String(at).padStart(8, '0')}`
/** About 160 bytes of event around some 100 characters. */
export const LINE =
  'could you make the logo a little bluer, and the letters a little wider than they are in the last one'

/** The conversation of two people by their numbers. */
export type Pair = (at: number) => readonly [one: number, other: number]

export const seedConversations = async (documents: Documents, count: number, pair: Pair): Promise<void> => {
  await documents.declare([conversations, inbox] as never)
  const members = (at: number) => pair(at).map(userId) as [string, string]
  await inBulk(
    count,
    (at): ConversationDoc => {
      const [one, other] = members(at)
      const id = conversationId(at)
      return { id, version: 1, pair: pairOf(one, other), members: [one, other], gig: null, createdAt: Date.now() }
    },
    (docs) => documents.insertMany(conversations, docs),
  )
  await inBulk(
    2 * count,
    (at): InboxRow => {
      const conversation = conversationId(Math.floor(at / 2))
      const user = members(Math.floor(at / 2))[at % 2]!
      return { id: rowId(conversation, user), version: 1, user, conversation, lastAt: Date.now(), readSeq: 0 }
    },
    (docs) => documents.insertMany(inbox, docs),
  )
}

/** `each` messages in every conversation, all from the second of the two. */
export const seedMessages = async (documents: Documents, count: number, pair: Pair, each: number): Promise<void> => {
  await documents.declare([messages])
  const at = Date.now()
  await inBulk(
    count * each,
    (n) => {
      const conversation = Math.floor(n / each)
      const seq = (n % each) + 1
      return messageDoc(conversation, seq, { sender: userId(pair(conversation)[1]), senderSeq: seq, sentAt: at })
    },
    (docs) => documents.insertMany(messages, docs),
  )
}

/** A message as chat stores it. Its id is of the same length and as far apart from its neighbours as theirs are. */
export const messageDoc = (
  conversation: number,
  seq: number,
  { sender, senderSeq, sentAt }: Pick<MessageDoc, 'sender' | 'senderSeq' | 'sentAt'>,
): MessageDoc => ({
  id: `msg_${sentAt.toString(32).padStart(10, '0')}${String(conversation).padStart(8, '0')}${String(seq).padStart(8, '0')}`,
  version: 1,
  conversation: conversationId(conversation),
  seq,
  sender,
  senderSeq,
  clientId: `bench-${conversation}-${seq}`,
  text: LINE,
  attachments: [],
  sentAt,
  editedAt: null,
  deleted: false,
})
