// A conversation's sequencer: gives the next number, stores, and only then says. Numbers have no gap and no two alike,
// because the store takes each (conversation, seq) once: an owner that went stale loses the insert and looks again.
import type { Documents } from '../../adapters/documents/index.ts'
import { mailbox, MAILBOX, type Mailbox, type Slot } from '../../mixins/mailbox.ts'
import { refuse } from '../errors.ts'
import { conversations, mustBelong, spoken, type ConversationDoc } from './conversation.ts'
import { byClientId, lastMessage, messages, type MessageDoc } from './messages.ts'

type State = { conversation: ConversationDoc; lastSeq: number }
export type Sent = { message: MessageDoc; members: string[]; known: boolean }
export type Draft = { id: string; conversation: string; sender: string; clientId: string; text: string; attachments: string[]; now: number; deadlineAt: number }

/** How often a send looks again after losing its number. */
const STALE_TRIES = 6

export type Sender = { send(draft: Draft): Promise<Sent>; box: Mailbox<State> }

export const sender = (documents: Documents): Sender => {
  const box = mailbox<State>(MAILBOX)

  const send = (draft: Draft): Promise<Sent> => {
    const text = spoken(draft.text)
    return box.run(draft.conversation, draft.deadlineAt, (slot) => store(slot, { ...draft, text }))
  }

  const store = async (slot: Slot<State>, draft: Draft): Promise<Sent> => {
    for (let attempt = 0; attempt < STALE_TRIES; attempt++) {
      const state = (slot.state ??= await load(draft.conversation, draft.sender))
      const { members } = mustBelong(state.conversation, draft.sender)
      const message = numbered(draft, state.lastSeq + 1)
      // The outcome of a failed write is not known: the next turn must look at what is stored.
      slot.state = undefined
      const inserted = await documents.insert(messages, message)
      if (inserted.ok) {
        slot.state = { ...state, lastSeq: message.seq }
        return { message, members, known: false }
      }
      const first = await byClientId(documents, draft.conversation, draft.sender, draft.clientId)
      if (first) return { message: first, members, known: true }
    }
    throw refuse('overloaded', 'this conversation is being written elsewhere', { retryAfterSeconds: 1 })
  }

  const load = async (id: string, user: string): Promise<State> => {
    const [conversation, last] = await Promise.all([documents.get(conversations, id), lastMessage(documents, id)])
    return { conversation: mustBelong(conversation, user), lastSeq: last?.seq ?? 0 }
  }

  return { send, box }
}

const numbered = ({ id, conversation, sender: from, clientId, text, attachments, now }: Draft, seq: number): MessageDoc => ({
  id, version: 1, conversation, seq, sender: from, clientId, text, attachments, sentAt: now, editedAt: null, deleted: false,
})
