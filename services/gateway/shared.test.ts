// Two gateways with a cache in common: one of memory, and Redis where there is one.
import test, { type ExecutionContext } from 'ava'
import type { Cache } from '../../adapters/cache/index.ts'
import { memoryCache, memoryHub } from '../../adapters/cache/memory.ts'
import { redisCache } from '../../adapters/cache/redis.ts'
import { fanoutHub, localFanout } from '../../adapters/fanout/local.ts'
import { eventually } from '../../test/node.ts'
import { hasRedis, startRedis } from '../../test/redis.ts'
import { refuse } from '../errors.ts'
import { HOT_CHANGED, hotAnswers, type Wanted } from './hot.ts'

type OpenPair = (t: ExecutionContext) => Promise<[Cache, Cache]>
const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const pairs: Record<string, OpenPair> = {
  memory: async () => {
    const hub = memoryHub()
    return [memoryCache({ hub }), memoryCache({ hub })]
  },
}
if (hasRedis)
  pairs['Redis'] = async (t) => {
    const { url, stop } = await startRedis()
    t.teardown(stop)
    const open = () => redisCache({ url, log: quiet, budgetMs: 2000 })
    const both: [Cache, Cache] = [await open(), await open()]
    for (const cache of both) t.teardown(cache.close)
    return both
  }

/** What both make of the same thing, which changes and can be out of reach. */
const world = () => {
  const state = { title: 'first', made: 0, isDown: false }
  const wanted = (more: Partial<Wanted> = {}): Wanted => ({
    key: 'page',
    tags: ['gig:1'],
    generations: ['search'],
    maxAgeSeconds: 60,
    staleSeconds: 0,
    headers: [['Content-Type', 'application/json']],
    served: { add: () => undefined },
    make: async () => {
      state.made++
      if (state.isDown) throw refuse('unavailable')
      return { bytes: Buffer.from(JSON.stringify(state.title)), headers: [], shows: ['gig:7'] }
    },
    ...more,
  })
  return { state, wanted }
}

const gateways = (t: ExecutionContext, caches: readonly Cache[], { oneFanout = true } = {}) => {
  const clock = { now: Date.now() }
  const hub = fanoutHub()
  const fanouts = caches.map(() => localFanout(oneFanout ? { hub } : {}))
  const hots = caches.map((cache, n) => hotAnswers({ fanout: fanouts[n]!, cache, now: () => clock.now }))
  for (const hot of hots) t.teardown(hot.stop)
  const title = async (n: number, wanted: Wanted) =>
    JSON.parse(Buffer.from((await hots[n]!.get('/page', wanted)).bytes).toString()) as string
  return { clock, fanouts, hots, title }
}

for (const [name, openPair] of Object.entries(pairs)) {
  test(`${name}: what one gateway has made the other need not make, until it changes`, async (t) => {
    const { state, wanted } = world()
    const caches = await openPair(t)
    const { fanouts, title } = gateways(t, caches)
    t.is(await title(0, wanted()), 'first')
    await caches[0].get('one connection keeps its order: what was kept before is there')
    t.is(await title(1, wanted()), 'first')
    t.is(state.made, 1)
    state.title = 'second'
    fanouts[0]!.toNodes(HOT_CHANGED, { tags: ['gig:1'] })
    t.is(await title(0, wanted()), 'second')
    t.is(await title(1, wanted()), 'second')
  })

  test(`${name}: a change that only the other gateway heard of ends the copy here too`, async (t) => {
    const { state, wanted } = world()
    const { fanouts, hots, title } = gateways(t, await openPair(t), { oneFanout: false })
    t.is(await title(0, wanted()), 'first')
    t.is(await title(1, wanted()), 'first')
    state.title = 'second'
    fanouts[0]!.toNodes(HOT_CHANGED, { tags: ['gig:1'] })
    await eventually(
      () => hots[1]!.find('/page'),
      (answer) => answer === undefined,
    )
    t.is(await title(1, wanted()), 'second')
  })

  test(`${name}: a gateway that starts while nothing can be made serves what others had made, as old`, async (t) => {
    const { state, wanted } = world()
    const caches = await openPair(t)
    const { clock, fanouts, hots } = gateways(t, caches)
    await hots[0]!.get('/page', wanted())
    await caches[0].get('after what was kept')
    clock.now += 61_000
    state.isDown = true
    const later = hotAnswers({ fanout: fanouts[0]!, cache: caches[1], now: () => clock.now })
    t.teardown(later.stop)
    const old = await later.get('/page', wanted())
    t.deepEqual(old.marks[0], ['Age', '61'])
    t.deepEqual(old.tags, ['gig:1', 'gig:7'])
    t.deepEqual(old.headers[0], ['Content-Type', 'application/json'])
    fanouts[0]!.toNodes(HOT_CHANGED, { tags: ['gig:7'] })
    t.is(later.find('/page'), undefined)
    await t.throwsAsync(later.get('/page', wanted({ generations: ['elsewhere'] })))
    fanouts[0]!.toNodes(HOT_CHANGED, { tags: ['search'] })
    await t.throwsAsync(later.get('/page', wanted()), { message: /not available/ })
  })

  test(`${name}: when notices may have been missed nothing that was shared is believed`, async (t) => {
    const { state, wanted } = world()
    const { hots, title } = gateways(t, await openPair(t), { oneFanout: false })
    await title(0, wanted())
    state.title = 'second'
    hots[1]!.clear()
    t.is(await title(1, wanted()), 'second')
  })
}

test('what only one process can reach is asked for once', async (t) => {
  const { state, wanted } = world()
  const { title } = gateways(t, [memoryCache(), memoryCache()])
  await title(0, wanted())
  await title(0, wanted())
  t.is(state.made, 1)
  await title(1, wanted())
  t.is(state.made, 2)
})
