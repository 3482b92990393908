import test from 'ava'
import { requestLimits } from './limits.ts'

test('each operation has its own second, and what comes beyond it is refused until time has passed', (t) => {
  let now = 0
  const limits = requestLimits(2, () => now)
  t.deepEqual([limits.take('a'), limits.take('a'), limits.take('a'), limits.take('b')], [true, true, false, true])
  now = 499
  t.false(limits.take('a'))
  now = 500
  t.true(limits.take('a'))
  t.false(limits.take('a'))
  now = 100_000
  t.deepEqual([limits.take('a'), limits.take('a'), limits.take('a')], [true, true, false])
})

test('without a limit any number is taken', (t) => {
  const limits = requestLimits(0)
  t.true(Array.from({ length: 1_000 }, () => limits.take('a')).every(Boolean))
})
