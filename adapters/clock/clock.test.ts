import test from 'ava'
import { isMovable, movableClock, realClock } from './index.ts'

/** Runs `read` between two looks at the machine's clock and says whether it was that far ahead of them. */
const isAhead = (read: () => number, offsetMs: number): boolean => {
  const before = Date.now()
  const seen = read()
  return seen >= before + offsetMs && seen <= Date.now() + offsetMs
}

const DAY_MS = 86_400_000

test('the real clock is the machine’s, and nobody moves it', (t) => {
  const clock = realClock()
  t.true(isAhead(clock.now, 0))
  t.is(clock.offsetMs(), 0)
  t.false(isMovable(clock))
})

test('a movable clock goes ahead by what it was moved, and goes on from there', async (t) => {
  const clock = movableClock()
  t.true(isMovable(clock))
  t.true(isAhead(clock.now, 0))
  clock.moveTo(3 * DAY_MS)
  t.true(isAhead(clock.now, 3 * DAY_MS))
  t.is(clock.offsetMs(), 3 * DAY_MS)
  const then = clock.now()
  while (clock.now() === then) await new Promise((resolve) => setTimeout(resolve, 1))
  t.true(clock.now() > then)
})

test('a movable clock never goes back, whatever it is told', (t) => {
  const clock = movableClock(DAY_MS)
  t.true(isAhead(clock.now, DAY_MS))
  for (const earlier of [0, DAY_MS - 1, DAY_MS, -DAY_MS, Number.NaN]) {
    clock.moveTo(earlier)
    t.is(clock.offsetMs(), DAY_MS)
  }
  clock.moveTo(DAY_MS + 1)
  t.is(clock.offsetMs(), DAY_MS + 1)
})

test('two clocks of one process move by themselves', (t) => {
  const [one, other] = [movableClock(), movableClock()]
  one.moveTo(DAY_MS)
  t.is(other.offsetMs(), 0)
})
