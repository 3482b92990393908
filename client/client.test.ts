import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../test/node.ts'
import { WHOLE_MAX } from './follow.ts'
import type { Client, ClientError, Events, State } from './index.ts'
import { QUEUE_MAX } from './outbox.ts'
import { ann, bob, cid, cuttable, listening, startTalk, webStorage, type Talk } from './testing.ts'

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
const becomes = (client: { state: State }, state: State) =>
  eventually(
    () => client.state,
    (now) => now === state,
  )
const refusalOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'none',
    ({ code }: ClientError) => code,
  )
const as = (talk: Talk, id: string) => ({ meta: { caller: talk.people.get(id)! } })
/** Written by somebody else's program, without this client. */
const write = async (talk: Talk, conversation: string, from: string, count: number) => {
  for (let nth = 0; nth < count; nth++)
    await talk.call('chat.send', { id: conversation, clientId: `w${nth}`, text: `w${nth}` }, as(talk, from))
}

let talk: Talk
test.before(async () => {
  talk = await startTalk()
})
test.after.always(() => talk?.stop())

test('two people talk, edit, delete, read, type and see each other', async (t) => {
  const [one, other] = [talk.client(ann), talk.client(bob)]
  const heard = new Map<string, unknown>()
  const events = ['message', 'message.edited', 'message.deleted', 'read', 'typing'] as const
  for (const event of events) other.on(event, (data) => void heard.set(event, data))
  const { conversation } = talk
  other.open(conversation)
  await becomes(other, 'connected')
  await becomes(one, 'connected')

  const message = await one.send(conversation, 'hello', { attachments: ['https://gigs.test/a.png'] })
  t.like(message, { text: 'hello', sender: ann, attachments: ['https://gigs.test/a.png'] })
  t.like(await one.edit(conversation, message.id, 'hello!'), { text: 'hello!' })
  t.is(await other.read(conversation, message.seq), message.seq)
  await one.typing(conversation)
  t.deepEqual((await other.history(conversation, { limit: 1 })).messages.length, 1)
  t.deepEqual((await one.presence([bob, 'usr_nobody'])).online, [bob])
  t.like(await one.remove(conversation, message.id), { deleted: true })
  await eventually(
    () => heard.size,
    (size) => size === events.length,
  )
  t.like(heard.get('message.edited') as object, { id: message.id, text: 'hello!' })
  t.deepEqual(heard.get('typing'), { conversation, user: ann })
  t.is(await refusalOf(one.edit(conversation, message.id, 'again')), 'conflict')
})

test('what is written without a connection is sent with the next one, in the order it was written', async (t) => {
  const link = await cuttable(talk.socketUrl)
  t.teardown(link.stop)
  link.refuse(true)
  const conversation = await talk.meet(ann, cid)
  const client = talk.client(ann, { url: link.url })
  const heard = listening(client, conversation)
  client.open(conversation)
  const sent = range(1, 20).map((nth) => client.send(conversation, `text ${nth}`))
  t.is(client.pending().length, 20)
  t.is(await refusalOf(client.typing(conversation)), 'offline')
  await becomes(client, 'waiting')
  link.refuse(false)
  t.deepEqual(
    (await Promise.all(sent)).map(({ text }) => text),
    range(1, 20).map((nth) => `text ${nth}`),
  )
  t.deepEqual(heard.seqs(), range(1, 20))
  t.deepEqual(client.pending(), [])
})

test('a message whose acknowledgement was lost is stored once and acknowledged on the next connection', async (t) => {
  const link = await cuttable(talk.socketUrl)
  t.teardown(link.stop)
  const conversation = await talk.meet(bob, cid)
  const client = talk.client(bob, { url: link.url })
  await becomes(client, 'connected')
  link.deafen()
  const sent = client.send(conversation, 'only once', { clientId: 'once' })
  t.is(await Promise.race([sent, sleep(20)]), undefined)
  const again = client.send(conversation, 'only once', { clientId: 'once' })
  await eventually(
    async () => (await talk.call('chat.history', { id: conversation }, as(talk, bob))).messages.length,
    (count) => count === 1,
  )
  link.cut()
  t.is((await sent).seq, 1)
  t.deepEqual(await again, await sent)
  t.is((await client.history(conversation)).messages.length, 1)
})

test('what was not sent before a page was closed is sent by the next one', async (t) => {
  const storage = webStorage()
  const conversation = await talk.meet(ann, 'usr_bob')
  const before = talk.client(ann, { url: 'ws://127.0.0.1:9/v1/realtime', storage, account: ann })
  const sent = before.send(conversation, 'from the page before', { clientId: 'reload' })
  before.close()
  t.is(await refusalOf(sent), 'closed')
  t.is(await refusalOf(before.send(conversation, 'too late')), 'closed')

  const after = talk.client(ann, { storage, account: ann })
  t.deepEqual(
    after.pending().map(({ clientId }) => clientId),
    ['reload'],
  )
  const told = await new Promise<Events['sent']>((resolve) => after.on('sent', resolve))
  t.like(told, { text: 'from the page before', clientId: 'reload' })
  t.is(storage.length, 0)
  t.throws(() => talk.client(ann, { storage }), { instanceOf: TypeError })
})

test('a token of another account sends nothing of what is kept', async (t) => {
  const storage = webStorage()
  const client = talk.client(bob, { storage, account: ann })
  const sent = refusalOf(client.send(talk.conversation, 'from ann'))
  const closed = await new Promise<Events['state']>((resolve) =>
    client.on('state', (one) => one.state === 'closed' && resolve(one)),
  )
  t.is(closed.error?.code, 'forbidden')
  t.is(await sent, 'closed')
  t.is(storage.length, 1)
})

test('a queue that is full says so, and a message the server refuses does not hold up the next', async (t) => {
  const client = talk.client(ann, { url: 'ws://127.0.0.1:9/v1/realtime' })
  for (let nth = 0; nth < QUEUE_MAX; nth++) client.send(talk.conversation, 'waits').catch(() => undefined)
  t.is(await refusalOf(client.send(talk.conversation, 'one more')), 'queue_full')
  client.close()

  const other = talk.client(ann)
  const unsent: string[] = []
  other.on('unsent', ({ text, error }) => void unsent.push(`${text}: ${error.code}`))
  const refused = refusalOf(other.send(talk.conversation, '   '))
  const next = other.send(talk.conversation, 'words')
  t.is(await refused, 'validation_failed')
  t.is((await next).text, 'words')
  t.is(await refusalOf(other.send('cnv_none', 'anybody?')), 'not_found')
  t.deepEqual(unsent, ['   : validation_failed', 'anybody?: not_found'])
})

test('whatever was missed comes page by page, and then what is new', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const link = await cuttable(own.socketUrl)
  t.teardown(link.stop)
  const { conversation } = own
  const client = own.client(bob, { url: link.url })
  const heard = listening(client)
  client.open(conversation)
  await becomes(client, 'connected')
  await write(own, conversation, ann, 5)
  await eventually(heard.seqs, (all) => all.length === 5)
  link.refuse(true)
  link.cut()
  await becomes(client, 'waiting')
  for (let nth = 5; nth < 500; nth++)
    await own.call('chat.send', { id: conversation, clientId: `v${nth}`, text: 'v' }, as(own, ann))
  link.refuse(false)
  await eventually(heard.seqs, (all) => all.length >= 500)
  t.deepEqual(heard.seqs(), range(1, 500))
  t.deepEqual(client.position(conversation), { seq: 500, change: 0 })

  // Opened again further back: told again from there.
  client.open(conversation, { seq: 490 })
  await eventually(heard.seqs, (all) => all.length >= 510)
  t.deepEqual(heard.seqs().slice(500), range(491, 500))
})

const changesOf = (client: Client) => {
  const told: string[] = []
  client.on('message.edited', ({ change, text }) => void told.push(`${change} ${text}`))
  client.on('message.deleted', ({ change, seq }) => void told.push(`${change} #${seq} deleted`))
  return told
}

test('what was edited and deleted while somebody was away is told once, as it is now, page by page', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const { conversation: id } = own
  await write(own, id, ann, 250)
  const { messages } = await own
    .call('chat.sync', { conversations: { [id]: 0 } }, as(own, ann))
    .then(({ conversations }) => conversations[id]!)
  const edit = (at: number, text: string) =>
    own.call('chat.edit', { id, message: messages[at]!.id, text }, as(own, ann))
  await edit(0, 'before anybody listens')

  const link = await cuttable(own.socketUrl)
  t.teardown(link.stop)
  const client = own.client(bob, { url: link.url })
  const told = changesOf(client)
  client.open(id, { seq: 250 })
  await becomes(client, 'connected')
  await eventually(
    () => client.position(id)?.change,
    (change) => change === 1,
  )
  await edit(1, 'live')
  await eventually(
    () => told.length,
    (count) => count === 1,
  )
  link.refuse(true)
  link.cut()
  await becomes(client, 'waiting')
  await edit(2, 'edited twice')
  // More than one answer takes.
  for (let at = 0; at < 200; at++) await edit(at, `again ${at}`)
  await own.call('chat.erase', { id, message: messages[3]!.id }, as(own, ann))
  link.refuse(false)
  await eventually(
    () => client.position(id)?.change,
    (change) => change === 204,
  )
  t.deepEqual(told, [
    '2 live',
    ...range(0, 199).flatMap((at) => (at === 3 ? [] : [`${at + 4} again ${at}`])),
    '204 #4 deleted',
  ])

  // Opened again from an older change: what changed after that is told again, and nothing of before.
  client.open(id, { seq: 250, change: 202 })
  await eventually(
    () => told.length,
    (count) => count === 203,
  )
  t.deepEqual(told.slice(-2), ['203 again 199', '204 #4 deleted'])
})

test('a change that does not come by itself is asked for, and told before what came after it', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const { conversation: id } = own
  const client = own.client(bob)
  const heard = listening(client)
  const told = changesOf(client)
  client.open(id)
  await becomes(client, 'connected')
  await write(own, id, ann, 2)
  await eventually(heard.seqs, (all) => all.length === 2)
  const gaps: Events['gap'][] = []
  client.on('gap', (one) => void gaps.push(one))
  const [one, two] = heard.messages
  const fanout = await own.open('fanout')
  const { toUsers } = fanout
  fanout.toUsers = () => undefined
  await own.call('chat.edit', { id, message: one!.id, text: 'lost on its way' }, as(own, ann))
  fanout.toUsers = toUsers
  await own.call('chat.edit', { id, message: two!.id, text: 'came' }, as(own, ann))
  await eventually(
    () => told.length,
    (count) => count >= 2,
  )
  t.deepEqual(told, ['1 lost on its way', '2 came'])
  t.deepEqual(gaps, [{ conversation: id, after: { seq: 2, change: 0 } }])
})

test('an old conversation nobody opened tells the changes from now on, and none of before', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const { conversation: id } = own
  await write(own, id, ann, WHOLE_MAX)
  const { messages } = await own.call('chat.history', { id, limit: 2 }, as(own, ann))
  const edit = (at: number, text: string) =>
    own.call('chat.edit', { id, message: messages[at]!.id, text }, as(own, ann))
  await edit(0, 'long ago')
  const client = own.client(bob)
  const told = changesOf(client)
  await becomes(client, 'connected')
  await own.call('chat.send', { id, clientId: 'n', text: 'n' }, as(own, ann))
  await eventually(
    () => client.position(id),
    (at) => at?.change === 1,
  )
  await edit(1, 'now')
  await eventually(
    () => told.length,
    (count) => count > 0,
  )
  t.deepEqual(told, ['2 now'])
})

test('a message that is not acknowledged in time is sent again on a new connection, and those after it follow', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const link = await cuttable(own.socketUrl)
  t.teardown(link.stop)
  const { conversation } = own
  const client = own.client(bob, { url: link.url, sendMs: 300, answerMs: 600_000 })
  await becomes(client, 'connected')
  link.deafen()
  const sent = ['one', 'two', 'three'].map((clientId) => client.send(conversation, clientId, { clientId }))
  t.deepEqual(
    (await Promise.all(sent)).map(({ text }) => text),
    ['one', 'two', 'three'],
  )
  t.is(link.made(), 2)
  t.deepEqual(
    (await client.history(conversation)).messages.map(({ text }) => text),
    ['one', 'two', 'three'],
  )
})

test('a conversation nobody opened is followed from its beginning where it is new, and from now on where it is old', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const [fresh, old] = [await own.meet(ann, cid), await own.meet(bob, cid)]
  await write(own, fresh, ann, 3)
  await write(own, old, bob, WHOLE_MAX)
  const client = own.client(cid)
  const heard = listening(client)
  const begun: Events['conversation'][] = []
  client.on('conversation', (one) => void begun.push(one))
  await becomes(client, 'connected')
  await own.call('chat.send', { id: fresh, clientId: 'n', text: 'n' }, as(own, ann))
  await own.call('chat.send', { id: old, clientId: 'n', text: 'n' }, as(own, bob))
  await eventually(heard.seqs, (all) => all.length >= 5)
  const seqsOf = (id: string) => heard.messages.filter(({ conversation }) => conversation === id).map(({ seq }) => seq)
  t.deepEqual(seqsOf(fresh), [1, 2, 3, 4])
  t.deepEqual(seqsOf(old), [WHOLE_MAX + 1])
  t.deepEqual(begun, [
    { conversation: fresh, from: 0 },
    { conversation: old, from: WHOLE_MAX },
  ])
})

test('more conversations than one frame may name are synced, and what is not the own is told to be lost', async (t) => {
  const client = talk.client(ann)
  const lost: string[] = []
  client.on('lost', ({ conversation }) => void lost.push(conversation))
  for (const nth of range(1, 250)) client.open(`cnv_${nth}`, { seq: nth, change: nth })
  client.open(talk.conversation)
  await eventually(
    () => lost.length,
    (count) => count >= 250,
  )
  t.is(lost.length, 250)
  t.is(client.position('cnv_1'), undefined)
  t.is(typeof client.position(talk.conversation)?.seq, 'number')
})

test('a token is renewed on the live connection before it expires', async (t) => {
  const asked: string[] = []
  const client = talk.client(ann, {
    token: (why) => {
      asked.push(why)
      return talk.tokenOf(ann, 6)
    },
  })
  const heard = listening(client)
  await eventually(
    () => asked.length,
    (count) => count >= 3,
  )
  t.deepEqual(asked.slice(0, 3), ['connect', 'expiring', 'expiring'])
  t.deepEqual(heard.states, ['connecting', 'connected'])
})

test('a refused token is replaced once; two refused in a row end it', async (t) => {
  const asked: string[] = []
  const client = talk.client(ann, {
    token: (why) => {
      asked.push(why)
      return why === 'refused' ? talk.tokenOf(ann) : 'not.a.token'
    },
  })
  await becomes(client, 'connected')
  t.deepEqual(asked, ['connect', 'refused'])

  const stranger = talk.client(ann, { token: () => 'not.a.token' })
  const heard = listening(stranger)
  await becomes(stranger, 'closed')
  t.deepEqual(heard.states, ['connecting', 'waiting', 'connecting', 'closed'])
  t.deepEqual(heard.codes, [4401])
})

test('a token that cannot be had now is asked for again', async (t) => {
  let asked = 0
  const client = talk.client(ann, {
    answerMs: 500,
    token: () => {
      asked++
      if (asked === 1) throw new Error('the network is away')
      return asked === 2 ? new Promise<string>(() => undefined) : talk.tokenOf(ann)
    },
  })
  await becomes(client, 'connected')
  t.true(asked >= 3)
})

test('a link on which nothing comes any more is given up and replaced', async (t) => {
  const link = await cuttable(talk.socketUrl)
  t.teardown(link.stop)
  const client = talk.client(ann, { url: link.url, pingMs: 50, answerMs: 1500 })
  const heard = listening(client)
  await becomes(client, 'connected')
  link.stall()
  await eventually(link.made, (made) => made >= 2)
  await becomes(client, 'connected')
  t.deepEqual([...new Set(heard.codes)], [1006])
})

test('a node that stops is left when it says, and the next one goes on where it ended', async (t) => {
  const first = await startTalk()
  const { port } = new URL(first.socketUrl)
  const client = first.client(ann, { token: () => first.tokenOf(ann) })
  const heard = listening(client)
  const drained: number[] = []
  client.on('draining', ({ retryAfter }) => void drained.push(retryAfter))
  client.open(first.conversation)
  await client.send(first.conversation, 'before')
  await first.broker.stop()
  t.is(drained.length, 1)
  const sent = client.send(first.conversation, 'in between')
  const second = await startTalk({ PORT: port, DATA_DIR: first.dataDir })
  t.teardown(async () => {
    await second.stop()
    await first.stop()
  })
  t.is((await sent).seq, 2)
  t.deepEqual(heard.seqs(), [1, 2])
  t.is(heard.codes[0], 1001)
})

test('what the server lost on its way here is asked for when it says so', async (t) => {
  const own = await startTalk()
  t.teardown(own.stop)
  const client = own.client(ann)
  const heard = listening(client)
  client.open(own.conversation)
  await client.send(own.conversation, 'one')
  const fanout = await own.open('fanout')
  // Written where no frame of it comes here.
  const { toUsers } = fanout
  fanout.toUsers = () => undefined
  await write(own, own.conversation, bob, 2)
  fanout.toUsers = toUsers
  t.deepEqual(heard.seqs(), [1])
  fanout.toUsers([ann], JSON.stringify({ ev: 'missed', data: {} }))
  await eventually(heard.seqs, (all) => all.length >= 3)
  t.deepEqual(heard.seqs(), [1, 2, 3])
})

test('who floods is sent away and stays away for long', async (t) => {
  const own = await startTalk({ RATE_LIMITS: 'messages=1/2' })
  t.teardown(own.stop)
  const client = own.client(ann, { minDelayMs: 1, maxDelayMs: 60_000 })
  await becomes(client, 'connected')
  const waiting = new Promise<Events['state']>((resolve) =>
    client.on('state', (one) => one.state === 'waiting' && resolve(one)),
  )
  for (const _ of range(1, 100)) client.typing(own.conversation).catch(() => undefined)
  const { code, inMs } = await waiting
  t.is(code, 4429)
  t.true(inMs! >= 30_000)
})
