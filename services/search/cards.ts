// Cards of the gigs that a search found: kept in memory, forgotten when a gig changes. What is gone is left out.
import type { Call } from '../../mixins/node.ts'
import type { GigCard } from '../gig/contract.ts'

export const CARDS_MAX = 20_000
/** A card nobody told us to forget is asked for again after this: its seller's rating may have moved. */
export const CARD_TTL_MS = 60_000
/** Ids in one question: gig.cards takes no more. */
const ASKED_MAX = 1000

export type Cards = {
  /** In the order of ids, without those that are not live. */
  of(ids: readonly string[], call: Call): Promise<GigCard[]>
  forget(id: string): void
  clear(): void
}

export const cards = (): Cards => {
  const kept = new Map<string, { card: GigCard; at: number }>()
  // Counts what was forgotten: an answer asked for before that may be older than the change.
  let forgotten = 0

  const keep = (card: GigCard) => {
    kept.delete(card.id)
    kept.set(card.id, { card, at: Date.now() })
    if (kept.size > CARDS_MAX) kept.delete(kept.keys().next().value!)
  }

  const ask = async (ids: readonly string[], call: Call): Promise<GigCard[]> => {
    const before = forgotten
    const answer = await call('gig.cards', { ids: [...ids] })
    const live = answer.filter((card) => card !== null)
    if (before === forgotten) live.forEach(keep)
    return live
  }

  return {
    of: async (ids, call) => {
      const fresh = Date.now() - CARD_TTL_MS
      const found = new Map<string, GigCard>()
      for (const id of ids) {
        const known = kept.get(id)
        if (known && known.at >= fresh) found.set(id, known.card)
      }
      const wanted = ids.filter((id) => !found.has(id))
      for (let from = 0; from < wanted.length; from += ASKED_MAX)
        for (const card of await ask(wanted.slice(from, from + ASKED_MAX), call)) found.set(card.id, card)
      return ids.flatMap((id) => found.get(id) ?? [])
    },
    forget: (id) => {
      forgotten++
      kept.delete(id)
    },
    clear: () => {
      forgotten++
      kept.clear()
    },
  }
}
