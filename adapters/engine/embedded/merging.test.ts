import test from 'ava'
import fc from 'fast-check'
import { gig, randomGig } from '../sample.ts'
import { buildSegment } from './build.ts'
import { emptyCollection, livingCount, partOf, removeGigs, upsertGigs } from './collection.ts'
import { mergeSegments } from './merge.ts'
import { createMerger } from './merging.ts'

test('merged segments are, byte for byte, the segment made of all living gigs at once', (t) => {
  const gigs = fc.array(randomGig(), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(gigs, fc.infiniteStream(fc.nat(5)), (made, dice) => {
      const named = made.map((one, at) => ({ ...one, id: `g${(at * 37) % 61}` }))
      const piles = [0, 1, 2].map((pile) => named.filter((_, at) => at % 3 === pile)).filter((pile) => pile.length > 0)
      const sources = piles.map((pile) => partOf(buildSegment(pile), null))
      const living = piles.flatMap((pile, at) =>
        pile
          .toSorted((left, right) => (left.id < right.id ? -1 : 1))
          .filter((_, place) => {
            sources[at]!.dead[place] = dice.next().value === 0 ? 1 : 0
            return sources[at]!.dead[place] === 0
          }),
      )
      const work = mergeSegments(sources)
      let turn = work.next()
      while (!turn.done) turn = work.next()
      t.deepEqual(Buffer.from(turn.value.segment.buffer), Buffer.from(buildSegment(living).buffer))
    }),
    { numRuns: 50 },
  )
})

test('a gig removed while its segment is being merged stays removed', (t) => {
  const collection = emptyCollection()
  const merger = createMerger(collection)
  for (let pile = 0; pile < 8; pile++) {
    upsertGigs(
      collection,
      Array.from({ length: 1000 }, (_, at) => gig(`g${pile}-${at}`)),
    )
  }
  merger.settle()
  t.true(merger.step(0))
  removeGigs(collection, [{ id: 'g3-500', version: 1 }])
  upsertGigs(collection, [gig('g4-500', { version: 2 })])
  while (merger.step(0));
  t.deepEqual([collection.parts.length, livingCount(collection)], [2, 7999])
  upsertGigs(collection, [gig('g3-500', { version: 1 }), gig('g4-500', { version: 1 }), gig('g5-500', { version: 1 })])
  t.is(livingCount(collection), 7999)
})

test('a merge of gigs that were all cleared meanwhile leaves nothing', (t) => {
  const collection = emptyCollection()
  const merger = createMerger(collection)
  for (let pile = 0; pile < 8; pile++) {
    upsertGigs(
      collection,
      Array.from({ length: 1000 }, (_, at) => gig(`g${pile}-${at}`)),
    )
  }
  t.true(merger.step(0))
  collection.parts = []
  while (merger.step(0));
  t.deepEqual(collection.parts, [])
})
