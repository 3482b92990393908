// What only Meilisearch's adapter promises: how it bears with its server. The server is a stand-in (test/meili.ts).
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { setTimeout as sleep } from 'node:timers/promises'
import { refusal, standIn, type StandIn } from '../../test/meili.ts'
import { EngineError, type Engine } from './index.ts'
import { CONNECTIONS_MAX } from './meilisearch/http.ts'
import { bucketOf, histogramOf } from './meilisearch/buckets.ts'
import { leftToWrite, type Change, type Known } from './meilisearch/changes.ts'
import { CHOICES_MAX, subsets } from './meilisearch/loosen.ts'
import { corrected, matchedBy } from './meilisearch/matched.ts'
import { wordsOf } from './meilisearch/question.ts'
import { GIG_SETTINGS } from './meilisearch/settings.ts'
import { FAILURES_MAX, MeilisearchKeyError, openMeilisearchEngine } from './meilisearch.ts'
import { gig, quiet } from './sample.ts'

const start = async (t: ExecutionContext, port = 0): Promise<StandIn> => {
  const server = await standIn(port)
  t.teardown(server.stop)
  return server
}
const open = async (t: ExecutionContext, url: string): Promise<Engine> => {
  const engine = await openMeilisearchEngine({ url, key: standIn.key, log: quiet })
  t.teardown(() => engine.close())
  return engine
}
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
  )
const until = async (isSo: () => boolean | Promise<boolean>) => {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(10)) if (await isSo()) return
  throw new Error('did not become true in time')
}
const searches = ({ asked }: StandIn) => asked.filter(({ path }) => path === '/multi-search').length

test('a key that is not taken stops the opening, and says which variable it is', async (t) => {
  const { url } = await start(t)
  const error = await t.throwsAsync(openMeilisearchEngine({ url, key: 'another', log: quiet }), {
    instanceOf: MeilisearchKeyError,
  })
  t.regex(error.message, /MEILI_KEY/)
})

test('a server that is away is gone without, and is set up with what was said meanwhile when it comes', async (t) => {
  const first = await standIn()
  const port = Number(new URL(first.url).port)
  await first.stop()
  const engine = await open(t, first.url)
  await engine.setSynonyms([['Logo', 'emblem']])
  t.is(await codeOf(engine.search({})), 'engine_down')
  t.is(await codeOf(engine.upsert([gig('a')])), 'engine_down')
  const server = await start(t, port)
  await until(async () => (await codeOf(engine.search({}))) === 'ok')
  t.deepEqual(server.settings.get('gigs')?.['synonyms'], { logo: ['emblem'], emblem: ['logo'] })
  t.deepEqual(server.settings.get('gigs')?.['filterableAttributes'], GIG_SETTINGS.filterableAttributes)
})

test('settings are sent to an index that has others, and not to one that has them', async (t) => {
  const server = await start(t)
  await (await open(t, server.url)).close()
  const orders = () =>
    server.asked.filter(({ method, path }) => method === 'PATCH' && path.includes('/settings')).length
  t.is(orders(), 2)
  await (await open(t, server.url)).close()
  t.is(orders(), 2)
  server.settings.set('gigs', { ...server.settings.get('gigs'), rankingRules: ['words'] })
  await (await open(t, server.url)).close()
  const [last] = server.asked.filter(({ method }) => method === 'PATCH').slice(-1)
  t.deepEqual([orders(), Object.keys(last!.body)], [3, ['rankingRules']])
})

test('a server that hangs costs a few questions, then each is refused unasked until it answers again', async (t) => {
  const server = await start(t)
  const engine = await open(t, server.url)
  server.interfere = ({ path }) => (path === '/multi-search' || path === '/health' ? 'silence' : null)
  const codes = await Promise.all(Array.from({ length: FAILURES_MAX }, () => codeOf(engine.search({}))))
  t.deepEqual(codes, Array(FAILURES_MAX).fill('engine_down'))
  const before = searches(server)
  for (let at = 0; at < 50; at++) t.is(await codeOf(engine.search({})), 'engine_down')
  t.is(searches(server), before)
  server.interfere = () => null
  await until(async () => (await codeOf(engine.search({}))) === 'ok')
  // Whoever keeps the index compares it then.
  t.is((await engine.stats()).restarts, 1)
})

test('a server with too much to do is busy, not away', async (t) => {
  const server = await start(t)
  const engine = await open(t, server.url)
  server.interfere = ({ path }) =>
    path === '/multi-search' ? refusal(503, 'too_many_search_requests', 'Too many search requests.') : null
  for (let at = 0; at < FAILURES_MAX + 2; at++) t.is(await codeOf(engine.search({})), 'engine_busy')
  server.interfere = ({ path }) => (path === '/multi-search' ? refusal(400, 'invalid_search_filter', 'no.') : null)
  for (let at = 0; at < FAILURES_MAX + 2; at++) t.is(await codeOf(engine.search({})), 'bad_query')
  server.interfere = () => null
  t.is(await codeOf(engine.search({})), 'ok')
})

test('an index that is lost is made again, and reported as one to compare', async (t) => {
  const server = await start(t)
  const engine = await open(t, server.url)
  await engine.upsert([gig('a')])
  server.documents.clear()
  server.settings.clear()
  t.is(await codeOf(engine.stats()), 'engine_down')
  await until(async () => (await codeOf(engine.stats())) === 'ok')
  t.deepEqual(await engine.stats(), { gigs: 0, bytes: 4096, restarts: 1 })
  t.true(server.settings.has('gigs'))
})

test('changes that wait go together, older versions not at all', async (t) => {
  const server = await start(t)
  const engine = await open(t, server.url)
  const sent = () => server.asked.filter(({ path }) => path === '/indexes/gigs/documents')
  await Promise.all(Array.from({ length: 20 }, (_, at) => engine.upsert([gig(`g${at}`, { version: 2 })])))
  t.is(sent().length, 1)
  await engine.upsert([gig('g1', { version: 1 }), gig('g2', { version: 3 })])
  await engine.remove([
    { id: 'g3', version: 2 },
    { id: 'g4', version: 1 },
    { id: 'never', version: 9 },
  ])
  await engine.upsert([gig('g3', { version: 2 }), gig('never', { version: 9 })])
  t.deepEqual(
    sent().map(({ body }) => body.length),
    [20, 1],
  )
  const versions = [...server.documents.get('gigs')!.values()].map(({ id, version }) => `${id}:${version}`)
  t.is(versions.length, 19)
  t.true(versions.includes('g1:2') && versions.includes('g2:3') && versions.includes('g4:2'))
  await engine.upsert([gig('never', { version: 10 })])
  t.is(server.documents.get('gigs')!.get('never')?.version, 10)
})

test('a change counts when its task is done, fails with it, and nothing is read while an outcome is unknown', async (t) => {
  const server = await start(t)
  const engine = await open(t, server.url)
  server.holdTasks(true)
  let isDone = false
  const change = engine.upsert([gig('a', { version: 5 })]).then(() => (isDone = true))
  await until(() => server.asked.filter(({ path }) => path.startsWith('/tasks?')).length > 10)
  t.false(isDone)
  server.holdTasks(false)
  await change
  server.failTasks('the disk is full')
  const failed = await t.throwsAsync(engine.upsert([gig('a', { version: 6 })]), { instanceOf: EngineError })
  t.regex(failed.message, /disk is full/)
  server.failTasks(null)
  // The answer to an order is lost, but the order is not: what is older must not be written after it.
  server.holdTasks(true)
  server.interfere = ({ path, body }) => {
    if (path !== '/indexes/gigs/documents') return null
    server.interfere = () => null
    return fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${standIn.key}` },
      body: JSON.stringify(body),
    }).then(() => ({ status: 502, body: { message: 'bad gateway' } }))
  }
  t.is(await codeOf(engine.upsert([gig('a', { version: 9 })])), 'engine_down')
  const late = engine.upsert([gig('a', { version: 8 })])
  await until(() => server.asked.filter(({ path }) => path.includes('statuses=')).length > 3)
  server.holdTasks(false)
  await late
  t.is(server.documents.get('gigs')!.get('a')?.version, 9)
})

test('connections stay open and are few', async (t) => {
  const server = await start(t)
  const engine = await open(t, server.url)
  for (let at = 0; at < 40; at++) await engine.search({})
  const alone = server.connections()
  t.true(alone <= 8, String(alone))
  await Promise.all(Array.from({ length: 300 }, () => engine.search({})))
  t.true(server.connections() <= CONNECTIONS_MAX + 8)
  t.is(searches(server), 340)
})

test('what a row of changes leaves is what doing one after the other leaves', (t) => {
  const version = fc.integer({ min: 1, max: 4 })
  const change = fc.record({ id: fc.constantFrom('a', 'b'), version, isGone: fc.boolean() })
  const known = fc.record({ living: version, gone: version }, { requiredKeys: [] })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), known, known, (all, a, b) => {
      const changes = all.map(({ id, version: at, isGone }): Change<string> => {
        return { id, version: at, record: isGone ? null : `${id}${at}` }
      })
      const before = new Map<string, Known>([
        ['a', a as Known],
        ['b', b as Known],
      ])
      const one = new Map([...before].map(([id, state]) => [id, { ...state }]))
      for (const single of changes) {
        const state = one.get(single.id)!
        const { upserts, removals } = leftToWrite([single], new Map([[single.id, state]]))
        if (upserts.length > 0) state.living = single.version
        for (const removal of removals) {
          delete state.living
          state.gone = removal.version
        }
      }
      const together = new Map([...before].map(([id, state]) => [id, { ...state }]))
      const { upserts, removals } = leftToWrite(changes, before)
      for (const { id, version: at } of removals) {
        delete together.get(id)!.living
        together.get(id)!.gone = at
      }
      for (const record of upserts) together.get(record[0]!)!.living = Number(record.slice(1))
      t.deepEqual(
        [...together].map(([id, { living }]) => [id, living]),
        [...one].map(([id, { living }]) => [id, living]),
      )
    }),
  )
})

test('a price lies in its bucket, and the buckets shown hold every price', (t) => {
  const prices = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(prices, (all) => {
      const counts: Record<string, number> = {}
      for (const price of all) counts[bucketOf(price)] = (counts[bucketOf(price)] ?? 0) + 1
      const { histogram } = histogramOf(counts, { min: Math.min(...all), max: Math.max(...all) })
      t.true(histogram.length <= 12)
      for (const { from, to, count } of histogram)
        t.is(count, all.filter((price) => price >= from && price < to).length)
      t.is(
        histogram.reduce((sum, { count }) => sum + count, 0),
        all.length,
      )
    }),
  )
})

test('of ten words the large sets and the single words are tried, within the limit', (t) => {
  const sizes = subsets(10, 9)
  t.true(sizes.flat().length <= CHOICES_MAX + 10)
  t.deepEqual([sizes[0]!.length, sizes.at(-1)], [10, Array.from({ length: 10 }, (_, at) => 2 ** at)])
  t.deepEqual(subsets(3, 2), [
    [3, 5, 6],
    [1, 2, 4],
  ])
})

test('what was met instead of a typing error is said, other words are left as they are', (t) => {
  const said = (text: string, ...met: string[]) => corrected(text, wordsOf(text), met)
  t.is(said('Lgoo design', 'logo', 'design'), 'logo design')
  t.is(said('logo desi', 'logo', 'design'), undefined)
  t.is(said('ilustrat', 'illustration'), 'illustration')
  t.is(said('sounddesign ', 'sound', 'design'), 'sound design')
  t.is(said('voice over ', 'voiceover'), undefined)
  t.is(said('emblem ', 'logo'), undefined)
  t.deepEqual(matchedBy(wordsOf('lgoo desi'), ['logo', 'design']), { words: ['logo'], starts: ['desi'] })
})
