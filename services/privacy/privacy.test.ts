import test, { type ExecutionContext } from 'ava'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { castOf, gigBody, startEverything, type Everything, type Person } from '../../test/everything.ts'
import { eventually } from '../../test/node.ts'
import { exported, type Ask } from './export.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
type Cast = Awaited<ReturnType<typeof castOf>>
type Told = { market: Everything; cast: Cast; gig: string; order: string; conversation: string }

/** The buyer ordered of the seller, they talked, both reviewed, and each kept, reported and was told something. */
const story = async (t: ExecutionContext, upTo: 'delivered' | 'completed' = 'completed'): Promise<Told> => {
  const market = await startEverything()
  t.teardown(market.stop)
  const cast = await castOf(market)
  const { seller, buyer } = cast
  const ask = async (who: Person, method: string, path: string, body?: object) => {
    const answer = await market.request(method, path, { token: who.token, ...(body && { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  await ask(buyer, 'PATCH', '/v1/me', { displayName: 'Bertha Buyington', bio: 'I live in Smallville.' })
  const gig = (await ask(seller, 'POST', '/v1/gigs', gigBody)).id
  await ask(seller, 'POST', `/v1/gigs/${gig}/publish`, {})
  const { id: order } = await ask(buyer, 'POST', '/v1/orders', { gig, package: 'basic' })
  const move = (who: Person, what: string, body: object) => ask(who, 'POST', `/v1/orders/${order}/${what}`, body)
  await move(buyer, 'pay', { paymentMethod: 'pm_card_visa' })
  await move(buyer, 'requirements', { answers: [{ id: 'name', answer: 'Treasure Island' }] })
  await move(seller, 'deliver', { message: 'Here is the map.' })
  if (upTo === 'completed') {
    await move(buyer, 'accept', {})
    await move(buyer, 'review', { rating: 5, text: 'A fine map.' })
    await move(seller, 'review', { rating: 5, text: 'A fine buyer.' })
  }
  const { id: conversation } = await ask(buyer, 'POST', '/v1/conversations', { with: seller.id })
  await ask(buyer, 'POST', `/v1/conversations/${conversation}/messages`, { clientId: '1', text: 'Where is the north?' })
  await ask(seller, 'POST', `/v1/conversations/${conversation}/offers`, {
    gig,
    title: 'Ten islands',
    price: usd(40_000),
    deliveryDays: 9,
    revisions: 2,
  })
  await ask(buyer, 'PUT', `/v1/favorites/${gig}`)
  await ask(buyer, 'POST', '/v1/reports', { target: gig, reason: 'spam', text: 'Bertha thinks so.' })
  await ask(buyer, 'POST', '/v1/saved-searches', { query: { q: 'sundials' } })
  return { market, cast, gig, order, conversation }
}

test.serial(
  'an export has everything a person made, kept, said and was told, and nothing of others but what they were told',
  async (t) => {
    const { market, cast, gig, order, conversation } = await story(t)
    const { status, body, headers } = await market.request('GET', '/v1/me/export', { token: cast.buyer.token })
    t.is(status, 200)
    t.regex(headers.get('content-disposition') ?? '', /^attachment; filename=/)
    t.regex(headers.get('cache-control') ?? '', /no-store/)
    t.like(body.account, { id: cast.buyer.id, email: 'buyer-one@cast.test', bio: 'I live in Smallville.' })
    t.is(body.sessions.length, 1)
    t.deepEqual(
      body.orders.map(({ id }: any) => id),
      [order],
    )
    t.true(body.orders[0].events.length > 4)
    t.deepEqual(body.orders[0].requirements[0].answer, 'Treasure Island')
    t.deepEqual(
      body.reviews.map(({ text }: any) => text),
      ['A fine map.'],
    )
    t.deepEqual(
      body.conversations.map(({ id }: any) => id),
      [conversation],
    )
    t.is(body.conversations[0].messages[0].text, 'Where is the north?')
    t.deepEqual(
      body.favorites.map(({ id }: any) => id),
      [gig],
    )
    t.deepEqual(
      body.savedSearches.map(({ query }: any) => query.q),
      ['sundials'],
    )
    t.deepEqual(
      body.reports.map(({ text }: any) => text),
      ['Bertha thinks so.'],
    )
    t.true(body.notifications.length > 0)
    t.deepEqual([body.gigs, body.payouts, body.truncated], [[], [], []])
    t.false(JSON.stringify(body).includes('seller-one@cast.test'))
    const own = (await market.request('GET', '/v1/me/export', { token: cast.seller.token })).body
    t.deepEqual(
      own.gigs.map(({ id }: any) => id),
      [gig],
    )
    t.deepEqual(own.balance.clearing, usd(4000))
    t.true(own.transactions.length > 0)
    // What does not fit is named.
    const caller = { id: cast.buyer.id, username: 'buyer-one', roles: ['buyer' as const], sessionId: 'ses_1' }
    const ask: Ask = (name, params) => market.call(name, params, { meta: { caller } })
    const cut = async (bounds: object) =>
      (await exported(ask, cast.buyer.id, 0, { recordsMax: 100, charsMax: 1e6, msMax: 1e4, ...bounds })).truncated
    t.deepEqual(await cut({}), [])
    t.true((await cut({ recordsMax: 0 })).includes('orders'))
    t.true((await cut({ charsMax: 500 })).includes('conversations'))
    t.true((await cut({ msMax: -1 })).includes('notifications'))
  },
)

/** Tables that name a person, by a text of theirs. Answers to commands are kept for a day, and then gone. */
const tablesWith = (market: Everything, texts: readonly string[]): string[] => {
  const store = new DatabaseSync(join(market.dataDir, 'documents.sqlite'), { readOnly: true })
  const tables = store
    .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
    .all() as { name: string }[]
  const found = tables.flatMap(({ name }) =>
    texts.flatMap((text) => {
      const row = store.prepare(`SELECT count(*) AS n FROM "${name}" WHERE instr(doc, ?) > 0`).get(text) as {
        n: number
      }
      return row.n > 0 ? [`${name}: ${text}`] : []
    }),
  )
  store.close()
  return found.filter((one) => !one.startsWith('idempotency'))
}

test.serial(
  'who has left is nowhere in the store by name or address, and what others keep is by a deleted user',
  async (t) => {
    const { market, cast, gig, order, conversation } = await story(t)
    const { buyer, seller } = cast
    t.true((await market.call('recommendation.touched', { user: buyer.id })).data.length > 0)
    const NAMES = ['buyer-one', 'Bertha', 'Smallville', 'sundials']
    /** Nobody but the person has any use of these. */
    const OWN = ['favorites', 'reports', 'notifications', 'sessions']
    const own = () => tablesWith(market, [buyer.id]).filter((one) => OWN.some((table) => one.startsWith(`${table}:`)))
    t.is(own().length, OWN.length)
    t.true(tablesWith(market, NAMES).length > 5)
    const answer = await market.request('DELETE', '/v1/me', { token: buyer.token })
    t.is(answer.status, 204, JSON.stringify(answer.body))
    t.is((await market.request('GET', '/v1/me', { token: buyer.token })).status, 401)
    const login = { body: { email: 'buyer-one@cast.test', password: 'a-long-password' } }
    t.is((await market.request('POST', '/v1/auth/login', login)).status, 401)
    t.is((await market.request('GET', '/v1/users/buyer-one')).status, 404)
    await eventually(
      () => tablesWith(market, NAMES),
      (left) => left.length === 0,
    )
    await eventually(own, (left) => left.length === 0)
    await eventually(
      () => market.call('recommendation.touched', { user: buyer.id }),
      ({ data }) => data.length === 0,
    )
    const as = async (path: string) => (await market.request('GET', path, { token: seller.token })).body
    t.is((await as(`/v1/orders/${order}`)).buyer.displayName, 'Deleted user')
    t.is((await as(`/v1/orders/${order}`)).price.total.amount, 5575)
    const told = await as(`/v1/conversations/${conversation}`)
    t.is(told.members.find(({ id }: any) => id === buyer.id).displayName, 'Deleted user')
    t.is((await as(`/v1/conversations/${conversation}/messages`)).data[0].text, 'Where is the north?')
    const [review] = (await market.request('GET', `/v1/gigs/${gig}/reviews`)).body.data
    t.deepEqual([review.text, review.author.displayName], ['A fine map.', 'Deleted user'])
    const opened = await market.request('POST', '/v1/conversations', {
      token: cast.otherBuyer.token,
      body: { with: buyer.id },
    })
    t.is(opened.status, 404)
    const { body: log } = await market.request('GET', `/v1/admin/audit?target=${buyer.id}`, { token: cast.admin.token })
    t.deepEqual(
      log.data.map(({ action }: any) => action),
      ['account.erased'],
    )
    const again = {
      email: 'buyer-one@cast.test',
      password: 'a-long-password',
      username: 'buyer-one',
      displayName: 'Back',
    }
    t.is((await market.request('POST', '/v1/auth/register', { body: again })).status, 201)
  },
)

test.serial(
  'open orders, money and roles of staff are in the way, each by name, and nothing is forgotten then',
  async (t) => {
    const { market, cast, order } = await story(t, 'delivered')
    const erase = (who: Person) => market.request('DELETE', '/v1/me', { token: who.token })
    const asBuyer = await erase(cast.buyer)
    t.deepEqual([asBuyer.status, asBuyer.body.code], [409, 'conflict'])
    t.deepEqual(asBuyer.body.errors, [{ path: 'orders', message: `${order} is delivered` }])
    await market.request('POST', `/v1/orders/${order}/accept`, { token: cast.buyer.token, body: {} })
    const asSeller = await erase(cast.seller)
    t.deepEqual(asSeller.body.errors, [{ path: 'balance', message: 'clearing: 4000 usd (minor units)' }])
    t.deepEqual(
      (await erase(cast.admin)).body.errors.map(({ path }: any) => path),
      ['roles', 'roles'],
    )
    t.is((await market.request('GET', '/v1/me', { token: cast.seller.token })).status, 200)
    t.is((await erase(cast.buyer)).status, 204)
  },
)

test.serial('asked twice at once, a person is forgotten once, and asked again nothing changes', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const { otherSeller, admin } = await castOf(market)
  const gig = await market.request('POST', '/v1/gigs', { token: otherSeller.token, body: gigBody })
  await market.request('POST', `/v1/gigs/${gig.body.id}/publish`, { token: otherSeller.token, body: {} })
  const erase = async () => (await market.request('DELETE', '/v1/me', { token: otherSeller.token })).status
  t.deepEqual(
    (await Promise.all([erase(), erase()])).filter((status) => ![204, 401].includes(status)),
    [],
  )
  t.is(await erase(), 401)
  await market.call('account.erase', { id: otherSeller.id })
  await eventually(
    () => tablesWith(market, ['seller-two']),
    (left) => left.length === 0,
  )
  t.is((await market.request('GET', `/v1/gigs/${gig.body.id}`)).status, 404)
  const log = await market.request('GET', `/v1/admin/audit?target=${otherSeller.id}`, { token: admin.token })
  t.is(log.body.data.length, 1)
})
