import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEverything, type Everything } from '../../../test/everything.ts'
import { eventually } from '../../../test/node.ts'
import { CATEGORIES } from '../../gig/contract.ts'
import { reasonsAgainst } from '../../moderation/rules.ts'
import { GIGS } from './demo.ts'
import { demoGig, demoReviews, demoSeller, sellerOf } from './gigs.ts'

const NOW = Date.UTC(2026, 0, 15)

test('every demo gig would pass moderation and stands in a category there is', (t) => {
  const places = new Set(
    CATEGORIES.flatMap(({ slug, subcategories }) => subcategories.map((sub) => `${slug}/${sub.slug}`)),
  )
  for (let number = 0; number < 5000; number++) {
    const {
      id,
      seller: _,
      createdAt,
      rating: __,
      reviewCount: ___,
      orderCount: ____,
      ...content
    } = demoGig(number, NOW)
    t.deepEqual(reasonsAgainst(content), [], `${id}: ${content.title}`)
    t.true(
      places.has(`${content.category}/${content.subcategory}`),
      `${id} is in ${content.category}/${content.subcategory}`,
    )
    t.true(createdAt < NOW)
  }
})

test('a demo gig is the same whenever it is made, and its rating is that of its reviews', (t) => {
  for (let number = 0; number < GIGS; number++) {
    const gig = demoGig(number, NOW)
    t.deepEqual(demoGig(number, NOW), gig)
    const reviews = demoReviews(number, gig.reviewCount, 'usr_buyer', NOW)
    const sum = reviews.reduce((total, { rating }) => total + rating, 0)
    t.is(reviews.length, gig.reviewCount)
    t.is(gig.rating, reviews.length === 0 ? 0 : Math.round((100 * sum) / reviews.length) / 100)
    t.true(gig.orderCount >= gig.reviewCount)
  }
  const people = new Set(Array.from({ length: GIGS }, (_, number) => demoSeller(sellerOf(number), NOW).username))
  t.is(people.size, sellerOf(GIGS - 1) + 1)
})

const signIn = async (market: Everything, name: string) => {
  const { status, body } = await market.request('POST', '/v1/auth/login', {
    body: { email: `${name}@demo.test`, password: 'demo-password' },
  })
  return { status, roles: body.user?.roles as string[], token: body.accessToken as string }
}
const ordersOf = async (market: Everything, token: string) =>
  (await market.request('GET', '/v1/orders', { token })).body.data
    .map(({ status }: { status: string }) => status)
    .toSorted() as string[]
const live = async (market: Everything) => (await market.request('GET', '/v1/gigs?limit=1')).body.total as number

test('the first start of a sandbox shows a living market, the next adds nothing', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-demo-'))
  const first = await startEverything({ DATA_DIR: dataDir, DEMO: '1' })
  t.is(await live(first), GIGS)
  const [buyer, seller, admin] = [
    await signIn(first, 'buyer'),
    await signIn(first, 'seller'),
    await signIn(first, 'admin'),
  ]
  t.deepEqual(
    [buyer.roles, seller.roles, admin.roles],
    [['buyer'], ['buyer', 'seller'], ['buyer', 'moderator', 'admin']],
  )
  await eventually(
    () => ordersOf(first, buyer.token),
    (statuses) => statuses.join() === 'completed,delivered,in_progress',
  )
  const talks = (await first.request('GET', '/v1/conversations', { token: seller.token })).body.data
  t.is(talks.length, 1)
  t.true(talks[0].lastSeq >= 4 && talks[0].unread > 0)
  const reviews = async () =>
    (await first.request('GET', '/v1/gigs/' + demoGig(0, NOW).id + '/reviews?limit=100', {})).body.data
  await eventually(reviews, (shown: { text: string }[]) =>
    shown.some(({ text }) => text === 'Lovely work, and a day early.'),
  )
  await first.stop()

  const second = await startEverything({ DATA_DIR: dataDir, DEMO: '1' })
  t.is(await live(second), GIGS)
  t.is((await ordersOf(second, (await signIn(second, 'buyer')).token)).length, 3)
  const again = (await second.request('GET', '/v1/conversations', { token: (await signIn(second, 'seller')).token }))
    .body.data
  t.deepEqual([again.length, again[0].lastSeq], [1, talks[0].lastSeq])
  await second.stop()
  await rm(dataDir, { recursive: true })
})

test('without demo data there are the accounts and nothing else', async (t) => {
  const market = await startEverything({ DEMO: '0' })
  t.is(await live(market), 0)
  for (const name of ['buyer', 'seller', 'admin']) t.is((await signIn(market, name)).status, 200)
  await market.stop()
})

test('outside the sandbox there is no clock to move and no demo account', async (t) => {
  const market = await startEverything({
    DEMO: '1',
    JWT_SECRET: 'x'.repeat(40),
    STRIPE_SECRET_KEY: 'sk_test_none',
    STRIPE_WEBHOOK_SECRET: 'whsec_none',
  })
  t.is((await market.request('GET', '/v1/sandbox/clock')).status, 404)
  t.is((await market.request('POST', '/v1/sandbox/clock', { body: { advanceSeconds: 60 } })).status, 404)
  for (const name of ['buyer', 'seller', 'admin']) t.is((await signIn(market, name)).status, 401)
  t.is(await live(market), 0)
  await market.stop()
})
