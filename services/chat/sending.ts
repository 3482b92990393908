// A conversation's sequencer: gives the next number, stores, and only then says. Numbers have no gap and no two alike,
// because the store takes each (conversation, seq) once: an owner that went stale loses the insert and looks again.
import type { Documents } from '../../adapters/documents/index.ts'
import { mailbox, MAILBOX, type Mailbox, type Slot } from '../../mixins/mailbox.ts'
import { refuse } from '../errors.ts'
import type { OfferCard } from '../offer/contract.ts'
import { attached, conversations, mustBelong, spoken, type ConversationDoc } from './conversation.ts'
import { byClientId, fromOther, lastMessage, messages, type MessageDoc } from './messages.ts'

/** Of the last message only what numbers the next: texts need not stay in memory. */
type State = { conversation: ConversationDoc; last: Last | null }
type Last = Pick<MessageDoc, 'seq' | 'sender' | 'senderSeq'>
export type Sent = { message: MessageDoc; known: boolean }
export type Draft = {
  conversation: string
  sender: string
  clientId: string
  text: string
  attachments: readonly string[]
  offer?: OfferCard
  deadlineAt: number
}

export type SenderParts = {
  documents: Documents
  newId: () => string
  now: () => number
  /** Told of every new message inside its turn, so in the order of seq. */
  stored: (message: MessageDoc, members: readonly string[]) => void
}
export type Sender = { send(draft: Draft): Promise<Sent>; box: Mailbox<State> }

/** How often a send looks again after losing its number. */
const STALE_TRIES = 6

export const sender = ({ documents, newId, now, stored }: SenderParts): Sender => {
  const box = mailbox<State>(MAILBOX)

  const send = async (draft: Draft): Promise<Sent> => {
    const ready = { ...draft, text: spoken(draft.text), attachments: attached(draft.attachments) }
    return box.run(draft.conversation, draft.deadlineAt, (slot) => store(slot, ready))
  }

  const store = async (slot: Slot<State>, draft: Draft): Promise<Sent> => {
    for (let attempt = 0; attempt < STALE_TRIES; attempt++) {
      const { conversation, last } = (slot.state ??= await load(draft))
      const { members } = mustBelong(conversation, draft.sender)
      const message = numbered(draft, last, { id: newId(), now: now() })
      // The outcome of a failed write is not known: the next turn must look at what is stored.
      slot.state = undefined
      if ((await documents.insert(messages, message)).ok) {
        slot.state = { conversation, last: lastOf(message) }
        stored(message, members)
        return { message, known: false }
      }
      const first = await byClientId(documents, draft.conversation, draft.sender, draft.clientId)
      if (first) return { message: first, known: true }
    }
    throw refuse('overloaded', 'this conversation is being written elsewhere', { retryAfterSeconds: 1 })
  }

  const load = async (draft: Draft): Promise<State> => {
    const [conversation, last] = await Promise.all([
      documents.get(conversations, draft.conversation),
      lastMessage(documents, draft.conversation),
    ])
    return { conversation: mustBelong(conversation, draft.sender), last: last && lastOf(last) }
  }

  return { send, box }
}

const lastOf = ({ seq, sender: from, senderSeq }: MessageDoc): Last => ({ seq, sender: from, senderSeq })

const numbered = (draft: Draft, last: Last | null, { id, now }: { id: string; now: number }): MessageDoc => {
  const { conversation, sender: from, clientId, text, attachments, offer } = draft
  const seq = (last?.seq ?? 0) + 1
  const senderSeq = seq - fromOther(last, from)
  return {
    id,
    version: 1,
    conversation,
    seq,
    sender: from,
    senderSeq,
    clientId,
    text,
    attachments: [...attachments],
    sentAt: now,
    editedAt: null,
    deleted: false,
    ...(offer && { offer }),
  }
}
