// The browsers people have subscribed: each once, whoever's it is now.
import { createHash } from 'node:crypto'
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import type { PushSubscription } from '../../adapters/push/index.ts'
import { refuse } from '../errors.ts'
import { SUBSCRIPTIONS_MAX } from './contract.ts'

export type SubscriptionDoc = Doc & PushSubscription & { user: string; createdAt: number }
/** Keyed by the endpoint, which a browser gives once. */
export const subscriptions = collection<SubscriptionDoc>('push_subscriptions', {
  byUser: { keys: ['user', 'createdAt'] },
})

const CHANGE_TRIES = 4
const idOf = (endpoint: string): string =>
  `psh_${createHash('sha256').update(endpoint).digest('base64url').slice(0, 26)}`

export const subscriptionsOf = async (documents: Documents, user: string): Promise<SubscriptionDoc[]> =>
  (await documents.find(subscriptions, { index: 'byUser', equals: { user }, limit: SUBSCRIPTIONS_MAX * 2 })).docs

export const subscribe = async (
  documents: Documents,
  user: string,
  { endpoint, keys }: PushSubscription,
  createdAt: number,
): Promise<string> => {
  const id = idOf(endpoint)
  for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
    const known = await documents.get(subscriptions, id)
    const doc = { id, version: (known?.version ?? 0) + 1, user, endpoint, keys, createdAt }
    const { ok } = known
      ? await documents.replace(subscriptions, doc, known.version)
      : await documents.insert(subscriptions, doc)
    if (!ok) continue
    const all = await subscriptionsOf(documents, user)
    for (const oldest of all.slice(0, Math.max(0, all.length - SUBSCRIPTIONS_MAX)))
      await documents.remove(subscriptions, oldest.id)
    return id
  }
  throw refuse('overloaded', 'this browser is being changed elsewhere', { retryAfterSeconds: 1 })
}

export const unsubscribePush = async (documents: Documents, user: string, endpoint: string): Promise<boolean> => {
  const known = await documents.get(subscriptions, idOf(endpoint))
  return known?.user === user && documents.remove(subscriptions, known.id, known.version)
}
