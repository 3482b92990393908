// The public contract, sentence by sentence, asked of a started market over HTTP and WebSocket as anybody outside would.
import test from 'ava'
import { randomUUID } from 'node:crypto'
import { client, startMarket, type Answer, type Client, type Market } from './market.ts'
import { eventually } from './node.ts'
import {
  GIG,
  liveGig,
  orderUpTo,
  PASSWORD,
  PLAIN_GIG,
  populate,
  register,
  registerSeller,
  usd,
  watched,
  type Ask,
  type World,
} from './contract/people.ts'
import { witness } from './contract/witness.ts'

const seen = witness()
let market: Market
let world: World
let ask: Ask

/** Says nothing from the beginning to the end. */
let silent: Client

test.before(async () => {
  market = await startMarket()
  ask = watched(market, seen)
  world = await populate(ask)
  silent = await client(`ws://127.0.0.1:${market.port}/v1/realtime`, '')
})
test.after.always(async () => market?.stop())

const problem = ({ status, body }: Answer) => [status, body.code]
const says = (answer: Answer) => `${answer.status} ${JSON.stringify(answer.body)}`
/** On a busy machine time comes as far as it can in one request, and says so. */
const advance = async (seconds: number) => {
  const { token } = world.admin
  const now = async () => Date.parse((await ask('GET', '/v1/sandbox/clock', { token })).body.now)
  const target = (await now()) + seconds * 1000
  for (let left = seconds; left > 0; left = Math.ceil((target - (await now())) / 1000)) {
    const answer = await ask('POST', '/v1/sandbox/clock', { token, body: { advanceSeconds: left } })
    if (![200, 503].includes(answer.status)) throw new Error(`advancing: ${says(answer)}`)
  }
}
const order = async (id: string) => (await ask('GET', `/v1/orders/${id}`, { token: world.buyer.token })).body
const move = (who: 'buyer' | 'seller' | 'stranger', id: string, what: string, body: object = {}) =>
  ask('POST', `/v1/orders/${id}/${what}`, { token: world[who].token, body })
const conversation = async (): Promise<string> =>
  (await ask('POST', '/v1/conversations', { token: world.buyer.token, body: { with: world.seller.id } })).body.id
const DAY = 86_400

// ---- Conventions

test.serial('an unknown route is 404, a known route with a wrong verb 405 with Allow', async (t) => {
  t.deepEqual(problem(await ask('GET', '/v1/nothing-here')), [404, 'not_found'])
  const wrong = await ask('DELETE', '/v1/categories')
  t.deepEqual(problem(wrong), [405, 'method_not_allowed'])
  t.regex(wrong.headers.get('allow') ?? '', /GET/)
})

test.serial('unknown body fields are refused, bodies over 256 KiB are 413, a wrong content type 415', async (t) => {
  const { token } = world.buyer
  const unknown = await ask('PATCH', '/v1/me', { token, body: { bio: 'x', colour: 'red' } })
  t.deepEqual(problem(unknown), [400, 'validation_failed'])
  t.deepEqual(
    unknown.body.errors.map(({ path }: { path: string }) => path),
    ['colour'],
  )
  t.is((await ask('PATCH', '/v1/me', { token, body: { bio: 'x'.repeat(257 * 1024) } })).status, 413)
  const typed = await ask('PATCH', '/v1/me', { token, body: '{}', headers: { 'content-type': 'text/plain' } })
  t.is(typed.status, 415)
  t.deepEqual(problem(await ask('PATCH', '/v1/me', { token, body: '{"bio":' })), [400, 'validation_failed'])
})

test.serial('X-Request-Id is echoed if sent and sane', async (t) => {
  const sane = await ask('GET', '/v1/categories', { headers: { 'x-request-id': 'check-1' } })
  t.is(sane.headers.get('x-request-id'), 'check-1')
  const mad = await ask('GET', '/v1/categories', { headers: { 'x-request-id': 'x'.repeat(5000) } })
  t.not(mad.headers.get('x-request-id'), 'x'.repeat(5000))
})

test.serial('401 says who are you, 403 says you may not; another user’s private thing is 404', async (t) => {
  t.deepEqual(problem(await ask('GET', '/v1/me')), [401, 'unauthenticated'])
  t.deepEqual(problem(await ask('GET', '/v1/me', { token: 'nonsense' })), [401, 'unauthenticated'])
  t.deepEqual(problem(await ask('GET', '/v1/admin/disputes', { token: world.buyer.token })), [403, 'forbidden'])
  const { id } = await orderUpTo(world, 'awaiting_payment')
  t.deepEqual(problem(await ask('GET', `/v1/orders/${id}`, { token: world.stranger.token })), [404, 'not_found'])
})

const LISTS: readonly [path: string, who: 'admin' | 'seller' | 'buyer' | null][] = [
  ['/v1/gigs', null],
  ['/v1/gigs/:gig/reviews', null],
  ['/v1/conversations', 'buyer'],
  ['/v1/orders', 'buyer'],
  ['/v1/me/transactions', 'seller'],
  ['/v1/payouts', 'seller'],
  ['/v1/notifications', 'buyer'],
  ['/v1/favorites', 'buyer'],
  ['/v1/admin/disputes', 'admin'],
  ['/v1/admin/payout-runs', 'admin'],
  ['/v1/admin/audit', 'admin'],
  ['/v1/admin/moderation', 'admin'],
]
test.serial('lists answer data and nextCursor, take limit 1..100, and a malformed cursor is 400', async (t) => {
  for (const [route, who] of LISTS) {
    const path = route.replace(':gig', world.gig)
    const asked = who ? { token: world[who].token } : {}
    const answer = await ask('GET', path, asked)
    t.is(answer.status, 200, `${path}: ${says(answer)}`)
    t.true(Array.isArray(answer.body.data), path)
    t.true(answer.body.nextCursor === null || typeof answer.body.nextCursor === 'string', path)
    for (const limit of ['0', '101', 'ten', '-1'])
      t.is((await ask('GET', `${path}?limit=${limit}`, asked)).status, 400, `${path} limit=${limit}`)
    t.is((await ask('GET', `${path}?limit=100`, asked)).status, 200, path)
    for (const cursor of ['nonsense', 'e30', '%00'])
      t.is((await ask('GET', `${path}?cursor=${cursor}`, asked)).status, 400, `${path} cursor=${cursor}`)
  }
})

test.serial('the same key and body gives the same answer again, the same key with another body is 409', async (t) => {
  const { token } = world.buyer
  const body = { gig: world.gig, package: 'basic' }
  const key = randomUUID()
  const first = await ask('POST', '/v1/orders', { token, key, body })
  t.is(first.status, 201, says(first))
  t.is(first.headers.get('idempotency-replayed'), null)
  const again = await ask('POST', '/v1/orders', { token, key, body })
  t.deepEqual([again.status, again.body], [201, first.body])
  t.is(again.headers.get('idempotency-replayed'), 'true')
  const other = await ask('POST', '/v1/orders', { token, key, body: { ...body, package: 'premium' } })
  t.deepEqual(problem(other), [409, 'idempotency_key_reused'])
  const both = await Promise.all([1, 2, 3].map(() => ask('POST', '/v1/orders', { token, key: `${key}-2`, body })))
  t.is(new Set(both.map((answer) => answer.body.id)).size, 1)
})

test.serial('public reads carry a strong ETag, answer If-None-Match with 304, and never vary by user', async (t) => {
  const { gig, seller, buyer } = world
  for (const path of [
    '/v1/gigs?q=dog',
    `/v1/gigs/${gig}`,
    '/v1/categories',
    `/v1/users/${seller.username}`,
    `/v1/gigs/${gig}/reviews`,
  ]) {
    const answer = await ask('GET', path)
    t.is(answer.status, 200, `${path}: ${says(answer)}`)
    const etag = answer.headers.get('etag') ?? ''
    t.regex(etag, /^"[^"]+"$/, path)
    t.regex(answer.headers.get('cache-control') ?? '', /^public, max-age=\d+, stale-while-revalidate=\d+$/, path)
    for (const token of [undefined, buyer.token]) {
      const same = await ask('GET', path, { ...(token && { token }), headers: { 'if-none-match': etag } })
      t.is(same.status, 304, path)
      t.is(same.body, '', path)
    }
    const signedIn = await ask('GET', path, { token: buyer.token })
    t.deepEqual({ ...signedIn.body, tookMs: 0 }, { ...answer.body, tookMs: 0 }, path)
    t.false(/cookie|authorization/i.test(answer.headers.get('vary') ?? ''), path)
  }
})

test.serial('private answers are no-store', async (t) => {
  for (const path of ['/v1/me', '/v1/orders', '/v1/conversations', '/v1/notifications', '/v1/me/balance']) {
    const { headers } = await ask('GET', path, { token: world.buyer.token })
    t.regex(headers.get('cache-control') ?? '', /no-store/, path)
  }
  t.regex((await ask('GET', '/v1/me')).headers.get('cache-control') ?? '', /no-store/)
})

test.serial('limited routes carry RateLimit and RateLimit-Policy', async (t) => {
  const { headers } = await ask('GET', '/v1/me', { token: world.buyer.token })
  t.regex(headers.get('ratelimit') ?? '', /^"account";r=\d+/)
  t.regex(headers.get('ratelimit-policy') ?? '', /^"account";q=\d+;w=\d+/)
  const login = await ask('POST', '/v1/auth/login', { body: { email: world.buyer.email, password: PASSWORD } })
  t.regex(login.headers.get('ratelimit-policy') ?? '', /^"auth"/)
})

// ---- Accounts

test.serial('register answers 201 with a session; a taken e-mail or username is 409', async (t) => {
  const body = { email: 'new@people.test', password: PASSWORD, username: 'brand-new', displayName: 'New' }
  const made = await ask('POST', '/v1/auth/register', { body })
  t.is(made.status, 201)
  t.deepEqual(Object.keys(made.body).sort(), ['accessToken', 'expiresIn', 'refreshToken', 'user'])
  t.like(made.body.user, { username: 'brand-new', displayName: 'New', roles: ['buyer'] })
  for (const taken of [
    { ...body, username: 'other-one' },
    { ...body, email: 'other@people.test' },
  ])
    t.deepEqual(problem(await ask('POST', '/v1/auth/register', { body: taken })), [409, 'conflict'])
})

test.serial(
  'login, refresh and logout: refresh rotates, and a used refresh token seen again revokes its family',
  async (t) => {
    const body = { email: world.stranger.email, password: PASSWORD }
    const wrong = await ask('POST', '/v1/auth/login', { body: { ...body, password: 'another-one' } })
    t.deepEqual(problem(wrong), [401, 'unauthenticated'])
    const { body: session } = await ask('POST', '/v1/auth/login', { body })
    const refresh = (refreshToken: string) => ask('POST', '/v1/auth/refresh', { body: { refreshToken } })
    const second = await refresh(session.refreshToken)
    t.is(second.status, 200)
    t.not(second.body.refreshToken, session.refreshToken)
    t.is((await ask('GET', '/v1/me', { token: second.body.accessToken })).status, 200)
    t.is((await refresh(session.refreshToken)).status, 401)
    t.is((await refresh(second.body.refreshToken)).status, 401)
    t.is((await ask('GET', '/v1/me', { token: second.body.accessToken })).status, 401)
    const { body: third } = await ask('POST', '/v1/auth/login', { body })
    t.true((await ask('POST', '/v1/auth/logout', { body: { refreshToken: third.refreshToken } })).status < 300)
    t.is((await refresh(third.refreshToken)).status, 401)
  },
)

test.serial('becoming a seller is true at the next request with the same token', async (t) => {
  const person = await register(ask, 'late-seller')
  t.is((await ask('POST', '/v1/gigs', { token: person.token, body: { title: 'A title' } })).status, 403)
  const opted = await ask('POST', '/v1/me/seller', { token: person.token, body: {} })
  t.is(opted.status, 200, says(opted))
  t.regex(JSON.stringify(opted.body), /https?:\/\//)
  t.is((await ask('POST', '/v1/gigs', { token: person.token, body: { title: 'A title' } })).status, 201)
  t.deepEqual((await ask('GET', '/v1/me', { token: person.token })).body.roles, ['buyer', 'seller'])
})

test.serial('the owner reads and changes their profile, everybody reads the public one', async (t) => {
  const { token, username, id } = world.seller
  const changed = await ask('PATCH', '/v1/me', {
    token,
    body: { displayName: 'Painter', languages: ['en', 'de'], bio: 'I paint.' },
  })
  t.is(changed.status, 200, says(changed))
  t.like((await ask('GET', '/v1/me', { token })).body, {
    id,
    username,
    displayName: 'Painter',
    languages: ['en', 'de'],
  })
  const { body } = await eventually(
    () => ask('GET', `/v1/users/${username}`),
    (answer) => answer.body.displayName === 'Painter',
  )
  t.like(body, { id, username, displayName: 'Painter', languages: ['en', 'de'], roles: ['buyer', 'seller'] })
  for (const field of ['level', 'rating', 'reviewCount', 'responseMinutes', 'memberSince']) t.true(field in body, field)
  t.false('email' in body)
  t.is((await ask('GET', '/v1/users/nobody-at-all')).status, 404)
})

test.serial('being suspended and a changed role are true at the next request with the same token', async (t) => {
  const { admin } = world
  const person = await registerSeller(ask, 'misled')
  const gig = await liveGig(ask, person)
  const staff = (roles: string[]) =>
    ask('PUT', `/v1/admin/users/${person.id}/roles`, { token: admin.token, body: { roles } })
  const asks = () => ask('GET', '/v1/admin/audit', { token: person.token })
  t.is((await asks()).status, 403)
  t.is((await staff(['admin'])).status, 200)
  t.is((await asks()).status, 200)
  await staff([])
  t.is((await asks()).status, 403)
  const heard = await socket(person.token)
  await heard.op('ping')
  const suspended = await ask('POST', `/v1/admin/users/${person.id}/suspend`, {
    token: admin.token,
    body: { reason: 'fraud' },
  })
  t.is(suspended.status, 200, says(suspended))
  t.is((await ask('GET', '/v1/me', { token: person.token })).status, 401)
  t.is((await heard.closed).code, 4401)
  const login = { body: { email: person.email, password: PASSWORD } }
  t.is((await ask('POST', '/v1/auth/login', login)).status, 403)
  t.is((await ask('GET', `/v1/gigs/${gig}`)).status, 404)
  await ask('POST', `/v1/admin/users/${person.id}/restore`, { token: admin.token, body: { reason: 'a mistake' } })
  t.is((await ask('POST', '/v1/auth/login', login)).status, 200)
  const { data } = (await ask('GET', `/v1/admin/audit?target=${person.id}`, { token: admin.token })).body
  const events = data.filter(({ kind }: any) => kind === 'event').map(({ action }: any) => action)
  t.deepEqual(events, ['account.restored', 'account.suspended', 'account.roles', 'account.roles'])
})

test.serial('a person has all their data as one file, and is forgotten when nothing is open any more', async (t) => {
  const { seller } = world
  const person = await register(ask, 'leaving')
  const token = person.token
  const { id } = await orderUpTo({ ...world, buyer: person }, 'delivered')
  const { body: opened } = await ask('POST', '/v1/conversations', { token, body: { with: seller.id } })
  const path = `/v1/conversations/${opened.id}/messages`
  await ask('POST', path, { token, body: { clientId: '1', text: 'Goodbye' } })
  t.is((await ask('GET', '/v1/me/export')).status, 401)
  const file = await ask('GET', '/v1/me/export', { token })
  t.is(file.status, 200)
  t.regex(file.headers.get('cache-control') ?? '', /no-store/)
  for (const own of [person.email, id, 'Goodbye']) t.true(JSON.stringify(file.body).includes(own), own)
  const early = await ask('DELETE', '/v1/me', { token })
  t.deepEqual(problem(early), [409, 'conflict'])
  t.true(early.body.errors.length > 0)
  await ask('POST', `/v1/orders/${id}/accept`, { token, body: {} })
  const erased = await ask('DELETE', '/v1/me', { token })
  t.true(erased.status < 300, says(erased))
  t.is((await ask('GET', '/v1/me', { token })).status, 401)
  t.is((await ask('POST', '/v1/auth/login', { body: { email: person.email, password: PASSWORD } })).status, 401)
  t.is((await ask('POST', '/v1/auth/refresh', { body: { refreshToken: person.refreshToken } })).status, 401)
  t.is((await ask('GET', `/v1/users/${person.username}`)).status, 404)
  const kept = await ask('GET', `/v1/conversations/${opened.id}`, { token: seller.token })
  t.is(kept.body.lastMessage.text, 'Goodbye')
  t.false(JSON.stringify(kept.body.members).includes(person.username))
  t.is((await ask('GET', `/v1/orders/${id}`, { token: seller.token })).body.status, 'completed')
})

test.serial('the demo accounts sign in, and have the roles their names say', async (t) => {
  for (const [name, role] of [
    ['buyer', 'buyer'],
    ['seller', 'seller'],
    ['admin', 'admin'],
  ] as const) {
    const { status, body } = await ask('POST', '/v1/auth/login', {
      body: { email: `${name}@demo.test`, password: 'demo-password' },
    })
    t.is(status, 200)
    t.true(body.user.roles.includes(role), name)
  }
})

// ---- Gigs and finding them

test.serial('a gig goes draft → live through publish, pauses, and is gone when deleted', async (t) => {
  const { token } = world.seller
  const draft = await ask('POST', '/v1/gigs', { token, body: GIG })
  t.is(draft.status, 201)
  t.like(draft.body, { status: 'draft', title: GIG.title, category: 'design' })
  for (const field of [
    'id',
    'description',
    'subcategory',
    'tags',
    'packages',
    'extras',
    'faq',
    'requirements',
    'images',
    'seller',
    'rating',
    'reviewCount',
    'createdAt',
    'version',
  ])
    t.true(field in draft.body, field)
  for (const field of ['username', 'displayName', 'level', 'rating'])
    t.true(field in draft.body.seller, `seller.${field}`)
  const path = `/v1/gigs/${draft.body.id}`
  t.is((await ask('GET', path)).status, 404)
  t.is((await ask('GET', path, { token: world.buyer.token })).status, 404)
  t.is((await ask('GET', path, { token })).body.status, 'draft')
  t.is((await ask('PATCH', path, { token, body: { tags: ['dog', 'cat'] } })).status, 200)
  t.is((await ask('PATCH', path, { token: world.buyer.token, body: { tags: ['x'] } })).status, 403)
  t.deepEqual(problem(await ask('POST', `${path}/pause`, { token, body: {} })), [409, 'invalid_transition'])
  const published = await ask('POST', `${path}/publish`, { token, body: {} })
  t.is(published.status, 200)
  const live = await eventually(
    () => ask('GET', path),
    ({ status }) => status === 200,
  )
  t.is(live.body.status, 'live')
  t.is((await ask('POST', `${path}/pause`, { token, body: {} })).body.status, 'paused')
  t.is((await ask('GET', path)).status, 404)
  t.is((await ask('POST', `${path}/publish`, { token, body: {} })).body.status, 'live')
  t.true((await ask('DELETE', path, { token })).status < 300)
  t.is((await ask('GET', path)).status, 404)
})

test.serial('a rejected gig has its reasons', async (t) => {
  const { token } = world.seller
  const body = { ...GIG, description: `${GIG.description} Write to me at painter@mail.example and pay less.` }
  const { body: draft } = await ask('POST', '/v1/gigs', { token, body })
  await ask('POST', `/v1/gigs/${draft.id}/publish`, { token, body: {} })
  const { body: decided } = await eventually(
    () => ask('GET', `/v1/gigs/${draft.id}`, { token }),
    (answer) => answer.body.status !== 'pending',
  )
  t.is(decided.status, 'rejected')
  t.true(decided.reasons.length > 0)
})

test.serial('search filters, sorts, counts and pages', async (t) => {
  const seller = await registerSeller(ask, 'searched')
  const title = (n: number) => `I will tune your accordion number ${n}`
  for (const n of [1, 2, 3])
    await liveGig(ask, seller, {
      ...GIG,
      title: title(n),
      category: 'music',
      subcategory: '',
      tags: ['accordion'],
      packages: { basic: { ...GIG.packages.basic, price: usd(n * 1000), deliveryDays: n } },
    })
  const found = (query: string) => ask('GET', `/v1/gigs?q=accordion&${query}`)
  const { body } = await eventually(
    () => found('sort=price'),
    (answer) => answer.body.total === 3,
  )
  for (const field of ['data', 'total', 'facets', 'nextCursor', 'tookMs', 'query']) t.true(field in body, field)
  t.deepEqual(
    body.data.map((gig: any) => gig.price.amount),
    [1000, 2000, 3000],
  )
  t.deepEqual(
    (await found('sort=-price')).body.data.map((gig: any) => gig.price.amount),
    [3000, 2000, 1000],
  )
  t.is((await found('minPrice=1500&maxPrice=2500')).body.total, 1)
  t.is((await found('deliveryDays=2')).body.total, 2)
  t.is((await found('tags=accordion')).body.total, 3)
  t.is((await found('loosen=no&category=design')).body.total, 0)
  const faceted = (await found('facets=category,sellerLevel,price')).body.facets
  t.is(faceted.category.music, 3)
  t.is(faceted.sellerLevel.new, 3)
  t.like(faceted.price, { min: 1000, max: 3000 })
  t.true(Array.isArray(faceted.price.histogram))
  for (const sort of ['relevance', 'newest', 'rating', 'bestselling']) t.is((await found(`sort=${sort}`)).status, 200)
  t.is((await found('sort=cheapest')).status, 400)
  const first = (await found('sort=price&limit=2')).body
  const second = (await found(`sort=price&limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)).body
  t.deepEqual(
    [...first.data, ...second.data].map((gig: any) => gig.price.amount),
    [1000, 2000, 3000],
  )
  t.is(second.nextCursor, null)
  t.is((await found('q=acordion')).body.total, 3, 'a typo finds it too')
})

test.serial('suggestions, the category tree with counts, and similar gigs', async (t) => {
  const suggested = await ask('GET', '/v1/search/suggest?q=accor')
  t.is(suggested.status, 200)
  t.true(suggested.body.data.length > 0)
  const { body } = await ask('GET', '/v1/categories')
  const design = body.data.find(({ slug }: { slug: string }) => slug === 'design')
  t.true(design.gigs > 0)
  t.true(Array.isArray(design.subcategories))
  const similar = await ask('GET', `/v1/gigs/${world.gig}/similar`)
  t.is(similar.status, 200)
  t.true(Array.isArray(similar.body.data))
  t.is((await ask('GET', '/v1/gigs/gig_none/similar')).status, 404)
})

test.serial(
  'a gig is kept as a favorite once, listed as a card with what became of it, and kept no longer',
  async (t) => {
    const { seller, buyer, stranger } = world
    const [kept, paused, deleted] = [await liveGig(ask, seller), await liveGig(ask, seller), await liveGig(ask, seller)]
    const put = (gig: string, token = buyer.token) => ask('PUT', `/v1/favorites/${gig}`, { token })
    const list = async (query = '') => (await ask('GET', `/v1/favorites${query}`, { token: buyer.token })).body
    t.is((await ask('PUT', `/v1/favorites/${kept}`)).status, 401)
    t.is((await put('gig_none')).status, 404)
    for (const gig of [kept, paused, deleted, kept]) t.true((await put(gig)).status < 300)
    t.deepEqual(
      (await list()).data.map(({ id }: any) => id),
      [deleted, paused, kept],
    )
    const first = await list('?limit=2')
    t.deepEqual(
      (await list(`?limit=2&cursor=${encodeURIComponent(first.nextCursor)}`)).data.map(({ id }: any) => id),
      [kept],
    )
    await ask('POST', `/v1/gigs/${paused}/pause`, { token: seller.token, body: {} })
    await ask('DELETE', `/v1/gigs/${deleted}`, { token: seller.token })
    t.deepEqual(
      (await list()).data.map(({ id, status }: any) => [id, status]),
      [
        [paused, 'paused'],
        [kept, 'live'],
      ],
    )
    t.deepEqual((await ask('GET', '/v1/favorites', { token: stranger.token })).body.data, [])
    for (const gig of [kept, kept, 'gig_none'])
      t.true((await ask('DELETE', `/v1/favorites/${gig}`, { token: buyer.token })).status < 300)
    t.deepEqual(
      (await list()).data.map(({ id }: any) => id),
      [paused],
    )
  },
)

test.serial('recommendations are personal, and what is popular for who has touched nothing', async (t) => {
  const person = await register(ask, 'shopper')
  const cold = await ask('GET', '/v1/recommendations?limit=5', { token: person.token })
  t.is(cold.status, 200)
  t.true(cold.body.data.length > 0 && cold.body.data.length <= 5)
  t.regex(cold.headers.get('cache-control') ?? '', /no-store/)
  await ask('PUT', `/v1/favorites/${world.gig}`, { token: person.token })
  const warm = await eventually(
    () => ask('GET', '/v1/recommendations', { token: person.token }),
    ({ body }) => body.data.some(({ reason }: any) => reason.because === 'like' && reason.gig === world.gig),
  )
  t.false(warm.body.data.some(({ id }: any) => id === world.gig))
  t.is((await ask('GET', '/v1/recommendations')).status, 200)
  t.is((await ask('GET', '/v1/recommendations?limit=0')).status, 400)
})

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const upload = async (bytes: Uint8Array, type: string) => {
  const response = await fetch(`${market.url}/v1/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.seller.token}`, 'content-type': type },
    body: bytes,
  })
  return { status: response.status, body: (await response.json()) as any }
}
test.serial('an image is kept by its content under an immutable address; its type is checked by content', async (t) => {
  const { status, body } = await upload(PNG, 'image/png')
  t.is(status, 201)
  const response = await fetch(body.url.startsWith('http') ? body.url : market.url + body.url)
  t.deepEqual(Buffer.from(await response.arrayBuffer()), PNG)
  t.is(response.headers.get('content-type'), 'image/png')
  t.regex(response.headers.get('cache-control') ?? '', /immutable/)
  t.is((await upload(PNG, 'image/png')).body.url, body.url)
  t.true([400, 415].includes((await upload(Buffer.from('<script>'), 'image/png')).status))
  t.is((await upload(Buffer.concat([PNG, Buffer.alloc(10 * 1024 * 1024)]), 'image/png')).status, 413)
})

// ---- Talking

test.serial('the same pair gives the same conversation, for its members only', async (t) => {
  const id = await conversation()
  const other = await ask('POST', '/v1/conversations', { token: world.seller.token, body: { with: world.buyer.id } })
  t.is(other.body.id, id)
  t.is((await ask('GET', `/v1/conversations/${id}`, { token: world.stranger.token })).status, 404)
  t.is((await ask('GET', `/v1/conversations/${id}/messages`, { token: world.stranger.token })).status, 404)
  const mine = await ask('GET', `/v1/conversations/${id}`, { token: world.buyer.token })
  for (const field of ['lastSeq', 'lastMessage', 'unread']) t.true(field in mine.body, field)
})

test.serial('messages are numbered 1, 2, 3 …, and POST is idempotent by clientId', async (t) => {
  const person = await register(ask, 'writer')
  const { body } = await ask('POST', '/v1/conversations', { token: person.token, body: { with: world.seller.id } })
  const path = `/v1/conversations/${body.id}/messages`
  const send = (clientId: string, text: string, token = person.token) =>
    ask('POST', path, { token, body: { clientId, text } })
  const first = await send('a', '  Hello there  ')
  t.is(first.status, 201)
  t.like(first.body, {
    conversation: body.id,
    seq: 1,
    clientId: 'a',
    sender: person.id,
    text: 'Hello there',
    attachments: [],
  })
  const again = await send('a', 'Hello there')
  t.deepEqual([again.status, again.body.id], [200, first.body.id])
  await Promise.all(['b', 'c', 'd', 'e'].map((clientId) => send(clientId, clientId)))
  const { data } = (await ask('GET', path, { token: world.seller.token })).body
  t.deepEqual(
    data.map(({ seq }: { seq: number }) => seq),
    [1, 2, 3, 4, 5],
  )
  const after = (await ask('GET', `${path}?after=3`, { token: person.token })).body.data
  t.deepEqual(
    after.map(({ seq }: { seq: number }) => seq),
    [4, 5],
  )
  const before = (await ask('GET', `${path}?before=4&limit=2`, { token: person.token })).body.data
  t.deepEqual(
    before.map(({ seq }: { seq: number }) => seq),
    [2, 3],
  )
  for (const text of ['', '   ', 'x'.repeat(8001)]) t.is((await send(randomUUID(), text)).status, 400)
  t.is((await send('long', 'x'.repeat(8000))).status, 201)
  const unread = async () =>
    (await ask('GET', `/v1/conversations/${body.id}`, { token: world.seller.token })).body.unread
  t.is(await unread(), 6)
  const read = await ask('POST', `/v1/conversations/${body.id}/read`, { token: world.seller.token, body: { seq: 6 } })
  t.is(read.status, 200)
  t.is(await unread(), 0)
  t.is((await ask('POST', `/v1/users/${person.id}/block`, { token: world.seller.token, body: {} })).status, 200)
  t.is((await send('f', 'Still there?')).status, 403)
})

test.serial('a custom offer is declined, withdrawn or accepted, and accepting makes an order', async (t) => {
  const { seller, buyer, gig } = world
  const id = await conversation()
  const offer = (title: string) =>
    ask('POST', `/v1/conversations/${id}/offers`, {
      token: seller.token,
      body: {
        gig,
        title,
        price: usd(33_000),
        deliveryDays: 4,
        revisions: 1,
        expiresAt: new Date(Date.now() + DAY * 1000).toISOString(),
      },
    })
  const [one, two, three] = [await offer('A pack'), await offer('Two packs'), await offer('Three packs')]
  t.is(one.status, 201, says(one))
  const ends = (who: 'seller' | 'buyer' | 'stranger', offered: Answer, what: string) =>
    ask('POST', `/v1/offers/${offered.body.id}/${what}`, { token: world[who].token, body: {} })
  t.is((await ends('stranger', one, 'accept')).status, 404)
  t.is((await ends('seller', one, 'accept')).status, 403)
  const accepted = await ends('buyer', one, 'accept')
  t.is(accepted.status, 201, says(accepted))
  t.like(accepted.body, { status: 'awaiting_payment', price: { subtotal: usd(33_000) } })
  t.is((await ends('buyer', two, 'decline')).body.status, 'declined')
  t.is((await ends('seller', three, 'withdraw')).body.status, 'withdrawn')
  t.deepEqual(problem(await ends('buyer', two, 'accept')), [409, 'invalid_transition'])
  t.is((await ask('GET', `/v1/orders/${accepted.body.id}`, { token: buyer.token })).status, 200)
})

test.serial('a report comes into the moderation queue with the facts, and the decision is done and told', async (t) => {
  const { admin, seller, buyer, stranger } = world
  const gig = await liveGig(ask, seller)
  const report = (who = buyer, target: unknown = gig) =>
    ask('POST', '/v1/reports', { token: who.token, body: { target, reason: 'spam', text: 'Not a dog.' } })
  t.is((await ask('POST', '/v1/reports', { body: { target: gig, reason: 'spam' } })).status, 401)
  const first = await report()
  t.is(first.status, 201, says(first))
  const again = await report(buyer, { type: 'gig', id: gig })
  t.deepEqual([again.status, again.body.id], [200, first.body.id])
  t.is((await report(stranger)).status, 201)
  t.is((await report(buyer, 'gig_none')).status, 404)
  t.is((await ask('GET', '/v1/admin/moderation', { token: buyer.token })).status, 403)
  const queue = (await ask('GET', '/v1/admin/moderation?limit=100', { token: admin.token })).body
  const item = queue.data.find(({ target }: any) => target.id === gig)
  t.like(item, { status: 'waiting', reporters: 2, owner: { id: seller.id }, snapshot: { title: GIG.title } })
  const decide = (body: object, token = admin.token) => ask('POST', `/v1/admin/moderation/${item.id}`, { token, body })
  t.is((await decide({ decision: 'reject', reason: 'no dog' }, buyer.token)).status, 403)
  t.is((await decide({ decision: 'perhaps', reason: 'no dog' })).status, 400)
  const decided = await decide({ decision: 'reject', reason: 'no dog' })
  t.is(decided.status, 200, says(decided))
  t.is((await decide({ decision: 'reject', reason: 'no dog' })).status, 200)
  t.deepEqual(problem(await decide({ decision: 'approve', reason: 'a dog' })), [409, 'invalid_transition'])
  t.is((await ask('GET', `/v1/gigs/${gig}`)).status, 404)
  t.like((await ask('GET', `/v1/gigs/${gig}`, { token: seller.token })).body, {
    status: 'rejected',
    reasons: ['no dog'],
  })
  for (const [who, about] of [
    [seller, 'needs changes'],
    [buyer, 'reported'],
    [stranger, 'reported'],
  ] as const) {
    const told = (await ask('GET', '/v1/notifications', { token: who.token })).body.data
    t.true(
      told.some((one: any) => one.title.includes(about) && one.about.id === gig),
      about,
    )
  }
})

test.serial('a held message is seen by its sender alone until a moderator releases or removes it', async (t) => {
  const { admin } = world
  const [rude, reader] = await Promise.all([register(ask, 'rude'), register(ask, 'reader')])
  const { body: opened } = await ask('POST', '/v1/conversations', { token: rude.token, body: { with: reader.id } })
  const path = `/v1/conversations/${opened.id}/messages`
  const send = (clientId: string) =>
    ask('POST', path, { token: rude.token, body: { clientId, text: 'I know where you live' } })
  const [one, two] = [(await send('1')).body, (await send('2')).body]
  const texts = async () =>
    (await ask('GET', path, { token: reader.token })).body.data.map(({ text, deleted }: any) => [text, deleted])
  t.deepEqual(await texts(), [
    ['', undefined],
    ['', undefined],
  ])
  const waiting = async () =>
    (await ask('GET', '/v1/admin/moderation?type=message&limit=100', { token: admin.token })).body.data
  const of = (all: any[], id: string) => all.find(({ target }) => target.id === id)
  const queue = await eventually(waiting, (all) => of(all, one.id) && of(all, two.id))
  t.like(of(queue, one.id), { held: true, snapshot: { text: 'I know where you live' } })
  const decide = (id: string, decision: string) =>
    ask('POST', `/v1/admin/moderation/${of(queue, id).id}`, { token: admin.token, body: { decision, reason: 'rude' } })
  t.is((await decide(one.id, 'approve')).status, 200)
  t.is((await decide(two.id, 'reject')).status, 200)
  t.deepEqual(await texts(), [
    ['I know where you live', undefined],
    ['', true],
  ])
})

// ---- Orders and money

test.serial('an order is priced from the gig, with 5.5 % service fee plus 3.00 under 100.00', async (t) => {
  const small = await orderUpTo(world, 'awaiting_payment')
  t.deepEqual(small.price, { subtotal: usd(5000), serviceFee: usd(575), total: usd(5575) })
  const large = await orderUpTo(world, 'awaiting_payment', { package: 'premium', extras: ['frame'], quantity: 2 })
  t.deepEqual(large.price, { subtotal: usd(35_000), serviceFee: usd(1925), total: usd(36_925) })
  for (const field of [
    'id',
    'status',
    'late',
    'gig',
    'package',
    'extras',
    'quantity',
    'buyer',
    'seller',
    'price',
    'payment',
    'dueAt',
    'autoCompleteAt',
    'revisionsLeft',
    'allowedActions',
    'createdAt',
    'version',
  ])
    t.true(field in small, field)
  t.truthy(small.payment.provider)
  t.truthy(small.payment.clientSecret)
  const { token } = world.buyer
  for (const [body, status] of [
    [{ gig: world.gig, package: 'basic', price: usd(1) }, 400],
    [{ gig: world.gig, package: 'standard' }, 400],
    [{ gig: world.gig, package: 'basic', extras: ['nothing'] }, 400],
    [{ gig: 'gig_none', package: 'basic' }, 404],
  ] as const) {
    const answer = await ask('POST', '/v1/orders', { token, key: randomUUID(), body })
    t.true(answer.status === status || (status === 404 && answer.status === 400), says(answer))
  }
})

test.serial(
  'a declined payment is 402 and leaves the order payable; requires_action adds payment.nextAction',
  async (t) => {
    const { id } = await orderUpTo(world, 'awaiting_payment')
    const declined = await move('buyer', id, 'pay', { paymentMethod: 'pm_card_visa_chargeDeclined' })
    t.deepEqual(problem(declined), [402, 'payment_declined'])
    t.is((await order(id)).status, 'awaiting_payment')
    const asked = await move('buyer', id, 'pay', { paymentMethod: 'pm_card_threeDSecure2Required' })
    t.is(asked.status, 200, says(asked))
    t.truthy(asked.body.payment.nextAction)
    const other = await orderUpTo(world, 'awaiting_payment')
    const paid = await move('buyer', other.id, 'pay', { paymentMethod: 'pm_card_visa' })
    t.is(paid.body.status, 'awaiting_requirements')
  },
)

test.serial(
  'a buyer’s move asked by the seller is 403, a stranger’s 404, a wrong time 409 and changes nothing',
  async (t) => {
    const { id } = await orderUpTo(world, 'awaiting_requirements')
    const before = await order(id)
    t.deepEqual(problem(await move('seller', id, 'requirements', { answers: [] })), [403, 'forbidden'])
    t.deepEqual(problem(await move('stranger', id, 'requirements', { answers: [] })), [404, 'not_found'])
    for (const [who, what, body] of [
      ['seller', 'deliver', { message: 'x' }],
      ['buyer', 'accept', {}],
      ['buyer', 'revision', { message: 'x' }],
      ['buyer', 'tip', { amount: usd(500) }],
      ['seller', 'extend', { days: 1, reason: 'x' }],
      ['buyer', 'dispute', { reason: 'x' }],
      ['buyer', 'review', { rating: 5, text: 'x' }],
    ] as const)
      t.deepEqual(problem(await move(who, id, what, body)), [409, 'invalid_transition'], what)
    t.is((await move('buyer', id, 'requirements', { answers: [] })).status, 400)
    t.deepEqual(await order(id), before)
  },
)

test.serial(
  'paid, answered, delivered, revised, accepted: the timeline counts from 1 and each may do what allowedActions says',
  async (t) => {
    const { id } = await orderUpTo(world, 'awaiting_requirements')
    const actions = async (who: 'buyer' | 'seller') =>
      (await ask('GET', `/v1/orders/${id}`, { token: world[who].token })).body.allowedActions as string[]
    t.true((await actions('buyer')).includes('requirements'))
    const begun = await move('buyer', id, 'requirements', { answers: [{ id: 'name', answer: 'Rex' }] })
    t.is(begun.body.status, 'in_progress')
    t.truthy(begun.body.dueAt)
    t.true((await actions('seller')).includes('deliver'))
    const delivered = await move('seller', id, 'deliver', { message: 'Here.', files: [] })
    t.is(delivered.body.status, 'delivered')
    t.truthy(delivered.body.autoCompleteAt)
    t.true((await actions('buyer')).includes('revision'))
    const revised = await move('buyer', id, 'revision', { message: 'Bluer.' })
    t.deepEqual([revised.body.status, revised.body.revisionsLeft], ['in_progress', 0])
    await move('seller', id, 'deliver', { message: 'Bluer.' })
    t.false((await actions('buyer')).includes('revision'))
    t.is((await move('buyer', id, 'revision', { message: 'More.' })).status, 409)
    t.is((await move('buyer', id, 'accept')).body.status, 'completed')
    const { data } = (await ask('GET', `/v1/orders/${id}/events`, { token: world.buyer.token })).body
    t.deepEqual(
      data.map(({ seq }: { seq: number }) => seq),
      data.map((_: unknown, at: number) => at + 1),
    )
    for (const field of ['seq', 'type', 'at', 'actor', 'data']) t.true(field in data[0], field)
  },
)

test.serial('a gig without required questions skips awaiting_requirements', async (t) => {
  const gig = await liveGig(ask, world.seller, PLAIN_GIG)
  const placed = await ask('POST', '/v1/orders', { token: world.buyer.token, body: { gig, package: 'basic' } })
  t.is((await move('buyer', placed.body.id, 'pay', { paymentMethod: 'pm_card_visa' })).body.status, 'in_progress')
})

test.serial('before payment and before work the buyer cancels alone; once work began it takes both', async (t) => {
  const unpaid = await orderUpTo(world, 'awaiting_payment')
  t.is((await move('buyer', unpaid.id, 'cancel', { reason: 'x' })).body.status, 'cancelled')
  const paid = await orderUpTo(world, 'awaiting_requirements')
  t.is((await move('buyer', paid.id, 'cancel', { reason: 'x' })).body.status, 'cancelled')
  const begun = await orderUpTo(world, 'in_progress')
  t.is((await move('buyer', begun.id, 'cancel', { reason: 'x' })).body.status, 'in_progress')
  t.is((await move('seller', begun.id, 'cancel', { reason: 'fine' })).body.status, 'cancelled')
})

test.serial('the seller asks for more time and the buyer’s extend agrees', async (t) => {
  const begun = await orderUpTo(world, 'in_progress')
  const asked = await move('seller', begun.id, 'extend', { days: 3, reason: 'rain' })
  t.is(asked.status, 200, says(asked))
  const agreed = await move('buyer', begun.id, 'extend', {})
  t.is(Date.parse(agreed.body.dueAt) - Date.parse(begun.dueAt), 3 * DAY * 1000)
})

test.serial('a dispute is contested by the other side and resolved by an admin, who splits the escrow', async (t) => {
  const { admin } = world
  const { id } = await orderUpTo(world, 'delivered')
  const opened = await move('buyer', id, 'dispute', { reason: 'not my dog', text: 'It is a cat.' })
  t.is(opened.body.status, 'disputed', says(opened))
  t.is((await move('buyer', id, 'accept')).status, 409)
  const listed = await ask('GET', '/v1/admin/disputes', { token: admin.token })
  const dispute = listed.body.data.find((one: any) => one.order === id)
  t.like(dispute, { openedBy: 'buyer', reason: 'not my dog', status: 'open' })
  t.truthy(dispute.deadlineAt)
  const body = { buyerAmount: usd(2000), reason: 'half a dog' }
  t.is((await ask('POST', `/v1/admin/disputes/${dispute.id}/resolve`, { token: world.buyer.token, body })).status, 403)
  const resolved = await ask('POST', `/v1/admin/disputes/${dispute.id}/resolve`, { token: admin.token, body })
  t.is(resolved.status, 200, says(resolved))
  t.is((await order(id)).status, 'completed')
  t.is((await ask('POST', `/v1/admin/disputes/${dispute.id}/resolve`, { token: admin.token, body })).status, 409)
})

test.serial('reviews: once each, after completion, hidden until both wrote', async (t) => {
  const { id } = await orderUpTo(world, 'completed')
  const first = await move('buyer', id, 'review', { rating: 5, text: 'A fine portrait of the dog' })
  t.is(first.status, 201, says(first))
  t.is((await move('buyer', id, 'review', { rating: 1, text: 'Again' })).status, 409)
  t.is((await move('stranger', id, 'review', { rating: 1, text: 'Me too' })).status, 404)
  const shown = async () => (await ask('GET', `/v1/gigs/${world.gig}/reviews`)).body.data
  t.deepEqual(
    (await shown()).filter((one: any) => one.order === id),
    [],
  )
  t.is((await move('seller', id, 'review', { rating: 5, text: 'A fine dog' })).status, 201)
  const reviews = await eventually(shown, (data) => data.some((one: any) => one.order === id))
  t.like(
    reviews.find((one: any) => one.order === id),
    { rating: 5, text: 'A fine portrait of the dog' },
  )
  const gig = await eventually(
    () => ask('GET', `/v1/gigs/${world.gig}`),
    ({ body }) => body.reviewCount > 0,
  )
  t.is(gig.body.rating, 5)
})

test.serial('a tip is paid on a completed order, carries no fee and takes an Idempotency-Key', async (t) => {
  const { id } = await orderUpTo(world, 'completed')
  const { token } = world.seller
  const clearing = async () => (await ask('GET', '/v1/me/balance', { token })).body.clearing.amount
  const before = await clearing()
  const tip = () =>
    ask('POST', `/v1/orders/${id}/tip`, { token: world.buyer.token, key: `tip-${id}`, body: { amount: usd(700) } })
  const tipped = await tip()
  t.is(tipped.status, 200, says(tipped))
  t.is((await tip()).headers.get('idempotency-replayed'), 'true')
  await eventually(clearing, (amount) => amount === before + 700)
  t.pass()
})

test.serial('orders are listed by role and status, for their parties only', async (t) => {
  const { body } = await ask('GET', '/v1/orders?role=buyer&status=completed', { token: world.buyer.token })
  t.true(body.data.length > 0)
  t.true(body.data.every((one: any) => one.status === 'completed' && one.buyer.id === world.buyer.id))
  t.deepEqual((await ask('GET', '/v1/orders?role=seller', { token: world.buyer.token })).body.data, [])
  t.deepEqual((await ask('GET', '/v1/orders', { token: world.stranger.token })).body.data, [])
})

test.serial('notifications are told, listed and marked as read; settings are kept', async (t) => {
  const { token } = world.seller
  const { body } = await ask('GET', '/v1/notifications', { token })
  t.true(body.data.length > 0)
  const read = await ask('POST', '/v1/notifications/read', { token, body: { ids: [body.data[0].id] } })
  t.is(read.status, 200)
  const { body: settings } = await ask('GET', '/v1/me/notification-settings', { token })
  const changed = await ask('PUT', '/v1/me/notification-settings', { token, body: { ...settings, email: 'daily' } })
  t.is(changed.status, 200, says(changed))
  t.is((await ask('GET', '/v1/me/notification-settings', { token })).body.email, 'daily')
})

test.serial('a webhook without a good signature is refused', async (t) => {
  const body = JSON.stringify({ id: 'evt_1', type: 'payment_intent.succeeded' })
  t.is((await ask('POST', '/v1/webhooks/stripe', { body })).status, 400)
  const signed = await ask('POST', '/v1/webhooks/stripe', { body, headers: { 'stripe-signature': 't=1,v1=00' } })
  t.is(signed.status, 400)
})

test.serial(
  'unpaid for 30 minutes expires, 48 hours of silence agree, delivered for 3 days completes, and late the buyer cancels after 24 h',
  async (t) => {
    const unpaid = await orderUpTo(world, 'awaiting_payment')
    const delivered = await orderUpTo(world, 'delivered')
    const slow = await orderUpTo(world, 'in_progress')
    const proposed = await orderUpTo(world, 'in_progress')
    await move('buyer', proposed.id, 'cancel', { reason: 'changed my mind' })
    const disputed = await orderUpTo(world, 'delivered')
    await move('buyer', disputed.id, 'dispute', { reason: 'not my dog' })
    t.is((await ask('GET', '/v1/sandbox/clock', { token: world.admin.token })).status, 200)
    const byBuyer = await ask('POST', '/v1/sandbox/clock', { token: world.buyer.token, body: { advanceSeconds: 1 } })
    t.is(byBuyer.status, 403)
    await advance(31 * 60)
    t.is((await order(unpaid.id)).status, 'expired')
    await advance(2 * DAY)
    t.is((await order(proposed.id)).status, 'cancelled')
    t.is((await order(disputed.id)).status, 'cancelled')
    t.true((await order(slow.id)).late)
    t.is((await move('buyer', slow.id, 'cancel', { reason: 'too soon' })).body.status, 'in_progress')
    await move('seller', slow.id, 'decline', {})
    await advance(DAY)
    t.is((await order(delivered.id)).status, 'completed')
    t.is((await move('buyer', slow.id, 'cancel', { reason: 'late' })).body.status, 'cancelled')
  },
)

test.serial('a review whose answer never comes is shown after 14 days', async (t) => {
  const lonely = await orderUpTo(world, 'completed')
  const mine = await move('buyer', lonely.id, 'review', { rating: 3, text: 'Nobody answers this' })
  t.is(mine.status, 201)
  const shown = async () =>
    (await ask('GET', `/v1/gigs/${world.gig}/reviews`)).body.data.some((one: any) => one.order === lonely.id)
  await advance(13 * DAY)
  t.false(await shown())
  await advance(DAY + 60)
  t.true(await eventually(shown, Boolean))
})

test.serial('completed money clears for 14 days and is paid out by the run of a date, once', async (t) => {
  const { admin } = world
  const seller = await registerSeller(ask, 'earner')
  const gig = await liveGig(ask, seller)
  await orderUpTo({ ...world, seller, gig }, 'completed')
  const balance = async () => (await ask('GET', '/v1/me/balance', { token: seller.token })).body
  t.deepEqual(await balance(), { clearing: usd(4000), available: usd(0), inPayout: usd(0), held: usd(0) })
  await advance(13 * DAY)
  t.like(await balance(), { clearing: usd(4000) })
  // A payout run fires on the way, at its own hour.
  await advance(DAY + 60)
  const after = await balance()
  t.is(after.clearing.amount, 0)
  const date = (await ask('GET', '/v1/sandbox/clock', { token: admin.token })).body.now.slice(0, 10)
  const run = await ask('POST', '/v1/admin/payout-runs', { token: admin.token, body: { date } })
  t.true([200, 201].includes(run.status), says(run))
  for (const field of ['planned', 'paid', 'failed', 'skipped']) t.true(field in run.body.counts, field)
  const again = await ask('POST', '/v1/admin/payout-runs', { token: admin.token, body: { date } })
  t.is(again.body.id, run.body.id)
  t.is((await ask('GET', `/v1/admin/payout-runs/${run.body.id}`, { token: admin.token })).body.date, date)
  await advance(5 * DAY)
  const payouts = (await ask('GET', '/v1/payouts', { token: seller.token })).body.data
  t.like(payouts[0], { amount: usd(4000), status: 'paid' })
  t.is(payouts.length, 1)
  t.true((await ask('GET', '/v1/me/transactions', { token: seller.token })).body.data.length > 0)
  const over = await ask('POST', '/v1/payouts', { token: seller.token, body: { amount: usd(1) } })
  t.true(over.status >= 400 && over.status < 500, says(over))
})

test.serial('the trial balance is zero in all', async (t) => {
  const { body } = await ask('GET', '/v1/admin/ledger/trial-balance', { token: world.admin.token })
  t.true(body.data.length > 3)
  t.is(
    body.data.reduce((sum: number, { balance }: any) => sum + balance.amount, 0),
    0,
  )
})

test.serial('what admins do is in a hash-chained audit log, narrowed by actor and target', async (t) => {
  const { admin, buyer } = world
  const { id } = await orderUpTo(world, 'delivered')
  const { body: disputed } = await move('buyer', id, 'dispute', { reason: 'blurred' })
  const dispute = disputed.dispute.id
  const body = { buyerAmount: usd(0), reason: 'it is sharp' }
  await ask('POST', `/v1/admin/disputes/${dispute}/resolve`, { token: admin.token, body })
  t.is((await ask('GET', '/v1/admin/audit', { token: buyer.token })).status, 403)
  const log = await ask('GET', `/v1/admin/audit?target=${dispute}`, { token: admin.token })
  t.is(log.status, 200)
  t.deepEqual(
    log.body.data.map(({ kind, actor, action }: any) => [kind, actor, action]),
    [
      ['answered', admin.id, 'order.resolveDispute'],
      ['asked', admin.id, 'order.resolveDispute'],
    ],
  )
  t.deepEqual(log.body.data[1].data.params.reason, 'it is sharp')
  const all = (await ask('GET', '/v1/admin/audit?limit=100', { token: admin.token })).body.data
  t.true(
    all
      .slice(0, -1)
      .every(
        ({ previousHash, seq }: any, at: number) => previousHash === all[at + 1].hash && seq === all[at + 1].seq + 1,
      ),
  )
  t.deepEqual((await ask('GET', `/v1/admin/audit?actor=${buyer.id}`, { token: admin.token })).body.data, [])
  const verified = await ask('GET', '/v1/admin/audit/verification', { token: admin.token })
  t.deepEqual(verified.body.problems, [])
})

test.serial('costs per feature: requests, CPU, storage and provider fees, at prices that are said', async (t) => {
  t.is((await ask('GET', '/v1/admin/costs', { token: world.buyer.token })).status, 403)
  const { status, body } = await ask('GET', '/v1/admin/costs', { token: world.admin.token })
  t.is(status, 200)
  t.true(body.prices.cpuHour > 0 && body.prices.storageGbMonth > 0)
  const of = (feature: string) => body.data.find((one: any) => one.feature === feature)
  for (const feature of ['order', 'chat', 'gig', 'account'])
    t.true(of(feature).requests > 0 && of(feature).storageBytes > 0, feature)
  t.true(of('payment').providerFees[0].amount > 0)
  const sum = body.data.reduce((all: number, { cpuMs }: any) => all + cpuMs, 0)
  t.true(Math.abs(sum - body.total.cpuMs) <= body.data.length, `${sum} of ${body.total.cpuMs} ms`)
  t.true(body.total.cost.cpu > 0)
})

// ---- Realtime

const socket = (token: string) => client(`ws://127.0.0.1:${market.port}/v1/realtime`, token)
const pair = async (): Promise<{ id: string; one: Client; other: Client; tokens: [string, string] }> => {
  const [writer, reader] = await Promise.all([register(ask, 'talker'), register(ask, 'listener')])
  const { body } = await ask('POST', '/v1/conversations', { token: writer.token, body: { with: reader.id } })
  const [one, other] = [await socket(writer.token), await socket(reader.token)]
  await Promise.all([one.op('ping'), other.op('ping')])
  return { id: body.id, one, other, tokens: [writer.token, reader.token] }
}
const heard = (who: Client, ev: string, count = 1) =>
  eventually(
    () => who.events.filter((event) => event.ev === ev).map(({ data }) => data),
    (all) => all.length >= count,
  )

test.serial(
  'a message sent is acknowledged, stored, heard by every connection, and the same clientId gives the first back',
  async (t) => {
    const { id, one, other, tokens } = await pair()
    const second = await socket(tokens[1])
    await second.op('ping')
    const sent = await one.op('send', { conversation: id, clientId: 'x1', text: 'Hi' })
    t.true(sent.ok, JSON.stringify(sent))
    t.like(sent.message, { conversation: id, seq: 1, clientId: 'x1', text: 'Hi', attachments: [] })
    for (const who of [other, second]) t.is((await heard(who, 'message'))[0].id, sent.message.id)
    t.is((await one.op('send', { conversation: id, clientId: 'x1', text: 'Hi' })).message.id, sent.message.id)
    const overHttp = await ask('POST', `/v1/conversations/${id}/messages`, {
      token: tokens[0],
      body: { clientId: 'x1', text: 'Hi' },
    })
    t.deepEqual([overHttp.status, overHttp.body.id], [200, sent.message.id])
    for (const who of [one, other, second]) who.close()
  },
)

test.serial('history, sync, read, typing, edit, delete, presence, subscribe and ping do what they say', async (t) => {
  const { id, one, other } = await pair()
  const { message } = await one.op('send', { conversation: id, clientId: '1', text: 'One' })
  await one.op('send', { conversation: id, clientId: '2', text: 'Two' })
  const history = await other.op('history', { conversation: id, after: 1, limit: 10 })
  t.deepEqual(
    history.messages.map(({ seq }: any) => seq),
    [2],
  )
  t.is(history.hasMore, false)
  const synced = await other.op('sync', { conversations: { [id]: 0 } })
  t.like(synced.conversations[id], { lastSeq: 2, hasMore: false })
  t.deepEqual(
    synced.conversations[id].messages.map(({ seq }: any) => seq),
    [1, 2],
  )
  t.true((await other.op('read', { conversation: id, seq: 2 })).ok)
  t.like((await heard(one, 'read'))[0], { conversation: id, seq: 2 })
  t.true((await other.op('typing', { conversation: id })).ok)
  t.like((await heard(one, 'typing'))[0], { conversation: id })
  const edited = await one.op('edit', { conversation: id, message: message.id, text: 'First' })
  t.true(edited.ok, JSON.stringify(edited))
  t.like((await heard(other, 'message.edited'))[0], { conversation: id, id: message.id, seq: 1, text: 'First' })
  const deleted = await one.op('delete', { conversation: id, message: message.id })
  t.true(deleted.ok, JSON.stringify(deleted))
  t.like((await heard(other, 'message.deleted'))[0], { conversation: id, id: message.id, seq: 1, deleted: true })
  const looked = await one.op('presence', { users: [message.sender] })
  t.deepEqual(looked.online, [message.sender])
  for (const topic of ['announcements', `gig:${world.gig}`]) {
    t.true((await one.op('subscribe', { topic })).ok, topic)
    t.true((await one.op('unsubscribe', { topic })).ok, topic)
  }
  t.true((await one.op('ping')).ok)
  one.close()
  other.close()
})

test.serial(
  'parties hear of their order by its topic, strangers may not subscribe, and everybody hears their notifications',
  async (t) => {
    const { id } = await orderUpTo(world, 'awaiting_requirements')
    const [seller, stranger] = [await socket(world.seller.token), await socket(world.stranger.token)]
    t.true((await seller.op('subscribe', { topic: `order:${id}` })).ok)
    t.is((await stranger.op('subscribe', { topic: `order:${id}` })).error.code, 'not_found')
    await move('buyer', id, 'requirements', { answers: [{ id: 'name', answer: 'Rex' }] })
    t.like((await heard(seller, 'order'))[0], { order: id, status: 'in_progress' })
    await heard(seller, 'notification')
    seller.close()
    stranger.close()
  },
)

test.serial(
  'an unknown op or bad fields answer an error and keep the connection; a bad frame closes with 4400',
  async (t) => {
    const one = await socket(world.buyer.token)
    t.is((await one.op('dance')).error.code, 'validation_failed')
    const bad = await one.op('send', { conversation: 5 })
    t.deepEqual([bad.ok, bad.error.code], [undefined, 'validation_failed'])
    t.truthy(bad.error.message)
    t.true((await one.op('ping')).ok)
    one.raw.send('this is no JSON')
    t.is((await one.closed).code, 4400)
  },
)

test.serial('who authenticates by a first frame is let in, a bad token is 4401', async (t) => {
  const late = await socket('')
  const { token } = world.buyer
  t.is((await late.op('history', { conversation: 'cnv_none' })).error.code, 'unauthenticated')
  t.true((await late.op('auth', { token })).ok)
  t.true((await late.op('sync', { conversations: {} })).ok)
  late.close()
  const bad = await socket('')
  void bad.op('auth', { token: 'nonsense' }).catch(() => undefined)
  t.is((await bad.closed).code, 4401)
})

test.serial('who says nothing for 10 s is closed with 4408', async (t) => {
  t.is((await silent.closed).code, 4408)
})

test.serial('a frame over 64 KiB ends the connection', async (t) => {
  const one = await socket(world.buyer.token)
  one.raw.send(JSON.stringify({ id: 1, op: 'ping', more: 'x'.repeat(70_000) }))
  t.truthy((await one.closed).code)
})

// ---- Documents and operations

test.serial(
  'the generated documents describe every route of the contract, and there is an explorer page',
  async (t) => {
    const { body } = await ask('GET', '/openapi.json')
    t.regex(body.openapi, /^3\.1/)
    const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, verbs]) =>
      Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, ':')}`),
    )
    t.deepEqual(
      ROUTES.filter((route) => !described.includes(route)),
      [],
    )
    const events = (await ask('GET', '/asyncapi.json')).body
    t.truthy(events.asyncapi)
    const docs = await ask('GET', '/docs')
    t.is(docs.status, 200)
    t.regex(docs.headers.get('content-type') ?? '', /html/)
  },
)
const ROUTES = `
POST /v1/auth/register, POST /v1/auth/login, POST /v1/auth/refresh, POST /v1/auth/logout,
GET /v1/me, PATCH /v1/me, POST /v1/me/seller, GET /v1/me/export, DELETE /v1/me, GET /v1/users/:,
POST /v1/gigs, PATCH /v1/gigs/:, POST /v1/gigs/:/publish, POST /v1/gigs/:/pause, DELETE /v1/gigs/:, GET /v1/gigs/:,
GET /v1/gigs, GET /v1/search/suggest, GET /v1/categories, GET /v1/gigs/:/reviews, GET /v1/gigs/:/similar, GET /v1/recommendations,
PUT /v1/favorites/:, DELETE /v1/favorites/:, GET /v1/favorites,
POST /v1/media, POST /v1/conversations, GET /v1/conversations, GET /v1/conversations/:,
GET /v1/conversations/:/messages, POST /v1/conversations/:/messages, POST /v1/conversations/:/read, POST /v1/users/:/block,
POST /v1/conversations/:/offers, POST /v1/offers/:/accept, POST /v1/offers/:/decline, POST /v1/offers/:/withdraw,
POST /v1/orders, POST /v1/orders/:/pay, POST /v1/orders/:/requirements, POST /v1/orders/:/deliver,
POST /v1/orders/:/revision, POST /v1/orders/:/accept, POST /v1/orders/:/cancel, POST /v1/orders/:/extend,
POST /v1/orders/:/dispute, POST /v1/orders/:/tip, GET /v1/orders, GET /v1/orders/:, GET /v1/orders/:/events,
POST /v1/orders/:/review, GET /v1/me/balance, GET /v1/me/transactions, GET /v1/payouts, POST /v1/payouts,
GET /v1/notifications, POST /v1/notifications/read, GET /v1/me/notification-settings, PUT /v1/me/notification-settings,
POST /v1/webhooks/stripe, GET /v1/admin/disputes, POST /v1/admin/disputes/:/resolve,
POST /v1/admin/payout-runs, GET /v1/admin/payout-runs, GET /v1/admin/payout-runs/:,
GET /v1/admin/ledger/trial-balance, GET /v1/admin/audit, GET /v1/admin/costs,
POST /v1/reports, GET /v1/admin/moderation, POST /v1/admin/moderation/:, POST /v1/sandbox/clock, GET /v1/sandbox/clock`
  .split(',')
  .map((route) => route.trim())

test.serial('live, ready and metrics answer on the ops port', async (t) => {
  for (const path of ['/health/live', '/health/ready', '/metrics'])
    t.is((await fetch(`http://127.0.0.1:${market.opsPort}${path}`)).status, 200, path)
  t.is((await ask('GET', '/metrics')).status, 404, 'not on the public port')
})

test.serial('an Idempotency-Key and everything acknowledged survive a kill', async (t) => {
  const { token } = world.buyer
  const body = { gig: world.gig, package: 'basic' }
  const key = randomUUID()
  const first = await ask('POST', '/v1/orders', { token, key, body })
  const { id, one, tokens } = await pair()
  const { message } = await one.op('send', { conversation: id, clientId: 'kept', text: 'Kept' })
  await market.kill()
  await market.start()
  const again = await ask('POST', '/v1/orders', { token, key, body })
  t.is(again.headers.get('idempotency-replayed'), 'true')
  t.deepEqual(again.body, first.body)
  const { data } = (await ask('GET', `/v1/conversations/${id}/messages`, { token: tokens[1] })).body
  t.deepEqual(
    data.map((one: any) => one.id),
    [message.id],
  )
})

test.serial(
  'over a budget the answer is 429 with Retry-After: failed logins 10 a minute, auth routes 60 a minute',
  async (t) => {
    const strict = await startMarket({ env: { RATE_LIMITS: '' } })
    t.teardown(strict.stop)
    const budgeted = watched(strict, seen)
    const login = () => budgeted('POST', '/v1/auth/login', { body: { email: 'a@b.test', password: 'wrong-one' } })
    const statuses = (await Promise.all(Array.from({ length: 30 }, login))).map(({ status }) => status)
    // Budgets fill up again while a slow machine is asking.
    const failed = statuses.filter((status) => status === 401).length
    t.true(failed >= 10 && failed < 30, `${failed}`)
    t.is(statuses.filter((status) => status === 429).length, 30 - failed)
    const logout = () => budgeted('POST', '/v1/auth/logout', { body: { refreshToken: 'x' } })
    const more = (await Promise.all(Array.from({ length: 120 }, logout))).map(({ status }) => status)
    t.true(more.filter((status) => status === 204).length >= 30 && more.includes(429), more.join(' '))
  },
)

test.serial('a gateway that leaves says draining and closes with 1001', async (t) => {
  const leaving = await startMarket()
  t.teardown(leaving.stop)
  const person = await register(watched(leaving, seen), 'witness')
  const one = await client(`ws://127.0.0.1:${leaving.port}/v1/realtime`, person.token)
  await one.op('ping')
  const stopping = leaving.stop()
  t.is((await one.closed).code, 1001)
  t.true(one.events.some(({ ev }) => ev === 'draining'))
  await stopping
})

test.serial('every answer seen was as the conventions say', (t) => {
  t.deepEqual(seen.complaints(), [])
})
