// What to leave out of a question that nothing answers whole. As many words are kept as one gig has; among such choices
// the one that finds most, then the one that keeps the earlier words. Then as few filters are left out, by the same rule.
import type { Part } from './collection.ts'
import { applyFilters, FILTER_BITS, type Filter } from './filter.ts'
import { everyGig, matchAny, matchText, type Scratches } from './match.ts'
import { QUERY_WORDS_MAX, type Slot } from './plan.ts'

export type Loosening = { /** Words, as bits. */ kept: number; /** Filters, as bits. */ dropped: number }
type Asked = {
  parts: readonly Part[]
  scratches: Scratches
  slots: readonly Slot[]
  filter: Filter
  filtersToo: boolean
}

const FILTERS_ALL = Object.values(FILTER_BITS).reduce((bits, bit) => bits | bit, 0)

/** Null when nothing can be left out that helps. */
export function loosening(asked: Asked): Loosening | null {
  const { slots, filtersToo } = asked
  const words = slots.length > 1 ? countWords(asked) : null
  const within = words ? mostBits(words.passing) : 0
  if (within !== 0) return { kept: within, dropped: 0 }
  if (!filtersToo) return null
  const kept = words ? mostBits(words.all) : 2 ** slots.length - 1
  const failing = countFailing(asked, kept)
  const passed = mostBits(failing.map((_, fails) => failing[FILTERS_ALL & ~fails]!))
  const dropped = FILTERS_ALL & ~passed
  return failing[dropped] === 0 ? null : { kept, dropped }
}

/** How many gigs have exactly these words: of all, and of those that pass the filters. */
function countWords({ parts, scratches, slots, filter }: Asked) {
  const all = new Uint32Array(2 ** QUERY_WORDS_MAX)
  const passing = new Uint32Array(2 ** QUERY_WORDS_MAX)
  parts.forEach((part, at) => {
    const scratch = scratches.for(part.segment.gigs)
    const count = matchAny(
      part,
      slots.map(({ runs }) => runs[at]!),
      scratch,
    )
    const on = applyFilters(part, filter, { count, scratch })
    const { gigs, words, fails } = scratch
    for (let place = 0; place < count; place++) {
      const has = words[gigs[place]!]!
      all[has]! += 1
      if (on === 0 || fails[place] === 0) passing[has]! += 1
    }
  })
  return { all, passing }
}

/** How many of the gigs that have the kept words fail exactly these filters; never another seller's. */
function countFailing({ parts, scratches, slots, filter }: Asked, kept: number): Uint32Array {
  const counts = new Uint32Array(FILTERS_ALL + 1)
  const wanted = slots.filter((_, word) => kept & (1 << word))
  parts.forEach((part, at) => {
    const scratch = scratches.for(part.segment.gigs)
    const words = wanted.map(({ runs }) => ({ runs: runs[at]!, weight: 1 }))
    const count = slots.length === 0 ? everyGig(part, scratch) : matchText(part, words, scratch)
    const on = applyFilters(part, filter, { count, scratch })
    for (let place = 0; place < count; place++) {
      const fails = on === 0 ? 0 : scratch.fails[place]!
      if ((fails & FILTER_BITS.sellerId) === 0) counts[fails]! += 1
    }
  })
  return counts
}

/** Of the sets that have a count: the one with most bits, then the highest count, then the lowest bits. Zero: none. */
function mostBits(counts: Uint32Array): number {
  let best = 0
  for (let bits = 1; bits < counts.length; bits++) {
    if (counts[bits] === 0) continue
    const more = best === 0 ? 1 : bitCount(bits) - bitCount(best) || counts[bits]! - counts[best]!
    if (more > 0) best = bits
  }
  return best
}

function bitCount(bits: number): number {
  let count = 0
  for (let rest = bits; rest > 0; rest &= rest - 1) count += 1
  return count
}
