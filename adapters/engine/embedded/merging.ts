// Keeps the number of parts small: eight of about the same size become one, and what is mostly dead is rewritten.
// Small merges happen at once; larger ones a slice at a time, between searches.
import { partOf, type Collection, type Part } from './collection.ts'
import { GONE, mergeSegments, type Merged } from './merge.ts'
import { SEGMENT_GIGS_MAX } from './segment.ts'

const PARTS_PER_TIER = 8
const GIGS_AT_ONCE_MAX = 4096
/** With more parts than this merges no longer wait for a quiet moment. */
const PARTS_MAX = 48
const DEAD_SHARE_MAX = 0.3

export type Merger = {
  /** To be called after each change. */
  settle(): void
  /** Works for about this long; true when there is more to do. */
  step(budgetMs: number): boolean
  /** Joins what is small and not yet on disk, so that saving writes few files. */
  gather(): void
}

type Job = { sources: Part[]; work: Generator<void, Merged> }

export function createMerger(collection: Collection): Merger {
  let job: Job | null = null
  const busy = (part: Part) => job?.sources.includes(part) ?? false

  return {
    settle() {
      collection.parts = collection.parts.filter((part) => part.living > 0 || busy(part))
      for (;;) {
        const gigsMax = collection.parts.length > PARTS_MAX ? SEGMENT_GIGS_MAX : GIGS_AT_ONCE_MAX
        const sources = due(collection, { busy, gigsMax })
        if (!sources) return
        mergeNow(collection, sources)
      }
    },
    step(budgetMs) {
      if (!job) {
        const sources = due(collection, { busy, gigsMax: SEGMENT_GIGS_MAX })
        if (!sources) return false
        job = startJob(sources)
      }
      const until = performance.now() + budgetMs
      for (let turn = job.work.next(); ; turn = job.work.next()) {
        if (turn.done) {
          finish(collection, job.sources, turn.value)
          job = null
          return due(collection, { busy, gigsMax: SEGMENT_GIGS_MAX }) !== null
        }
        if (performance.now() > until) return true
      }
    },
    gather() {
      const isSmall = (part: Part) => !part.file && !busy(part) && part.segment.gigs < GIGS_AT_ONCE_MAX
      const sources = collection.parts.filter(isSmall)
      if (sources.length > 1 && gigsOf(sources) <= GIGS_AT_ONCE_MAX) mergeNow(collection, sources)
    },
  }
}

const startJob = (sources: Part[]): Job => ({ sources, work: mergeSegments(sources) })
const gigsOf = (parts: readonly Part[]) => parts.reduce((sum, part) => sum + part.living, 0)
const tierOf = (part: Part) => Math.floor(Math.log(Math.max(1, part.living)) / Math.log(PARTS_PER_TIER))

type Wanted = { busy: (part: Part) => boolean; gigsMax: number }

/** What should become one part, if it has no more gigs than wanted. */
function due(collection: Collection, { busy, gigsMax }: Wanted): Part[] | null {
  const tiers = new Map<number, Part[]>()
  for (const part of collection.parts) {
    if (busy(part) || part.living > gigsMax) continue
    if (part.living < part.segment.gigs * (1 - DEAD_SHARE_MAX)) return [part]
    const tier = tiers.get(tierOf(part)) ?? []
    tiers.set(tierOf(part), tier)
    tier.push(part)
    if (tier.length >= PARTS_PER_TIER && gigsOf(tier) <= gigsMax) return tier
  }
  return null
}

function mergeNow(collection: Collection, sources: Part[]) {
  const work = mergeSegments(sources)
  let turn = work.next()
  while (!turn.done) turn = work.next()
  finish(collection, sources, turn.value)
}

/** Puts the merged part in its sources' place, unless the collection was emptied in between. */
function finish(collection: Collection, sources: Part[], merged: Merged) {
  if (!sources.every((part) => collection.parts.includes(part))) return
  const part = partOf(merged.segment, null)
  sources.forEach((source, at) => {
    const numbers = merged.numbers[at]!
    for (let gig = 0; gig < numbers.length; gig++) {
      if (numbers[gig] === GONE || source.dead[gig] === 0) continue
      part.dead[numbers[gig]!] = 1
      part.living -= 1
    }
  })
  const others = collection.parts.filter((known) => !sources.includes(known))
  collection.parts = part.living > 0 ? [part, ...others] : others
  collection.revision += 1
}
