import test from 'ava'
import { eventually } from '../../test/node.ts'
import { gig } from '../gig/contract.ts'
import { media } from '../media/contract.ts'
import { payment } from '../payment/contract.ts'
import { search } from '../search/contract.ts'
import { refuse } from '../errors.ts'
import { accounts, actorOf, LISTENERS, person, startGateway, type Handlers, type People } from './testing.ts'

const liveGig = (id: string) => ({ id, status: 'live', title: 'A logo' })

const setup = async (
  listener: string,
  { gigs = {}, env = {} }: { gigs?: Handlers; env?: Record<string, string> } = {},
) => {
  const people: People = new Map()
  person(people, 'usr_seller', ['buyer', 'seller'])
  person(people, 'usr_buyer')
  const gateway = await startGateway({
    env: { LISTENER: listener, ...env },
    services: [
      accounts(people, { logout: () => ({}), me: ({ caller }) => caller }),
      actorOf(gig, {
        get: ({ params }) => liveGig((params as { id: string }).id),
        create: ({ params }) => ({ ...liveGig('gig_1'), asked: params }),
        remove: () => ({}),
        ...gigs,
      }),
      actorOf(search, { gigs: ({ params }) => ({ data: [], asked: params }) }),
      actorOf(media, { upload: ({ params }) => ({ id: 'a', url: (params as { body: string }).body }) }),
      actorOf(payment, { webhook: ({ params }) => ({ received: true, asked: params }) }),
    ],
  })
  return { ...gateway, people, seller: await gateway.tokenOf('usr_seller'), buyer: await gateway.tokenOf('usr_buyer') }
}

for (const listener of LISTENERS) {
  test(`${listener}: a request reaches the action its route names, with path, query and body as parameters`, async (t) => {
    const { ask, stop, seller } = await setup(listener)
    t.teardown(stop)
    t.like((await ask('GET', '/v1/gigs/gig_7')).json, { id: 'gig_7' })
    const found = await ask('GET', '/v1/gigs?q=logo+%C3%BC&minPrice=500&minRating=4.5&category=&limit=1&limit=2&utm=x')
    t.deepEqual((found.json as { asked: object }).asked, { q: 'logo ü', minPrice: 500, minRating: 4.5, limit: 2 })
    const made = await ask('POST', '/v1/gigs', { token: seller, body: { title: 'Mine' } })
    t.is(made.status, 201)
    t.deepEqual((made.json as { asked: object }).asked, { title: 'Mine' })
    const removed = await ask('DELETE', '/v1/gigs/gig_7', { token: seller })
    t.is(removed.status, 204)
    t.is(removed.text, '')
  })

  test(`${listener}: what is not there is 404, a wrong verb 405 with Allow, HEAD is GET without the body`, async (t) => {
    const { ask, stop } = await setup(listener)
    t.teardown(stop)
    t.is((await ask('GET', '/v1/nothing')).status, 404)
    t.is((await ask('GET', '/v1/gigs/')).status, 404)
    t.is((await ask('GET', '/elsewhere-entirely')).status, 404)
    t.like((await ask('GET', '/v1/gigs/not..an..id')).json, { status: 404, code: 'not_found' })
    t.is((await ask('GET', '/v1/gigs/%E0%A4%A')).status, 404)
    const wrong = await ask('PUT', '/v1/gigs/gig_1')
    t.is(wrong.status, 405)
    t.is(wrong.headers.get('allow'), 'DELETE, GET, HEAD, PATCH')
    const [got, head] = [await ask('GET', '/v1/gigs/gig_1'), await ask('HEAD', '/v1/gigs/gig_1')]
    t.is(head.text, '')
    for (const name of ['etag', 'content-length', 'content-type']) t.is(head.headers.get(name), got.headers.get(name))
    t.is((await ask('GET', '/v1/realtime')).status, 426)
  })

  test(`${listener}: a bad body is refused with the reason`, async (t) => {
    const { ask, stop, seller } = await setup(listener)
    t.teardown(stop)
    const post = (raw: string, type = 'application/json') =>
      ask('POST', '/v1/gigs', { token: seller, raw, headers: { 'content-type': type } })
    t.like((await post('{"title":"x"}', 'text/plain')).json, { status: 415, code: 'unsupported_media_type' })
    t.is((await post('{"title":"x"}', 'application/json; charset=UTF-8')).status, 201)
    t.is((await post('{"title":"x"}', 'application/json; charset=latin1')).status, 415)
    t.like((await post('{"title":')).json, { status: 400, code: 'validation_failed' })
    t.is((await post('[]')).status, 400)
    t.is((await post('"x"')).status, 400)
    t.like((await post(`{"title":${'['.repeat(5000)}${']'.repeat(5000)}}`)).json, {
      status: 400,
      detail: 'body: is nested deeper than 32',
    })
    t.is((await post(`{"title":"${'[{'.repeat(50)}"}`)).status, 201)
    t.like((await post('{"title":"x","isAdmin":true}')).json, {
      status: 400,
      errors: [{ path: 'isAdmin', message: 'is not a known field' }],
    })
    t.is((await post(`{"title":"${'x'.repeat(256 * 1024)}"}`)).status, 413)
    const clash = await ask('PATCH', '/v1/gigs/gig_1', { token: seller, body: { id: 'gig_2' } })
    t.like(clash.json, { status: 400, errors: [{ path: 'id', message: 'is not a known field' }] })
  })

  test(`${listener}: errors are problems that carry the request's id`, async (t) => {
    const { ask, stop } = await setup(listener, {
      gigs: {
        get: () => {
          throw refuse('unavailable', 'gone fishing', { retryAfterSeconds: 7 })
        },
      },
    })
    t.teardown(stop)
    const answer = await ask('GET', '/v1/gigs/gig_1', { headers: { 'x-request-id': 'my-id:1' } })
    t.is(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    t.deepEqual(answer.json as object, {
      type: '/docs#unavailable',
      title: 'That part is not available right now',
      status: 503,
      detail: 'gone fishing',
      code: 'unavailable',
      requestId: 'my-id:1',
    })
    t.is(answer.headers.get('retry-after'), '7')
    t.is(answer.headers.get('x-request-id'), 'my-id:1')
    t.is(answer.headers.get('cache-control'), 'no-store')
    const made = await ask('GET', '/v1/gigs/gig_1', { headers: { 'x-request-id': 'two words' } })
    t.not(made.headers.get('x-request-id'), 'two words')
    t.regex(made.headers.get('x-request-id')!, /^[\w.:-]{1,100}$/)
  })

  test(`${listener}: bytes arrive unchanged where an action takes bytes`, async (t) => {
    const { ask, stop, buyer } = await setup(listener)
    t.teardown(stop)
    const bytes = Buffer.from([0x89, 0x50, 0, 0xff, 0x0a])
    const upload = (headers: Record<string, string>, raw: Buffer = bytes) =>
      ask('POST', '/v1/media', { token: buyer, raw: new Uint8Array(raw), headers })
    t.like((await upload({ 'content-type': 'image/png' })).json, { url: bytes.toString('base64') })
    t.is((await upload({ 'content-type': 'application/octet-stream' })).status, 201)
    t.is((await upload({})).status, 201)
    t.is((await upload({ 'content-type': 'text/html' })).status, 415)
    t.is((await upload({ 'content-type': 'image/png' }, Buffer.alloc(10 * 1024 * 1024 + 1))).status, 413)
    const hook = (headers: Record<string, string>) =>
      ask('POST', '/v1/webhooks/stripe', {
        raw: '{ "id": 1 }',
        headers: { 'content-type': 'application/json', ...headers },
      })
    t.like((await hook({})).json, { status: 400, code: 'bad_signature' })
    t.deepEqual((await hook({ 'stripe-signature': 't=1' })).json as object, {
      received: true,
      asked: { body: Buffer.from('{ "id": 1 }').toString('base64'), signature: 't=1' },
    })
  })
}

test('who has no valid token is asked who they are, who has no role is refused, on routes that ask', async (t) => {
  const { ask, stop, buyer, seller, people, tokenOf, broker } = await setup('node')
  t.teardown(stop)
  /** As the account service does before it answers a change. */
  const changed = (user: string) => broker.call('gateway.forget', { user })
  const nobody = await ask('POST', '/v1/gigs', { body: { title: 'x' } })
  t.deepEqual([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Bearer'])
  t.like((await ask('POST', '/v1/gigs', { body: { title: 'x' }, token: buyer })).json, {
    status: 403,
    code: 'forbidden',
  })
  t.is((await ask('GET', '/v1/me', { headers: { authorization: 'Basic abc' } })).status, 401)
  t.is((await ask('GET', '/v1/me', { token: await tokenOf('usr_buyer', -1) })).status, 401)
  t.is((await ask('GET', '/v1/me', { token: `${buyer.slice(0, -3)}abc` })).status, 401)
  t.is((await ask('GET', '/v1/gigs/gig_1', { token: 'nonsense' })).status, 401)
  t.is((await ask('GET', '/v1/categories', { token: 'nonsense' })).status, 404)
  t.is((await ask('GET', '/v1/me', { token: seller })).status, 200)
  const short = await tokenOf('usr_buyer', 2)
  t.is((await ask('GET', '/v1/me', { token: short })).status, 200)
  await eventually(
    async () => (await ask('GET', '/v1/me', { token: short })).status,
    (status) => status === 401,
  )
  people.delete('usr_seller')
  await changed('usr_seller')
  t.is((await ask('GET', '/v1/me', { token: seller })).status, 401)
  person(people, 'usr_buyer', ['buyer', 'seller'])
  await changed('usr_buyer')
  t.is((await ask('POST', '/v1/gigs', { body: { title: 'x' }, token: buyer })).status, 201)
})

test('an unknown error tells a client nothing but its request id', async (t) => {
  const { ask, stop, seller } = await setup('node', {
    gigs: {
      create: () => {
        throw new Error('password of the database')
      },
    },
  })
  t.teardown(stop)
  const answer = await ask('POST', '/v1/gigs', { token: seller, body: { title: 'x' } })
  t.like(answer.json, { status: 500, code: 'internal' })
  t.false(answer.text.includes('database'))
})

test('an action nobody hosts is unavailable, not unknown', async (t) => {
  const { ask, stop, buyer } = await setup('node')
  t.teardown(stop)
  const answer = await ask('GET', '/v1/orders', { token: buyer })
  t.like(answer.json, { status: 503, code: 'unavailable' })
  t.is(answer.headers.get('retry-after'), '1')
})

test('routes of the sandbox do not exist outside of it', async (t) => {
  const outside = await setup('node', {
    env: { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: 'whsec_x', JWT_SECRET: 'a'.repeat(40) },
  })
  t.teardown(outside.stop)
  t.is((await outside.ask('GET', '/v1/sandbox/clock', { token: outside.buyer })).status, 404)
  const inside = await setup('node')
  t.teardown(inside.stop)
  t.is((await inside.ask('GET', '/v1/sandbox/clock', { token: inside.buyer })).status, 403)
})

test('a handler chooses between success statuses', async (t) => {
  const { ask, stop, seller } = await setup('node', {
    gigs: {
      create: ({ meta }) => {
        meta.$statusCode = 200
        return liveGig('gig_1')
      },
    },
  })
  t.teardown(stop)
  t.is((await ask('POST', '/v1/gigs', { token: seller, body: { title: 'x' } })).status, 200)
})

test('every answer forbids guessing its type', async (t) => {
  const { ask, stop } = await setup('node')
  t.teardown(stop)
  for (const path of ['/v1/gigs/gig_1', '/v1/gigs/gig_1', '/v1/nothing', '/docs', '/openapi.json']) {
    const { headers } = await ask('GET', path)
    t.is(headers.get('x-content-type-options'), 'nosniff', path)
    t.truthy(headers.get('referrer-policy'), path)
    t.truthy(headers.get('x-request-id'), path)
  }
})
