// A document that several nodes count into: read, count, write on condition; whoever lost counts again on the newer one.
import type { Collection, Doc, Documents } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'

/** How often one count is tried against others that count at the same time. */
const TRIES_MAX = 8

/** `count` answers the next document, or null when there is nothing to change. */
export const countInto = async <T extends Doc>(
  documents: Documents,
  of: Collection<T>,
  id: string,
  count: (before: T | null) => T | null,
): Promise<void> => {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const before = await documents.get(of, id)
    const next = count(before)
    if (!next) return
    const written = before ? await documents.replace(of, next, before.version) : await documents.insert(of, next)
    if (written.ok) return
  }
  throw refuse('overloaded', `${of.name} ${id} is being counted elsewhere`, { retryAfterSeconds: 1 })
}
