// Proves that no conversation has a gap in its numbers, by reading every message in order of seq; that every message's change
// has a number of its own that was given, and the last that was given is there; and that nobody has read what is not there.
import type { Documents } from '../../adapters/documents/index.ts'
import { conversations, type ConversationDoc } from './conversation.ts'
import { inbox, rowId } from './inbox.ts'
import { messages, stretch } from './messages.ts'

const PROBLEMS_MAX = 100
const PAGE = 500

type Seen = { conversations: number; messages: number; problems: string[] }

export const verifyChat = async (documents: Documents): Promise<Seen> => {
  const seen: Seen = { conversations: 0, messages: 0, problems: [] }
  let after: string | null = null
  do {
    const page: { docs: ConversationDoc[]; next: string | null } = await documents.scan(conversations, {
      after,
      limit: PAGE,
    })
    for (const conversation of page.docs) {
      seen.conversations++
      // Marks first: what is sent and read meanwhile is no problem.
      const marks = await marksOf(documents, conversation)
      const { lastSeq, changes } = await walk(documents, conversation.id, seen)
      for (const [user, readSeq] of marks)
        if (readSeq > lastSeq)
          note(seen, `${conversation.id}: ${user} has read up to ${readSeq}, the last message is ${lastSeq}`)
      await checkChanges(documents, conversation, changes, seen)
    }
    after = page.next
  } while (after)
  return seen
}

const note = ({ problems }: Seen, problem: string) => {
  if (problems.length < PROBLEMS_MAX) problems.push(problem)
}

/** A number that was given may not have reached its message yet; it is the last one then, and the message waits for it. */
const checkChanges = async (
  documents: Documents,
  before: ConversationDoc,
  changes: ReadonlySet<number>,
  seen: Seen,
): Promise<void> => {
  const { id, lastChange: given = 0, changing } = before
  const last = Math.max(0, ...changes)
  const message = changing && (await documents.get(messages, changing.message))
  const isWaiting = !!message && message.version < changing.version
  if (last < given && !isWaiting) note(seen, `${id}: change ${given} is missing`)
  if (last <= given) return
  const now = (await documents.get(conversations, id))?.lastChange ?? 0
  if (last > now) note(seen, `${id}: change ${last} was never given, the last is ${now}`)
}

type Walked = { lastSeq: number; changes: Set<number> }

const walk = async (documents: Documents, conversation: string, seen: Seen): Promise<Walked> => {
  let seq = 0
  const changes = new Set<number>()
  let more = true
  while (more) {
    const { docs, hasMore } = await stretch(documents, conversation, { after: seq, limit: PAGE })
    for (const message of docs) {
      if (message.seq === seq) note(seen, `${conversation}: message ${seq} is there twice`)
      else if (message.seq !== seq + 1)
        note(seen, `${conversation}: message ${seq + 1} is missing before ${message.seq}`)
      seq = message.seq
      if (message.change === undefined) continue
      if (changes.has(message.change)) note(seen, `${conversation}: change ${message.change} is there twice`)
      changes.add(message.change)
    }
    seen.messages += docs.length
    more = hasMore
  }
  return { lastSeq: seq, changes }
}

/** A read mark never passes the last message: one that does tells of messages gone from the end. */
const marksOf = async (
  documents: Documents,
  { id, members }: ConversationDoc,
): Promise<[user: string, readSeq: number][]> =>
  (
    await documents.getMany(
      inbox,
      members.map((member) => rowId(id, member)),
    )
  ).flatMap((row) => (row ? [[row.user, row.readSeq]] : []))
