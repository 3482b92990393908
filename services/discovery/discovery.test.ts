import test from 'ava'
import { isMovable } from '../../adapters/clock/index.ts'
import { startEverything, castOf, gigBody, type Cast, type Everything } from '../../test/everything.ts'
import { eventually } from '../../test/node.ts'
import { funnels } from './funnel.ts'

let market: Everything
let cast: Cast
test.before(async () => {
  market = await startEverything()
  cast = await castOf(market)
})
test.after.always(() => market.stop())

const HOUR = 3_600_000
const move = (ms: number) => {
  if (isMovable(market.clock)) market.clock.moveTo(market.clock.offsetMs() + ms)
}
const list = async (title: string): Promise<string> => {
  const { token } = cast.seller
  const { body } = await market.request('POST', '/v1/gigs', { token, body: { ...gigBody, title } })
  await market.request('POST', `/v1/gigs/${body.id}/publish`, { token, body: {} })
  await eventually(
    () => market.request('GET', `/v1/gigs?q=${encodeURIComponent(title)}&loosen=no`),
    (answer) => answer.body.data.some(({ id }: { id: string }) => id === body.id),
  )
  return body.id
}
const notices = async (token: string) =>
  (await market.request('GET', '/v1/notifications', { token })).body.data.filter(
    ({ kind }: { kind: string }) => kind === 'search',
  )

test.serial('a buyer who keeps a search is told of a new gig that answers it, once', async (t) => {
  const { token } = cast.buyer
  await list('I will carve a walrus before anybody asks')
  const made = await market.request('POST', '/v1/saved-searches', {
    token,
    body: { query: { q: 'walrus', category: 'design' }, alert: 'hourly' },
  })
  t.is(made.status, 201)
  t.like(made.body, { name: 'walrus, design', alert: 'hourly', toldAt: null })
  const gig = await list('I will carve a walrus from one piece of wood')
  await list('I will carve an entirely different animal')
  move(HOUR)
  await market.broker.call('discovery.wakeDue')
  const [told] = await eventually(
    () => notices(token),
    ({ length }) => length > 0,
  )
  t.like(told, { title: '1 new gig for walrus, design', about: { type: 'saved_search', id: made.body.id } })
  t.deepEqual(told.data.gigs, [{ id: gig, title: 'I will carve a walrus from one piece of wood' }])
  move(HOUR)
  await market.broker.call('discovery.wakeDue')
  const [saved] = (await market.request('GET', '/v1/saved-searches', { token })).body.data
  t.truthy(saved.toldAt)
  t.is((await notices(token)).length, 1)
})

test.serial('a search that can’t be asked is refused, another’s is not there', async (t) => {
  const { token } = cast.buyer
  const bad = await market.request('POST', '/v1/saved-searches', { token, body: { query: { sellerLevel: 'king' } } })
  t.deepEqual([bad.status, bad.body.code], [400, 'validation_failed'])
  const body = { query: { q: 'otter' }, name: 'Otters', alert: 'off' }
  const mine = await market.request('POST', '/v1/saved-searches', { token, body })
  t.is((await market.request('POST', '/v1/saved-searches', { token, body })).status, 200)
  const path = `/v1/saved-searches/${mine.body.id}`
  t.is((await market.request('DELETE', path, { token: cast.otherBuyer.token })).status, 404)
  const renamed = await market.request('PATCH', path, { token, body: { name: 'River', alert: 'daily' } })
  t.like(renamed.body, { name: 'River', alert: 'daily' })
  t.deepEqual((await market.request('DELETE', path, { token })).body, { removed: true })
  t.is((await market.request('DELETE', path, { token })).status, 404)
})

test.serial('what many search for is popular, and what finds nothing is in the report', async (t) => {
  await list('I will translate your love letters')
  const ask = (q: string) => market.call('search.gigs', { q, loosen: 'no' })
  for (let at = 0; at < 6; at++) await Promise.all([ask('love letters'), ask('zzyzx qwxz')])
  const popular = await eventually(
    () => market.call('discovery.popular', {}),
    ({ data }) => data.length > 1,
  )
  t.deepEqual(popular.data, [
    { text: 'love letters', kind: 'popular' },
    { text: 'love letters', kind: 'trending' },
  ])
  const report = await market.request('GET', '/v1/admin/search/report', { token: cast.admin.token })
  const [first] = report.body.data
  t.like(first, { text: 'zzyzx qwxz', asked: 6, nothing: 6 })
})

test.serial('a seller sees how a gig fares; their own looks and made-up gigs do not count', async (t) => {
  const gig = await list('I will paint your boat blue')
  const sight = (token: string | undefined, visitor?: string) =>
    market.request('POST', '/v1/discovery/sightings', {
      ...(token && { token }),
      body: {
        sightings: [
          { kind: 'impression', gig },
          { kind: 'click', gig },
          { kind: 'click', gig: 'gig_made_up' },
        ],
        ...(visitor && { visitor }),
      },
    })
  t.is((await sight(cast.buyer.token)).status, 202)
  await sight(cast.buyer.token)
  await sight(undefined, 'somebody')
  await sight(cast.seller.token)
  const funnel = await market.request('GET', `/v1/gigs/${gig}/funnel?days=1`, { token: cast.seller.token })
  t.deepEqual(funnel.body.total, { impressions: 2, clicks: 2, orders: 0 })
  t.is(funnel.body.data.length, 1)
  t.is((await market.request('GET', `/v1/gigs/${gig}/funnel`, { token: cast.otherSeller.token })).status, 403)
  t.is(await (await market.open('documents')).get(funnels, 'gig_made_up'), null)
})
