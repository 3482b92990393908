// What a socket hears without asking, over the real market: numbered topics and how they are resumed, who is there, and how
// a session's end ends its sockets.
import test from 'ava'
import { connect } from '../services/gateway/testing.ts'
import { castOf, startEverything, thingsOf, type Everything } from './everything.ts'
import { eventually } from './node.ts'

type Numbered = { ev: string; topic: string; seq: number; data: Record<string, unknown> }

const join = async (market: Everything, token: string) => {
  const socket = await connect(`${market.url.replace('http', 'ws')}/v1/realtime`, { token })
  let id = 0
  const ask = (op: string, fields: object = {}) => socket.ask({ id: ++id, op, ...fields })
  return {
    ...socket,
    do: ask,
    topic: (name: string) => socket.frames.filter(({ ev, topic }) => ev && topic === name) as unknown as Numbered[],
  }
}

test('an announcement is numbered, listed, heard once by everybody who joined, and found again by who was away', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const { admin, buyer, seller } = await castOf(market)
  const announce = (text: string, key: string) =>
    market.request('POST', '/v1/admin/announcements', {
      token: admin.token,
      body: { text },
      headers: { 'idempotency-key': key },
    })
  t.is((await announce('before anybody listens', 'a')).status, 201)
  const [one, other] = [await join(market, buyer.token), await join(market, seller.token)]
  t.like(await one.do('subscribe', { topic: 'announcements' }), { seq: 1, missed: [], recovered: true })
  const { missed } = (await other.do('subscribe', { topic: 'announcements', after: 0 })) as unknown as {
    missed: Numbered[]
  }
  t.like(missed[0], { ev: 'announcement', topic: 'announcements', seq: 1, data: { text: 'before anybody listens' } })
  for (const key of ['b', 'b', 'c']) t.is((await announce(`said ${key}`, key)).status, 201)
  for (const socket of [one, other]) {
    await eventually(
      () => socket.topic('announcements').length,
      (count) => count === 2,
    )
    t.deepEqual(
      socket.topic('announcements').map(({ seq, data }) => [seq, data.text]),
      [
        [2, 'said b'],
        [3, 'said c'],
      ],
    )
  }
  other.socket.close()
  await announce('while one was away', 'd')
  const back = await join(market, seller.token)
  const resumed = (await back.do('subscribe', { topic: 'announcements', after: 3 })) as unknown as {
    missed: Numbered[]
  }
  t.like(resumed, { seq: 4, recovered: true })
  t.deepEqual(
    resumed.missed.map(({ seq, data }) => [seq, data.text]),
    [[4, 'while one was away']],
  )
  t.like(await back.do('subscribe', { topic: 'announcements', after: 9 }), { seq: 4, missed: [], recovered: false })
  const { body } = await market.request('GET', '/v1/announcements?limit=3')
  t.deepEqual(
    body.data.map(({ seq }: { seq: number }) => seq),
    [4, 3, 2],
  )
  const rest = await market.request('GET', `/v1/announcements?limit=3&cursor=${body.nextCursor}`)
  t.deepEqual([rest.body.data[0].text, rest.body.nextCursor], ['before anybody listens', null])
  t.is((await market.request('GET', '/v1/announcements?cursor=nonsense')).status, 400)
  t.is(
    (await market.request('POST', '/v1/admin/announcements', { token: buyer.token, body: { text: 'me' } })).status,
    403,
  )
})

test('an order says each entry of its timeline once, in order, also what its timer does; strangers hear nothing', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const cast = await castOf(market)
  const { order } = await thingsOf(market, cast)
  const topic = `order:${order}`
  const [buyer, stranger] = [await join(market, cast.buyer.token), await join(market, cast.otherBuyer.token)]
  t.like(await stranger.do('subscribe', { topic }), { error: { code: 'not_found' } })
  t.like(await buyer.do('subscribe', { topic }), { seq: 1, missed: [], recovered: true })
  await market.request('POST', `/v1/orders/${order}/pay`, {
    token: cast.buyer.token,
    body: { paymentMethod: 'pm_card_visa_chargeDeclined' },
  })
  const { status } = await market.request('POST', '/v1/sandbox/clock', {
    token: cast.admin.token,
    body: { advanceSeconds: 31 * 60 },
  })
  t.is(status, 200)
  const events = (await market.request('GET', `/v1/orders/${order}/events`, { token: cast.buyer.token })).body.data
  t.deepEqual(
    events.map(({ type }: { type: string }) => type),
    ['placed', 'payment_failed', 'expired'],
  )
  await eventually(
    () => buyer.topic(topic).length,
    (count) => count === 2,
  )
  t.deepEqual(
    buyer.topic(topic).map(({ seq, data }) => [seq, data.type, data.status]),
    [
      [2, 'payment_failed', 'awaiting_payment'],
      [3, 'expired', 'expired'],
    ],
  )
  // Besides, both come to the parties without subscribing, as they always did.
  t.deepEqual(
    buyer.frames
      .filter(({ ev, topic: to }) => ev === 'order' && to === undefined)
      .map(({ data }) => (data as { seq: number }).seq),
    [2, 3],
  )
  const all = (await buyer.do('subscribe', { topic, after: 0 })) as unknown as { missed: Numbered[]; seq: number }
  t.deepEqual(
    all.missed.map(({ data }) => data),
    events.map((event: object, at: number) => ({
      order,
      status: ['awaiting_payment', 'awaiting_payment', 'expired'][at],
      ...event,
    })),
  )
  const seller = await join(market, cast.seller.token)
  t.deepEqual((await seller.do('subscribe', { topic, after: 2 })).missed, [buyer.topic(topic)[1]])
})

test('a gig says each of its versions and nothing of what it says', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const cast = await castOf(market)
  const { gig } = await thingsOf(market, cast)
  const topic = `gig:${gig}`
  const version = (await market.request('GET', `/v1/gigs/${gig}`)).body.version
  const watcher = await join(market, cast.otherBuyer.token)
  t.like(await watcher.do('subscribe', { topic: 'gig:gig_none' }), { error: { code: 'not_found' } })
  t.like(await watcher.do('subscribe', { topic, after: version }), { seq: version, missed: [], recovered: true })
  t.like(await watcher.do('subscribe', { topic, after: version - 1 }), { seq: version, missed: [], recovered: false })
  await market.request('POST', `/v1/gigs/${gig}/pause`, { token: cast.seller.token, body: {} })
  await market.request('PATCH', `/v1/gigs/${gig}`, { token: cast.seller.token, body: { tags: ['hidden'] } })
  await eventually(
    () => watcher.topic(topic).length,
    (count) => count === 2,
  )
  t.deepEqual(watcher.topic(topic), [
    { ev: 'gig', topic, seq: version + 1, data: { gig, version: version + 1, live: false } },
    { ev: 'gig', topic, seq: version + 2, data: { gig, version: version + 2, live: false } },
  ])
  t.like(await watcher.do('subscribe', { topic, after: version + 1 }), {
    seq: version + 2,
    missed: [watcher.topic(topic)[1]],
    recovered: true,
  })
})

test('one sees who is there of those one talks with, and nothing of others nor of who blocked one', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const cast = await castOf(market)
  await thingsOf(market, cast)
  const everybody = [cast.seller.id, cast.otherBuyer.id, cast.buyer.id, 'usr_nobody']
  const [buyer, seller] = [await join(market, cast.buyer.token), await join(market, cast.seller.token)]
  await join(market, cast.otherBuyer.token)
  await seller.do('ping')
  const looked = await eventually(
    () => buyer.do('presence', { users: everybody }),
    ({ online }) => (online as string[]).length === 2,
  )
  t.deepEqual(looked.online, [cast.seller.id, cast.buyer.id])
  t.true(Date.parse(looked.until as string) > Date.now())
  t.deepEqual((await seller.do('presence', { users: everybody })).online, [cast.seller.id, cast.buyer.id])
  const { status } = await market.request('POST', `/v1/users/${cast.buyer.id}/block`, {
    token: cast.seller.token,
    body: {},
  })
  t.is(status, 200)
  seller.socket.close()
  t.deepEqual((await buyer.do('presence', { users: everybody })).online, [cast.buyer.id])
  const again = await join(market, cast.seller.token)
  t.deepEqual((await again.do('presence', { users: everybody })).online, [cast.seller.id, cast.buyer.id])
  buyer.socket.close()
  const { data } = (await again.heard('presence'))!
  t.deepEqual(data, { user: cast.buyer.id, online: false, changes: [{ user: cast.buyer.id, online: false }] })
  t.is(buyer.frames.filter(({ ev }) => ev === 'presence').length, 0, 'who was blocked heard nothing of it')
})

test('a session that ends takes its live sockets along, and no others', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const sign = async () =>
    (await market.request('POST', '/v1/auth/login', { body: { email: 'buyer@demo.test', password: 'demo-password' } }))
      .body as { accessToken: string; refreshToken: string }
  const [leaving, staying] = [await sign(), await sign()]
  const [gone, there] = [await join(market, leaving.accessToken), await join(market, staying.accessToken)]
  for (const one of [gone, there]) t.like(await one.do('presence', { users: [] }), { ok: true })
  await market.request('POST', '/v1/auth/logout', { body: { refreshToken: leaving.refreshToken } })
  t.is(await gone.closed(), 4401)
  t.like(await there.do('presence', { users: [] }), { ok: true })
})
