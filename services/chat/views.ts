// Conversations as one member sees them: live from the messages, so that no crash leaves a wrong count behind.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { iso, type Caller } from '../shapes.ts'
import type { Conversation } from './contract.ts'
import type { ConversationDoc } from './conversation.ts'
import { inbox, rowId } from './inbox.ts'
import { bySeq, fromOther, lastMessage, publicMessage, seenBy, type MessageDoc } from './messages.ts'

export const viewed = async (
  documents: Documents,
  call: Call,
  caller: Caller,
  list: readonly ConversationDoc[],
): Promise<Conversation[]> => {
  const people = [...new Set(list.flatMap(({ members }) => members))]
  const [cards, marks] = await Promise.all([call('account.cards', { ids: people }), readMarks(documents, list)])
  const cardOf = new Map(people.map((id, at) => [id, cards[at]]))
  return Promise.all(
    list.map(async (conversation) => {
      const { id, members, gig, createdAt } = conversation
      const last = await lastMessage(documents, id)
      const read = marks.get(id) ?? {}
      return {
        id,
        members: members.map((member) => ({
          id: member,
          username: cardOf.get(member)?.username ?? '',
          displayName: cardOf.get(member)?.displayName ?? '',
        })),
        gig,
        lastSeq: last?.seq ?? 0,
        lastMessage: last && seenBy(publicMessage(last), caller.id),
        unread: await unread(documents, last, caller.id, read[caller.id] ?? 0),
        read,
        createdAt: iso(createdAt),
      }
    }),
  )
}

type ReadMarks = Map<string, Record<string, number>>

const readMarks = async (documents: Documents, list: readonly ConversationDoc[]): Promise<ReadMarks> => {
  const rows = await documents.getMany(
    inbox,
    list.flatMap(({ id, members }) => members.map((member) => rowId(id, member))),
  )
  const marks: ReadMarks = new Map()
  for (const row of rows)
    if (row) marks.set(row.conversation, { ...marks.get(row.conversation), [row.user]: row.readSeq })
  return marks
}

/** What the other wrote after the own read mark, exactly, from two messages. */
const unread = async (
  documents: Documents,
  last: MessageDoc | null,
  user: string,
  readSeq: number,
): Promise<number> => {
  if (!last || last.seq <= readSeq) return 0
  const read = readSeq > 0 ? await bySeq(documents, last.conversation, readSeq) : null
  return Math.max(0, fromOther(last, user) - fromOther(read, user))
}
