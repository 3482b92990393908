// A second collection, filled while the first answers, that takes its place in one step: an index made anew without a gap.
// It is in memory only until then; what was removed at which version it knows from the first.
import { emptyCollection, type Collection } from './collection.ts'
import { createMerger, type Merger } from './merging.ts'

export type Next = {
  collection: Collection
  merger: Merger
  change(work: (beside: Collection) => void): void
}

export function openNext(present: Collection): Next {
  const collection = { ...emptyCollection(), removed: new Map(present.removed), stems: present.stems }
  const merger = createMerger(collection)
  return {
    collection,
    merger,
    change(work) {
      work(collection)
      merger.settle()
    },
  }
}
