// Every document that a query finds, page after page: for what is done to all of them, never on a request's path.
import type { Collection, Doc, Documents, Found, Query } from '../adapters/documents/index.ts'

const PAGE = 200

/** What is done with a page may take its documents out of the index that is walked, but not move them within it. */
export async function* pages<T extends Doc>(
  documents: Documents,
  of: Collection<T>,
  query: Omit<Query, 'cursor'>,
): AsyncGenerator<readonly T[]> {
  let cursor: string | null = null
  do {
    const page: Found<T> = await documents.find(of, { ...query, cursor })
    yield page.docs
    cursor = page.next
  } while (cursor)
}

/** Does something with each document that some queries find. Answers how many there were. */
export const every = async <T extends Doc>(
  documents: Documents,
  of: Collection<T>,
  queries: readonly Pick<Query, 'index' | 'equals'>[],
  each: (doc: T) => Promise<unknown>,
): Promise<number> => {
  let count = 0
  for (const query of queries)
    for await (const docs of pages(documents, of, { ...query, limit: PAGE })) {
      for (const doc of docs) await each(doc)
      count += docs.length
    }
  return count
}
