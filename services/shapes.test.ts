import test from 'ava'
import fc from 'fast-check'
import { iso } from './shapes.ts'

test('a time is written as Date writes it', (t) => {
  const dates = fc.date({ noInvalidDate: true }).map(Number)
  const near = fc.integer({ min: Date.UTC(2024, 11, 31, 23, 59, 58), max: Date.UTC(2025, 0, 1, 0, 0, 2) })
  fc.assert(fc.property(fc.oneof(dates, near), (ms) => iso(ms) === new Date(ms).toISOString()))
  t.is(iso(0), '1970-01-01T00:00:00.000Z')
  t.throws(() => iso(NaN), { instanceOf: RangeError })
})
