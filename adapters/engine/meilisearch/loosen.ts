// What to leave out of a question that nothing answers whole, by the embedded engine's rule: as many words are kept as one
// gig has, among such choices the one that finds most, then the one that keeps the earlier words; then filters alike.
import { FILTER_BITS, filterWithout, type Filter } from '../embedded/filter.ts'
import type { FilterName } from '../index.ts'
import { isFilteredBy, type AskedWord } from './question.ts'

/** Choices counted for one search; past it only single words are left to try. */
export const CHOICES_MAX = 256

export type Loosening = { /** Words, as bits. */ kept: number; /** Filters, as bits. */ dropped: number }
export type Choice = { words: readonly AskedWord[]; filter: Filter }
/** How many gigs each choice finds. */
export type Count = (choices: readonly Choice[]) => Promise<number[]>

export const wordsKept = <T>(words: readonly T[], kept: number): T[] => words.filter((_, at) => kept & (1 << at))

/** Null when nothing can be left out that helps. */
export const loosening = async (asked: Choice, filtersToo: boolean, count: Count): Promise<Loosening | null> => {
  const { words, filter } = asked
  const whole = 2 ** words.length - 1
  const fewerWords = (within: Filter, most: number) =>
    best(subsets(words.length, most), (kept) => ({ words: wordsKept(words, kept), filter: within }), count)
  const within = words.length > 1 ? await fewerWords(filter, words.length - 1) : null
  if (within !== null) return { kept: within, dropped: 0 }
  if (!filtersToo) return null
  const own = filter.sellerId === undefined ? {} : { sellerId: filter.sellerId }
  const kept = words.length > 1 ? await fewerWords(own, words.length) : whole
  if (kept === null) return null
  const names = (Object.keys(FILTER_BITS) as FilterName[]).filter(
    (name) => name !== 'sellerId' && isFilteredBy(filter, name),
  )
  const stays = await best(
    [...subsets(names.length, names.length - 1), ...(names.length > 0 ? [[0]] : [])],
    (stay) => ({ words: wordsKept(words, kept), filter: filterWithout(filter, droppedOf(names, stay)) }),
    count,
  )
  return stays === null ? null : { kept, dropped: droppedOf(names, stays) }
}

const droppedOf = (names: readonly FilterName[], stay: number): number =>
  names.reduce((bits, name, at) => (stay & (1 << at) ? bits : bits | FILTER_BITS[name]), 0)

/** Sets as bits, all of one size together, the largest first, without the empty one. */
export const subsets = (length: number, most: number): number[][] => {
  const bySize: number[][] = Array.from({ length: most + 1 }, () => [])
  for (let bits = 1; bits < 2 ** length; bits++) bySize[sizeOf(bits)]?.push(bits)
  const sizes = bySize.slice(1).reverse()
  let left = CHOICES_MAX
  return sizes.filter((sets, at) => {
    if (at < sizes.length - 1 && sets.length > left) return false
    left -= sets.length
    return true
  })
}

const sizeOf = (bits: number): number => {
  let size = 0
  for (let rest = bits; rest > 0; rest &= rest - 1) size++
  return size
}

const best = async (
  sizes: readonly (readonly number[])[],
  choice: (bits: number) => Choice,
  count: Count,
): Promise<number | null> => {
  for (const sets of sizes) {
    const counts = await count(sets.map(choice))
    const most = Math.max(0, ...counts)
    if (most > 0) return sets[counts.indexOf(most)]!
  }
  return null
}
