// Browsing over two gateways that share what they prepare, while sellers change their gigs and while Redis and search are
// stalled and killed: what was deleted is gone, what is there is served, old answers say that they are, and all heals.
import test, { type ExecutionContext } from 'ava'
import { readdirSync } from 'node:fs'
import { freePort, hasNats, startNats } from '../adapters/fanout/nats-server.ts'
import { gigBody } from './everything.ts'
import { ask, freePorts, startMarket, type Market } from './market.ts'
import { eventually } from './node.ts'
import { hasRedis, startRedis, type TestRedis } from './redis.ts'

const browsing = hasNats && hasRedis ? test.serial : test.serial.skip

const SEARCH = 1
const ALL = readdirSync(new URL('../services', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

type Found = { status: number; ids: string[]; titles: string[]; mark: string | null }
type Place = {
  market: Market
  redis: TestRedis
  token: string
  /** A live gig in a category of its own. */
  gig(category: string): Promise<string>
  change(method: string, path: string, body?: object): Promise<void>
  /** What each gateway says. */
  listing(query: string): Promise<Found[]>
  page(id: string): Promise<{ status: number; title?: string }[]>
  cacheUp(): Promise<boolean>
}

/** One process with a gateway and everything else, one with search, one that is a gateway only. */
const startPlace = async (t: ExecutionContext): Promise<Place> => {
  t.timeout(180_000)
  const nats = await freePort()
  await startNats(t, nats)
  const redis = await startRedis()
  t.teardown(redis.stop)
  const [secondPort] = await freePorts(1)
  const market = await startMarket({
    env: { NATS_URL: `nats://127.0.0.1:${nats}`, REDIS_URL: redis.url },
    processes: [
      { NODE_ID: 'first', SERVICES: ALL.filter((name) => name !== 'search').join(',') },
      { NODE_ID: 'search', SERVICES: 'search' },
      { NODE_ID: 'second', SERVICES: 'gateway', PORT: String(secondPort) },
    ],
  })
  t.teardown(market.stop)
  const urls = [market.url, `http://127.0.0.1:${secondPort}`]
  const { body } = await market.ask('POST', '/v1/auth/register', {
    body: { email: 'ann@b.test', password: 'a long secret', username: 'ann', displayName: 'Ann' },
  })
  const token = body.accessToken as string
  await market.ask('POST', '/v1/me/seller', { token, body: {} })
  const change: Place['change'] = async (method, path, given) => {
    const { status, body: said } = await market.ask(method, path, { token, ...(given && { body: given }) })
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(said)}`)
  }
  return {
    market,
    redis,
    token,
    change,
    gig: async (category) => {
      const made = await market.ask('POST', '/v1/gigs', { token, body: { ...gigBody, category } })
      await change('POST', `/v1/gigs/${made.body.id}/publish`, {})
      return made.body.id as string
    },
    listing: (query) =>
      Promise.all(
        urls.map(async (url) => {
          const { status, body: page, headers } = await ask(url, 'GET', `/v1/gigs?${query}`)
          const data = (page?.data ?? []) as { id: string; title: string }[]
          const mark = headers.get('cache-status')
          return { status, ids: data.map(({ id }) => id), titles: data.map(({ title }) => title), mark }
        }),
      ),
    page: (id) =>
      Promise.all(
        urls.map(async (url) => {
          const { status, body: gig } = await ask(url, 'GET', `/v1/gigs/${id}`)
          return { status, title: gig.title }
        }),
      ),
    cacheUp: async () => {
      const pages = await Promise.all(
        [market.opsPorts[0], market.opsPorts[2]].map(async (port) =>
          (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
        ),
      )
      return pages.every((text) => /^gigwire_cache_up 1$/m.test(text))
    },
  }
}

/** True on both gateways. */
const onBoth = <A>(asked: () => Promise<A[]>, fits: (answer: A) => boolean) =>
  eventually(asked, (answers) => answers.every(fits))
const shows =
  (id: string) =>
  ({ ids, mark }: Found) =>
    ids.includes(id) && mark === null
const hides =
  (id: string) =>
  ({ status, ids }: Found) =>
    status === 200 && !ids.includes(id)

browsing('what a seller edits, pauses and deletes is so on every gateway, hot pages and listings alike', async (t) => {
  const { gig, change, listing, page } = await startPlace(t)
  const id = await gig('maps')
  const other = await gig('maps')
  const listed = () => listing('category=maps')
  await onBoth(listed, shows(id))
  await onBoth(
    () => page(id),
    ({ status }) => status === 200,
  )

  await change('PATCH', `/v1/gigs/${id}`, { title: 'I will draw two careful maps of your island' })
  await onBoth(
    () => page(id),
    ({ title }) => title?.includes('two careful maps') === true,
  )
  await onBoth(listed, ({ titles }) => titles.some((title) => title.includes('two careful maps')))

  await change('POST', `/v1/gigs/${id}/pause`, {})
  await onBoth(listed, hides(id))
  await onBoth(
    () => page(id),
    ({ status }) => status === 404,
  )
  await change('POST', `/v1/gigs/${id}/publish`, {})
  await onBoth(
    () => page(id),
    ({ status }) => status === 200,
  )
  await onBoth(listed, shows(id))

  await change('DELETE', `/v1/gigs/${id}`)
  await onBoth(
    () => page(id),
    ({ status }) => status === 404,
  )
  await onBoth(listed, hides(id))
  for (const found of await listed()) t.deepEqual(found.ids, [other])
})

browsing(
  'a Redis that stalls or dies ends no browsing, and nothing deleted meanwhile comes back with it',
  async (t) => {
    const { redis, gig, change, listing, page, cacheUp } = await startPlace(t)
    const stays = await gig('maps')
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      const goes = await gig('maps')
      await onBoth(
        () => listing('category=maps'),
        (found) => shows(goes)(found) && shows(stays)(found),
      )
      await page(goes)
      await eventually(cacheUp, Boolean)
      redis.signal(signal)
      // Nobody has asked these yet: each would wait for Redis.
      for (let n = 0; n < 20; n++)
        for (const { status, ids } of await listing(`q=island&minPrice=${n}`)) {
          t.is(status, 200)
          t.true(ids.includes(stays))
        }
      await change('DELETE', `/v1/gigs/${goes}`)
      await onBoth(
        () => listing('category=maps'),
        (found) => hides(goes)(found) && shows(stays)(found),
      )
      await onBoth(
        () => page(goes),
        ({ status }) => status === 404,
      )
      if (signal === 'SIGSTOP') redis.signal('SIGCONT')
      else await redis.start()
      await eventually(cacheUp, Boolean)
      for (let n = 0; n < 20; n++) {
        for (const found of await listing('category=maps')) t.true(hides(goes)(found))
        for (const { status } of await page(goes)) t.is(status, 404)
      }
    }
  },
)

browsing(
  'while search is gone old listings stand in and say so, without what is deleted, and are new when it is back',
  async (t) => {
    const { market, gig, change, listing, page } = await startPlace(t)
    const [map, song, goes] = [await gig('maps'), await gig('songs'), await gig('songs')]
    await onBoth(() => listing('category=maps'), shows(map))
    await onBoth(
      () => listing('category=songs'),
      (found) => shows(song)(found) && shows(goes)(found),
    )
    await market.kill(SEARCH)
    await onBoth(
      () => listing('category=maps'),
      ({ status, ids, mark }) =>
        status === 200 && ids.includes(map) && /^gigwire; hit; ttl=-?\d+; detail=stale$/.test(mark ?? ''),
    )
    for (const { status } of await listing('q=never+asked+before')) t.is(status, 503)
    await change('DELETE', `/v1/gigs/${goes}`)
    await onBoth(
      () => page(goes),
      ({ status }) => status === 404,
    )
    await onBoth(
      () => listing('category=songs'),
      ({ ids }) => !ids.includes(goes),
    )
    for (const { status } of await page(song)) t.is(status, 200)
    for (const { status } of await listing('category=maps')) t.is(status, 200)
    await market.start(SEARCH)
    await onBoth(
      () => listing('category=songs'),
      (found) => hides(goes)(found) && shows(song)(found),
    )
    await onBoth(() => listing('category=maps'), shows(map))
  },
)
