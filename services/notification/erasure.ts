// Forgets a person: everything they were told, how they wanted it, and where to.
import type { Collection, Doc, Documents } from '../../adapters/documents/index.ts'
import { dispatches } from './dispatch.ts'
import { notifications } from './notifications.ts'
import { preferences } from './preferences.ts'
import { subscriptions } from './subscriptions.ts'

const BATCH = 500

/** Answers how many documents went away. Asked again it goes on where it stopped. */
export const forgetPerson = async (documents: Documents, user: string): Promise<number> => {
  const removed = [
    await forgetAll(documents, notifications, user),
    await forgetAll(documents, dispatches, user),
    await forgetAll(documents, subscriptions, user),
    (await documents.remove(preferences, user)) ? 1 : 0,
  ]
  return removed.reduce((sum, one) => sum + one, 0)
}

const forgetAll = async <T extends Doc>(documents: Documents, of: Collection<T>, user: string): Promise<number> => {
  let removed = 0
  for (;;) {
    const { docs } = await documents.find(of, { index: 'byUser', equals: { user }, limit: BATCH })
    for (const { id } of docs) if (await documents.remove(of, id)) removed++
    if (docs.length === 0) return removed
  }
}
