// Changing a document that several nodes write at once and that is no actor: read, change, write on condition; whoever lost
// changes the newer one.
import type { Collection, Doc, Documents } from '../adapters/documents/index.ts'
import { refuse } from '../services/errors.ts'

/** How often one change is tried against others made at the same time. */
export const CHANGE_TRIES = 8

/**
 * Answers the document as it is then. `change` gets it as it is, null where there is none, and answers what it is to be (its
 * version is set here), or null where nothing is to be changed. Refused as overloaded when it lost every time.
 */
export const changeDocument = async <T extends Doc>(
  documents: Documents,
  of: Collection<T>,
  id: string,
  change: (known: T | null) => Omit<T, 'version'> | null,
): Promise<T | null> => {
  for (let tries = 0; tries < CHANGE_TRIES; tries++) {
    const known = await documents.get(of, id)
    const changed = change(known)
    if (!changed) return known
    const next = { ...changed, version: (known?.version ?? 0) + 1 } as T
    const { ok } = known ? await documents.replace(of, next, known.version) : await documents.insert(of, next)
    if (ok) return next
  }
  throw refuse('overloaded', `${of.name} ${id} is being changed elsewhere`, { retryAfterSeconds: 1 })
}
