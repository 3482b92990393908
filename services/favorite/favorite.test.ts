import test from 'ava'
import { isMovable } from '../../adapters/clock/index.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import { gigBody } from '../../test/everything.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import gig from '../gig/gig.service.ts'
import moderation from '../moderation/moderation.service.ts'
import search from '../search/search.service.ts'
import type { Caller } from '../shapes.ts'
import { FAVORITES_MAX, TALLY_MS } from './contract.ts'
import favorite from './favorite.service.ts'
import { favorites } from './favorites.ts'

const person = (name: string, roles: Caller['roles'] = ['buyer']): Caller => ({
  id: `usr_00000000000000000000${name}`,
  username: name,
  roles,
  sessionId: 'ses_1',
})
const [seller, one, other] = [person('seller', ['buyer', 'seller']), person('one'), person('other')]

const start = async (): Promise<TestNode> => {
  const node = await startNode({ services: [account, gig, moderation, search, favorite] })
  for (const { id, username, roles } of [seller, one, other])
    await node.call('account.ensure', {
      id,
      email: `${username}@favorite.test`,
      password: '',
      username,
      displayName: username,
      roles,
    })
  return node
}
const liveGig = async ({ call }: TestNode): Promise<string> => {
  const { id } = await call('gig.create', gigBody as never, { meta: { caller: seller } })
  await call('gig.publish', { id }, { meta: { caller: seller } })
  return id
}
const keep = ({ call }: TestNode, caller: Caller, gigId: string) =>
  call('favorite.add', { gigId }, { meta: { caller } })
const drop = ({ call }: TestNode, caller: Caller, gigId: string) =>
  call('favorite.remove', { gigId }, { meta: { caller } })
const quality = async ({ call }: TestNode, id: string) =>
  (await call('gig.indexed', {})).data.find((indexed) => indexed.id === id)!.quality
const pass = async ({ clock, call, broker }: TestNode, ms: number) => {
  if (isMovable(clock)) clock.moveTo(clock.offsetMs() + ms)
  await broker.call('favorite.wakeDue', {})
  await call('search.reindex', {})
}

test('a gig that more people keep ranks higher a minute later, and as before when they keep it no longer', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const id = await liveGig(node)
  const before = await quality(node, id)
  await keep(node, one, id)
  await keep(node, one, id)
  await keep(node, other, id)
  t.is(await quality(node, id), before)
  await pass(node, TALLY_MS)
  t.true((await quality(node, id)) > before)
  await drop(node, one, id)
  await drop(node, other, id)
  await pass(node, TALLY_MS)
  t.is(await quality(node, id), before)
})

test('a seller may keep an own gig, which does not make it rank higher', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const id = await liveGig(node)
  const before = await quality(node, id)
  t.is((await keep(node, seller, id)).gig, id)
  await pass(node, TALLY_MS)
  t.is(await quality(node, id), before)
})

test('many people who keep a gig within a minute change it once', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const id = await liveGig(node)
  const version = async () => (await node.call('gig.get', { id }, { meta: { caller: seller } })).version
  const before = await version()
  const crowd = Array.from({ length: 20 }, (_, at) => person(`crowd${at}`))
  await Promise.all(crowd.map((caller) => keep(node, caller, id)))
  await pass(node, TALLY_MS)
  await eventually(version, (now) => now === before + 1)
  await pass(node, TALLY_MS)
  t.is(await version(), before + 1)
})

test('a person keeps so many gigs and no more', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const [id, late] = [await liveGig(node), await liveGig(node)]
  await keep(node, one, id)
  const documents = await node.open('documents')
  await documents.insertMany(
    favorites,
    Array.from({ length: FAVORITES_MAX - 1 }, (_, at) => ({
      id: `${one.id}/gig_${at}`,
      version: 1,
      user: one.id,
      gig: `gig_${at}`,
      at,
      countedFor: null,
    })),
  )
  const error = await t.throwsAsync(keep(node, one, late))
  t.is(refusal(error)?.code, 'conflict')
  t.is((await keep(node, one, id)).gig, id, 'one that is kept already')
})

test('a gig whose seller changed it while it was paused is not shown before it was looked at', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const id = await liveGig(node)
  const meta = { meta: { caller: seller } }
  await keep(node, one, id)
  const shown = async () =>
    (await node.call('favorite.list', {}, { meta: { caller: one } })).data.map(({ status }) => status)
  await node.call('gig.pause', { id }, meta)
  t.deepEqual(await shown(), ['paused'])
  await node.call('gig.update', { id, title: 'I will write to you at x@y.example' }, meta)
  t.deepEqual(await shown(), [])
})
