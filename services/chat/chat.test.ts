import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import chat from './chat.service.ts'
import { messages } from './messages.ts'

type Person = Caller
const people = ['ann', 'bob', 'eve'].map((username): Person => ({
  id: `usr_0000000000000000000000${username}`,
  username,
  roles: ['buyer'],
  sessionId: 'ses_1',
})) as [Person, Person, Person]
const [ann, bob, eve] = people

const start = async (
  options: { env?: Record<string, string>; cluster?: string; name?: string } = {},
): Promise<TestNode> => {
  const { env = {}, cluster, name } = options
  const hosted = { services: [account, chat], env: { ...env, ...(name && { NODE_ID: name }) } }
  const node = await startNode(cluster ? { ...hosted, broker: { transporter: 'Fake', namespace: cluster } } : hosted)
  for (const { id, username } of people)
    await node.call('account.ensure', {
      id,
      email: `${username}@chat.test`,
      password: '',
      username,
      displayName: username,
      roles: ['buyer'],
    })
  return node
}
const as = (caller: Caller) => ({ meta: { caller } })
const open = (node: TestNode, from: Person, to: Person) => node.call('chat.open', { with: to.id }, as(from))
const send = (node: TestNode, id: string, from: Person, clientId: string, text = clientId) =>
  node.call('chat.send', { id, clientId, text }, as(from))
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'no refusal',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )

let node: TestNode
test.before(async () => {
  node = await start()
})
test.after.always(() => node?.stop())

test('the same two people have one conversation, whoever opens it and however often at once', async (t) => {
  const opened = await Promise.all(
    Array.from({ length: 20 }, (_, at) => (at % 2 ? open(node, ann, eve) : open(node, eve, ann))),
  )
  t.is(new Set(opened.map(({ id }) => id)).size, 1)
  t.deepEqual(opened[0]!.members.map(({ username }) => username).sort(), ['ann', 'eve'])
  t.is((await node.call('chat.list', {}, as(eve))).data.length, 1)
  t.is(await codeOf(node.call('chat.open', { with: ann.id }, as(ann))), 'validation_failed')
  t.is(await codeOf(node.call('chat.open', { with: 'usr_nobody' }, as(ann))), 'not_found')
})

test('messages of both are numbered without a gap, and a clientId is one message however often it is sent', async (t) => {
  const node = await start()
  const { id } = await open(node, ann, bob)
  const sent = await Promise.all(
    Array.from({ length: 200 }, (_, at) => send(node, id, at % 2 ? ann : bob, `m${at % 100}`)),
  )
  // Each wrote fifty, each of them twice.
  const seqs = new Set(sent.map(({ seq }) => seq))
  t.deepEqual(
    [...seqs].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, at) => at + 1),
  )
  const all = await node.call('chat.history', { id, after: 0, limit: 100 }, as(ann))
  t.deepEqual(
    all.messages.map(({ seq }) => seq),
    Array.from({ length: 100 }, (_, at) => at + 1),
  )
  t.deepEqual(await node.call('chat.verify', {}).then(({ problems }) => problems), [])
  await node.stop()
})

test('a message is 1 to 8,000 characters after trimming', async (t) => {
  const { id } = await open(node, ann, bob)
  t.is((await send(node, id, ann, 'trim', '  hello \n')).text, 'hello')
  t.is((await send(node, id, ann, 'long', 'x'.repeat(8000))).text.length, 8000)
  t.is([...(await send(node, id, ann, 'drawn', '🎨'.repeat(8000))).text].length, 8000)
  for (const text of ['   ', 'x'.repeat(8001), '🎨'.repeat(8001), 'a\u0000b', '\ud800'])
    t.is(await codeOf(send(node, id, ann, `bad-${text.length}`, text)), 'validation_failed')
})

test("a stranger's conversation does not exist, and a blocked person is told so", async (t) => {
  const { id } = await open(node, ann, bob)
  t.is(await codeOf(send(node, id, eve, 'x')), 'not_found')
  t.is(await codeOf(node.call('chat.get', { id }, as(eve))), 'not_found')
  t.is(await codeOf(node.call('chat.messages', { id }, as(eve))), 'not_found')
  t.is(await codeOf(node.call('chat.read', { id, seq: 1 }, as(eve))), 'not_found')
  const other = await open(node, bob, eve)
  await node.call('chat.block', { id: eve.id }, as(bob))
  t.is(await codeOf(send(node, other.id, eve, 'x')), 'forbidden')
  t.is((await send(node, other.id, bob, 'x')).seq, 1)
})

test('history goes both ways, pages by cursor and knows its own cursors', async (t) => {
  const fresh = await start()
  const { id } = await open(fresh, ann, bob)
  for (let at = 1; at <= 7; at++) await send(fresh, id, ann, `m${at}`)
  const seqs = ({ data }: { data: { seq: number }[] }) => data.map(({ seq }) => seq)
  const page = (asked: object) => fresh.call('chat.messages', { id, ...asked }, as(bob))
  const first = await page({ limit: 3 })
  t.deepEqual(seqs(first), [1, 2, 3])
  const second = await page({ limit: 3, cursor: first.nextCursor! })
  t.deepEqual(seqs(second), [4, 5, 6])
  t.deepEqual(seqs(await page({ limit: 3, cursor: second.nextCursor! })), [7])
  t.deepEqual(seqs(await page({ before: 6, limit: 2 })), [4, 5])
  t.deepEqual(seqs(await page({ after: 5 })), [6, 7])
  t.deepEqual(seqs(await page({ after: 7 })), [])
  t.is(await codeOf(page({ cursor: 'forged' })), 'bad_cursor')
  await fresh.stop()
})

test('sync answers what was missed, in pages, and leaves out what is not theirs', async (t) => {
  const fresh = await start()
  const mine = await open(fresh, ann, bob)
  const theirs = await open(fresh, bob, eve)
  for (let at = 1; at <= 230; at++) await send(fresh, mine.id, bob, `m${at}`)
  await send(fresh, theirs.id, bob, 'secret')
  const first = await fresh.call(
    'chat.sync',
    { conversations: { [mine.id]: 10, [theirs.id]: 0, cnv_none: 0 } },
    as(ann),
  )
  t.deepEqual(Object.keys(first.conversations), [mine.id])
  const got = first.conversations[mine.id]!
  t.deepEqual([got.messages[0]!.seq, got.messages.length, got.lastSeq, got.hasMore], [11, 200, 230, true])
  const rest = await fresh.call('chat.sync', { conversations: { [mine.id]: got.messages.at(-1)!.seq } }, as(ann))
  t.deepEqual([rest.conversations[mine.id]!.messages.length, rest.conversations[mine.id]!.hasMore], [20, false])
  await fresh.stop()
})

test('a read mark goes forward only, and what is unread is what the other wrote since', async (t) => {
  const fresh = await start()
  const { id } = await open(fresh, ann, bob)
  for (let at = 1; at <= 3; at++) await send(fresh, id, ann, `m${at}`)
  await send(fresh, id, bob, 'm4')
  const unread = async (who: Person) => (await fresh.call('chat.get', { id }, as(who))).unread
  t.deepEqual([await unread(bob), await unread(ann)], [3, 1])
  t.is((await fresh.call('chat.read', { id, seq: 2 }, as(bob))).seq, 2)
  t.is(await unread(bob), 1)
  t.is((await fresh.call('chat.read', { id, seq: 1 }, as(bob))).seq, 2)
  t.is((await fresh.call('chat.read', { id, seq: 99 }, as(bob))).seq, 4)
  t.is(await unread(bob), 0)
  await fresh.stop()
})

test('the conversation that moved last is listed first', async (t) => {
  const fresh = await start()
  const [one, two] = [await open(fresh, ann, bob), await open(fresh, ann, eve)]
  await send(fresh, two.id, ann, 'a')
  await new Promise((resolve) => setTimeout(resolve, 5))
  await send(fresh, one.id, bob, 'b')
  const { data } = await fresh.call('chat.list', {}, as(ann))
  t.deepEqual(
    data.map(({ id }) => id),
    [one.id, two.id],
  )
  t.is(data[0]!.lastMessage?.text, 'b')
  await fresh.stop()
})

test('only its sender edits or deletes a message; its number stays', async (t) => {
  const { id } = await open(node, ann, bob)
  const { id: message, seq } = await send(node, id, ann, 'edit-me', 'first')
  t.is(await codeOf(node.call('chat.edit', { id, message, text: 'mine' }, as(bob))), 'forbidden')
  const edited = await node.call('chat.edit', { id, message, text: 'second' }, as(ann))
  t.deepEqual([edited.text, edited.seq, typeof edited.editedAt], ['second', seq, 'string'])
  const erased = await node.call('chat.erase', { id, message }, as(ann))
  t.deepEqual([erased.text, erased.seq, erased.deleted], ['', seq, true])
  t.is(await codeOf(node.call('chat.edit', { id, message, text: 'third' }, as(ann))), 'conflict')
})

test('every member hears every event, typing goes to the other alone', async (t) => {
  const node = await start()
  const fanout = await node.open('fanout')
  const heard: { users: readonly string[]; ev: string }[] = []
  const attached = fanout.attach({
    users: (users, frame) => void heard.push({ users: [...users].sort(), ev: JSON.parse(frame).ev }),
    topic: () => undefined,
  })
  for (const { id } of people) attached.hold(id)
  const { id } = await open(node, ann, bob)
  const { seq } = await send(node, id, ann, 'to-all')
  await node.call('chat.read', { id, seq }, as(bob))
  await node.call('chat.typing', { id }, as(ann))
  await send(node, id, ann, 'to-all')
  t.deepEqual(heard, [
    { users: [ann.id, bob.id].sort(), ev: 'message' },
    { users: [ann.id, bob.id].sort(), ev: 'read' },
    { users: [bob.id], ev: 'typing' },
  ])
  await attached.detach()
  await node.stop()
})

test('two nodes that both number one conversation leave no gap and no two alike', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-chat-'))
  const nodes = [
    await start({ env: { DATA_DIR: dataDir }, cluster: 'chat-two', name: 'one' }),
    await start({ env: { DATA_DIR: dataDir }, cluster: 'chat-two', name: 'two' }),
  ]
  await eventually(() => nodes.every(({ placement }) => placement.nodes('chat').length === 2), Boolean)
  const { id } = await open(nodes[0]!, ann, bob)
  // Each is told to act as the owner: the call names the node.
  const sendOn = (at: number, clientId: string) =>
    nodes[at]!.broker.call<{ seq: number }, object>(
      'chat.send',
      { id, clientId, text: clientId },
      { nodeID: nodes[at]!.id, meta: { caller: ann } },
    ).then(
      ({ seq }) => seq,
      () => null,
    )
  const acknowledged: number[] = []
  for (let round = 0; round < 10; round++) {
    const seqs = await Promise.all([0, 1, 0, 1].map((at, number) => sendOn(at, `r${round}-${number}`)))
    acknowledged.push(...seqs.filter((seq) => seq !== null))
  }
  t.is(new Set(acknowledged).size, acknowledged.length)
  const { problems, messages: stored } = await nodes[0]!.call('chat.verify', {})
  t.deepEqual(problems, [])
  t.true(stored >= acknowledged.length && acknowledged.length > 20)
  for (const one of nodes) await one.broker.stop()
  await rm(dataDir, { recursive: true })
})

test('after a restart the numbers go on and a known clientId is still known', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-chat-'))
  const before = await start({ env: { DATA_DIR: dataDir } })
  const { id } = await open(before, ann, bob)
  const first = await send(before, id, ann, 'a')
  await before.stop()
  const after = await start({ env: { DATA_DIR: dataDir } })
  t.deepEqual(await send(after, id, ann, 'a'), first)
  t.is((await send(after, id, bob, 'b')).seq, 2)
  await after.stop()
  await rm(dataDir, { recursive: true })
})

test('a message that is missing is noticed', async (t) => {
  const fresh = await start()
  const { id } = await open(fresh, ann, bob)
  const sent = [await send(fresh, id, ann, 'a'), await send(fresh, id, ann, 'b'), await send(fresh, id, ann, 'c')]
  await (await fresh.open('documents')).remove(messages, sent[1]!.id)
  t.deepEqual((await fresh.call('chat.verify', {})).problems, [`${id}: message 2 is missing before 3`])
  await fresh.stop()
})
