// Sightings, counted in memory and stored every few seconds: what is cheap to count must stay cheap. Bounded; past a bound
// the counts are too low and never wrong in another way.
import { recent } from '../../mixins/recent.ts'
import type { Sighting } from './contract.ts'
import type { Fare } from './funnel.ts'

/** Gigs counted between two stores; sightings of others are not counted until then. */
export const GIGS_COUNTED_MAX = 5000
/** Who saw what this hour, remembered; beyond this the oldest may count twice. */
export const SEEN_MAX = 100_000
const HOUR_MS = 3_600_000

export type Tally = {
  /** Answers how many counted. `visitor`: null for somebody without a name. */
  add(sightings: readonly Sighting[], visitor: string | null, now: number): number
  /** What was counted since the last time. */
  take(): Map<string, Partial<Fare>>
  /** Counts that could not be stored. */
  putBack(gig: string, fare: Partial<Fare>): void
}

export const tally = (): Tally => {
  const seen = recent<true>(SEEN_MAX)
  let fares = new Map<string, Partial<Fare>>()

  const putBack = (gig: string, { impressions = 0, clicks = 0 }: Partial<Fare>): boolean => {
    const before = fares.get(gig)
    if (!before && fares.size >= GIGS_COUNTED_MAX) return false
    fares.set(gig, { impressions: (before?.impressions ?? 0) + impressions, clicks: (before?.clicks ?? 0) + clicks })
    return true
  }

  return {
    add: (sightings, visitor, now) => {
      const hour = Math.floor(now / HOUR_MS)
      let counted = 0
      for (const key of new Set(sightings.map(({ kind, gig }) => `${kind} ${gig}`))) {
        const [kind, gig] = key.split(' ') as [Sighting['kind'], string]
        const mark = `${key} ${hour} ${visitor}`
        if (visitor !== null && seen.get(mark)) continue
        if (!putBack(gig, kind === 'click' ? { clicks: 1 } : { impressions: 1 })) continue
        if (visitor !== null) seen.set(mark, true)
        counted++
      }
      return counted
    },
    take: () => {
      const taken = fares
      fares = new Map()
      return taken
    },
    putBack: (gig, fare) => void putBack(gig, fare),
  }
}
