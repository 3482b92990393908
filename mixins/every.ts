// Every document that some queries find, page after page: for what is done to all of somebody's, never on a request's path.
import type { Collection, Doc, Documents, Found, Query } from '../adapters/documents/index.ts'

const PAGE = 200

/** What `each` does must not move a document within the index that is walked. Answers how many there were. */
export const every = async <T extends Doc>(
  documents: Documents,
  of: Collection<T>,
  queries: readonly Pick<Query, 'index' | 'equals'>[],
  each: (doc: T) => Promise<unknown>,
): Promise<number> => {
  let count = 0
  for (const query of queries)
    for (let cursor: string | null = null; ;) {
      const page: Found<T> = await documents.find(of, { ...query, limit: PAGE, cursor })
      for (const doc of page.docs) await each(doc)
      count += page.docs.length
      cursor = page.next
      if (cursor === null) break
    }
  return count
}
