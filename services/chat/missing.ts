// What somebody missed: per conversation the messages after a seq, and the changes after a change, in answers of bounded
// size. Following `hasMore` closes any gap. The answer is put together as text, from messages that are mostly text already.
import type { Chat, Handlers } from './parts.ts'
import { ANSWER_BYTES_MAX, changedAfter, lastMessage, textsFrom } from './messages.ts'
import type { Tails } from './tails.ts'
import { jsonFor, wiredDoc, wiredText, type Wire } from './wire.ts'

/** Messages one sync answers per conversation, and over all of them; the rest is asked for again (`hasMore`). */
export const SYNC_MESSAGES_EACH = 200
export const SYNC_MESSAGES_ALL = 2000

/** Of those asked about in one question, so many are read at once: what is read and not answered yet stays little. */
const READ_AT_ONCE = 16

type Question = { user: string; conversations: Record<string, number>; changes?: Record<string, number> }
type Asked = { id: string; after: number; afterChange: number | undefined; limit: number }
/** Possibly more of both than one answer takes. */
type Found = Changes & { messages: readonly Wire[]; lastSeq: number }
type Changes = { changed: readonly Wire[]; moreChanges: boolean }
type Answer = { text: string; messages: number; hasMore: boolean; bytes: number }
type Room = { bytes: number }
type MembersOf = (conversation: string) => readonly string[]

export const missing = (chat: Chat, tails: Tails): Handlers<'sync' | 'missed'> => ({
  sync: async ({ params, caller }) => {
    const [answer] = await answersTo(chat, tails, [{ user: caller.id, ...params }])
    return { conversations: JSON.parse(answer!.text) }
  },
  missed: async ({ params: { asked } }) => {
    const answers = await answersTo(chat, tails, asked)
    return {
      text: answers.map((answer) => answer?.text ?? '').join(''),
      parts: answers.map(
        (answer) => answer && { letters: answer.text.length, messages: answer.messages, hasMore: answer.hasMore },
      ),
    }
  },
})

/** The first has an answer; of the others, those that there is room for. */
const answersTo = async (chat: Chat, tails: Tails, all: readonly Question[]): Promise<(Answer | null)[]> => {
  const members = await membersOf(chat, all)
  const answers: (Answer | null)[] = []
  let bytes = 0
  while (answers.length < all.length) {
    // As many as will fit if they are like those before: what is read and has no room is read again.
    const room = (ANSWER_BYTES_MAX - bytes) / Math.max(1, bytes / answers.length)
    const count = answers.length === 0 ? 1 : Math.min(READ_AT_ONCE, Math.floor(room))
    if (count < 1) return [...answers, ...all.slice(answers.length).map(() => null)]
    const some = all.slice(answers.length, answers.length + count)
    for (const answer of await Promise.all(some.map((one) => answerTo(chat, tails, one, members)))) {
      const fits = answers.length === 0 || bytes + answer.bytes <= ANSWER_BYTES_MAX
      if (fits) bytes += answer.bytes
      answers.push(fits ? answer : null)
    }
  }
  return answers
}

const membersOf = async ({ roster }: Chat, all: readonly Question[]): Promise<MembersOf> => {
  const ids = [...new Set(all.flatMap(({ conversations }) => Object.keys(conversations)))]
  const members = await roster.members(ids)
  const known = new Map(ids.map((id, at) => [id, members[at]!]))
  return (id) => known.get(id)!
}

const answerTo = async (
  chat: Chat,
  tails: Tails,
  { user, conversations, changes = {} }: Question,
  members: MembersOf,
): Promise<Answer> => {
  const own = Object.keys(conversations).filter((id) => members(id).includes(user))
  const limit = Math.min(SYNC_MESSAGES_EACH, Math.floor(SYNC_MESSAGES_ALL / Math.max(1, own.length)))
  const all = own.map((id): Asked => ({ id, after: conversations[id]!, afterChange: changes[id], limit }))
  const found = await Promise.all(all.map((asked) => find(chat, tails, asked)))
  const room = { bytes: ANSWER_BYTES_MAX }
  const answers = all.map((asked, at) => fit(asked, found[at]!, room, user))
  return {
    text: `{${answers.map(({ text }) => text).join(',')}}`,
    messages: answers.reduce((sum, { messages }) => sum + messages, 0),
    hasMore: answers.some(({ hasMore }) => hasMore),
    bytes: ANSWER_BYTES_MAX - room.bytes,
  }
}

const find = async (chat: Chat, tails: Tails, asked: Asked): Promise<Found> => {
  const tail = await tails.current(asked.id, asked.after)
  if (!tail) return findStored(chat, tails, asked)
  const isUnchanged = asked.afterChange === undefined || asked.afterChange >= tail.lastChange
  const { messages } = tail
  return {
    ...(isUnchanged ? NO_CHANGES : await findChanged(chat, asked)),
    // A tail has every number between its first and its last.
    messages: messages.slice(asked.after - messages[0]!.seq + 1),
    lastSeq: messages.at(-1)!.seq,
  }
}

const findStored = async (chat: Chat, tails: Tails, asked: Asked): Promise<Found> => {
  const { id, after, afterChange, limit } = asked
  // Changes first: what is changed meanwhile is in the messages, and asked for again.
  const { changed, moreChanges } = await findChanged(chat, asked)
  // From the one that is known: where it is the last, that is known too.
  const { texts, hasMore } = await textsFrom(chat.documents, id, Math.max(1, after), limit + 1)
  const messages = texts.map(wiredText)
  const isToEnd = texts.length > 0 && !hasMore
  const lastSeq = isToEnd ? messages.at(-1)!.seq : ((await lastMessage(chat.documents, id))?.seq ?? 0)
  if (isToEnd && afterChange !== undefined && !moreChanges)
    tails.keep(id, { messages, lastChange: changed.at(-1)?.change ?? afterChange })
  return { messages: messages.filter(({ seq }) => seq > after), lastSeq, changed, moreChanges }
}

const NO_CHANGES: Changes = { changed: [], moreChanges: false }
const findChanged = async ({ documents }: Chat, { id, afterChange, limit }: Asked): Promise<Changes> => {
  if (afterChange === undefined) return NO_CHANGES
  const { docs, hasMore } = await changedAfter(documents, id, afterChange, limit)
  return { changed: docs.map(wiredDoc), moreChanges: hasMore }
}

/** As much of it as there is room for. */
const fit = (asked: Asked, found: Found, room: Room, viewer: string): Omit<Answer, 'bytes'> => {
  const { id, after, afterChange, limit } = asked
  const changed = taken(found.changed, limit, room)
  const messages = taken(found.messages, limit, room)
  const hasMore =
    found.moreChanges || changed.length < found.changed.length || found.lastSeq > (messages.at(-1)?.seq ?? after)
  const list = (some: readonly Wire[]) => `[${some.map((message) => jsonFor(message, viewer)).join(',')}]`
  const changes =
    afterChange === undefined ? '' : `,"changed":${list(changed)},"lastChange":${changed.at(-1)?.change ?? afterChange}`
  return {
    text: `${JSON.stringify(id)}:{"messages":${list(messages)},"lastSeq":${found.lastSeq},"hasMore":${hasMore}${changes}}`,
    messages: messages.length,
    hasMore,
  }
}

/** The one that fills the room is the last, so that there is at least one while there is any room. */
const taken = (some: readonly Wire[], limit: number, room: Room): readonly Wire[] => {
  let count = 0
  while (count < Math.min(limit, some.length) && room.bytes > 0) room.bytes -= some[count++]!.bytes
  return some.slice(0, count)
}
