import test from 'ava'
import { brotliCompressSync } from 'node:zlib'
import type { ServiceSchema } from 'moleculer'
import { eventually, portOf, startNode, type TestNode } from '../test/node.ts'
import { art } from './art.ts'
import { money, wait } from './format.ts'
import { html } from './html.ts'

const HOSTED = ['account', 'gateway', 'gig', 'media', 'moderation', 'review', 'search'] as const
const usd = (amount: number) => ({ amount, currency: 'usd' })
const SELLER = 'usr_0000000000000000000000000s'
const HOSTILE = '<script>alert(1)</script> & "quotes"'

const content = (title: string) => ({
  title,
  description: `${HOSTILE}\n\nA second paragraph that says a little more.`,
  category: 'design',
  subcategory: 'logo-design',
  tags: ['a<b'],
  packages: {
    basic: {
      title: 'Basic',
      description: 'One.',
      price: usd(5050),
      deliveryDays: 2,
      revisions: 1,
      features: ['<b>bold</b>'],
    },
  },
  extras: [],
  faq: [],
  requirements: [],
  images: [{ id: 'art-1', url: '/art/design-1.svg' }],
})
const seeded = (number: number, title = `A fine logo number ${number}`) => ({
  id: `gig_01test0000000000000000${String(number).padStart(4, '0')}`,
  seller: SELLER,
  createdAt: Date.now() - number * 1000,
  rating: 4.5,
  reviewCount: 2,
  orderCount: 3,
  ...content(title),
})

let market: TestNode
let url: string
test.before(async () => {
  const services = await Promise.all(
    HOSTED.map(
      async (name) => ((await import(`../services/${name}/${name}.service.ts`)) as { default: ServiceSchema }).default,
    ),
  )
  market = await startNode({ services, env: { LISTENER: 'node' } })
  url = `http://127.0.0.1:${await portOf(market)}`
  await market.call('account.ensure', {
    id: SELLER,
    email: 'seller@pages.test',
    password: '',
    username: 'page-seller',
    displayName: 'Pat <i>Page</i>',
    roles: ['buyer', 'seller'],
    bio: 'I draw.',
    languages: ['en', 'de'],
  })
  await market.call('gig.ensureMany', {
    gigs: [seeded(0, HOSTILE), ...Array.from({ length: 40 }, (_, at) => seeded(at + 1))],
  })
  await eventually(
    () => get('/v1/gigs?limit=1'),
    ({ body }) => JSON.parse(body).total === 41,
  )
})
test.after.always(() => market?.stop())

const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url + path, { headers: { accept: 'text/html', ...headers } })
  return { status: response.status, body: await response.text(), headers: response.headers }
}

test('every page is whole without JavaScript, light, and points only at what is there', async (t) => {
  const pages = [
    '/',
    '/search?q=logo',
    '/search',
    '/categories/design',
    `/gigs/${seeded(1).id}`,
    '/users/page-seller',
    '/docs',
  ]
  const links = new Set<string>()
  for (const path of pages) {
    const page = await get(path)
    t.is(page.status, 200, path)
    t.regex(page.headers.get('content-type') ?? '', /^text\/html/)
    t.false(/<script(?! type="(application\/ld\+json|speculationrules)")/.test(page.body), `${path} has a script`)
    t.is(page.body.match(/<h1/g)?.length, 1, `${path} has one heading`)
    t.true(brotliCompressSync(page.body).length < 25 * 1024, path)
    for (const [, to] of page.body.matchAll(/(?:href|src)="(\/[^"]*)"/g))
      links.add(to!.replaceAll('&amp;', '&').split('#')[0]!)
  }
  for (const link of [...links].slice(0, 200)) t.is((await get(link)).status, 200, link)
})

test('what people write is shown as they wrote it and never as markup', async (t) => {
  const page = await get(`/gigs/${seeded(0).id}`)
  t.false(page.body.includes('<script>alert'))
  t.true(page.body.includes('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;'))
  t.false(page.body.includes('<b>bold</b>'))
  const search = await get(`/search?q=${encodeURIComponent('"><img src=x onerror=alert(1)>')}`)
  t.is(search.status, 200)
  t.false(search.body.includes('<img src=x'))
  t.false((await get('/users/page-seller')).body.includes('<i>Page'))
})

test('pages are the same for everybody and answer a known tag with 304', async (t) => {
  const page = await get('/')
  t.regex(page.headers.get('cache-control') ?? '', /^public, max-age=/)
  t.is(page.headers.get('set-cookie'), null)
  const etag = page.headers.get('etag')!
  t.is((await get('/', { 'if-none-match': etag })).status, 304)
  t.regex(page.headers.get('content-security-policy') ?? '', /default-src|script-src/)
})

test('search pages hand their filters on and page forward', async (t) => {
  const first = await get('/search?q=logo&min=50&max=60&sort=newest&days=&unknown=1')
  t.is(first.status, 200)
  t.true(first.body.includes('A fine logo number 1'))
  t.is((await get('/search?min=51')).body.includes('A fine logo'), false)
  const more = /href="(\/search\?[^"]*cursor=[^"]*)"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&')
  t.truthy(more)
  t.is((await get(more!)).status, 200)
  t.is((await get('/search?cursor=forged')).status, 400)
})

test('what is not there says so as a page to people and as a problem to programs', async (t) => {
  for (const path of [
    '/nothing',
    '/gigs/gig_none',
    '/users/nobody',
    '/categories/nothing',
    '/assets/style-000000000000.css',
  ]) {
    const page = await get(path)
    t.is(page.status, 404, path)
    t.regex(page.headers.get('content-type') ?? '', /^text\/html/)
  }
  t.regex((await get('/nothing', { accept: 'application/json' })).headers.get('content-type') ?? '', /problem\+json/)
})

test('cover art is the same for the same seed, and its style never changes under its address', async (t) => {
  t.is(art('design-1'), art('design-1'))
  t.not(art('design-1'), art('design-2'))
  const picture = await get('/art/design-1.svg')
  t.is(picture.headers.get('content-type'), 'image/svg+xml; charset=utf-8')
  t.regex(picture.headers.get('cache-control') ?? '', /immutable/)
})

test('amounts read as money', (t) => {
  t.is(money(usd(5000)), '$50')
  t.is(money(usd(5050)), '$50.50')
  t.is(money({ amount: 5000, currency: 'jpy' }), '¥5,000')
})

test('a wait reads in the unit it is felt in', (t) => {
  t.deepEqual([1, 20, 90, 200, 35 * 60, 36 * 60, 5 * 1440].map(wait), [
    '1 minute',
    '20 minutes',
    '2 hours',
    '3 hours',
    '35 hours',
    '2 days',
    '5 days',
  ])
})

test('templates escape everything but their own kind', (t) => {
  t.is(
    html`<p>${'<&"\'>'}${html`<b>${1}</b>`}${[html`x`, '<']}${false}${null}</p>`.text,
    '<p>&lt;&amp;&quot;&#39;&gt;<b>1</b>x&lt;</p>',
  )
})
