// Tells of unread messages are pulled from here, in batches and at the puller's own pace: no send ever waits for them, and
// a row is done with only when the puller says so.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Unseen } from './contract.ts'
import { conversations, otherOf, type ConversationDoc } from './conversation.ts'
import { inbox, rowId, type InboxRow } from './inbox.ts'
import { fromOther, lastMessage, messages } from './messages.ts'
import { afterNotice, isSettled } from './unseen.ts'

export type Noticed = { conversation: string; user: string; version: number; seq: number }

/** Rows that are due, with what is unread in each. Those with nothing to tell are settled on the way. */
export const unseen = async (
  documents: Documents,
  now: number,
  limit: number,
): Promise<{ data: Unseen[]; hasMore: boolean }> => {
  const { docs, next } = await documents.find(inbox, { index: 'byDue', to: now, limit })
  const about = await documents.getMany(
    conversations,
    docs.map(({ conversation }) => conversation),
  )
  const looked = await Promise.all(docs.map((row, at) => lookAt(documents, row, about[at]!)))
  const settled = looked.filter((one) => one.isSettled)
  await noticed(
    documents,
    settled.map(({ seen }) => ({ ...seen, seq: seen.noticed })),
  )
  return { data: looked.filter((one) => !one.isSettled).map(({ seen }) => seen), hasMore: next !== null }
}

type Looked = { seen: Unseen; isSettled: boolean }
const lookAt = async (documents: Documents, row: InboxRow, about: ConversationDoc): Promise<Looked> => {
  const { conversation, user, readSeq, version } = row
  const [last, around] = await Promise.all([
    lastMessage(documents, conversation),
    documents.find(messages, { index: 'bySeq', equals: { conversation }, from: readSeq, limit: 2 }),
  ])
  const read = around.docs.find(({ seq }) => seq === readSeq) ?? null
  const first = around.docs.find(({ seq }) => seq === readSeq + 1)
  const lastSeq = last?.seq ?? 0
  const count = lastSeq > readSeq ? Math.max(0, fromOther(last, user) - fromOther(read, user)) : 0
  const seen = {
    conversation,
    user,
    version,
    readSeq,
    lastSeq,
    count,
    heard: fromOther(last, user),
    noticed: row.noticed ?? 0,
    from: otherOf(about, user),
    lastAt: last?.sentAt ?? row.lastAt,
    firstAt: first?.sentAt ?? row.lastAt,
  }
  return { seen, isSettled: isSettled(row, count, lastSeq) }
}

/** Rows that moved since they were looked at stay due. Answers how many were done with. */
export const noticed = async (documents: Documents, told: readonly Noticed[]): Promise<number> => {
  if (told.length === 0) return 0
  const rows = await documents.getMany(
    inbox,
    told.map(({ conversation, user }) => rowId(conversation, user)),
  )
  const changes = rows.flatMap((row, at) => {
    const { version, seq } = told[at]!
    return row?.version === version
      ? [{ doc: { ...afterNotice(row, seq), version: version + 1 }, ifVersion: version }]
      : []
  })
  if (changes.length === 0) return 0
  return (await documents.replaceMany(inbox, changes)).filter(({ ok }) => ok).length
}

/** How far a person has read in each of these. */
export const readMarks = async (
  documents: Documents,
  user: string,
  conversations: readonly string[],
): Promise<Record<string, number>> => {
  const rows = await documents.getMany(
    inbox,
    conversations.map((conversation) => rowId(conversation, user)),
  )
  return Object.fromEntries(rows.flatMap((row) => (row ? [[row.conversation, row.readSeq]] : [])))
}
