// Proves that no conversation has a gap in its numbers: every message, in order of seq.
import type { Documents } from '../../adapters/documents/index.ts'
import { conversations, type ConversationDoc } from './conversation.ts'
import { stretch } from './messages.ts'

const PROBLEMS_MAX = 100
const PAGE = 500

export const verifyChat = async (documents: Documents): Promise<{ conversations: number; messages: number; problems: string[] }> => {
  const seen = { conversations: 0, messages: 0, problems: [] as string[] }
  let after: string | null = null
  do {
    const page: { docs: ConversationDoc[]; next: string | null } = await documents.scan(conversations, { after, limit: PAGE })
    for (const { id } of page.docs) {
      seen.conversations++
      seen.messages += await walk(documents, id, seen.problems)
    }
    after = page.next
  } while (after)
  return { ...seen, problems: seen.problems.slice(0, PROBLEMS_MAX) }
}

const walk = async (documents: Documents, conversation: string, problems: string[]): Promise<number> => {
  let seq = 0
  let more = true
  while (more) {
    const { docs, hasMore } = await stretch(documents, conversation, { after: seq, limit: PAGE })
    for (const message of docs) {
      if (message.seq !== seq + 1) problems.push(`${conversation}: message ${seq + 1} is missing before ${message.seq}`)
      seq = message.seq
    }
    more = hasMore
  }
  return seq
}
