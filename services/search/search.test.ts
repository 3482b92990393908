import test from 'ava'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import type { GigContent } from '../gig/contract.ts'
import gig from '../gig/gig.service.ts'
import moderation from '../moderation/moderation.service.ts'
import { opsOf } from '../../mixins/ops.ts'
import type { Caller } from '../shapes.ts'
import type { SearchPage } from './contract.ts'
import { POPULAR_COUNT_MIN } from './popular.ts'
import search from './search.service.ts'

const services = [account, gig, moderation, search]
let node: TestNode
const owner: Caller = { id: 'usr_seller', username: 'seller', roles: ['buyer', 'seller'], sessionId: 'ses_1' }
const as = { meta: { caller: owner } }
const pack = (amount: number, deliveryDays = 3) => ({
  title: 'Basic',
  description: 'One',
  price: { amount, currency: 'usd' },
  deliveryDays,
  revisions: 1,
  features: [],
})
const content = (title: string, more: Partial<GigContent> = {}): GigContent => ({
  title,
  description: 'Everything you need, delivered with care and on time.',
  category: 'design',
  subcategory: 'logo-design',
  tags: [],
  packages: { basic: pack(5000) },
  extras: [],
  faq: [],
  requirements: [],
  images: [],
  ...more,
})
const seeded = (id: string, title: string, more: Partial<GigContent> = {}) => ({
  ...content(title, more),
  id,
  seller: owner.id,
  createdAt: 1_000_000,
  rating: 4,
  reviewCount: 2,
  orderCount: 3,
})
/** Out of the way of tests that count designs. */
const elsewhere = { category: 'writing', subcategory: 'creative-writing' }
const ensureSeller = (on: TestNode, { id, username } = owner) =>
  on.call('account.ensure', {
    id,
    email: `${username}@demo.test`,
    password: '',
    username,
    displayName: 'Seller',
    roles: ['seller'],
    level: 'level_two',
    languages: ['en', 'de'],
  })

test.before(async () => {
  node = await startNode({ services })
  await ensureSeller(node)
  await node.call('gig.ensureMany', {
    gigs: [
      seeded('gig_owl', 'Owl logo for a bookshop', { tags: ['owl', 'minimal'] }),
      seeded('gig_fox', 'Fox logo for a brewery', { tags: ['fox', 'minimal'], packages: { basic: pack(9000, 7) } }),
      seeded('gig_bear', 'Bear logo, hand drawn', { tags: ['bear'], packages: { basic: pack(20_000, 10) } }),
      seeded('gig_voice', 'Warm narration for audiobooks', {
        category: 'music',
        subcategory: 'voice-over',
        packages: { basic: pack(3000, 1) },
      }),
    ],
  })
  await eventually(
    () => node.call('search.gigs', { q: 'narration' }),
    ({ total }) => total === 1,
  )
})
test.after.always(() => node.stop())

const idsOf = ({ data }: Pick<SearchPage, 'data'>) => data.map(({ id }) => id)
const find = (asked: Parameters<typeof node.call<'search.gigs'>>[1]) => node.call('search.gigs', asked)
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => [refusal(error)?.code, refusal(error)?.extra.errors?.[0]?.path],
  )

test('words, filters and sorting find what they say', async (t) => {
  t.deepEqual(idsOf(await find({ q: 'owl logo' })), ['gig_owl'])
  t.deepEqual(idsOf(await find({ q: 'logo', maxPrice: 9000, sort: '-price' })), ['gig_fox', 'gig_owl'])
  t.deepEqual(idsOf(await find({ category: 'music' })), ['gig_voice'])
  t.deepEqual(idsOf(await find({ deliveryDays: 3, sort: 'price', category: 'design' })), ['gig_owl'])
  t.deepEqual(idsOf(await find({ tags: 'minimal,fox' })), ['gig_fox'])
  t.deepEqual(idsOf(await find({ sellerLevel: 'new, top_rated' })), [])
  t.deepEqual(idsOf(await find({ language: 'DE', q: 'narration' })), ['gig_voice'])
})

test('an answer has cards, counts and the time it took', async (t) => {
  const page = await find({ q: 'logo', category: 'design' })
  t.deepEqual(
    [page.facets.sellerLevel, page.facets.price?.min, page.facets.price?.max],
    [{ level_two: page.total }, 5000, 20_000],
  )
  t.deepEqual(Object.keys(page.facets).toSorted(), ['category', 'price', 'sellerLevel'])
  t.true(page.tookMs >= 0)
  t.deepEqual(page.query, { q: 'logo' })
  const card = page.data.find(({ id }) => id === 'gig_owl')
  t.deepEqual([card?.price, card?.seller.username, card?.rating], [{ amount: 5000, currency: 'usd' }, 'seller', 4])
  t.deepEqual(Object.keys((await find({ facets: 'language,rating' })).facets).toSorted(), ['language', 'rating'])
})

test('a list goes on where it ended', async (t) => {
  const first = await find({ q: 'logo', category: 'design', limit: 2 })
  const rest = await find({ q: 'logo', category: 'design', limit: 2, cursor: first.nextCursor! })
  t.is(new Set([...idsOf(first), ...idsOf(rest)]).size, first.total)
})

test('an answer says what it left out, and marks the words that were found', async (t) => {
  const page = await find({ q: 'owl logo unicorn', highlight: true })
  t.deepEqual([idsOf(page), page.query.loosened], [['gig_owl'], [{ kind: 'word', word: 'unicorn' }]])
  t.deepEqual(page.highlights, {
    gig_owl: {
      title: [
        [0, 3],
        [4, 8],
      ],
    },
  })
  t.deepEqual(idsOf(await find({ q: 'owl logo unicorn', loosen: 'no' })), [])
  t.deepEqual(idsOf(await find({ q: 'owl logo', category: 'music' })), [])
  const loose = await find({ q: 'owl logo', category: 'music', loosen: 'filters' })
  t.deepEqual([idsOf(loose), loose.query.loosened], [['gig_owl'], [{ kind: 'filter', filter: 'category' }]])
})

test("the market's synonyms find each other", async (t) => {
  t.deepEqual(idsOf(await find({ q: 'owl emblem' })), ['gig_owl'])
  t.deepEqual(idsOf(await find({ q: 'warm voice over' })), ['gig_voice'])
})

test('what makes no sense is refused with its parameter, and any text is a query', async (t) => {
  t.deepEqual(await refused(find({ minPrice: 2, maxPrice: 1 })), ['validation_failed', 'minPrice'])
  t.deepEqual(await refused(find({ facets: 'colour' })), ['validation_failed', 'facets'])
  t.deepEqual(await refused(find({ sellerLevel: 'best' })), ['validation_failed', 'sellerLevel'])
  t.deepEqual(await refused(find({ language: 'english' })), ['validation_failed', 'language'])
  t.deepEqual(await refused(find({ cursor: 'nonsense' })), ['bad_cursor', undefined])
  for (const q of ['', '   ', '"*(){}[]^~:\\', '\ud800', '😀'.repeat(5000), 'a'.repeat(20_000)])
    t.is(await refused(find({ q })), 'ok')
  t.is((await find({ q: ` owl ${' '.repeat(300)} nothing` })).total, 1)
})

test('a published gig is found, an edited one under its new words, a paused one not', async (t) => {
  const { id } = await node.call('gig.create', content('Walrus stories', elsewhere), as)
  t.is((await find({ q: 'walrus' })).total, 0)
  await node.call('gig.publish', { id }, as)
  await eventually(
    () => find({ q: 'walrus' }),
    (page) => page.total === 1,
  )
  await node.call('gig.update', { id, title: 'Narwhal stories' }, as)
  const page = await eventually(
    () => find({ q: 'narwhal' }),
    ({ data }) => data.length === 1,
  )
  t.is(page.data[0]?.title, 'Narwhal stories')
  t.is((await find({ q: 'walrus' })).data.length, 0)
  await node.call('gig.pause', { id }, as)
  await eventually(
    () => find({ q: 'narwhal' }),
    ({ total }) => total === 0,
  )
})

test('a gig that just went out of sight is left out though the index still has it', async (t) => {
  const { data } = await node.call('gig.indexed', {})
  await node.call('search.index', {
    gigs: [{ ...data[0]!, id: 'gig_ghost', title: 'Ghost writer', category: 'writing', subcategory: 'editing' }],
  })
  const page = await find({ q: 'ghost' })
  t.deepEqual([page.total, page.data], [1, []])
})

test('every node is told once the index has a change', async (t) => {
  const heard: string[][] = []
  const stop = (await node.open('fanout')).onNodes('hot.changed', (data) =>
    heard.push((data as { tags: string[] }).tags),
  )
  const { id } = await node.call('gig.create', content('Lynx stories', elsewhere), as)
  await node.call('gig.publish', { id }, as)
  await eventually(
    () => heard.some((tags) => tags.toSorted().join() === `categories,category:writing,gig:${id},search`),
    (told) => told,
  )
  stop()
  t.is((await find({ q: 'lynx' })).total, 1)
})

test('the tree counts live gigs', async (t) => {
  const { data } = await node.call('search.categories', {})
  const music = data.find(({ slug }) => slug === 'music')
  t.deepEqual([music?.gigs, music?.subcategories.find(({ slug }) => slug === 'voice-over')?.gigs], [1, 1])
  t.true(data.length >= 12)
})

test("a category's own places are counted however many others sellers made up", async (t) => {
  const market = await startNode({ services })
  t.teardown(market.stop)
  await ensureSeller(market)
  const made = Array.from({ length: 300 }, (_, n) =>
    seeded(`gig_${n}`, 'A plan', { category: 'my-own', subcategory: `own-${n >> 1}` }),
  )
  const one = seeded('gig_900', 'A plan', { category: 'architecture', subcategory: 'electronics' })
  await market.call('gig.ensureMany', { gigs: [...made, one] })
  const { data } = await eventually(
    () => market.call('search.categories', {}),
    ({ data: tree }) => tree.find(({ slug }) => slug === 'my-own')?.gigs === 300,
  )
  const architecture = data.find(({ slug }) => slug === 'architecture')
  t.is(architecture?.subcategories.find(({ slug }) => slug === 'electronics')?.gigs, 1)
})

test('suggestions complete words, lead to categories, and know what many asked', async (t) => {
  const asked = async (q: string) => (await node.call('search.suggest', { q })).data
  t.true((await asked('brew')).some(({ text, kind }) => kind === 'completion' && text === 'brewery'))
  t.deepEqual(
    (await asked('voic')).find(({ kind }) => kind === 'category'),
    { text: 'Voice Over', kind: 'category', path: 'music/voice-over' },
  )
  for (let times = 1; times < POPULAR_COUNT_MIN; times++) await find({ q: 'Hand  drawn' })
  t.false((await asked('hand')).some(({ kind }) => kind === 'popular'))
  await find({ q: 'hand drawn' })
  t.deepEqual((await asked('ha'))[0], { text: 'hand drawn', kind: 'popular' })
  for (const nothing of [{ q: '' }, {}])
    t.true((await node.call('search.suggest', nothing)).data.some(({ text }) => text === 'hand drawn'))
})

test('similar gigs share its subcategory, the nearest first, and it is not among them', async (t) => {
  const ids = idsOf(await node.call('search.similar', { id: 'gig_owl' }))
  t.is(ids[0], 'gig_fox')
  t.true(ids.includes('gig_bear'))
  t.false(ids.includes('gig_owl') || ids.includes('gig_voice'))
  t.deepEqual(await refused(node.call('search.similar', { id: 'gig_none' })), ['not_found', undefined])
})

test("a change that another node heard reaches this node's index", async (t) => {
  const { data } = await node.call('gig.indexed', {})
  const { id } = data.find((one) => one.id === 'gig_bear')!
  const fanout = await node.open('fanout')
  const upsert = { ...data.find((one) => one.id === id)!, version: 2, title: 'Grizzly logo, hand drawn' }
  fanout.toNodes('index.changed', { from: 'another', change: { upsert } })
  await eventually(
    () => find({ q: 'grizzly' }),
    ({ total }) => total === 1,
  )
  fanout.toNodes('index.changed', {
    from: 'another',
    change: { upsert: { ...upsert, version: 3, title: 'Bear logo, hand drawn' } },
  })
  t.is(
    (
      await eventually(
        () => find({ q: 'grizzly' }),
        ({ total }) => total === 0,
      )
    ).total,
    0,
  )
})

test('an index that lost gigs and kept dead ones is put right', async (t) => {
  const own = await startNode({ services })
  await ensureSeller(own)
  const many = Array.from({ length: 650 }, (_, at) => seeded(`gig_${String(at).padStart(4, '0')}`, `Logo number ${at}`))
  await own.call('gig.ensureMany', { gigs: many })
  const engine = await own.open('engine')
  await eventually(
    () => engine.stats(),
    ({ gigs }) => gigs === 650,
  )
  await own.call('search.reindex', {})
  const { data } = await own.call('gig.indexed', { limit: 1 })
  await engine.clear()
  await engine.upsert([...data, { ...data[0]!, id: 'gig_dead' }, { ...data[0]!, id: 'gig_0001', version: 0 }])
  const before = await own.call('search.difference', {})
  t.deepEqual([before.live, before.indexed, before.different.length], [650, 3, 100])
  t.deepEqual(await own.call('search.reindex', {}), { gigs: 650, repaired: 650 })
  t.deepEqual(await own.call('search.difference', {}), { live: 650, indexed: 650, different: [] })
  await own.stop()
})

test('an index that is gone is made anew when the node starts', async (t) => {
  const own = await startNode({ services })
  await ensureSeller(own)
  await own.call('gig.ensureMany', { gigs: [seeded('gig_a', 'Heron logo'), seeded('gig_b', 'Stork logo')] })
  await (await own.open('engine')).clear()
  await own.broker.stop()
  const again = await startNode({ services, env: { DATA_DIR: own.dataDir } })
  await eventually(
    () => again.call('search.gigs', { q: 'stork' }),
    ({ data }) => data.length === 1,
  )
  t.deepEqual((await again.call('search.difference', {})).different, [])
  await again.stop()
  await own.stop()
})

const TUNED = { synonyms: [['burr', 'owl']], pins: [], ranking: { quality: 0.4, freshness: 0.1, freshnessDays: 30 } }
const admin: Caller = { id: 'usr_admin', username: 'admin', roles: ['admin'], sessionId: 'ses_2' }
const asAdmin = { meta: { caller: admin } }

test.serial('an admin tries settings, takes them, and every node goes by them, also after a start', async (t) => {
  const own = await startNode({ services })
  await ensureSeller(own)
  await own.call('gig.ensureMany', { gigs: [seeded('gig_a', 'Owl logo'), seeded('gig_b', 'Owl song')] })
  await eventually(
    () => own.call('search.gigs', { q: 'owl' }),
    ({ total }) => total === 2,
  )
  const ask = async (on: TestNode, q: string) => idsOf(await on.call('search.gigs', { q, loosen: 'no' }))
  const pins = [{ q: 'owl', gigs: ['gig_b'] }]
  const tried = await own.call('search.preview', { query: { q: 'burr', loosen: 'no' }, settings: TUNED }, asAdmin)
  t.deepEqual([idsOf(tried.before), idsOf(tried.after).toSorted()], [[], ['gig_a', 'gig_b']])
  t.deepEqual(await ask(own, 'burr'), [])
  const ended: string[][] = []
  const fanout = await own.open('fanout')
  fanout.onNodes('hot.changed', (notice) => void ended.push((notice as { tags: string[] }).tags))
  const before = await own.call('search.settings', {}, asAdmin)
  t.like(before, { version: 0, changedAt: null, synonyms: [], pins: [] })
  const after = await own.call('search.changeSettings', { ...TUNED, pins, version: 0 }, asAdmin)
  t.like(after, { version: 1, changedBy: 'usr_admin' })
  t.deepEqual((await ask(own, 'burr')).length, 2)
  t.is((await ask(own, 'owl'))[0], 'gig_b')
  await eventually(
    () => ended,
    (tags) => tags.some((some) => some.includes('search')),
  )
  t.deepEqual(await refused(own.call('search.changeSettings', { ...TUNED, version: 0 }, asAdmin)), [
    'conflict',
    undefined,
  ])
  await own.broker.stop()
  const again = await startNode({ services, env: { DATA_DIR: own.dataDir } })
  t.is((await ask(again, 'burr')).length, 2)
  await again.stop()
  await own.stop()
})

test('an index whose files were damaged while the node was away is made anew when it starts', async (t) => {
  const own = await startNode({ services })
  t.teardown(own.stop)
  await ensureSeller(own)
  const many = Array.from({ length: 60 }, (_, at) => seeded(`gig_${at}`, `Heron logo ${at}`))
  await own.call('gig.ensureMany', { gigs: many })
  const engine = await own.open('engine')
  await eventually(
    () => engine.stats(),
    ({ gigs }) => gigs === 60,
  )
  await engine.flush()
  await own.broker.stop()
  const dir = join(own.dataDir, 'index')
  for (const name of await readdir(dir)) {
    const bytes = await readFile(join(dir, name))
    await writeFile(join(dir, name), bytes.fill(0x5a, Math.floor(bytes.length / 2)))
  }
  const again = await startNode({ services, env: { DATA_DIR: own.dataDir } })
  t.teardown(again.stop)
  await eventually(
    () => again.call('search.gigs', { q: 'heron' }).then(({ total }) => total),
    (total) => total === 60,
  )
  t.deepEqual(await again.call('search.difference', {}), { live: 60, indexed: 60, different: [] })
  t.falsy((await (await again.open('engine')).stats()).damaged)
})

test('an index is made anew while gigs come, change and go, and ends as the gigs are', async (t) => {
  const own = await startNode({ services })
  t.teardown(own.stop)
  await ensureSeller(own)
  const many = Array.from({ length: 1200 }, (_, at) =>
    seeded(`gig_${String(at).padStart(4, '0')}`, `Logo number ${at}`),
  )
  for (const half of [many.slice(0, 600), many.slice(600)]) await own.call('gig.ensureMany', { gigs: half })
  const engine = await own.open('engine')
  await engine.upsert([{ ...(await own.call('gig.indexed', { limit: 1 })).data[0]!, id: 'gig_dead', title: 'Dead' }])
  t.is((await own.call('search.rebuilding', {})).state, 'never')
  t.is((await own.call('search.rebuild', {})).state, 'running')
  const other = { ...owner, id: 'usr_other', username: 'other' }
  await ensureSeller(own, other)
  const { id } = await own.call('gig.create', content('Walrus stories', elsewhere), { meta: { caller: other } })
  await own.call('gig.publish', { id }, { meta: { caller: other } })
  let least = Infinity
  for (let at = 0; (await own.call('search.rebuilding', {})).state === 'running'; at++) {
    await own.call('gig.pause', { id: many[(at * 7) % 1200]!.id }, as)
    await own.call('gig.update', { id: many[(at * 7 + 3) % 1200]!.id, title: `Moose logo ${at}` }, as)
    least = Math.min(least, (await own.call('search.gigs', { category: 'design' })).total)
  }
  const { state, gigs, problem } = await own.call('search.rebuilding', {})
  t.deepEqual([state, problem], ['done', null])
  t.true(gigs >= 1100 && least >= 1000)
  const after = await eventually(
    () => own.call('search.difference', {}),
    ({ different }) => different.length === 0,
  )
  t.is(after.live, after.indexed)
  t.is((await own.call('search.gigs', { q: 'walrus' })).total, 1)
  t.is((await own.call('search.gigs', { q: 'dead', loosen: 'no' })).total, 0)
})

test('how long a change took to be found is counted, and how long one waits whose engine is away', async (t) => {
  const own = await startNode({ services })
  t.teardown(own.stop)
  await ensureSeller(own)
  const number = async (name: string) => {
    const page = await (await fetch(`http://127.0.0.1:${opsOf(own.broker).port}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1] ?? NaN)
  }
  const { id } = await own.call('gig.create', content('Heron stories', elsewhere), as)
  await own.call('gig.publish', { id }, as)
  await eventually(
    () => number('gigwire_search_lag_seconds_count'),
    (times) => times === 1,
  )
  t.is(await number('gigwire_search_lag_seconds_bucket{le="300"}'), 1)
  t.is(await number('gigwire_search_behind_seconds'), 0)
  await (await own.open('engine')).close()
  await own.call('gig.pause', { id }, as)
  await eventually(
    () => number('gigwire_search_behind_seconds'),
    (seconds) => seconds > 0.2,
  )
  t.is(await number('gigwire_search_indexed_total'), 1)
  t.true((await number('gigwire_search_engine_refusals_total{code="engine_down"}')) >= 1)
})

test('a gig changed many times at once ends in the index as it was said last', async (t) => {
  const own = await startNode({ services })
  t.teardown(own.stop)
  await ensureSeller(own)
  const ids = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const { id } = await own.call('gig.create', content(`Ibis stories ${at}`, elsewhere), as)
      await own.call('gig.publish', { id }, as)
      return id
    }),
  )
  await Promise.all(
    ids.map(async (id) => {
      for (let round = 0; round < 5; round++) await own.call('gig.update', { id, title: `Ibis number${round}` }, as)
    }),
  )
  await eventually(
    () => own.call('search.gigs', { q: 'ibis number4', loosen: 'no' }),
    ({ total }) => total === 20,
  )
  t.is((await own.call('search.gigs', { q: 'number3 ibis', loosen: 'no' })).total, 0)
  t.deepEqual((await own.call('search.difference', {})).different, [])
})
