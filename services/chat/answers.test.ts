import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import chat from './chat.service.ts'
import { SYNC_MAX } from './contract.ts'
import { messages, type MessageDoc } from './messages.ts'
import { SYNC_MESSAGES_ALL, SYNC_MESSAGES_EACH } from './missing.ts'

/** What a gateway lets wait for one socket before it closes it. */
const SOCKET_BYTES_MAX = 1024 * 1024

const person = (username: string): Caller => ({
  id: `usr_${username.padStart(26, '0')}`,
  username,
  roles: ['buyer'],
  sessionId: 'ses_1',
})
const [ann, bob] = [person('ann'), person('bob')]
const as = (caller: Caller) => ({ meta: { caller } })
const signUp = (node: TestNode, { id, username }: Caller) =>
  node.call('account.ensure', {
    id,
    email: `${username}@chat.test`,
    password: '',
    username,
    displayName: username,
    roles: ['buyer'],
  })
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'no refusal',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )
const numbersTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

let node: TestNode
test.before(async () => {
  node = await startNode({ services: [account, chat] })
  await signUp(node, ann)
})
test.after.always(() => node?.stop())

/** A conversation of Ann's with somebody new. */
const met = async (username: string): Promise<{ id: string; other: Caller }> => {
  const other = person(username)
  await signUp(node, other)
  return { id: (await node.call('chat.open', { with: other.id }, as(ann))).id, other }
}
const send = (id: string, from: Caller, clientId: string, text = clientId) =>
  node.call('chat.send', { id, clientId, text }, as(from))
/** What a send came to, with its status. */
const sent = async (on: TestNode, id: string, from: Caller, clientId: string) => {
  const call = on.broker.call(
    'chat.send',
    { id, clientId, text: clientId },
    { nodeID: on.id, meta: { caller: from } },
  ) as Promise<{ id: string }> & { ctx: { meta: { $statusCode?: number } } }
  return { id: (await call).id, status: call.ctx.meta.$statusCode ?? 201 }
}
const stored = (conversation: string, count: number): MessageDoc[] =>
  numbersTo(count).map((seq) => ({
    id: `msg_${conversation.slice(-12)}${seq}`,
    version: 1,
    conversation,
    seq,
    sender: ann.id,
    senderSeq: seq,
    clientId: `c${seq}`,
    text: `m${seq}`,
    attachments: [],
    sentAt: seq,
    editedAt: null,
    deleted: false,
  }))

test('what is unread is exactly what the other wrote after the mark, however the two took turns', async (t) => {
  const { id, other } = await met('turns')
  await Promise.all(numbersTo(40).map((at) => send(id, [1, 2, 5, 7, 11].includes(at % 13) ? ann : other, `m${at}`)))
  const { messages: all } = await node.call('chat.history', { id, after: 0, limit: 100 }, as(ann))
  t.is(all.length, 40)
  for (let mark = 0; mark <= 40; mark++) {
    if (mark > 0) for (const who of [ann, other]) await node.call('chat.read', { id, seq: mark }, as(who))
    for (const who of [ann, other]) {
      const { unread } = await node.call('chat.get', { id }, as(who))
      t.is(
        unread,
        all.filter(({ seq, sender }) => seq > mark && sender !== who.id).length,
        `${who.username} at ${mark}`,
      )
    }
  }
})

test('messages as long as can be come in answers a socket can take, and none is left out', async (t) => {
  const { id, other } = await met('long')
  await Promise.all(numbersTo(60).map((at) => send(id, other, `m${at}`, '写"\n'.repeat(2000) + '字'.repeat(2000))))
  const fits = (answer: object) => t.true(Buffer.byteLength(JSON.stringify(answer)) < SOCKET_BYTES_MAX)
  const synced: number[] = []
  for (let more = true; more;) {
    const { conversations } = await node.call('chat.sync', { conversations: { [id]: synced.at(-1) ?? 0 } }, as(ann))
    fits(conversations)
    synced.push(...conversations[id]!.messages.map(({ seq }) => seq))
    more = conversations[id]!.hasMore
    t.is(conversations[id]!.lastSeq, 60)
  }
  t.deepEqual(synced, numbersTo(60))
  const backwards: number[] = []
  for (let more = true; more;) {
    const page = await node.call('chat.history', { id, before: backwards[0] ?? 61, limit: 100 }, as(ann))
    fits(page)
    backwards.unshift(...page.messages.map(({ seq }) => seq))
    more = page.hasMore
  }
  t.deepEqual(backwards, numbersTo(60))
})

test('one sync answers at most so many messages over all conversations, and says of each whether there is more', async (t) => {
  const documents = await node.open('documents')
  const count = SYNC_MESSAGES_ALL / SYNC_MESSAGES_EACH + 1
  const ids: string[] = []
  for (let at = 0; at < count; at++) {
    const { id } = await met(`many-${at}`)
    await documents.insertMany(messages, stored(id, SYNC_MESSAGES_EACH))
    ids.push(id)
  }
  const { conversations } = await node.call(
    'chat.sync',
    { conversations: Object.fromEntries(ids.map((id) => [id, 0])) },
    as(ann),
  )
  const got = ids.map((id) => conversations[id]!)
  t.true(got.reduce((sum, { messages: some }) => sum + some.length, 0) <= SYNC_MESSAGES_ALL)
  for (const { messages: some, lastSeq, hasMore } of got)
    t.deepEqual([hasMore, lastSeq], [some.length < SYNC_MESSAGES_EACH, SYNC_MESSAGES_EACH])
  t.true(got[0]!.messages.length > 0 && got.at(-1)!.hasMore)
  const tooMany = Object.fromEntries(numbersTo(SYNC_MAX + 1).map((at) => [`cnv_${at}`, 0]))
  t.is(await codeOf(node.call('chat.sync', { conversations: tooMany }, as(ann))), 'validation_failed')
})

test('somebody who knows more than there is learns what there is', async (t) => {
  const { id } = await met('ahead')
  await send(id, ann, 'only')
  const { conversations } = await node.call('chat.sync', { conversations: { [id]: 9 } }, as(ann))
  t.deepEqual(conversations[id], { messages: [], lastSeq: 1, hasMore: false })
})

test('input that no store could keep is refused, not half taken', async (t) => {
  const { id } = await met('odd')
  for (const clientId of ['\ud800', 'a\u0000', '', 'x'.repeat(101)])
    t.is(await codeOf(send(id, ann, clientId, 'hello')), 'validation_failed', JSON.stringify(clientId))
  for (const after of [2 ** 53, 1e300, -1, 0.5])
    t.is(await codeOf(node.call('chat.history', { id, after }, as(ann))), 'validation_failed')
  t.deepEqual((await node.call('chat.history', { id, after: Number.MAX_SAFE_INTEGER - 1 }, as(ann))).messages, [])
  t.deepEqual((await node.call('chat.history', { id, before: 0 }, as(ann))).messages, [])
  for (const one of ['javascript:alert(1)', 'data:text/html,x', 'a b', '\ud800', 'https:///x'])
    t.is(
      await codeOf(node.call('chat.send', { id, clientId: 'x', text: 'x', attachments: [one] }, as(ann))),
      'validation_failed',
      one,
    )
  const attachments = ['/media/abc.png', 'https://example.test/a.png', 'brief-2']
  t.deepEqual(
    (await node.call('chat.send', { id, clientId: 'with', text: 'x', attachments }, as(ann))).attachments,
    attachments,
  )
  t.is((await node.call('chat.get', { id }, as(ann))).lastSeq, 1)
})

test('a clientId sent at once on two nodes is one message, new once and known once', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-chat-'))
  const member = (name: string) =>
    startNode({
      services: [account, chat],
      env: { DATA_DIR: dataDir, NODE_ID: name },
      broker: { transporter: 'Fake', namespace: 'chat-client-id' },
    })
  const nodes = [await member('one'), await member('two')] as const
  await eventually(() => nodes.every(({ placement }) => placement.nodes('chat').length === 2), Boolean)
  for (const who of [ann, bob]) await signUp(nodes[0], who)
  const { id } = await nodes[0].call('chat.open', { with: bob.id }, as(ann))
  for (const clientId of numbersTo(10).map(String)) {
    const both = await Promise.all(nodes.map((one) => sent(one, id, ann, clientId)))
    t.is(both[0]!.id, both[1]!.id)
    t.deepEqual(both.map(({ status }) => status).sort(), [200, 201])
  }
  // The same word from the other is another message.
  t.is((await sent(nodes[1], id, bob, '1')).status, 201)
  t.is((await nodes[0].call('chat.get', { id }, as(ann))).lastSeq, 11)
  for (const one of nodes) await one.broker.stop()
  await rm(dataDir, { recursive: true })
})

test('who is blocked learns of messages that arrived before, and is not seen typing', async (t) => {
  const { id, other } = await met('blocked')
  const heard: string[] = []
  const attached = (await node.open('fanout')).attach({
    users: (users, frame) => void (users.includes(other.id) && heard.push(JSON.parse(frame).ev)),
    topic: () => undefined,
  })
  attached.hold(other.id)
  const first = await sent(node, id, ann, 'before')
  await node.call('chat.block', { id: ann.id }, as(other))
  t.deepEqual(await sent(node, id, ann, 'before'), { id: first.id, status: 200 })
  t.is(await codeOf(send(id, ann, 'after')), 'forbidden')
  await node.call('chat.typing', { id }, as(ann))
  t.deepEqual(heard, ['message'])
  await attached.detach()
})

test('events of messages sent at once come in the order of their numbers', async (t) => {
  const { id, other } = await met('ordered')
  const seqs: number[] = []
  const attached = (await node.open('fanout')).attach({
    users: (users, frame) => void (users.includes(other.id) && seqs.push(JSON.parse(frame).data.seq)),
    topic: () => undefined,
  })
  attached.hold(other.id)
  await Promise.all(numbersTo(100).map((at) => send(id, at % 2 ? ann : other, `m${at}`)))
  t.deepEqual(seqs, numbersTo(100))
  await attached.detach()
})

test('a message deleted twice is deleted, and edits at once both come to an end', async (t) => {
  const { id } = await met('changing')
  const { id: message } = await send(id, ann, 'first')
  const edits = await Promise.all(['a', 'b', 'c'].map((text) => node.call('chat.edit', { id, message, text }, as(ann))))
  const {
    messages: [now],
  } = await node.call('chat.history', { id, after: 0 }, as(ann))
  t.true(edits.some(({ text }) => text === now!.text))
  const erased = await node.call('chat.erase', { id, message }, as(ann))
  t.deepEqual(await node.call('chat.erase', { id, message }, as(ann)), erased)
})

test('messages gone from the end are noticed by who had read them', async (t) => {
  const lone = await startNode({ services: [account, chat] })
  for (const who of [ann, bob]) await signUp(lone, who)
  const { id } = await lone.call('chat.open', { with: bob.id }, as(ann))
  const last = await lone.call('chat.send', { id, clientId: 'x', text: 'x' }, as(ann))
  await lone.call('chat.read', { id, seq: 1 }, as(bob))
  t.deepEqual(await lone.call('chat.verify', {}), { conversations: 1, messages: 1, problems: [] })
  await (await lone.open('documents')).remove(messages, last.id)
  t.deepEqual((await lone.call('chat.verify', {})).problems, [
    `${id}: ${bob.id} has read up to 1, the last message is 0`,
  ])
  await lone.stop()
})
