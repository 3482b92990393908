// A conversation's sequencer: gives the next number, stores, and only then says. Numbers have no gap and no two alike,
// because the store takes each (conversation, seq) once: an owner that went stale loses the insert and looks again.
import type { Documents } from '../../adapters/documents/index.ts'
import { mailbox, MAILBOX, type Asked, type Mailbox, type Slot } from '../../mixins/mailbox.ts'
import { recent } from '../../mixins/recent.ts'
import { refuse } from '../errors.ts'
import type { OfferCard } from '../offer/contract.ts'
import type { Message } from './contract.ts'
import { isBlockedIn, mustBelong, type ConversationDoc } from './conversation.ts'
import { byClientId, fromOther, lastMessage, messages, publicMessage, type MessageDoc } from './messages.ts'
import { waitedMs } from './response.ts'
import type { Roster } from './roster.ts'

/** Of the last message only what numbers the next: texts need not stay in memory. */
export type State = { last: Last | null }
type Last = Pick<MessageDoc, 'seq' | 'sender' | 'senderSeq' | 'sentAt'> & { runAt: number }
/** As the sender sees it; whether it was there before. */
export type Sent = { message: Message; known: boolean }
/** A message that is ready: trimmed, judged, its attachments looked at. */
export type Draft = {
  conversation: string
  sender: string
  clientId: string
  text: string
  attachments: readonly string[]
  masked?: true
  held?: true
  offer?: OfferCard
  deadlineAt: number
}

export type SenderParts = {
  documents: Documents
  roster: Roster
  newId: () => string
  now: () => number
  /**
   * Told of every new message inside its turn, so in the order of seq; and how long the other waited for it, if they did.
   * Answers it as the sender sees it.
   */
  stored: (message: MessageDoc, conversation: ConversationDoc, waitedMs: number | null) => Message
  /** Tells a message that was stored elsewhere, by a node that may have died before it could say so. */
  tellAgain: (message: MessageDoc, conversation: ConversationDoc) => void
}
export type Sender = {
  /** `before` is done with the message's id when it is about to be stored, and not when it is known already. */
  send(draft: Draft, before?: Before): Promise<Sent>
  /** The number of the last message as far as this node knows, without a read. */
  lastSeq(conversation: string): number
  /** When that was sent. */
  lastAt(conversation: string): number
  box: Mailbox<State>
}

/** A draft whose sender waits for an answer; its message has that id. */
type Open = Asked<Draft, Sent> & { id: string }
type Before = (id: string) => Promise<void>
type StoreAll = (slot: Slot<State>, all: readonly Asked<Draft, Sent>[], before?: Before) => Promise<void>
type StoreSome = (
  slot: Slot<State>,
  open: readonly Open[],
  conversation: ConversationDoc,
  before?: Before,
) => Promise<readonly Open[]>

/** How often a send looks again after losing its number. */
const STALE_TRIES = 6
/** Messages this node remembers to have told. */
const TOLD_MAX = 20_000
/** A repeated send comes soon; what is older was heard of by sync. */
const TELL_AGAIN_WITHIN_MS = 120_000

export const sender = ({ documents, roster, newId, now, stored, tellAgain }: SenderParts): Sender => {
  const box = mailbox<State>(MAILBOX)
  const told = recent<true>(TOLD_MAX)

  const send: Sender['send'] = (draft, before) =>
    before
      ? box.runTogether(draft.conversation, draft.deadlineAt, draft, (slot, all) => storeAll(slot, all, before))
      : box.runTogether(draft.conversation, draft.deadlineAt, draft, storeAll)

  /** What is sent while a message is being stored is stored with the next one: a lively conversation waits no longer. */
  const storeAll: StoreAll = async (slot, all, before) => {
    const { conversation: id } = all[0]!.item
    let open: readonly Open[] = all.map((one) => ({ ...one, id: newId() }))
    for (let tries = 0; open.length > 0; tries++) {
      if (tries >= STALE_TRIES)
        throw refuse('overloaded', 'this conversation is being written elsewhere', { retryAfterSeconds: 1 })
      const known = slot.state && roster.known(id)
      const conversation = known ?? (await load(slot, id))
      const some = await admitted(open, conversation)
      open = some.length > 0 ? await storeSome(slot, some, conversation!, before) : []
      if (open.length < some.length) tries = 0
    }
  }

  /** Those who may say something there; the others have their answer. */
  const admitted = async (open: readonly Open[], conversation: ConversationDoc | null): Promise<Open[]> => {
    const may: Open[] = []
    for (const one of open)
      try {
        const { item } = one
        if (isBlockedIn(mustBelong(conversation, item.sender), item.sender)) one.resolve(await beforeTheBlock(item))
        else may.push(one)
      } catch (error) {
        one.reject(error)
      }
    return may
  }

  /** Numbers and stores as many as the store takes; answers those who are still open. */
  const storeSome: StoreSome = async (slot, open, conversation, before) => {
    const { id } = conversation
    if (before && (await isKnown(open[0]!, conversation))) return []
    const docs: MessageDoc[] = []
    const lasts = [slot.state!.last]
    for (const one of open) lasts.push(lastOf(docs[docs.push(numbered(one, lasts.at(-1)!, now())) - 1]!))
    await before?.(open[0]!.id)
    // The outcome of a failed write is not known: the next turn must look at what is stored.
    slot.state = undefined
    const outcomes = await documents.insertInOrder(messages, docs)
    const count = outcomes.filter(({ ok }) => ok).length
    for (let at = 0; at < count; at++) {
      const message = docs[at]!
      // Somebody may have been blocked while it was being stored.
      const said = stored(message, roster.known(id) ?? conversation, waitedMs(lasts[at]!, message))
      told.set(message.id, true)
      open[at]!.resolve({ message: said, known: false })
    }
    const refused = open[count]
    if (!refused) slot.state = { last: lasts.at(-1)! }
    else if (await isKnown(refused, conversation)) return open.slice(count + 1)
    // Who lost a number was not the owner for a while, and does not know who was blocked meanwhile.
    else roster.forget(id)
    return open.slice(count)
  }

  /** It was sent before: then that is the answer. */
  const isKnown = async ({ item, resolve }: Open, conversation: ConversationDoc): Promise<boolean> => {
    const first = await byClientId(documents, item.conversation, item.sender, item.clientId)
    if (first) resolve(again(first, conversation))
    return first !== null
  }

  /** Its sender asks again because nobody answered: the node that stored it may be gone, and the members still waiting. */
  const again = (message: MessageDoc, conversation: ConversationDoc): Sent => {
    if (!told.get(message.id) && now() - message.sentAt < TELL_AGAIN_WITHIN_MS) tellAgain(message, conversation)
    told.set(message.id, true)
    return { message: publicMessage(message), known: true }
  }

  /** Two reads at once, or the one of them that is needed. */
  const load = async (slot: Slot<State>, id: string): Promise<ConversationDoc | null> => {
    const [conversation, last] = await Promise.all([
      roster.of(id),
      slot.state ? slot.state.last : lastMessage(documents, id).then((message) => message && lastOf(message)),
    ])
    slot.state = { last }
    return conversation
  }

  /** Who is blocked may still learn that a message arrived before. */
  const beforeTheBlock = async ({ conversation, sender: from, clientId }: Draft): Promise<Sent> => {
    const first = await byClientId(documents, conversation, from, clientId)
    if (!first) throw refuse('forbidden', 'this person does not take messages from you')
    return { message: publicMessage(first), known: true }
  }

  return { send, lastSeq: (id) => box.peek(id)?.last?.seq ?? 0, lastAt: (id) => box.peek(id)?.last?.sentAt ?? 0, box }
}

const lastOf = ({ seq, sender: from, senderSeq, sentAt, runAt = sentAt }: MessageDoc): Last => ({
  seq,
  sentAt,
  sender: from,
  senderSeq,
  runAt,
})

const numbered = ({ id, item }: Open, last: Last | null, now: number): MessageDoc => {
  const { conversation, sender: from, clientId, text, attachments, masked, held, offer } = item
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
    ...(last?.sender === from && { runAt: last.runAt }),
    editedAt: null,
    deleted: false,
    ...(masked && { masked }),
    ...(held && { held }),
    ...(offer && { offer }),
  }
}
