import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceSchema } from 'moleculer'
import { isMovable } from '../../adapters/clock/index.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal, refuse } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import review from './review.service.ts'
import { HIDDEN_MS } from './reviews.ts'

const people = ['buyer', 'seller', 'eve'].map((username): Caller => ({
  id: `usr_00000000000000000000${username}`,
  username,
  roles: ['buyer'],
  sessionId: 'ses_1',
}))
const [buyer, seller, eve] = people as [Caller, Caller, Caller]
const admin: Caller = { id: 'usr_admin', username: 'admin', roles: ['buyer', 'moderator', 'admin'], sessionId: 'ses_1' }

type Heard = { id: string; name: string; data: { order: string; by: string; rating?: number; at?: number } }
type Market = TestNode & { heard: Record<'order' | 'gig', Heard[]>; completed: Map<string, number | null> }

/** Orders and gigs by hand: which orders are completed when, and what reviews tell them. */
const start = async (env: Record<string, string> = {}): Promise<Market> => {
  const heard: Market['heard'] = { order: [], gig: [] }
  const completed: Market['completed'] = new Map()
  const hear = (group: 'order' | 'gig') => (ctx: { params: { event: Heard } }) => heard[group].push(ctx.params.event)
  const order = {
    name: 'order',
    actions: {
      hear: hear('order'),
      reviewable: ({ params: { id } }: { params: { id: string } }) => {
        const completedAt = completed.get(id) ?? null
        return completedAt === null
          ? null
          : { order: id, gig: `gig_${id}`, buyer: buyer.id, seller: seller.id, at: completedAt, completedAt }
      },
      get: ({ params: { id }, meta: { caller } }: { params: { id: string }; meta: { caller: Caller } }) => {
        const isParty = [buyer.id, seller.id].includes(caller.id) || caller.roles.includes('admin')
        if (!completed.has(id) || !isParty) throw refuse('not_found')
        return {
          buyer: { id: buyer.id },
          seller: { id: seller.id },
          status: completed.get(id) === null ? 'delivered' : 'completed',
        }
      },
    },
  } as unknown as ServiceSchema
  const cards = ({ params: { ids } }: { params: { ids: string[] } }) =>
    ids.map((id) => (id === 'gig_nobody' ? null : { id }))
  const gig = { name: 'gig', actions: { hear: hear('gig'), cards } } as unknown as ServiceSchema
  const node = await startNode({ services: [account, review, order, gig], env })
  for (const { id, username } of people)
    await node.call('account.ensure', {
      id,
      email: `${username}@review.test`,
      password: '',
      username,
      displayName: `The ${username}`,
      roles: ['buyer'],
    })
  return { ...node, heard, completed }
}

let market: Market
test.before(async () => {
  market = await start()
})
test.after.always(() => market?.stop())

const as = (caller: Caller) => ({ meta: { caller } })
const write = (id: string, by: Caller, rating = 5, text = `said by ${by.username}`, on = market) =>
  on.call('review.create', { id, rating, text }, as(by))
const shown = async (id: string, on = market) => (await on.call('review.ofGig', { id: `gig_${id}` })).data
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'no refusal',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )
const told = (group: 'order' | 'gig', order: string, on = market) =>
  on.heard[group].filter(({ data }) => data.order === order)
const move = (on: Market, ms: number) => {
  if (isMovable(on.clock)) on.clock.moveTo(on.clock.offsetMs() + ms)
}

test('what one wrote is hidden until the other wrote, then both are told once', async (t) => {
  market.completed.set('ord_both', market.clock.now())
  const first = await write('ord_both', buyer, 4)
  t.deepEqual([first.hidden, first.by, first.rating, first.author.displayName], [true, 'buyer', 4, 'The buyer'])
  t.deepEqual(await shown('ord_both'), [])
  t.deepEqual(told('gig', 'ord_both'), [])
  t.false((await write('ord_both', seller)).hidden)
  t.deepEqual(
    (await shown('ord_both')).map(({ text, rating, hidden }) => ({ text, rating, hidden })),
    [{ text: 'said by buyer', rating: 4, hidden: false }],
  )
  await eventually(
    () => told('gig', 'ord_both').length,
    (count) => count >= 2,
  )
  t.deepEqual(
    told('gig', 'ord_both').map(({ data }) => [data.by, data.rating]),
    [
      ['buyer', 4],
      ['seller', 5],
    ],
  )
  t.deepEqual(
    told('order', 'ord_both').map(({ name, data }) => [name, data.by]),
    [
      ['review.written', 'buyer'],
      ['review.written', 'seller'],
    ],
  )
})

test('everybody writes once, also when asked twice at once', async (t) => {
  market.completed.set('ord_once', market.clock.now())
  const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(write('ord_once', buyer))))
  t.deepEqual(codes.toSorted(), ['conflict', 'conflict', 'conflict', 'conflict', 'no refusal'])
  await write('ord_once', seller)
  t.is(await codeOf(write('ord_once', seller)), 'conflict')
  t.is((await shown('ord_once')).length, 1)
})

test('both writing at once are both shown', async (t) => {
  market.completed.set('ord_race', market.clock.now())
  await Promise.all([write('ord_race', buyer), write('ord_race', seller)])
  t.is((await shown('ord_race')).length, 1)
  await eventually(
    () =>
      told('gig', 'ord_race')
        .map(({ data }) => data.by)
        .toSorted(),
    (sides) => sides.length === 2,
  )
})

test('only the parties of a completed order review it', async (t) => {
  market.completed.set('ord_done', market.clock.now())
  market.completed.set('ord_open', null)
  t.is(await codeOf(write('ord_open', buyer)), 'invalid_transition')
  t.is(await codeOf(write('ord_open', seller)), 'invalid_transition')
  t.is(await codeOf(write('ord_open', eve)), 'not_found')
  t.is(await codeOf(write('ord_done', eve)), 'not_found')
  t.is(await codeOf(write('ord_none', buyer)), 'not_found')
  for (const id of ['ord_open', 'ord_done']) t.is(await codeOf(write(id, admin)), 'forbidden')
  t.is(await codeOf(market.call('review.create', { id: 'ord_done', rating: 5, text: 'x' })), 'unauthenticated')
})

test('a review has one to five stars and says something that is text', async (t) => {
  market.completed.set('ord_words', market.clock.now())
  for (const rating of [0, 6, 4.5]) t.is(await codeOf(write('ord_words', buyer, rating)), 'validation_failed')
  for (const text of ['', '  \n ', 'a\u0000b', 'turned \u202e around', '\ud800', 'x'.repeat(4001)])
    t.is(await codeOf(write('ord_words', buyer, 5, text)), 'validation_failed')
  t.is((await write('ord_words', buyer, 5, '  fine\n ')).text, 'fine')
})

test('after 14 days the only review is shown, once, also when the node was away when the time came', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-review-'))
  const before = await start({ DATA_DIR: dataDir })
  const completedAt = before.clock.now()
  before.completed.set('ord_wait', completedAt)
  await write('ord_wait', buyer, 3, 'alone', before)
  move(before, HIDDEN_MS - 60_000)
  await before.broker.call('review.wakeDue', {})
  t.deepEqual(await shown('ord_wait', before), [])
  t.is(await before.broker.call('review.nextAt', {}), completedAt + HIDDEN_MS)
  await before.broker.stop()

  const after = await start({ DATA_DIR: dataDir })
  after.completed.set('ord_wait', completedAt)
  move(after, HIDDEN_MS)
  await Promise.all([after.broker.call('review.wakeDue', {}), after.broker.call('review.wakeDue', {})])
  t.deepEqual(
    (
      await eventually(
        () => shown('ord_wait', after),
        ({ length }) => length > 0,
      )
    ).map(({ text }) => text),
    ['alone'],
  )
  t.is(await after.broker.call('review.nextAt', {}), null)
  // The other may still answer, and is shown at once; the first is not told again.
  t.false((await write('ord_wait', seller, 5, 'late', after)).hidden)
  await eventually(
    () => told('gig', 'ord_wait', after).length,
    (count) => count >= 2,
  )
  t.deepEqual(
    told('gig', 'ord_wait', after).map(({ data }) => data.by),
    ['buyer', 'seller'],
  )
  t.is(new Set(told('gig', 'ord_wait', after).map(({ id }) => id)).size, 2)
  await after.broker.stop()
  await rm(dataDir, { recursive: true })
})

test('the first word after 14 days is shown at once', async (t) => {
  market.completed.set('ord_late', market.clock.now() - HIDDEN_MS - 1000)
  t.false((await write('ord_late', buyer)).hidden)
  t.is((await shown('ord_late')).length, 1)
})

test("seeded reviews are made once and stand in a gig's list newest first, in pages", async (t) => {
  const seeded = Array.from({ length: 5 }, (_, at) => ({
    id: `rev_${at}`,
    order: `ord_seed${at}`,
    gig: 'gig_seeded',
    buyer: buyer.id,
    seller: seller.id,
    rating: 4,
    text: `praise ${at}`,
    createdAt: 1000 + at,
  }))
  t.deepEqual(await market.call('review.ensureMany', { reviews: seeded }), { made: 5 })
  t.deepEqual(await market.call('review.ensureMany', { reviews: seeded }), { made: 0 })
  const first = await market.call('review.ofGig', { id: 'gig_seeded', limit: 3 })
  const rest = await market.call('review.ofGig', { id: 'gig_seeded', limit: 3, cursor: first.nextCursor! })
  t.deepEqual(
    [...first.data, ...rest.data].map(({ text }) => text),
    [4, 3, 2, 1, 0].map((at) => `praise ${at}`),
  )
  t.is(rest.nextCursor, null)
  t.is(await codeOf(market.call('review.ofGig', { id: 'gig_seeded', cursor: 'forged' })), 'bad_cursor')
  t.is(await codeOf(market.call('review.ofGig', { id: 'gig_nobody' })), 'not_found')
})
