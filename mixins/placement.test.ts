import test from 'ava'
import fc from 'fast-check'
import { hash, rendezvous, SHARDS, shardOf } from './placement.ts'

const nodes = (count: number) => Array.from({ length: count }, (_, at) => `node-${at}`)
const table = (list: string[]) => Array.from({ length: SHARDS }, (_, shard) => rendezvous(shard, list))

test('every caller with the same nodes names the same owner, in whatever order it knows them', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 }),
      fc.nat(SHARDS - 1),
      (list, shard) => {
        t.is(rendezvous(shard, list), rendezvous(shard, [...list].reverse()))
      },
    ),
  )
})

test('a node that joins takes its share and moves nothing else', (t) => {
  for (const count of [1, 2, 3, 8]) {
    const before = table(nodes(count))
    const after = table(nodes(count + 1))
    const moved = after.filter((owner, shard) => owner !== before[shard])
    t.true(moved.every((owner) => owner === `node-${count}`))
    const share = moved.length / SHARDS
    t.true(share > 0.6 / (count + 1) && share < 1.4 / (count + 1), `${count}→${count + 1} moved ${share}`)
  }
})

test('a node that leaves gives away only what it had', (t) => {
  const before = table(nodes(4))
  const after = table(nodes(4).slice(0, 3))
  t.true(before.every((owner, shard) => owner === 'node-3' || owner === after[shard]))
})

test('keys that follow each other spread evenly over shards', (t) => {
  const counts = new Array<number>(SHARDS).fill(0)
  for (let at = 0; at < SHARDS * 20; at++) counts[shardOf(`ord_${at.toString(32).padStart(10, '0')}`)]!++
  t.true(Math.max(...counts) < 60 && Math.min(...counts) > 0)
})

test('nobody owns a key when nobody hosts the service', (t) => {
  t.is(rendezvous(7, []), null)
  t.true(hash('x') >= 0)
})
