// How many of a part's gigs that are still there have each tag, category and subcategory: counted once when first asked
// for, kept right when a gig goes.
import type { Part } from './collection.ts'

export type Living = { tags: Uint32Array; categories: Uint32Array; subcategories: Uint32Array }

export function livingOf(part: Part): Living {
  return (part.counts ??= count(part))
}

function count({ segment, dead }: Part): Living {
  const { columns, categories, subcategories } = segment
  const living = {
    tags: columns.tagCounts.slice(),
    categories: new Uint32Array(categories.size),
    subcategories: new Uint32Array(subcategories.size),
  }
  for (let gig = 0; gig < dead.length; gig++) {
    living.categories[columns.category[gig]!]! += 1
    living.subcategories[columns.subcategory[gig]!]! += 1
  }
  for (let gig = dead.indexOf(1); gig >= 0; gig = dead.indexOf(1, gig + 1)) take(living, segment.columns, gig)
  return living
}

/** To be called once for each gig that goes. */
export function uncount({ counts, segment }: Part, gig: number) {
  if (counts) take(counts, segment.columns, gig)
}

function take(living: Living, columns: Part['segment']['columns'], gig: number) {
  living.categories[columns.category[gig]!]! -= 1
  living.subcategories[columns.subcategory[gig]!]! -= 1
  for (let at = columns.tagListStarts[gig]!; at < columns.tagListStarts[gig + 1]!; at++)
    living.tags[columns.tagLists[at]!]! -= 1
}

/** The places from `from` to below `to` with the highest counts, at most `most` of them; zero counts are nobody's. */
export function highest(counts: Uint32Array, { from, to }: { from: number; to: number }, most: number): number[] {
  const places: number[] = []
  if (to - from <= most) {
    for (let at = from; at < to; at++) if (counts[at]! > 0) places.push(at)
    return places
  }
  // How many there are of each count up to a bound tells from which count on they are wanted.
  const ofCount = new Uint32Array(COUNTED_APART)
  for (let at = from; at < to; at++) ofCount[Math.min(counts[at]!, COUNTED_APART - 1)]! += 1
  let least = COUNTED_APART - 1
  for (let above = ofCount[least]!; least > 1 && above + ofCount[least - 1]! <= most;) above += ofCount[--least]!
  for (let at = from; at < to; at++) if (counts[at]! >= least) places.push(at)
  if (places.length <= most) return places
  return places.sort((left, right) => counts[right]! - counts[left]! || left - right).slice(0, most)
}
const COUNTED_APART = 4096
