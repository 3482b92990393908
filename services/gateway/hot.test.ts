import test from 'ava'
import { memoryCache } from '../../adapters/cache/memory.ts'
import { localFanout } from '../../adapters/fanout/local.ts'
import { eventually } from '../../test/node.ts'
import { refuse } from '../errors.ts'
import { gig } from '../gig/contract.ts'
import { search } from '../search/contract.ts'
import { ABSENT_MS } from './absent.ts'
import { BEHIND_MS_MAX, PACE_MS, RETRY_MS, STALE_IF_ERROR_MS, UNHEARD_MS_MAX } from './age.ts'
import { HOT, hotAnswers, type HotLimits, type Wanted } from './hot.ts'
import { ENTRY_BYTES } from './shelf.ts'
import { accounts, actorOf, LISTENERS, person, startGateway, type People } from './testing.ts'

const setup = async (listener = 'node') => {
  const people: People = new Map()
  person(people, 'usr_owner', ['buyer', 'seller'])
  const state = {
    title: 'first',
    status: 'live',
    asked: 0,
    searched: 0,
    gate: Promise.resolve(),
    isDown: false,
    found: ['gig_1', 'gig_2'],
  }
  const gateway = await startGateway({
    env: { LISTENER: listener },
    services: [
      accounts(people),
      actorOf(gig, {
        get: async ({ params, caller }) => {
          state.asked++
          const { title, status } = state
          await state.gate
          if (status !== 'live' && caller?.id !== 'usr_owner') throw refuse('not_found')
          return { id: (params as { id: string }).id, status, title }
        },
      }),
      actorOf(search, {
        gigs: ({ params }) => {
          state.searched++
          if (state.isDown) throw refuse('unavailable', 'the engine is down')
          return { data: state.found.map((id) => ({ id })), asked: params, searched: state.searched }
        },
      }),
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

test('a gig that is gone or was edited is so at the next request, and one that changed otherwise soon', async (t) => {
  const { ask, stop, state, fanout } = await setup()
  t.teardown(stop)
  const title = async (id: string) => ((await ask('GET', `/v1/gigs/${id}`)).json as { title: string }).title
  await title('gig_1')
  await title('gig_2')
  state.title = 'second'
  t.is(await title('gig_1'), 'first')
  fanout.toNodes('hot.changed', { tags: ['gig:gig_1', 'gone:gig_1'] })
  t.is(await title('gig_1'), 'second')
  t.is(await title('gig_2'), 'first')
  state.title = 'third'
  fanout.toNodes('hot.changed', { tags: ['gig:gig_1'] })
  await eventually(
    () => title('gig_1'),
    (now) => now === 'third',
  )
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
  fanout.toNodes('hot.changed', { tags: ['gone:gig_1'] })
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

const searched = async ({ ask }: Awaited<ReturnType<typeof setup>>, query: string) => {
  const { status, headers, json } = await ask('GET', `/v1/gigs?${query}`)
  const { data = [], searched = 0 } = json as { data?: { id: string }[]; searched?: number }
  return {
    status,
    found: data.map(({ id }) => id),
    searched,
    mark: headers.get('cache-status'),
    age: headers.get('age'),
  }
}

test('a listing that shows a gig is made again after the gig is gone', async (t) => {
  const gateway = await setup()
  t.teardown(gateway.stop)
  t.deepEqual((await searched(gateway, 'q=map')).found, ['gig_1', 'gig_2'])
  gateway.state.found = ['gig_1']
  gateway.fanout.toNodes('hot.changed', { tags: ['gone:gig_3'] })
  t.deepEqual((await searched(gateway, 'q=map')).found, ['gig_1', 'gig_2'])
  gateway.fanout.toNodes('hot.changed', { tags: ['gone:gig_2'] })
  await eventually(
    () => searched(gateway, 'q=map'),
    ({ found }) => found.join() === 'gig_1',
  )
  t.is(gateway.state.searched, 2)
})

test('a change in a category reaches its listings and leaves those of others as they are', async (t) => {
  const gateway = await setup()
  t.teardown(gateway.stop)
  await searched(gateway, 'category=design')
  const other = await searched(gateway, 'category=writing')
  gateway.state.found = ['gig_9']
  gateway.fanout.toNodes('hot.changed', { tags: ['category:design', 'search', 'categories'] })
  await eventually(
    () => searched(gateway, 'category=design'),
    ({ found }) => found[0] === 'gig_9',
  )
  t.is((await searched(gateway, 'category=writing')).searched, other.searched)
})

test('while nothing new can be made the old listing stands in and says so, and is new again by itself', async (t) => {
  const gateway = await setup()
  t.teardown(gateway.stop)
  t.like(await searched(gateway, 'q=map'), { status: 200, mark: null, age: null })
  gateway.state.isDown = true
  gateway.fanout.toNodes('hot.changed', { tags: ['search'] })
  const old = await eventually(
    () => searched(gateway, 'q=map'),
    ({ mark }) => mark !== null,
  )
  t.like(old, { status: 200, found: ['gig_1', 'gig_2'], searched: 1 })
  t.regex(old.mark!, /^gigwire; hit; ttl=-?\d+; detail=stale$/)
  t.regex(old.age!, /^\d+$/)
  t.is((await searched(gateway, 'q=never-asked-before')).status, 503)
  // What is deleted meanwhile does not stand in.
  gateway.fanout.toNodes('hot.changed', { tags: ['gone:gig_2'] })
  await eventually(
    () => searched(gateway, 'q=map'),
    ({ status }) => status === 503,
  )
  gateway.state.isDown = false
  t.like(await searched(gateway, 'q=map'), { status: 200, mark: null })
})

test('what is not there is remembered for a moment, and is there as soon as it is published', async (t) => {
  const { ask, stop, state, fanout } = await setup()
  t.teardown(stop)
  state.status = 'draft'
  const first = await ask('GET', '/v1/gigs/gig_1')
  const second = await ask('GET', '/v1/gigs/gig_1')
  t.deepEqual([first.status, second.status], [404, 404])
  t.not((first.json as { requestId: string }).requestId, (second.json as { requestId: string }).requestId)
  t.is(second.headers.get('cache-control'), 'no-store')
  t.is(state.asked, 1)
  state.status = 'live'
  fanout.toNodes('hot.changed', { tags: ['gig:gig_1'] })
  t.is((await ask('GET', '/v1/gigs/gig_1')).status, 200)
})

test('shared caches are told by name what an answer stands on, as the notices name it', async (t) => {
  const { ask, stop } = await setup()
  t.teardown(stop)
  const namesAt = async (path: string) => {
    const { headers } = await ask('GET', path)
    return [headers.get('surrogate-key'), headers.get('cache-tag')]
  }
  t.deepEqual(await namesAt('/v1/gigs/gig_1'), ['gig:gig_1', 'gig:gig_1'])
  t.deepEqual(await namesAt('/v1/gigs?category=design'), ['category:design tuning', 'category:design,tuning'])
  t.deepEqual(await namesAt('/v1/gigs?category=a%2Cb%20c%0D%0Ad'), [
    'category:a%2Cb%20c%0D%0Ad tuning',
    'category:a%2Cb%20c%0D%0Ad,tuning',
  ])
})

const kept = (limits: Partial<HotLimits> = {}) => {
  const made: string[] = []
  const clock = { now: Date.now() }
  const fanout = localFanout()
  const hot = hotAnswers({ fanout, cache: memoryCache(), limits: { ...HOT, ...limits }, now: () => clock.now })
  const wanted = (key: string, more: Partial<Wanted> = {}): Wanted => ({
    key,
    tags: [],
    generations: [],
    maxAgeSeconds: 60,
    staleSeconds: 60,
    served: { add: () => undefined },
    make: async () => {
      made.push(key)
      return { bytes: Buffer.alloc(100), headers: [] }
    },
    ...more,
  })
  return { hot, made, wanted, clock, fanout }
}

test('an old answer is served at once while one new one is made', async (t) => {
  const { hot, made, wanted, clock } = kept()
  t.teardown(hot.stop)
  const old = await hot.get('/a', wanted('a'))
  clock.now += 61_000
  t.is(hot.find('/a'), old)
  t.is(hot.find('/a'), old)
  t.deepEqual(old.marks, [
    ['Age', '61'],
    ['Cache-Status', 'gigwire; hit; ttl=-1; detail=stale'],
  ])
  await eventually(
    () => made.length,
    (count) => count === 2,
  )
  const next = await eventually(
    () => hot.find('/a'),
    (answer) => answer !== undefined && answer !== old,
  )
  t.deepEqual(next?.marks, [])
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
  const { hot, made, wanted, clock } = kept()
  t.teardown(hot.stop)
  await hot.get('/a', wanted('a'))
  clock.now += 120_001
  t.is(hot.find('/a'), undefined)
  await hot.get('/a', wanted('a'))
  t.is(made.length, 2)
})

test('prepared answers are bounded by count and by bytes, and large ones are not kept', async (t) => {
  const few = kept({ entriesMax: 3 })
  t.teardown(few.hot.stop)
  for (const key of ['a', 'b', 'c', 'd', 'e']) await few.hot.get(`/${key}`, few.wanted(key))
  const each = 100 + 2 + ENTRY_BYTES
  t.like(few.hot.size(), { entries: 3, bytes: 3 * each })
  t.is(few.hot.find('/a'), undefined)
  t.truthy(few.hot.find('/e'))
  const small = kept({ bytesMax: 2.5 * each })
  t.teardown(small.hot.stop)
  for (const key of ['a', 'b', 'c', 'd']) await small.hot.get(`/${key}`, small.wanted(key))
  t.like(small.hot.size(), { entries: 2, bytes: 2 * each })
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

test('ten thousand who ask at once wait for one computation', async (t) => {
  const { hot, made, wanted } = kept()
  t.teardown(hot.stop)
  const answers = await Promise.all(Array.from({ length: 10_000 }, (_, n) => hot.get(`/a?utm=${n}`, wanted('a'))))
  t.is(new Set(answers).size, 1)
  t.is(made.length, 1)
})

test('addresses are bounded by count and by letters, and very long ones are not remembered', async (t) => {
  const { hot, wanted } = kept({ addressesMax: 3, addressLettersMax: 3000 })
  t.teardown(hot.stop)
  const [first, second, third, fourth] = ['a', 'b', 'c', 'd'].map((letter) => `/${letter.repeat(900)}`)
  for (const url of [first!, second!, third!]) await hot.get(url, wanted('a'))
  t.truthy(hot.find(first!))
  await hot.get(fourth!, wanted('a'))
  t.is(hot.find(first!), undefined)
  t.truthy(hot.find(fourth!))
  await hot.get(`/${'x'.repeat(1500)}`, wanted('a'))
  t.is(hot.find(second!), undefined)
  const long = `/${'x'.repeat(5000)}`
  await hot.get(long, wanted('a'))
  t.is(hot.find(long), undefined)
})

test('however fast its listing changes, an answer is made again at its pace and is never older than half a second', async (t) => {
  const { hot, made, wanted, clock } = kept()
  t.teardown(hot.stop)
  const listing = wanted('a', { generations: ['search'] })
  await hot.get('/a', listing)
  for (let ms = 0; ms < 10_000; ms += 10) {
    hot.bump(['search'])
    clock.now += 10
    const found = hot.find('/a') ?? (await hot.get('/a', listing))
    t.true(clock.now - found.madeAt <= BEHIND_MS_MAX)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.true(made.length > 10_000 / BEHIND_MS_MAX, `${made.length}`)
  t.true(made.length <= 10_000 / PACE_MS + 1, `${made.length}`)
})

test('who asks long after its listing changed waits for a new answer', async (t) => {
  const { hot, made, wanted, clock } = kept()
  t.teardown(hot.stop)
  const listing = wanted('a', { generations: ['search'] })
  await hot.get('/a', listing)
  clock.now += BEHIND_MS_MAX + 1
  t.truthy(hot.find('/a'))
  hot.bump(['search'])
  t.is(hot.find('/a'), undefined)
  await hot.get('/a', listing)
  t.is(made.length, 2)
})

test('while the next is long in the making, an answer that is only behind is served for its whole time', async (t) => {
  const { hot, wanted, clock } = kept()
  t.teardown(hot.stop)
  let isSlow = false
  const make = async () => {
    if (isSlow) await new Promise(() => undefined)
    return { bytes: Buffer.from('[]'), headers: [], shows: ['x'] }
  }
  const listing = wanted('a', { make, generations: ['search'], maxAgeSeconds: 5 })
  await hot.get('/a', listing)
  isSlow = true
  hot.bump(['search'])
  clock.now += BEHIND_MS_MAX + 1
  t.is(hot.find('/a'), undefined, 'somebody has to ask for the next')
  hot.get('/a', listing).catch(() => undefined)
  for (; clock.now < hot.find('/a')!.freshUntil - 500; clock.now += 400) t.deepEqual(hot.find('/a')!.marks, [])
  hot.bump(['x'])
  t.is(hot.find('/a'), undefined)
})

test('an answer that shows what is gone is served for half a second at most, and never stands in', async (t) => {
  const { hot, wanted, clock } = kept()
  t.teardown(hot.stop)
  let made = 0
  const make = async () => (made++ > 0 ? down() : { bytes: Buffer.from('shows x'), headers: [], shows: ['x'] })
  const listing = wanted('a', { make })
  await hot.get('/a', listing)
  clock.now += 100
  hot.bump(['x'])
  t.truthy(hot.find('/a'))
  clock.now += BEHIND_MS_MAX - 100
  t.truthy(hot.find('/a'))
  clock.now += 1
  t.is(hot.find('/a'), undefined)
  await t.throwsAsync(hot.get('/a', listing))
  await t.throwsAsync(hot.get('/a', listing))
})

test('an answer that shows what changed while it was made is kept for nobody', async (t) => {
  const { hot, wanted } = kept()
  t.teardown(hot.stop)
  const gate = Promise.withResolvers<void>()
  const slow = hot.get(
    '/a',
    wanted('a', {
      make: async () => {
        await gate.promise
        return { bytes: Buffer.from('shows x'), headers: [], shows: ['x'] }
      },
    }),
  )
  hot.bump(['x'])
  gate.resolve()
  await slow
  t.is(hot.find('/a'), undefined)
})

const down = () => Promise.reject(refuse('unavailable', 'the engine is down'))

test('an old answer stands in for ten minutes, tries at a pace, and is over when its owner says so', async (t) => {
  const { hot, wanted, clock } = kept()
  t.teardown(hot.stop)
  let tries = 0
  const broken = wanted('a', { tags: ['x'], make: () => (tries++, down()) })
  await hot.get('/a', wanted('a', { tags: ['x'] }))
  clock.now += 121_000
  for (let ms = 0; ms < 5000; ms += 100) {
    clock.now += 100
    t.is((await hot.get('/a', broken)).marks.length, 2)
  }
  t.true(tries > 5 && tries <= 5000 / RETRY_MS + 1, `${tries}`)
  clock.now += STALE_IF_ERROR_MS
  await t.throwsAsync(hot.get('/a', broken), { message: 'the engine is down' })
  await hot.get('/b', wanted('b', { tags: ['x'] }))
  clock.now += 121_000
  t.truthy(await hot.get('/b', wanted('b', { make: down })))
  hot.bump(['x'])
  await t.throwsAsync(hot.get('/b', wanted('b', { make: down })))
})

test('a gateway that cannot hear of deletions shows nothing for longer than a minute', async (t) => {
  const { hot, wanted, clock, fanout } = kept()
  t.teardown(hot.stop)
  let isDown = false
  const make = async () => (isDown ? down() : { bytes: Buffer.alloc(9), headers: [] })
  const about = wanted('a', { tags: ['gig:1'], maxAgeSeconds: 10, make })
  const image = wanted('image', { maxAgeSeconds: 10, make })
  await hot.get('/a', about)
  await hot.get('/image', image)
  isDown = true
  clock.now += 20_000
  t.truthy(await hot.get('/a', about))
  await fanout.close()
  clock.now += UNHEARD_MS_MAX
  t.truthy(await hot.get('/a', about))
  clock.now += 1
  await t.throwsAsync(hot.get('/a', about))
  t.truthy(await hot.get('/image', image), 'what nothing could be told of')
})

test('a refusal ends the old answer, and that it is gone is remembered until something is said of it', async (t) => {
  const { hot, wanted, clock } = kept()
  t.teardown(hot.stop)
  let asked = 0
  const about = { tags: ['gig:1'], absence: 'gig:1' }
  const gone = wanted('a', { ...about, make: () => (asked++, Promise.reject(refuse('not_found', 'no such gig'))) })
  await hot.get('/a', wanted('a', about))
  clock.now += 121_000
  for (let n = 0; n < 3; n++) await t.throwsAsync(hot.get('/a', gone), { message: 'no such gig' })
  t.is(asked, 1)
  t.like(hot.size(), { entries: 0, absent: 1 })
  clock.now += ABSENT_MS
  await t.throwsAsync(hot.get('/a', gone))
  t.is(asked, 2)
  hot.bump(['gig:1'])
  t.truthy(await hot.get('/a', wanted('a', about)))
})

test('what is learned to be gone while it comes back is remembered by nobody', async (t) => {
  const { hot, wanted } = kept()
  t.teardown(hot.stop)
  const gate = Promise.withResolvers<void>()
  const about = { tags: ['gig:1'], absence: 'gig:1' }
  const early = hot.get(
    '/a',
    wanted('a', {
      ...about,
      make: async () => {
        await gate.promise
        throw refuse('not_found')
      },
    }),
  )
  hot.bump(['gig:1'])
  gate.resolve()
  await t.throwsAsync(early)
  t.truthy(await hot.get('/a', wanted('a', about)))
})
