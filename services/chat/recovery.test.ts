import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import type { Caller } from '../shapes.ts'
import chat from './chat.service.ts'
import { inbox, rowId, toucher, type InboxRow } from './inbox.ts'
import { inboxMarks } from './recovery.ts'

const people = ['ann', 'bob', 'eve'].map((username): Caller => ({
  id: `usr_0000000000000000000000${username}`,
  username,
  roles: ['buyer'],
  sessionId: 'ses_1',
}))
const [ann, bob, eve] = people as [Caller, Caller, Caller]
const as = (caller: Caller) => ({ meta: { caller } })

const start = async (dataDir: string, name: string, cluster?: string): Promise<TestNode> => {
  const node = await startNode({
    services: [account, chat],
    env: { DATA_DIR: dataDir, NODE_ID: name },
    ...(cluster && { broker: { transporter: 'Fake', namespace: cluster } }),
  })
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
const open = async (node: TestNode, other: Caller) => (await node.call('chat.open', { with: other.id }, as(ann))).id
const send = (node: TestNode, id: string, text: string) => node.call('chat.send', { id, clientId: text, text }, as(ann))
/** Until the clock shows another time. */
const tick = () => new Promise((resolve) => setTimeout(resolve, 5))
const listed = async (node: TestNode) => (await node.call('chat.list', {}, as(ann))).data.map(({ id }) => id)
const rowsBehind = async (node: TestNode, conversation: string, lastAt: number) => {
  const documents = await node.open('documents')
  for (const { id } of [ann, bob]) {
    const row = (await documents.get(inbox, rowId(conversation, id)))!
    await documents.replace(inbox, { ...row, lastAt, version: row.version + 1 }, row.version)
  }
}
/** As a process leaves it that is killed between a message and its inbox: rows behind, its mark still there. */
const crashLeft = async (dataDir: string, dead: string): Promise<{ moved: string; other: string }> => {
  const node = await start(dataDir, dead)
  const [moved, other] = [await open(node, bob), await open(node, eve)]
  const before = Date.now()
  await send(node, other, 'first')
  await tick()
  await send(node, moved, 'last')
  await node.broker.stop()
  const bare = await startNode({ services: [], env: { DATA_DIR: dataDir } })
  await (await bare.open('documents')).declare([inbox, inboxMarks] as never)
  await rowsBehind(bare, moved, before - 60_000)
  await (await bare.open('documents')).insert(inboxMarks, { id: dead, version: 1, at: before - 1000 })
  await bare.stop()
  return { moved, other }
}

for (const [who, name] of [
  ['the same node', 'one'],
  ['another node', 'two'],
] as const)
  test(`a conversation whose last message a crash kept from the inbox is listed first again, when ${who} starts`, async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-inbox-'))
    const { moved, other } = await crashLeft(dataDir, 'one')
    const node = await start(dataDir, name)
    t.teardown(() => node.broker.stop().then(() => rm(dataDir, { recursive: true })))
    await eventually(
      () => listed(node),
      ([first]) => first === moved,
    )
    t.deepEqual(await listed(node), [moved, other])
    const documents = await node.open('documents')
    await eventually(
      async () => (await documents.scan(inboxMarks, {})).docs.map(({ id }) => id),
      (marks) => marks.length === 1 && marks[0] === name,
    )
  })

test('a node that ends in good order leaves nothing to mend', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-inbox-'))
  const node = await start(dataDir, 'one')
  const [bobs, eves] = [await open(node, bob), await open(node, eve)]
  await send(node, eves, 'first')
  await tick()
  await send(node, bobs, 'last')
  await node.broker.stop()
  const bare = await startNode({ services: [], env: { DATA_DIR: dataDir } })
  const documents = await bare.open('documents')
  await documents.declare([inbox, inboxMarks] as never)
  t.deepEqual((await documents.scan(inboxMarks, {})).docs, [])
  const rows = await documents.find(inbox, { index: 'byUser', equals: { user: ann.id }, order: 'desc' })
  t.deepEqual(
    rows.docs.map(({ conversation }) => conversation),
    [bobs, eves],
  )
  await bare.broker.stop()
  await rm(dataDir, { recursive: true })
})

test('rows that could not be touched are touched later, each at its latest time', async (t) => {
  const bare = await startNode({ services: [] })
  const documents = await bare.open('documents')
  await documents.declare([inbox] as never)
  const row = (at: number): InboxRow => ({
    id: rowId('cnv_1', 'ann'),
    version: 1,
    user: 'ann',
    conversation: 'cnv_1',
    lastAt: at,
    readSeq: 0,
  })
  await documents.insert(inbox, row(1))
  let isDown = true
  // The store of a machine whose disk is full for a while.
  const shaky = {
    ...documents,
    replaceMany: ((...args: Parameters<typeof documents.replaceMany>) =>
      isDown ? Promise.reject(new Error('disk full')) : documents.replaceMany(...args)) as typeof documents.replaceMany,
  }
  const touching = toucher(shaky, () => undefined)
  touching.touch('cnv_1', ['ann'], 20)
  touching.touch('cnv_1', ['ann'], 10)
  t.false(await touching.flush())
  isDown = false
  t.true(await touching.stop())
  t.is((await documents.get(inbox, row(1).id))!.lastAt, 20)
  await bare.stop()
})
