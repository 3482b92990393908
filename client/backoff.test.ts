import test from 'ava'
import fc from 'fast-check'
import { jittered, long } from './backoff.ts'

const backoff = { minMs: 500, maxMs: 20_000 }
const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

test('a wait is anywhere below a ceiling that doubles up to the longest', (t) => {
  fc.assert(
    fc.property(fc.nat(10_000), chance, (attempt, random) => {
      const ms = jittered(attempt, backoff, random)
      return ms >= 0 && ms <= Math.min(20_000, 500 * 2 ** attempt)
    }),
  )
  t.deepEqual(
    [0, 1, 2, 5, 6, 99].map((attempt) => jittered(attempt, backoff, 0.5)),
    [250, 500, 1000, 8000, 10_000, 10_000],
  )
})

test('who was sent away waits at least half of the longest', (t) => {
  fc.assert(fc.property(chance, (random) => long(backoff, random) >= 10_000 && long(backoff, random) <= 20_000))
  t.pass()
})
