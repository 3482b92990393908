import test from 'ava'
import { castOf, gigBody, startEverything, type Everything, type Person } from '../../test/everything.ts'
import { eventually } from '../../test/node.ts'
import type { GigCard } from '../gig/contract.ts'
import { NEAR_MAX, TOUCHED_MAX } from './contract.ts'
import { recommended } from './ranking.ts'
import { nearer, nearest, touched, type NearDoc, type TasteDoc } from './taste.ts'

const touch = (
  known: TasteDoc | null,
  gig: string,
  how: 'opened' | 'kept' | 'ordered' = 'opened',
  at = 0,
  event?: string,
) => touched(known, { user: 'usr_1', gig, how, ...(event && { event }) }, at)
const pairsOf = ({ say = [] }: ReturnType<typeof touch>) =>
  say.flatMap(({ data }) => ('pairs' in data ? data.pairs.map(({ gig, score }) => [gig, score]) : []))
const afterAll = (gigs: string[]) =>
  gigs.reduce<TasteDoc | null>((known, gig, at) => touch(known, gig, 'opened', at).next!, null)

test('what is touched in one breath is brought near, each further back by half, and the more it meant', (t) => {
  t.deepEqual(pairsOf(touch(afterAll(['a', 'b']), 'c')), [
    ['b', 1],
    ['a', 0.5],
  ])
  t.deepEqual(pairsOf(touch(afterAll(['a']), 'c', 'ordered')), [['a', 2]])
})

test('the same again within the hour, and an event heard twice, say nothing new', (t) => {
  const known = afterAll(['a', 'b'])
  t.is(touch(known, 'a', 'opened', 1000).next, undefined)
  t.deepEqual(pairsOf(touch(known, 'a', 'kept', 1000)).length, 1)
  const ordered = touch(known, 'c', 'ordered', 1000, 'evt').next!
  t.is(touch(ordered, 'c', 'ordered', 5_000_000, 'evt').next, undefined)
})

test('a person’s touches and a gig’s neighbours have an end', (t) => {
  const many = Array.from({ length: NEAR_MAX * 2 }, (_, at) => `gig_${at}`)
  t.is(afterAll(many)!.touched.length, TOUCHED_MAX)
  const doc = many.reduce<NearDoc | null>(
    (known, gig, at) => nearer(known, { gig: 'a', weight: 1, pairs: [{ gig, score: at }], event: `e${at}` }).next!,
    null,
  )!
  t.is(doc.near.length, NEAR_MAX)
  t.is(doc.near[0]![0], many.at(-1)!)
  t.is(nearer(doc, { gig: 'a', weight: 1, pairs: [], event: 'e99' }).next, undefined)
})

test('what everybody touches is not near to everything', (t) => {
  const doc = {
    near: [
      ['fashion', 3],
      ['kin', 2],
    ],
  } as unknown as NearDoc
  t.deepEqual(nearest(doc, [1000, 2]), ['kin', 'fashion'])
})

const card = (id: string, seller = 'usr_s') => ({ id, seller: { id: seller } }) as GigCard
test('what is like several of the touched gigs comes first, then what is popular, never the unwanted', (t) => {
  const likes = [
    { gig: 'last', cards: [card('a'), card('b'), card('own', 'me')] },
    { gig: 'first', cards: [card('c'), card('b')] },
  ]
  const list = recommended(likes, [card('p'), card('a')], ({ seller }) => seller.id === 'me', 4)
  t.deepEqual(
    list.map(({ id, reason }) => [id, reason.because === 'like' ? reason.gig : reason.because]),
    [
      ['b', 'last'],
      ['a', 'last'],
      ['c', 'first'],
      ['p', 'popular'],
    ],
  )
})

const gigOf = async (market: Everything, seller: Person, title: string, category: string) => {
  const body = { ...gigBody, title, category, subcategory: '', tags: [title.split(' ').at(-1)!] }
  const { id } = (await market.request('POST', '/v1/gigs', { token: seller.token, body })).body
  await market.request('POST', `/v1/gigs/${id}/publish`, { token: seller.token, body: {} })
  return id as string
}

test.serial('who kept one gig is shown what others kept with it; a stranger is shown what is popular', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const { seller, buyer, otherBuyer, otherSeller } = await castOf(market)
  const kite = await gigOf(market, seller, 'I will build you a kite', 'design')
  const song = await gigOf(market, seller, 'I will sing you a song', 'music')
  const tax = await gigOf(market, seller, 'I will file your taxes', 'business')
  const keep = (who: Person, gig: string) => market.request('PUT', `/v1/favorites/${gig}`, { token: who.token })
  for (const who of [buyer, otherSeller]) {
    await keep(who, kite)
    await keep(who, song)
  }
  const near = () => market.call('recommendation.near', { gig: kite })
  await eventually(near, ({ gigs }) => gigs.includes(song))
  await keep(otherBuyer, kite)
  const list = async (token?: string) =>
    (await market.request('GET', '/v1/recommendations', token ? { token } : {})).body.data as any[]
  const shown = await eventually(
    () => list(otherBuyer.token),
    (data) => data[0]?.reason.because === 'like',
  )
  t.like(shown[0], { id: song, reason: { because: 'like', gig: kite } })
  t.like(shown[1], { id: tax, reason: { because: 'popular' } })
  t.false(
    shown.some(({ id }) => id === kite),
    'what one has already',
  )
  const cold = await list()
  t.deepEqual(cold.map(({ id }) => id).toSorted(), [kite, song, tax].toSorted())
  t.true(cold.every(({ reason }) => reason.because === 'popular'))
  t.deepEqual(await list(seller.token), [], 'nobody is shown their own')
  t.is((await market.request('GET', `/v1/gigs/${kite}/similar`)).body.data[0].id, song)
})

test.serial('what was ordered and opened counts as well', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const { seller, buyer } = await castOf(market)
  const one = await gigOf(market, seller, 'I will build you a kite', 'design')
  const other = await gigOf(market, seller, 'I will sing you a song', 'music')
  await market.request('POST', '/v1/discovery/sightings', {
    token: buyer.token,
    body: { sightings: [{ kind: 'click', gig: one }] },
  })
  const touchedGigs = async () => (await market.call('recommendation.touched', { user: buyer.id })).data
  await eventually(touchedGigs, (all) => all.length === 1)
  const { id } = (
    await market.request('POST', '/v1/orders', { token: buyer.token, body: { gig: other, package: 'basic' } })
  ).body
  const move = (who: Person, what: string, body: object) =>
    market.request('POST', `/v1/orders/${id}/${what}`, { token: who.token, body })
  await move(buyer, 'pay', { paymentMethod: 'pm_card_visa' })
  await move(buyer, 'requirements', { answers: [{ id: 'name', answer: 'x' }] })
  await move(seller, 'deliver', { message: 'x' })
  await move(buyer, 'accept', {})
  const all = await eventually(touchedGigs, (data) => data.length === 2)
  t.deepEqual(
    all.map(({ gig, how }) => [gig, how]),
    [
      [other, 'ordered'],
      [one, 'opened'],
    ],
  )
})
