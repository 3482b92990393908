import test from 'ava'
import { localFanout } from '../../adapters/fanout/local.ts'
import { eventually } from '../../test/node.ts'
import { gig } from '../gig/contract.ts'
import { search } from '../search/contract.ts'
import { HOT, hotAnswers, type HotLimits, type Wanted } from './hot.ts'
import { accounts, actorOf, LISTENERS, person, startGateway, type People } from './testing.ts'

const setup = async (listener = 'node') => {
  const people: People = new Map()
  person(people, 'usr_owner', ['buyer', 'seller'])
  const state = { title: 'first', status: 'live', asked: 0, searched: 0, gate: Promise.resolve() }
  const gateway = await startGateway({
    env: { LISTENER: listener },
    services: [
      accounts(people),
      actorOf(gig, {
        get: async ({ params }) => {
          state.asked++
          const { title, status } = state
          await state.gate
          return { id: (params as { id: string }).id, status, title }
        },
      }),
      actorOf(search, { gigs: ({ params }) => ({ data: [], asked: params, searched: ++state.searched }) }),
    ],
  })
  const fanout = await gateway.open('fanout')
  return { ...gateway, state, fanout, owner: await gateway.tokenOf('usr_owner') }
}

for (const listener of LISTENERS) {
  test(`${listener}: a public read is prepared once, carries a strong tag, and answers 304 to who has it`, async (t) => {
    const { ask, stop, state } = await setup(listener)
    t.teardown(stop)
    const answers = [await ask('GET', '/v1/gigs/gig_1'), await ask('GET', '/v1/gigs/gig_1')]
    for (const { status, headers, text } of answers) {
      t.is(status, 200)
      t.is(text, answers[0]!.text)
      t.is(headers.get('cache-control'), 'public, max-age=10, stale-while-revalidate=60')
      t.regex(headers.get('etag')!, /^"[\w-]+"$/)
      t.truthy(headers.get('ratelimit'))
      t.truthy(headers.get('ratelimit-policy'))
    }
    t.is(state.asked, 1)
    t.not(answers[0]!.headers.get('x-request-id'), answers[1]!.headers.get('x-request-id'))
    const etag = answers[0]!.headers.get('etag')!
    for (const sent of [etag, `"other", ${etag}`, `W/${etag}`, '*']) {
      const same = await ask('GET', '/v1/gigs/gig_1', { headers: { 'if-none-match': sent } })
      t.is(same.status, 304, sent)
      t.is(same.text, '')
      t.is(same.headers.get('etag'), etag)
    }
    t.is((await ask('GET', '/v1/gigs/gig_1', { headers: { 'if-none-match': '"other"' } })).status, 200)
    t.is((await ask('GET', '/v1/gigs/gig_2', { headers: { 'if-none-match': '*' } })).status, 304)
  })
}

test('where nobody is asked who they are, a token changes no byte and no tag', async (t) => {
  const { ask, stop, state, owner } = await setup()
  t.teardown(stop)
  const anonymous = await ask('GET', '/v1/gigs?q=logo')
  for (const token of [owner, 'nonsense']) {
    const signedIn = await ask('GET', '/v1/gigs?q=logo', { token })
    t.is(signedIn.text, anonymous.text)
    for (const name of ['etag', 'cache-control']) t.is(signedIn.headers.get(name), anonymous.headers.get(name))
  }
  t.is(state.searched, 1)
})

test('many who ask at once for the same cost one computation', async (t) => {
  const { ask, stop, state } = await setup()
  t.teardown(stop)
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('GET', '/v1/gigs/gig_1')))
  t.true(answers.every(({ status }) => status === 200))
  t.is(state.asked, 1)
})

test('addresses that ask for the same share one answer', async (t) => {
  const { ask, stop, state } = await setup()
  t.teardown(stop)
  await ask('GET', '/v1/gigs?q=logo&limit=5')
  await ask('GET', '/v1/gigs?limit=5&q=logo&utm_source=mail')
  await ask('GET', '/v1/gigs?limit=5&q=logo&utm_source=mail')
  t.is(state.searched, 1)
  await ask('GET', '/v1/gigs?limit=6&q=logo')
  t.is(state.searched, 2)
})

test('a notice of change is true at the next request, on the answers it names alone', async (t) => {
  const { ask, stop, state, fanout } = await setup()
  t.teardown(stop)
  const title = async (id: string) => ((await ask('GET', `/v1/gigs/${id}`)).json as { title: string }).title
  await title('gig_1')
  await title('gig_2')
  state.title = 'second'
  t.is(await title('gig_1'), 'first')
  fanout.toNodes('hot.changed', { tags: ['gig:gig_1'] })
  t.is(await title('gig_1'), 'second')
  t.is(await title('gig_2'), 'first')
  fanout.toNodes('hot.changed', { nonsense: 1 })
  t.is(await title('gig_2'), 'first')
})

test('an answer under way while its gig changes is kept for nobody', async (t) => {
  const { ask, stop, state, fanout } = await setup()
  t.teardown(stop)
  const { promise, resolve } = Promise.withResolvers<void>()
  state.gate = promise
  const slow = ask('GET', '/v1/gigs/gig_1')
  await eventually(
    () => state.asked,
    (asked) => asked === 1,
  )
  state.title = 'second'
  fanout.toNodes('hot.changed', { tags: ['gig:gig_1'] })
  const later = ask('GET', '/v1/gigs/gig_1')
  await eventually(
    () => state.asked,
    (asked) => asked === 2,
  )
  resolve()
  t.is(((await slow).json as { title: string }).title, 'first')
  t.is(((await later).json as { title: string }).title, 'second')
  t.is(((await ask('GET', '/v1/gigs/gig_1')).json as { title: string }).title, 'second')
})

test('a signed-in owner sees the own gig as it is, never from a prepared answer, and nobody keeps it', async (t) => {
  const { ask, stop, state, owner } = await setup()
  t.teardown(stop)
  await ask('GET', '/v1/gigs/gig_1')
  state.title = 'second'
  const live = await ask('GET', '/v1/gigs/gig_1', { token: owner })
  t.like(live.json, { title: 'second' })
  t.regex(live.headers.get('cache-control')!, /^public/)
  const same = await ask('GET', '/v1/gigs/gig_1', {
    token: owner,
    headers: { 'if-none-match': live.headers.get('etag')! },
  })
  t.is(same.status, 304)
  state.status = 'draft'
  const draft = await ask('GET', '/v1/gigs/gig_1', { token: owner })
  t.is(draft.headers.get('cache-control'), 'no-store')
  t.is(draft.headers.get('etag'), null)
  t.like((await ask('GET', '/v1/gigs/gig_1')).json, { title: 'first', status: 'live' })
})

const kept = (limits: Partial<HotLimits> = {}) => {
  const made: string[] = []
  const hot = hotAnswers(localFanout(), { ...HOT, ...limits })
  const wanted = (key: string, more: Partial<Wanted> = {}): Wanted => ({
    key,
    tags: [],
    maxAgeSeconds: 60,
    staleSeconds: 60,
    served: { add: () => undefined },
    make: async () => {
      made.push(key)
      return { bytes: Buffer.alloc(100), headers: [] }
    },
    ...more,
  })
  return { hot, made, wanted }
}

test('an old answer is served at once while one new one is made', async (t) => {
  const { hot, made, wanted } = kept()
  t.teardown(hot.stop)
  const old = await hot.get('/a', wanted('a', { maxAgeSeconds: 0 }))
  t.is(hot.find('/a'), old)
  t.is(hot.find('/a'), old)
  await eventually(
    () => made.length,
    (count) => count === 2,
  )
  await eventually(
    () => hot.find('/a'),
    (answer) => answer !== undefined && answer !== old,
  )
})

test('those who ask while an answer is made wait for that one', async (t) => {
  const { hot, made, wanted } = kept()
  t.teardown(hot.stop)
  const answers = await Promise.all([
    hot.get('/a', wanted('a')),
    hot.get('/a', wanted('a')),
    hot.get('/b', wanted('a')),
  ])
  t.is(new Set(answers).size, 1)
  t.is(made.length, 1)
})

test('an answer that was overtaken by a change never replaces a later one', async (t) => {
  const { hot, wanted } = kept()
  t.teardown(hot.stop)
  const gate = Promise.withResolvers<void>()
  const early = hot.get(
    '/a',
    wanted('a', {
      tags: ['x'],
      make: async () => {
        await gate.promise
        return { bytes: Buffer.from('early'), headers: [] }
      },
    }),
  )
  hot.bump(['x'])
  const late = await hot.get('/a', wanted('a', { tags: ['x'] }))
  gate.resolve()
  t.is(Buffer.from((await early).bytes).toString(), 'early')
  t.is(hot.find('/a'), late)
})

test('an answer past all patience is made again', async (t) => {
  const { hot, made, wanted } = kept()
  t.teardown(hot.stop)
  await hot.get('/a', wanted('a', { maxAgeSeconds: 0, staleSeconds: 0 }))
  t.is(hot.find('/a'), undefined)
  await hot.get('/a', wanted('a', { maxAgeSeconds: 0, staleSeconds: 0 }))
  t.is(made.length, 2)
})

test('prepared answers are bounded by count and by bytes, and large ones are not kept', async (t) => {
  const few = kept({ entriesMax: 3 })
  t.teardown(few.hot.stop)
  for (const key of ['a', 'b', 'c', 'd', 'e']) await few.hot.get(`/${key}`, few.wanted(key))
  t.like(few.hot.size(), { entries: 3, bytes: 300 })
  t.is(few.hot.find('/a'), undefined)
  t.truthy(few.hot.find('/e'))
  const small = kept({ bytesMax: 250 })
  t.teardown(small.hot.stop)
  for (const key of ['a', 'b', 'c', 'd']) await small.hot.get(`/${key}`, small.wanted(key))
  t.like(small.hot.size(), { entries: 2, bytes: 200 })
  const tiny = kept({ answerBytesMax: 99 })
  t.teardown(tiny.hot.stop)
  await tiny.hot.get('/a', tiny.wanted('a'))
  t.is(tiny.hot.size().entries, 0)
})

test('a failed computation fails those who wait and is tried again by the next', async (t) => {
  const { hot, wanted } = kept()
  t.teardown(hot.stop)
  await t.throwsAsync(hot.get('/a', wanted('a', { make: () => Promise.reject(new Error('down')) })), {
    message: 'down',
  })
  t.truthy(await hot.get('/a', wanted('a')))
})

test('notices that may have been missed end every answer', async (t) => {
  const { hot, wanted } = kept()
  t.teardown(hot.stop)
  await hot.get('/a', wanted('a', { tags: ['x'] }))
  hot.clear()
  t.is(hot.find('/a'), undefined)
  t.like(hot.size(), { entries: 0, bytes: 0 })
})
