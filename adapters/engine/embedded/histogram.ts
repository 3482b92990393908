// Round price buckets that fit what is there: equal steps for a narrow range, growing ones (1, 2, 5, 10 …) for a wide one.

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
  for (const price of prices) {
    if (price < min) min = price
    if (price > max) max = price
  }
  const edges = bucketEdges(min, max)
  const counts = new Uint32Array(edges.length - 1)
  for (const price of prices) counts[bucketOf(edges, price)]! += 1
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

function bucketOf(edges: readonly number[], price: number): number {
  let bucket = edges.length - 2
  while (bucket > 0 && price < edges[bucket]!) bucket -= 1
  return bucket
}
