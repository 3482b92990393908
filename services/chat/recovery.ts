// The inbox is touched a moment after a message is stored; a node that dies in between leaves rows behind the messages.
// Every node keeps a mark: all it stored before then has reached the inbox. A mark whose node is gone is made good by
// whoever finds it, from the messages themselves, which are numbered by time.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { conversations } from './conversation.ts'
import type { Toucher } from './inbox.ts'
import { messages, type MessageDoc } from './messages.ts'

/** Keyed by the node. */
export type Mark = Doc & { at: number }
export const inboxMarks = collection<Mark>('inbox_marks')

const MARK_EVERY_MS = 15_000
/** How long a message may be on its way from its number to the inbox's waiting list. */
const MARGIN_MS = 30_000
const MARKS_MAX = 1000
const PAGE = 500

export type RecoveryParts = {
  documents: Documents
  touching: Toucher
  nodeId: string
  liveNodes: () => readonly string[]
  now: () => number
  /** The smallest id of a message stored at that time. */
  idAt: (ms: number) => string
  warn: (...args: unknown[]) => void
}
export type Recovery = { stop(): Promise<void> }

/** Resolves when this node's mark is stored: messages may come from then on. What others left is made good behind it. */
export const recovery = async (parts: RecoveryParts): Promise<Recovery> => {
  const { documents, touching, nodeId, now, warn } = parts
  await documents.insert(inboxMarks, { id: nodeId, version: 1, at: now() })
  // A mark under this node's name that was there before is of a process that is gone.
  let isOwnStale = true

  const look = async () => {
    const at = now()
    const isWritten = await touching.flush()
    isOwnStale ||= touching.overflowed()
    const { docs } = await documents.scan(inboxMarks, { limit: MARKS_MAX })
    const left = docs.filter(({ id }) => (id === nodeId ? isOwnStale : !parts.liveNodes().includes(id)))
    if (left.length > 0 && !(await makeGood(parts, Math.min(...left.map((mark) => mark.at)) - MARGIN_MS))) return
    isOwnStale = false
    for (const mark of left) if (mark.id !== nodeId) await documents.remove(inboxMarks, mark.id, mark.version)
    if (isWritten) await moveMark(documents, nodeId, at)
  }

  let looking: Promise<unknown> = Promise.resolve()
  const lookNow = () =>
    (looking = looking.then(look).catch((error: unknown) => warn('the inbox could not be made good:', error)))
  void lookNow()
  const timer = setInterval(lookNow, MARK_EVERY_MS)
  timer.unref()
  return {
    stop: async () => {
      clearInterval(timer)
      await looking
      const isWritten = await touching.stop()
      if (isWritten && !isOwnStale) await documents.remove(inboxMarks, nodeId)
    },
  }
}

const moveMark = async (documents: Documents, nodeId: string, at: number): Promise<void> => {
  const mark = await documents.get(inboxMarks, nodeId)
  if (mark) await documents.replace(inboxMarks, { ...mark, at, version: mark.version + 1 }, mark.version)
  else await documents.insert(inboxMarks, { id: nodeId, version: 1, at })
}

/** Touches every conversation that had a message since; answers whether all was written. */
const makeGood = async ({ documents, touching, idAt }: RecoveryParts, since: number): Promise<boolean> => {
  let after: string | null = idAt(Math.max(0, since))
  do {
    const page: { docs: MessageDoc[]; next: string | null } = await documents.scan(messages, { after, limit: PAGE })
    const lastAt = new Map(page.docs.map(({ conversation, sentAt }) => [conversation, sentAt]))
    const found = lastAt.size > 0 ? await documents.getMany(conversations, [...lastAt.keys()]) : []
    for (const conversation of found)
      if (conversation) touching.touch(conversation.id, conversation.members, lastAt.get(conversation.id)!)
    if (!(await touching.flush())) return false
    after = page.next
  } while (after)
  return true
}
