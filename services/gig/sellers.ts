// What gig answers show of sellers: asked of the account actor, kept for a second, bounded.
import type { Call } from '../../mixins/node.ts'
import type { Profile } from '../account/contract.ts'

/** A name or level in a gig's answer may be this old. */
export const SELLER_TTL_MS = 1000
export const SELLERS_MAX = 10_000
/** Ids in one question: account.cards takes no more. */
const ASKED_MAX = 1000

export type Sellers = {
  of(id: string): Promise<Profile>
  /** In the order of ids. */
  all(ids: readonly string[]): Promise<Profile[]>
  forget(id: string): void
}

export const sellers = (call: Call): Sellers => {
  const kept = new Map<string, { profile: Profile; at: number }>()

  const keep = (id: string, profile: Profile) => {
    kept.delete(id)
    kept.set(id, { profile, at: Date.now() })
    if (kept.size > SELLERS_MAX) kept.delete(kept.keys().next().value!)
  }

  const refresh = async (ids: readonly string[]): Promise<void> => {
    try {
      const cards = await call('account.cards', { ids: [...ids] })
      ids.forEach((id, at) => keep(id, cards[at] ?? gone(id)))
    } catch (error) {
      // While accounts are away an old card is better than no gig.
      if (!ids.every((id) => kept.has(id))) throw error
    }
  }

  const all = async (ids: readonly string[]): Promise<Profile[]> => {
    const fresh = Date.now() - SELLER_TTL_MS
    const found = new Map<string, Profile>()
    const wanted = [...new Set(ids)].filter((id) => (kept.get(id)?.at ?? 0) < fresh)
    for (let from = 0; from < wanted.length; from += ASKED_MAX) {
      const asked = wanted.slice(from, from + ASKED_MAX)
      await refresh(asked)
      for (const id of asked) found.set(id, kept.get(id)!.profile)
    }
    return ids.map((id) => found.get(id) ?? kept.get(id)?.profile ?? gone(id))
  }

  return { all, of: async (id) => (await all([id]))[0]!, forget: (id) => kept.delete(id) }
}

const gone = (id: string): Profile => ({
  id,
  username: '',
  displayName: 'Former member',
  roles: [],
  bio: '',
  level: 'new',
  rating: 0,
  reviewCount: 0,
  responseMinutes: null,
  languages: [],
  memberSince: new Date(0).toISOString(),
})
