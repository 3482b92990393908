// Whom a person talks with, for those who show who is there: of a list of others, those with a common conversation who have
// not blocked the person.
import type { Documents } from '../../adapters/documents/index.ts'
import { conversations, pairOf } from './conversation.ts'
import { blocks, rowId } from './inbox.ts'

export const peersOf = async (documents: Documents, user: string, users: readonly string[]): Promise<string[]> => {
  const others = [...new Set(users)].filter((other) => other !== user)
  const [known, blocked] = await Promise.all([
    Promise.all(others.map((other) => haveTalked(documents, user, other))),
    documents.getMany(
      blocks,
      others.map((other) => rowId(other, user)),
    ),
  ])
  return others.filter((_, at) => known[at] && !blocked[at])
}

const haveTalked = async (documents: Documents, user: string, other: string): Promise<boolean> =>
  (await documents.count(conversations, { index: 'byPair', equals: { pair: pairOf(user, other) } })) > 0
