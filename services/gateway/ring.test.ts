import test from 'ava'
import fc from 'fast-check'
import { cut, emptyRing, fill, framesAfter, keep, RING_FRAMES_MAX, RING_SIZE_MAX } from './ring.ts'

const frame = (seq: number) => `frame ${seq}`
const from = (first: number, last: number) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => frame(first + at))

test('who comes back gets every frame after the last one seen, or is told that this cannot be', (t) => {
  const ring = emptyRing()
  t.is(framesAfter(ring, 0), null, 'nothing is known yet')
  fill(ring, 3, from(1, 3))
  for (const seq of [4, 5]) t.true(keep(ring, seq, frame(seq)))
  t.deepEqual(framesAfter(ring, 0), from(1, 5))
  t.deepEqual(framesAfter(ring, 3), from(4, 5))
  t.deepEqual(framesAfter(ring, 5), [])
  t.is(framesAfter(ring, 6), null, 'nobody has seen what was not there')
})

test('a frame said twice or too late is not new; one after a gap is, and what was before it is forgotten', (t) => {
  const ring = emptyRing()
  fill(ring, 3, from(1, 3))
  t.false(keep(ring, 3, frame(3)))
  t.true(keep(ring, 5, frame(5)))
  t.false(ring.isWhole)
  t.false(keep(ring, 4, frame(4)))
  t.is(framesAfter(ring, 3), null)
  t.deepEqual(framesAfter(ring, 4), from(5, 5))
  fill(ring, 5, from(1, 5))
  t.deepEqual(framesAfter(ring, 0), from(1, 5))
  t.true(ring.isWhole)
})

test('an actor that keeps no events says where it stands, and who has seen that has missed nothing', (t) => {
  const ring = emptyRing()
  fill(ring, 7, [])
  t.deepEqual(framesAfter(ring, 7), [])
  t.is(framesAfter(ring, 6), null)
  t.true(keep(ring, 8, frame(8)))
  t.deepEqual(framesAfter(ring, 7), from(8, 8))
})

test('a ring holds so many frames and letters and no more', (t) => {
  const ring = emptyRing()
  fill(ring, 0, [])
  for (let seq = 1; seq <= RING_FRAMES_MAX + 50; seq++) keep(ring, seq, frame(seq))
  t.is(ring.frames.length, RING_FRAMES_MAX)
  t.is(framesAfter(ring, 49), null)
  t.is(framesAfter(ring, 50)!.length, RING_FRAMES_MAX)
  for (let seq = 1; seq <= 100; seq++) keep(ring, ring.last + 1, 'x'.repeat(10_000))
  t.true(ring.size <= RING_SIZE_MAX)
  t.is(
    ring.size,
    ring.frames.reduce((sum, one) => sum + one.length, 0),
  )
})

test('whatever is lost, doubled, late or told again: what a ring gives out is all there is, in order', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('say' as const), lost: fc.boolean() }),
    fc.record({ do: fc.constant('again' as const), back: fc.integer({ min: 0, max: 5 }) }),
    fc.record({
      do: fc.constant('fill' as const),
      behind: fc.integer({ min: 0, max: 3 }),
      tail: fc.integer({ min: 0, max: 8 }),
    }),
    fc.record({ do: fc.constant('cut' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ring = emptyRing()
      let said = 0
      const passed: number[] = []
      for (const one of steps) {
        if (one.do === 'say') {
          said += 1
          if (!one.lost && keep(ring, said, frame(said))) passed.push(said)
        } else if (one.do === 'again') {
          const seq = Math.max(1, said - one.back)
          if (said > 0 && keep(ring, seq, frame(seq))) passed.push(seq)
        } else if (one.do === 'fill') {
          const seq = Math.max(0, said - one.behind)
          fill(ring, seq, from(Math.max(1, seq - one.tail + 1), seq))
        } else cut(ring)
        for (let after = 0; after <= said + 1; after++) {
          const frames = framesAfter(ring, after)
          if (frames && JSON.stringify(frames) !== JSON.stringify(from(after + 1, ring.last))) return false
        }
        if (ring.last > said || ring.size !== ring.frames.reduce((sum, { length }) => sum + length, 0)) return false
      }
      return passed.every((seq, at) => at === 0 || seq > passed[at - 1]!)
    }),
    { numRuns: 2000 },
  )
  t.pass()
})
