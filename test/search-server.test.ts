// A market whose search is a Meilisearch of its own: a real server behind a link that is cut and mended. Part of
// npm run test:services; skipped where no server could be had.
import test, { type ExecutionContext } from 'ava'
import { Meilisearch } from 'meilisearch'
import account from '../services/account/account.service.ts'
import { refusal } from '../services/errors.ts'
import gig from '../services/gig/gig.service.ts'
import moderation from '../services/moderation/moderation.service.ts'
import search from '../services/search/search.service.ts'
import type { Caller } from '../services/shapes.ts'
import { startProxy } from './chaos/proxy.ts'
import { gigBody } from './everything.ts'
import { eventually, startNode, type TestNode } from './node.ts'

const { TEST_MEILI_URL: url, TEST_MEILI_KEY: key = '' } = process.env
const searched = url ? test.serial : test.serial.skip
const services = [account, gig, moderation, search]
const owner: Caller = { id: 'usr_seller', username: 'seller', roles: ['buyer', 'seller'], sessionId: 'ses_1' }
const as = { meta: { caller: owner } }

const start = async (t: ExecutionContext, at = url!) => {
  t.timeout(280_000)
  const index = `market_${process.pid}_${Date.now()}`
  const node = await startNode({ services, env: { MEILI_URL: at, MEILI_KEY: key, MEILI_INDEX: index } })
  t.teardown(async () => {
    await node.stop()
    const client = new Meilisearch({ host: url!, ...(key && { apiKey: key }) })
    for (const uid of [index, `${index}_gone`]) await client.deleteIndex(uid)
  })
  await node.call('account.ensure', {
    id: owner.id,
    email: 'seller@demo.test',
    password: '',
    username: owner.username,
    displayName: 'Seller',
    roles: ['seller'],
    level: 'level_two',
    languages: ['en'],
  })
  return node
}
const seed = async (node: TestNode, count: number) => {
  await isUp(node)
  const gigs = Array.from({ length: count }, (_, at) => ({
    ...gigBody,
    requirements: [],
    id: `gig_${String(at).padStart(4, '0')}`,
    title: `Heron logo number ${at}`,
    seller: owner.id,
    createdAt: 1_000_000 + at,
    rating: 4,
    reviewCount: 2,
    orderCount: 3,
  }))
  for (let at = 0; at < count; at += 100) await node.call('gig.ensureMany', { gigs: gigs.slice(at, at + 100) })
  await agrees(node)
}
const isUp = async (node: TestNode) => {
  const engine = await node.open('engine')
  return eventually(() => engine.stats().then(Boolean, () => false), Boolean, 120_000)
}
const agrees = (node: TestNode) =>
  eventually(
    () => node.call('search.difference', {}),
    ({ live, different }) => live > 0 && different.length === 0,
    120_000,
  )
const totalOf = (node: TestNode, q: string) => node.call('search.gigs', { q, loosen: 'no' }).then(({ total }) => total)

searched(
  'a gig is found, filtered, counted and suggested, and a changed or paused one is not what it was',
  async (t) => {
    const node = await start(t)
    await seed(node, 30)
    const page = await node.call('search.gigs', { q: 'heron logo', category: 'design', highlight: true, limit: 7 })
    t.deepEqual([page.total, page.data.length, page.facets.category], [30, 7, { design: 30 }])
    t.deepEqual(Object.values(page.highlights!)[0], {
      title: [
        [0, 5],
        [6, 10],
      ],
    })
    const next = await node.call('search.gigs', {
      q: 'heron logo',
      category: 'design',
      limit: 7,
      cursor: page.nextCursor!,
    })
    t.is(new Set([...page.data, ...next.data].map(({ id }) => id)).size, 14)
    t.deepEqual((await node.call('search.gigs', { q: 'hreon' })).query.corrected, 'heron')
    t.true((await node.call('search.suggest', { q: 'her' })).data.some(({ text }) => text === 'heron'))
    await node.call('gig.update', { id: 'gig_0003', title: 'Walrus logo' }, as)
    await node.call('gig.pause', { id: 'gig_0004' }, as)
    await eventually(
      () => totalOf(node, 'heron'),
      (total) => total === 28,
      60_000,
    )
    await eventually(
      () => totalOf(node, 'walrus'),
      (total) => total === 1,
      60_000,
    )
  },
)

searched('an index is made anew while gigs change and go, and ends as the gigs are', async (t) => {
  const node = await start(t)
  await seed(node, 300)
  const engine = await node.open('engine')
  const [one] = (await node.call('gig.indexed', { limit: 1 })).data
  await engine.upsert([{ ...one!, id: 'gig_dead', title: 'Dead' }])
  t.is((await node.call('search.rebuild', {})).state, 'running')
  let least = Infinity
  for (let at = 0; (await node.call('search.rebuilding', {})).state === 'running'; at++) {
    if (at < 60) {
      await node.call('gig.pause', { id: `gig_${String(at * 3).padStart(4, '0')}` }, as)
      await node.call('gig.update', { id: `gig_${String(at * 3 + 1).padStart(4, '0')}`, title: `Moose logo ${at}` }, as)
    }
    least = Math.min(least, (await node.call('search.gigs', { category: 'design' })).total)
  }
  t.deepEqual([(await node.call('search.rebuilding', {})).state, least >= 180], ['done', true])
  await agrees(node)
  t.is(await totalOf(node, 'dead'), 0)
})

searched('a market whose search server is cut off says so, goes on, and is right again when it is back', async (t) => {
  const port = Number(new URL(url!).port)
  let isCut = false
  const proxy = await startProxy(() => (isCut ? null : port))
  t.teardown(proxy.close)
  const node = await start(t, `http://127.0.0.1:${proxy.port}`)
  await seed(node, 20)
  isCut = true
  for (const link of proxy.links()) link.cut()
  const code = () =>
    node.call('search.gigs', {}).then(
      () => 'ok',
      (error: unknown) => refusal(error)?.code,
    )
  await eventually(code, (given) => given === 'unavailable')
  await node.call('gig.pause', { id: 'gig_0001' }, as)
  await node.call('gig.update', { id: 'gig_0002', title: 'Walrus logo' }, as)
  isCut = false
  await eventually(code, (given) => given === 'ok', 60_000)
  await agrees(node)
  t.deepEqual([await totalOf(node, 'heron'), await totalOf(node, 'walrus')], [18, 1])
})

searched('a server that lost everything is filled again without anybody asking', async (t) => {
  const node = await start(t)
  await seed(node, 20)
  const client = new Meilisearch({ host: url!, ...(key && { apiKey: key }) })
  const { results } = await client.getIndexes({ limit: 1000 })
  for (const { uid } of results.filter((one) => one.uid.startsWith(`market_${process.pid}_`)))
    await client.deleteIndex(uid)
  await eventually(
    () => totalOf(node, 'heron').catch(() => -1),
    (total) => total === 20,
    120_000,
  )
  t.deepEqual((await node.call('search.difference', {})).different, [])
})
