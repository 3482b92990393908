import test from 'ava'
import type { ServiceSchema } from 'moleculer'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import moderation from '../moderation/moderation.service.ts'
import type { Caller } from '../shapes.ts'
import { CATEGORIES, GIGS_PER_SELLER_MAX, type GigContent } from './contract.ts'
import gig from './gig.service.ts'
import { gigs } from './gig.ts'

type Changed = {
  id: string
  version: number
  status: string
  indexed: { price: number; sellerName: string; rating: number; orderCount: number } | null
}
/** Stands where search listens: keeps what it was told. */
const told: Changed[] = []
const listening: ServiceSchema = {
  name: 'search',
  actions: {
    hear: (ctx: { params: { event: { data: Changed } } }) => told.push(ctx.params.event.data),
    index: (ctx: { params: { gigs: Changed['indexed'][] } }) => ({ count: ctx.params.gigs.length }),
  },
}
let node: TestNode
test.before(async () => {
  node = await startNode({ services: [account, gig, moderation, listening] })
})
test.after.always(() => node.stop())

let people = 0
const seller = async (): Promise<Caller> => {
  const name = `seller${++people}`
  const { id, username, roles } = await node.call('account.ensure', {
    id: `usr_${name}`,
    email: `${name}@demo.test`,
    password: '',
    username: name,
    displayName: `Seller ${people}`,
    roles: ['seller'],
  })
  return { id, username, roles, sessionId: 'ses_1' }
}
const content: GigContent = {
  title: 'I will design a modern logo',
  description: 'Three concepts, two rounds of changes, all files for print and web.',
  category: 'design',
  subcategory: 'logo-design',
  tags: ['logo', 'Logo', 'brand'],
  packages: {
    basic: {
      title: 'Basic',
      description: 'One concept',
      price: { amount: 5000, currency: 'usd' },
      deliveryDays: 5,
      revisions: 1,
      features: [],
    },
    standard: {
      title: 'Standard',
      description: 'Two concepts',
      price: { amount: 9000, currency: 'usd' },
      deliveryDays: 3,
      revisions: 2,
      features: ['Sources'],
    },
  },
  extras: [{ id: 'fast', title: 'Faster', price: { amount: 1000, currency: 'usd' }, addedDays: 0 }],
  faq: [],
  requirements: [{ id: 'what', question: 'What is it for?', type: 'text', required: true }],
  images: [{ id: 'one', url: '/art/one.svg' }],
}
const as = (caller: Caller) => ({ meta: { caller } })
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )
const pathsOf = (asked: Promise<unknown>) =>
  asked.then(
    () => [],
    (error: unknown) => refusal(error)?.extra.errors?.map(({ path }) => path),
  )
const live = async (owner: Caller, more: Partial<GigContent> = {}) => {
  const draft = await node.call('gig.create', { ...content, ...more }, as(owner))
  return node.call('gig.publish', { id: draft.id }, as(owner))
}

test('a published gig is live in the answer, and everybody sees it', async (t) => {
  const owner = await seller()
  const draft = await node.call('gig.create', { title: ' A logo for you ' }, as(owner))
  t.deepEqual([draft.status, draft.title, draft.version], ['draft', 'A logo for you', 1])
  t.is(await codeOf(node.call('gig.get', { id: draft.id })), 'not_found')
  await node.call('gig.update', { id: draft.id, ...content }, as(owner))
  const published = await node.call('gig.publish', { id: draft.id }, as(owner))
  t.is(published.status, 'live')
  const seen = await node.call('gig.get', { id: draft.id })
  t.deepEqual(
    [seen.status, seen.tags, seen.seller.username, seen.rating],
    ['live', ['Logo', 'brand'], owner.username, 0],
  )
  const last = await eventually(
    () => told.findLast(({ id }) => id === draft.id),
    (one) => one !== undefined,
  )
  t.deepEqual([last?.status, last?.version, last?.indexed?.price], ['live', seen.version, 5000])
})

test('publishing says what is missing, by path', async (t) => {
  const owner = await seller()
  const { id } = await node.call('gig.create', { title: 'Only a title' }, as(owner))
  t.deepEqual(await pathsOf(node.call('gig.publish', { id }, as(owner))), ['description', 'category', 'packages.basic'])
  t.is((await node.call('gig.get', { id }, as(owner))).status, 'draft')
})

test('a gig that breaks the rules is rejected with reasons, and live once it is mended', async (t) => {
  const owner = await seller()
  const rejected = await live(owner, { description: 'Write to me@example.com and I will send you everything.' })
  t.is(rejected.status, 'rejected')
  t.regex(rejected.reasons![0]!, /e-mail address in the description/)
  t.is(await codeOf(node.call('gig.get', { id: rejected.id })), 'not_found')
  await node.call('gig.update', { id: rejected.id, description: content.description }, as(owner))
  const mended = await node.call('gig.publish', { id: rejected.id }, as(owner))
  t.deepEqual([mended.status, mended.reasons], ['live', undefined])
})

test('an edited live gig is looked at again; one that now breaks the rules goes out of sight', async (t) => {
  const owner = await seller()
  const { id, version } = await live(owner)
  const same = await node.call('gig.update', { id, title: content.title }, as(owner))
  t.deepEqual([same.status, same.version], ['live', version])
  const edited = await node.call('gig.update', { id, title: 'I will design a better logo' }, as(owner))
  t.is(edited.status, 'live')
  t.true(edited.version > version)
  t.is((await node.call('gig.update', { id, title: 'Cocaine logo for you' }, as(owner))).status, 'rejected')
  t.is(await codeOf(node.call('gig.get', { id })), 'not_found')
  t.is((await node.call('gig.get', { id }, as(owner))).status, 'rejected')
  const last = await eventually(
    () => told.findLast((one) => one.id === id),
    (one) => one?.indexed === null,
  )
  t.is(last?.indexed, null)
})

test('a paused gig comes back as it was, or through moderation when it was edited', async (t) => {
  const owner = await seller()
  const { id } = await live(owner)
  t.is((await node.call('gig.pause', { id }, as(owner))).status, 'paused')
  t.is(await codeOf(node.call('gig.get', { id })), 'not_found')
  t.is(await node.call('gig.quote', { id }), null)
  t.is((await node.call('gig.publish', { id }, as(owner))).status, 'live')
  await node.call('gig.pause', { id }, as(owner))
  t.is((await node.call('gig.update', { id, title: 'Fake passport for you' }, as(owner))).status, 'paused')
  t.is((await node.call('gig.publish', { id }, as(owner))).status, 'rejected')
})

test('a move the status forbids is refused and changes nothing', async (t) => {
  const owner = await seller()
  const { id, version } = await live(owner)
  t.is(await codeOf(node.call('gig.publish', { id }, as(owner))), 'invalid_transition')
  const draft = await node.call('gig.create', { title: 'A draft' }, as(owner))
  t.is(await codeOf(node.call('gig.pause', { id: draft.id }, as(owner))), 'invalid_transition')
  t.is((await node.call('gig.get', { id })).version, version)
})

test("another seller's live gig may be seen and not changed; a draft of theirs is as good as none", async (t) => {
  const [owner, other] = [await seller(), await seller()]
  const { id } = await live(owner)
  t.is(await codeOf(node.call('gig.update', { id, title: 'Mine now' }, as(other))), 'forbidden')
  t.is(await codeOf(node.call('gig.pause', { id }, as(other))), 'forbidden')
  t.is(await codeOf(node.call('gig.remove', { id }, as(other))), 'forbidden')
  const draft = await node.call('gig.create', { title: 'A draft' }, as(owner))
  t.is(await codeOf(node.call('gig.update', { id: draft.id, title: 'Mine now' }, as(other))), 'not_found')
  t.is(await codeOf(node.call('gig.create', { title: 'A gig' }, as({ ...other, roles: ['buyer'] }))), 'forbidden')
})

test('a deleted gig is gone for everybody, its owner included', async (t) => {
  const owner = await seller()
  const { id } = await live(owner)
  await node.call('gig.remove', { id }, as(owner))
  t.is(await codeOf(node.call('gig.get', { id }, as(owner))), 'not_found')
  t.is(await codeOf(node.call('gig.publish', { id }, as(owner))), 'not_found')
  t.deepEqual((await node.call('gig.mine', {}, as(owner))).data, [])
  t.deepEqual(await node.call('gig.cards', { ids: [id] }), [null])
})

test('an image may be named by its address or id alone', async (t) => {
  const owner = await seller()
  const { images } = await node.call(
    'gig.create',
    { ...content, images: ['/media/abc', 'def', { id: 'x', url: '/art/x.svg' }] },
    as(owner),
  )
  t.deepEqual(images, [
    { id: 'abc', url: '/media/abc' },
    { id: 'def', url: '/media/def' },
    { id: 'x', url: '/art/x.svg' },
  ])
})

test('what is left out of a package or an extra is nothing more', async (t) => {
  const owner = await seller()
  const { features: _, ...bare } = content.packages.basic
  const { addedDays: __, ...extra } = content.extras[0]!
  const made = await node.call('gig.create', { ...content, packages: { basic: bare }, extras: [extra] }, as(owner))
  t.deepEqual([made.packages.basic.features, made.extras[0]!.addedDays], [[], 0])
})

test('a seller may offer outside of the tree', async (t) => {
  const owner = await seller()
  const { category, subcategory } = await node.call(
    'gig.create',
    { ...content, category: 'beekeeping', subcategory: '' },
    as(owner),
  )
  t.deepEqual([category, subcategory], ['beekeeping', ''])
})

test('what makes no sense is refused with the place it stands at', async (t) => {
  const owner = await seller()
  const price = (currency: string) => ({ amount: 5000, currency })
  const extra = content.extras[0]!
  const wrong: [Partial<GigContent>, string][] = [
    [{ extras: [extra, extra] }, 'extras.1.id'],
    [{ requirements: [content.requirements[0]!, content.requirements[0]!] }, 'requirements.1.id'],
    [{ extras: [{ ...extra, price: price('eur') }] }, 'extras.0.price.currency'],
    [
      { packages: { ...content.packages, standard: { ...content.packages.basic, price: price('eur') } } },
      'packages.standard.price.currency',
    ],
    [{ images: [{ id: 'x', url: 'https://elsewhere.test/x.png' }] }, 'images.0.url'],
    [{ images: [{ id: 'x', url: '/media/../secret' }] }, 'images.0.url'],
    [{ title: '   ' }, 'title'],
    [{ title: 'A\u0000title' }, 'title'],
  ]
  for (const [part, path] of wrong)
    t.deepEqual(await pathsOf(node.call('gig.create', { ...content, ...part }, as(owner))), [path])
})

test('an own list has every status, newest first, in pages', async (t) => {
  const owner = await seller()
  for (const title of ['first', 'second', 'third']) await node.call('gig.create', { title: `the ${title}` }, as(owner))
  const one = await node.call('gig.mine', { limit: 2 }, as(owner))
  const two = await node.call('gig.mine', { limit: 2, cursor: one.nextCursor! }, as(owner))
  const titles = [...one.data, ...two.data].map(({ title }) => title)
  t.is(two.nextCursor, null)
  t.deepEqual(titles.toSorted(), ['the first', 'the second', 'the third'])
  t.is(await codeOf(node.call('gig.mine', { cursor: 'nonsense' }, as(owner))), 'bad_cursor')
})

test("an order freezes what is live, and a seller's cards are those of live gigs", async (t) => {
  const owner = await seller()
  const { id, version } = await live(owner)
  await node.call('gig.create', { title: 'A draft' }, as(owner))
  const quote = await node.call('gig.quote', { id })
  t.deepEqual(
    [quote?.seller, quote?.version, quote?.packages.basic.price.amount, quote?.extras[0]?.id],
    [owner.id, version, 5000, 'fast'],
  )
  const { data } = await node.call('gig.ofSeller', { seller: owner.id })
  t.deepEqual(
    data.map((card) => [card.id, card.price.amount, card.deliveryDays, card.seller.username]),
    [[id, 5000, 3, owner.username]],
  )
})

test('a decision about an older text changes nothing', async (t) => {
  const owner = await seller()
  const { id, version } = await live(owner)
  await node.call('gig.decide', { id, version: version - 1, approved: false, reasons: ['late'] })
  t.is((await node.call('gig.get', { id })).status, 'live')
})

test('reviews and orders are counted once each, however often they are told', async (t) => {
  const owner = await seller()
  const { id } = await live(owner)
  const hear = (name: string, eventId: string, data: object) =>
    node.broker.call('gig.hear', { event: { id: eventId, name, data, at: 1 } })
  const review = { order: 'ord_1', gig: id, seller: owner.id, buyer: 'usr_b', by: 'buyer', rating: 4, at: 1 }
  await hear('review.published', 'a', review)
  await hear('review.published', 'a', review)
  await hear('review.published', 'b', { ...review, by: 'seller', rating: 1 })
  await hear('order.completed', 'c', { order: 'ord_1', gig: id, buyer: 'usr_b', seller: owner.id, at: 1 })
  await hear('order.completed', 'c', { order: 'ord_1', gig: id, buyer: 'usr_b', seller: owner.id, at: 1 })
  await hear('order.completed', 'd', { order: 'ord_9', gig: 'gig_gone', buyer: 'usr_b', seller: owner.id, at: 1 })
  const seen = await node.call('gig.get', { id })
  t.deepEqual([seen.rating, seen.reviewCount], [4, 1])
  const last = await eventually(
    () => told.findLast((one) => one.id === id),
    (one) => one?.indexed?.orderCount === 1,
  )
  t.is(last?.indexed?.rating, 4)
})

test("a seller's new name reaches the index and the gig", async (t) => {
  const owner = await seller()
  const { id } = await live(owner)
  await node.call('account.update', { displayName: 'Renamed' }, as(owner))
  const last = await eventually(
    () => told.findLast((one) => one.id === id),
    (one) => one?.indexed?.sellerName === 'Renamed',
  )
  t.is(last?.status, 'live')
  await eventually(
    () => node.call('gig.get', { id }),
    (one) => one.seller.displayName === 'Renamed',
  )
})

test('every node is told to forget what it prepared from a changed gig', async (t) => {
  const owner = await seller()
  const heard: string[][] = []
  const stop = (await node.open('fanout')).onNodes('hot.changed', (data) =>
    heard.push((data as { tags: string[] }).tags),
  )
  const { id } = await live(owner)
  stop()
  const tags = heard.find((one) => one.includes(`gig:${id}`)) ?? []
  t.deepEqual(tags.toSorted(), ['categories', 'category:design', `gig:${id}`, 'search', `user:${owner.username}`])
})

test('seeded gigs are live at once, once each, and every live gig can be listed for the index', async (t) => {
  const owner = await seller()
  const seeded = Array.from({ length: 30 }, (_, at) => ({
    ...content,
    id: `gig_seed${at}`,
    seller: owner.id,
    createdAt: 1000 + at,
    rating: 4.5,
    reviewCount: 10,
    orderCount: 20,
  }))
  t.deepEqual(await node.call('gig.ensureMany', { gigs: seeded }), { made: 30 })
  t.deepEqual(await node.call('gig.ensureMany', { gigs: seeded }), { made: 0 })
  const seen = await node.call('gig.get', { id: 'gig_seed7' })
  t.deepEqual([seen.status, seen.rating, seen.reviewCount, seen.version], ['live', 4.5, 10, 1])
  const found: string[] = []
  let after: string | undefined
  do {
    const page = await node.call('gig.indexed', { limit: 7, ...(after && { after }) })
    found.push(...page.data.map(({ id }) => id))
    after = page.next ?? undefined
  } while (after)
  t.is(found.filter((id) => id.startsWith('gig_seed')).length, 30)
  t.is(new Set(found).size, found.length)
})

test('a gig published while moderation is away waits, and goes live when it is back', async (t) => {
  const own = await startNode({ services: [account, gig] })
  await own.call('account.ensure', {
    id: 'usr_one',
    email: 'one@demo.test',
    password: '',
    username: 'one',
    displayName: 'One',
    roles: ['seller'],
  })
  const one = as({ id: 'usr_one', username: 'one', roles: ['buyer', 'seller'], sessionId: 'ses_1' })
  const { id } = await own.call('gig.create', content, one)
  t.is((await own.call('gig.publish', { id }, one)).status, 'pending')
  own.broker.createService(moderation)
  await eventually(
    () => own.call('gig.get', { id }, one),
    ({ status }) => status === 'live',
  )
  await own.stop()
})

test('a seller has a bounded number of gigs', async (t) => {
  const owner = await seller()
  const documents = await node.open('documents')
  const one = await node.call('gig.create', { title: 'The first' }, as(owner))
  const doc = (await documents.get(gigs, one.id))!
  await documents.insertMany(
    gigs,
    Array.from({ length: GIGS_PER_SELLER_MAX - 1 }, (_, at) => ({ ...doc, id: `gig_many${at}`, version: 1 })),
  )
  t.is(await codeOf(node.call('gig.create', { title: 'One too many' }, as(owner))), 'conflict')
})

test('the tree has a dozen categories of four or more, and no slug twice', (t) => {
  t.true(CATEGORIES.length >= 12)
  t.true(CATEGORIES.every(({ subcategories }) => subcategories.length >= 4))
  // Subcategories are counted by their slug alone, so no two categories may share one.
  const slugs = [
    CATEGORIES.map(({ slug }) => slug),
    CATEGORIES.flatMap(({ subcategories }) => subcategories.map(({ slug }) => slug)),
  ]
  for (const level of slugs) t.is(new Set(level).size, level.length)
  t.true(slugs.flat().every((slug) => /^[a-z0-9-]+$/.test(slug)))
})
