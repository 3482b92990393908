import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, type TestNode } from '../../test/node.ts'
import { as, codeOf, listen, open, person, send, sendOn, signUp, startChat } from './testing.ts'

const ann = person('ann')
let node: TestNode
test.before(async () => {
  node = await startChat([ann])
})
test.after.always(() => node?.stop())

const somebody = async (username: string) => {
  const other = person(username)
  await signUp(node, other)
  return other
}
type Person = typeof ann
const block = (who: Person, whom: Person, on = node) => on.call('chat.block', { id: whom.id }, as(who))
const unblock = (who: Person, whom: Person, on = node) => on.call('chat.unblock', { id: whom.id }, as(who))

test('who is blocked is refused from the answer on, and heard again once unblocked', async (t) => {
  const eve = await somebody('eve')
  const id = await open(node, ann, eve)
  const sent = await send(node, id, eve, 'before')
  t.deepEqual(await block(ann, eve), { blocked: true })
  t.is(await codeOf(send(node, id, eve, 'blocked')), 'forbidden')
  t.is(await codeOf(node.call('chat.edit', { id, message: sent.id, text: 'worse' }, as(eve))), 'forbidden')
  t.is((await send(node, id, eve, 'before')).id, sent.id)
  t.is((await send(node, id, ann, 'mine')).seq, 2)
  t.deepEqual(await block(ann, eve), { blocked: true })
  t.deepEqual(await unblock(ann, eve), { blocked: false })
  t.deepEqual(await unblock(ann, eve), { blocked: false })
  t.is((await send(node, id, eve, 'after')).seq, 3)
})

test('nothing that who is blocked does is told to who blocked them, and all of it to themselves', async (t) => {
  const max = await somebody('max')
  const id = await open(node, ann, max)
  const [sent, other] = [await send(node, id, max, 'one'), await send(node, id, max, 'two')]
  await send(node, id, ann, 'three')
  await block(ann, max)
  const [of, own] = [await listen(node, ann), await listen(node, max)]
  await node.call('chat.typing', { id }, as(max))
  await node.call('chat.read', { id, seq: 3 }, as(max))
  await node.call('chat.erase', { id, message: sent.id }, as(max))
  t.deepEqual(
    of.told.filter(({ data }) => data.conversation === id),
    [],
  )
  t.deepEqual(
    own.told.map(({ ev }) => ev),
    ['read', 'message.deleted'],
  )
  await unblock(ann, max)
  await node.call('chat.erase', { id, message: other.id }, as(max))
  t.is(of.told.at(-1)!.data.change, 2)
  await Promise.all([of.stop(), own.stop()])
})

test('a message that is being stored while its sender is blocked is not told', async (t) => {
  const una = await somebody('una')
  const id = await open(node, ann, una)
  await send(node, id, una, 'warm')
  const { told, stop } = await listen(node, ann)
  const sending = Array.from({ length: 60 }, (_, at) => codeOf(send(node, id, una, `m${at}`)))
  await block(ann, una)
  const toldThen = told.filter(({ data }) => data.conversation === id).length
  const outcomes = await Promise.all(sending)
  const toldAfter = told.filter(({ data }) => data.conversation === id).length
  t.is(toldAfter, toldThen)
  t.true(outcomes.every((code) => code === 'no refusal' || code === 'forbidden'))
  t.is(await codeOf(send(node, id, una, 'later')), 'forbidden')
  await stop()
})

test('somebody blocked before there was a conversation is blocked in it', async (t) => {
  const kim = await somebody('kim')
  await block(ann, kim)
  const id = await open(node, kim, ann)
  t.is(await codeOf(send(node, id, kim, 'hello')), 'forbidden')
  await unblock(ann, kim)
  t.is((await send(node, id, kim, 'hello')).seq, 1)
})

test('one sees whom one has blocked, the latest first, and nobody else does', async (t) => {
  const [lou, one, two] = [await somebody('lou'), await somebody('one'), await somebody('two')]
  await block(lou, one)
  await new Promise((resolve) => setTimeout(resolve, 5))
  await block(lou, two)
  const first = await node.call('chat.blocked', { limit: 1 }, as(lou))
  t.deepEqual(
    first.data.map(({ username, id }) => [username, id]),
    [['two', two.id]],
  )
  const second = await node.call('chat.blocked', { limit: 1, cursor: first.nextCursor! }, as(lou))
  t.deepEqual([second.data[0]!.username, second.nextCursor], ['one', null])
  t.deepEqual((await node.call('chat.blocked', {}, as(one))).data, [])
})

test('presence is asked of people one talks with who have not blocked one', async (t) => {
  const [sam, friend, foe, stranger] = await Promise.all(['sam', 'friend', 'foe', 'stranger'].map(somebody))
  await open(node, sam!, friend!)
  await open(node, foe!, sam!)
  await block(foe!, sam!)
  const users = [friend!, foe!, stranger!, sam!].map(({ id }) => id)
  t.deepEqual((await node.call('chat.peers', { user: sam!.id, users })).peers, [friend!.id])
})

test('a block made on one node holds on the node that owns the conversation', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-blocks-'))
  const eve = person('eve')
  const nodes = [
    await startChat([ann, eve], { dataDir, cluster: 'chat-blocks', name: 'one' }),
    await startChat([], { dataDir, cluster: 'chat-blocks', name: 'two' }),
  ] as const
  await eventually(() => nodes.every(({ placement }) => placement.nodes('chat').length === 2), Boolean)
  const id = await open(nodes[0], ann, eve)
  const owner = nodes.find((one) => one.id === nodes[0].placement.owner('chat', id))!
  const other = nodes.find((one) => one !== owner)!
  await sendOn(owner, id, eve, 'warm')
  await block(ann, eve, other)
  t.is(await codeOf(sendOn(owner, id, eve, 'blocked')), 'forbidden')
  await unblock(ann, eve, other)
  t.is((await sendOn(owner, id, eve, 'again')).seq, 2)
  for (const one of nodes) await one.broker.stop()
  await rm(dataDir, { recursive: true })
})
