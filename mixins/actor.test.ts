import test from 'ava'
import type { ServiceSchema } from 'moleculer'
import { refuse, isRefused } from '../services/errors.ts'
import { eventually, startNode, type TestNode } from '../test/node.ts'
import { actor, actorCollection, type Actor, type ActorDoc } from './actor.ts'
import type { Event } from './outbox.ts'
import { isMovable } from '../adapters/clock/index.ts'
import { TIMER_BATCH } from './timers.ts'
import { groupsOf, parkedEvents } from './outbox.ts'

type Counter = ActorDoc & { count: number; seen: string[]; rings: number }
const counters = actorCollection<Counter>('counters')
const fresh = (id: string): Counter => ({ id, version: 0, outbox: [], count: 0, seen: [], rings: 0 })

/** Stands where the gig service would and writes down what it hears; refuses as often as asked first. */
const hearer = (name: string, heard: Event[], refusing = { times: 0 }): ServiceSchema => ({
  name,
  actions: {
    hear(ctx: { params: { event: Event } }) {
      if (refusing.times-- > 0) throw new Error('not now')
      heard.push(ctx.params.event)
      return true
    },
  },
})

const completed = (id: string) => ({
  name: 'order.completed' as const,
  data: { order: id, gig: 'gig_1', buyer: 'usr_b', seller: 'usr_s', at: 1 },
})

const counterOn = async (
  node: TestNode,
  wake?: (state: Counter, now: number) => { next: Counter; result: undefined },
): Promise<Actor<Counter>> => {
  const documents = await node.open('documents')
  await documents.declare([counters, parkedEvents] as never)
  return actor<Counter>(node, documents, 'order', { of: counters, ...(wake && { wake }) })
}
const add = (book: Actor<Counter>, key: string) =>
  book.turn(key, (state) => {
    const next = { ...(state ?? fresh(key)), count: (state?.count ?? 0) + 1 }
    return { next, result: next.count }
  })

test('concurrent turns on one key count every one of them', async (t) => {
  const node = await startNode({ services: [] })
  const book = await counterOn(node)
  const results = await Promise.all(Array.from({ length: 100 }, () => add(book, 'a')))
  t.deepEqual(
    results,
    Array.from({ length: 100 }, (_, at) => at + 1),
  )
  t.is((await book.read('a'))?.count, 100)
  await book.stop()
  await node.stop()
})

test('an owner that went stale loses its write, reloads and adds to what is there', async (t) => {
  const node = await startNode({ services: [] })
  const mine = await counterOn(node)
  const theirs = await counterOn(node)
  await add(mine, 'a')
  await add(theirs, 'a')
  // Both have state in memory now; each writes in turn behind the other's back.
  for (let round = 0; round < 10; round++) await Promise.all([add(mine, 'a'), add(theirs, 'a')])
  t.is((await mine.read('a'))?.count, 22)
  await mine.stop()
  await theirs.stop()
  await node.stop()
})

test('a stale owner does not refuse what the true state allows', async (t) => {
  const node = await startNode({ services: [] })
  const mine = await counterOn(node)
  const theirs = await counterOn(node)
  await add(mine, 'a')
  await add(theirs, 'a')
  const needsTwo = mine.turn('a', (state) => {
    if (state!.count < 2) throw refuse('invalid_transition')
    return { result: state!.count }
  })
  t.is(await needsTwo, 2)
  await mine.stop()
  await theirs.stop()
  await node.stop()
})

test('a refused turn changes nothing', async (t) => {
  const node = await startNode({ services: [] })
  const book = await counterOn(node)
  await add(book, 'a')
  const refused = book.turn('a', () => {
    throw refuse('forbidden')
  })
  t.true(isRefused(await t.throwsAsync(refused), 'forbidden'))
  t.is((await book.read('a'))?.version, 1)
  await book.stop()
  await node.stop()
})

test('what a turn says is delivered to its groups and then dropped from the document', async (t) => {
  const heard: Event[] = []
  const node = await startNode({
    services: groupsOf('order.completed').map((name) => hearer(name, name === 'gig' ? heard : [])),
  })
  const book = await counterOn(node)
  book.relay.start()
  await book.turn('a', () => ({ next: fresh('a'), say: [completed('ord_1')], result: null }), { settle: ['gig'] })
  t.deepEqual(
    heard.map(({ name, data }) => [name, (data as { order: string }).order]),
    [['order.completed', 'ord_1']],
  )
  await eventually(
    () => book.read('a'),
    (state) => state?.outbox.length === 0,
  )
  t.is((await book.read('a'))?.outboxAt, null)
  await book.stop()
  await node.stop()
})

test('events of one document arrive in the order said, also when the hearer stumbles', async (t) => {
  const heard: Event[] = []
  const node = await startNode({ services: [hearer('gig', heard, { times: 2 })] })
  const book = await counterOn(node)
  book.relay.start()
  for (let at = 0; at < 5; at++)
    await book.turn('a', (state) => ({ next: state ?? fresh('a'), say: [completed(`ord_${at}`)], result: null }))
  await eventually(
    () => heard.length,
    (count) => count === 5,
  )
  t.deepEqual(
    heard.map(({ data }) => (data as { order: string }).order),
    ['ord_0', 'ord_1', 'ord_2', 'ord_3', 'ord_4'],
  )
  await book.stop()
  await node.stop()
})

test('what was said while nobody listened is found in the store and delivered by the next process', async (t) => {
  const first = await startNode({ services: [] })
  const before = await counterOn(first)
  await before.turn('a', () => ({ next: fresh('a'), say: [completed('ord_1')], result: null }))
  t.is((await before.read('a'))?.outbox.length, 1)
  await before.stop()
  await first.broker.stop()

  const heard: Event[] = []
  const second = await startNode({ services: [hearer('gig', heard)], env: { DATA_DIR: first.dataDir } })
  const after = await counterOn(second)
  await after.relay.scan(0)
  await eventually(
    () => heard.length,
    (count) => count === 1,
  )
  await after.stop()
  await second.stop()
  await first.stop()
})

test('however much was said while nobody listened, one look finds it all', async (t) => {
  const heard: Event[] = []
  const node = await startNode({ services: [hearer('gig', heard)] })
  const book = await counterOn(node)
  const documents = await node.open('documents')
  const many = 501
  for (let at = 0; at < many; at++) {
    const id = `key_${at}`
    const entry = { id: `counters:${id}:1:0`, ...completed(id), at: 1000, groups: ['gig'] }
    await documents.insert(counters, { ...fresh(id), version: 1, outbox: [entry], outboxAt: 1000 })
  }
  await book.relay.scan(0)
  await eventually(
    () => heard.length,
    (count) => count === many,
  )
  await book.stop()
  await node.stop()
  t.is(new Set(heard.map(({ id }) => id)).size, many)
})

test('a due timer wakes its actor once, and after an outage once', async (t) => {
  const node = await startNode({ services: [] })
  const book = await counterOn(node, (state) => ({
    next: { ...state, rings: state.rings + 1, wakeAt: null },
    result: undefined,
  }))
  const wakeAt = node.clock.now() - 3_600_000
  await book.turn('a', () => ({ next: { ...fresh('a'), wakeAt }, result: null }))
  await book.turn('later', () => ({ next: { ...fresh('later'), wakeAt: node.clock.now() + 3_600_000 }, result: null }))
  const woken = await Promise.all([book.timers!.wakeDue(), book.timers!.wakeDue()])
  t.is(Math.max(...woken), 1)
  t.is(await book.timers!.wakeDue(), 0)
  t.is((await book.read('a'))?.rings, 1)
  t.is((await book.read('later'))?.rings, 0)
  t.true((await book.timers!.nextAt())! > node.clock.now())
  await book.stop()
  await node.stop()
})

test('however many timers are due, one look fires them all', async (t) => {
  const node = await startNode({ services: [] })
  const book = await counterOn(node, (state) => ({
    next: { ...state, rings: state.rings + 1, wakeAt: null },
    result: undefined,
  }))
  const due = TIMER_BATCH * 2 + 1
  const wakeAt = node.clock.now() - 1000
  for (let at = 0; at < due; at++)
    await book.turn(`key_${at}`, () => ({ next: { ...fresh(`key_${at}`), wakeAt }, result: null }))
  t.is(await book.timers!.wakeDue(), due)
  t.is(await book.timers!.nextAt(), null)
  await book.stop()
  await node.stop()
})

test('whoever asks for what is due while somebody looks already gets a look of their own', async (t) => {
  const node = await startNode({ services: [] })
  const book = await counterOn(node, (state) => ({
    next: { ...state, rings: state.rings + 1, wakeAt: null },
    result: undefined,
  }))
  await book.turn('soon', () => ({ next: { ...fresh('soon'), wakeAt: node.clock.now() + 3_600_000 }, result: null }))
  const early = book.timers!.wakeDue()
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + 3_600_000)
  t.is(await book.timers!.wakeDue(), 1)
  t.is(await early, 0)
  await book.stop()
  await node.stop()
})

test('a document with too much left to say refuses to say more', async (t) => {
  const node = await startNode({ services: [] })
  const book = await counterOn(node)
  const many = Array.from({ length: 200 }, (_, at) => completed(`ord_${at}`))
  await book.turn('a', () => ({ next: fresh('a'), say: many, result: null }))
  const more = book.turn('a', (state) => ({ next: state!, say: [completed('ord_x')], result: null }))
  t.true(isRefused(await t.throwsAsync(more), 'overloaded'))
  await book.stop()
  await node.stop()
})
