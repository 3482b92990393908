import test from 'ava'
import fc from 'fast-check'
import { BUCKETS_MAX, histogramOf } from './histogram.ts'

test('prices fall into at most twelve round buckets that leave none out', (t) => {
  t.deepEqual(histogramOf(Float64Array.of(500, 499, 250, 749)), {
    min: 250,
    max: 749,
    histogram: [250, 300, 350, 400, 450, 500, 550, 600, 650, 700].map((from) => {
      return { from, to: from + 50, count: { 250: 1, 450: 1, 500: 1, 700: 1 }[from] ?? 0 }
    }),
  })
  const wide = histogramOf(Float64Array.of(500, 999, 1000, 120_000))
  t.deepEqual(
    wide?.histogram.map(({ from, count }) => [from, count]),
    [
      [500, 2],
      [1000, 1],
      [2000, 0],
      [5000, 0],
      [10_000, 0],
      [20_000, 0],
      [50_000, 0],
      [100_000, 1],
    ],
  )
  t.is(histogramOf(new Float64Array(0)), null)
})

test('each bucket counts the prices from its start to below its end, whatever the prices', (t) => {
  const price = fc.oneof(
    fc.nat(20),
    fc.nat(2000),
    fc.nat(10_000_000),
    fc.constantFrom(0, 499, 500, 995, 999, 1000, 49_999, 50_000),
  )
  fc.assert(
    fc.property(fc.array(price, { minLength: 1, maxLength: 200 }), (prices) => {
      const { histogram } = histogramOf(Float64Array.from(prices))!
      t.true(histogram.length <= BUCKETS_MAX)
      histogram.forEach(({ from, to, count }, at) => {
        t.is(count, prices.filter((one) => one >= from && one < to).length)
        t.true(at === 0 || from === histogram[at - 1]!.to)
      })
      t.is(
        histogram.reduce((sum, { count }) => sum + count, 0),
        prices.length,
      )
    }),
    { numRuns: 500 },
  )
})
