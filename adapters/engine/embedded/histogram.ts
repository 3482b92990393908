// Round price buckets that fit what is there: equal steps for a narrow range, growing ones (1, 2, 5, 10) for a wide one.

export const BUCKETS_MAX = 12
/** From this ratio of highest to lowest price on, equal steps would crowd nearly everything into the first. */
const WIDE_RATIO = 20
const STEPS = [1, 2, 5]
const GROWTHS = [[1, 2, 5], [1, 5], [1]]

export type Histogram = { min: number; max: number; histogram: { from: number; to: number; count: number }[] }

/** Buckets take `from` up to below `to`; together they count every price. Null when there is none. */
export function histogramOf(prices: Float64Array): Histogram | null {
  if (prices.length === 0) return null
  let min = Infinity
  let max = -Infinity
  for (let at = 0; at < prices.length; at++) {
    const price = prices[at]!
    if (price < min) min = price
    if (price > max) max = price
  }
  const edges = bucketEdges(min, max)
  const counts = countBetween(prices, Float64Array.from(edges))
  return { min, max, histogram: Array.from(counts, (count, at) => ({ from: edges[at]!, to: edges[at + 1]!, count })) }
}

/** At least two edges, rising; the first at or below min, the last above max. */
export function bucketEdges(min: number, max: number): number[] {
  return min > 0 && max / min >= WIDE_RATIO ? growingEdges(min, max) : equalEdges(min, max)
}

function equalEdges(min: number, max: number): number[] {
  for (let size = 1; ; size *= 10) {
    for (const step of STEPS) {
      const width = step * size
      const first = Math.floor(min / width)
      const count = Math.floor(max / width) - first + 1
      if (count <= BUCKETS_MAX) return Array.from({ length: count + 1 }, (_, at) => (first + at) * width)
    }
  }
}

function growingEdges(min: number, max: number): number[] {
  for (const growth of GROWTHS) {
    const edges = edgesBy(growth, min, max)
    if (edges.length <= BUCKETS_MAX + 1) return edges
  }
  return equalEdges(min, max)
}

function edgesBy(growth: readonly number[], min: number, max: number): number[] {
  const edges: number[] = []
  for (let size = 10 ** Math.floor(Math.log10(min)); (edges.at(-1) ?? 0) <= max; size *= 10) {
    for (const step of growth) {
      const edge = step * size
      if (edge <= min) edges.length = 0
      if ((edges.at(-1) ?? 0) <= max) edges.push(edge)
    }
  }
  return edges
}

/** A price's leading bits (sign, exponent, first of the mantissa) rise with it and say nearly which bucket it is in. */
const LEADING_SHIFT = 16

function countBetween(prices: Float64Array, edges: Float64Array): Uint32Array {
  const counts = new Uint32Array(edges.length - 1)
  const words = new Uint32Array(prices.buffer, prices.byteOffset, 2 * prices.length)
  const guesses = bucketGuesses(edges)
  for (let at = 0; at < prices.length; at++) {
    const price = prices[at]!
    let bucket = price > 0 ? guesses[words[2 * at + 1]! >>> LEADING_SHIFT]! : 0
    while (price >= edges[bucket + 1]!) bucket += 1
    counts[bucket]! += 1
  }
  return counts
}

/** By leading bits: the bucket of the lowest price that has them. */
function bucketGuesses(edges: Float64Array): Uint8Array {
  const words = new Uint32Array(edges.buffer)
  const leadingOf = (edge: number) => (edges[edge]! > 0 ? words[2 * edge + 1]! >>> LEADING_SHIFT : 0)
  const guesses = new Uint8Array(leadingOf(edges.length - 1) + 1)
  for (let bucket = 1; bucket < edges.length - 1; bucket++) guesses.fill(bucket, leadingOf(bucket) + 1)
  return guesses
}
