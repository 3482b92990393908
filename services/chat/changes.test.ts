import test from 'ava'
import fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, type TestNode } from '../../test/node.ts'
import type { Message } from './contract.ts'
import { conversations } from './conversation.ts'
import { messages, type MessageDoc } from './messages.ts'
import { as, editOn, listen, numbersTo, open, person, send, signUp, startChat } from './testing.ts'

const [ann, bob] = [person('ann'), person('bob')]
let node: TestNode
test.before(async () => {
  node = await startChat([ann, bob])
})
test.after.always(() => node?.stop())

let met = 0
const withSomebody = async () => {
  const other = person(`other${met++}`)
  await signUp(node, other)
  return { id: await open(node, ann, other), other }
}
const edit = (id: string, message: string, text: string) => node.call('chat.edit', { id, message, text }, as(ann))
const erase = (id: string, message: string) => node.call('chat.erase', { id, message }, as(ann))

/** A client that follows the protocol: what it knows of a conversation, and where it stands. */
const client = (on: TestNode, id: string, who = bob) => {
  const known = new Map<number, Message>()
  const at = { seq: 0, change: 0 }
  let twice = 0
  const take = (message: Message) => {
    const before = known.get(message.seq)
    if (!before || before.version < message.version) known.set(message.seq, message)
  }
  const sync = async () => {
    for (let more = true; more;) {
      const asked = { conversations: { [id]: at.seq }, changes: { [id]: at.change } }
      const missed = (await on.call('chat.sync', asked, as(who))).conversations[id]!
      for (const message of missed.messages) {
        if (message.seq !== at.seq + 1) twice++
        at.seq = message.seq
        take(message)
      }
      for (const message of missed.changed!) take(message)
      if (missed.lastChange! < at.change) twice++
      at.change = missed.lastChange!
      more = missed.hasMore
    }
  }
  const all = () => [...known.values()].sort((one, other) => one.seq - other.seq)
  return { sync, all, at, wrong: () => twice }
}
const allOf = async (on: TestNode, id: string, who = bob): Promise<Message[]> => {
  const all: Message[] = []
  for (let more = true; more;) {
    const page = await on.call('chat.history', { id, after: all.at(-1)?.seq ?? 0, limit: 100 }, as(who))
    all.push(...page.messages)
    more = page.hasMore
  }
  return all
}

test('every change takes the next number of its conversation, and is told with it', async (t) => {
  const { id, other } = await withSomebody()
  const [one, two] = [await send(node, id, ann, 'one'), await send(node, id, ann, 'two')]
  const { told, stop } = await listen(node, other)
  await edit(id, one.id, 'one, again')
  await edit(id, two.id, 'two, again')
  await erase(id, one.id)
  t.deepEqual(
    told.map(({ ev, data: { seq, change, version, text } }) => [ev, seq, change, version, text]),
    [
      ['message.edited', 1, 1, 2, 'one, again'],
      ['message.edited', 2, 2, 2, 'two, again'],
      ['message.deleted', 1, 3, 3, ''],
    ],
  )
  t.is((await node.call('chat.history', { id }, as(other))).lastChange, 3)
  t.is((await node.call('chat.messages', { id }, as(other))).lastChange, 3)
  t.is((await send(node, id, ann, 'three')).change, undefined)
  await stop()
})

test('what was changed while somebody was away they get once, as it is now', async (t) => {
  const { id, other } = await withSomebody()
  for (const text of ['a', 'b', 'c']) await send(node, id, ann, text)
  const away = client(node, id, other)
  await away.sync()
  const [a, b] = away.all()
  await edit(id, a!.id, 'a2')
  await edit(id, b!.id, 'b2')
  await edit(id, a!.id, 'a3')
  const { conversations: answered } = await node.call(
    'chat.sync',
    { conversations: { [id]: 3 }, changes: { [id]: 0 } },
    as(other),
  )
  t.deepEqual(
    answered[id]!.changed!.map(({ text, change }) => [text, change]),
    [
      ['b2', 2],
      ['a3', 3],
    ],
  )
  t.deepEqual([answered[id]!.messages, answered[id]!.lastChange, answered[id]!.hasMore], [[], 3, false])
  await away.sync()
  t.deepEqual(
    away.all().map(({ text }) => text),
    ['a3', 'b2', 'c'],
  )
  // Who does not ask for changes is answered as ever.
  t.deepEqual((await node.call('chat.sync', { conversations: { [id]: 3 } }, as(other))).conversations[id], {
    messages: [],
    lastSeq: 3,
    hasMore: false,
  })
})

test('following hasMore closes every gap, however large, with nothing doubled and every change', async (t) => {
  const documents = await node.open('documents')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('sends' as const), count: fc.integer({ min: 1, max: 260 }), long: fc.boolean() }),
    fc.record({ kind: fc.constant('edits' as const), count: fc.integer({ min: 1, max: 6 }), pick: fc.nat() }),
    fc.record({ kind: fc.constant('erases' as const), count: fc.integer({ min: 1, max: 3 }), pick: fc.nat() }),
    fc.record({ kind: fc.constant('syncs' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const { id, other } = await withSomebody()
      const [away, late] = [client(node, id, other), client(node, id, other)]
      let last = 0
      const at = async (pick: number) =>
        (await node.call('chat.history', { id, after: pick % last, limit: 1 }, as(ann))).messages[0]!.id
      for (const one of steps) {
        if (one.kind === 'syncs') await away.sync()
        else if (one.kind === 'sends') {
          // The first is sent, so that what is in memory is part of it; a large gap is stored as another node would.
          await send(node, id, ann, `s${last++}`)
          const more = numbersTo(one.count - 1).map((by) => stored(id, last + by, one.long))
          if (more.length > 0) await documents.insertMany(messages, more)
          last += more.length
        } else if (last > 0)
          for (const by of numbersTo(one.count)) {
            const message = await at(one.pick + by * 7)
            await (one.kind === 'erases' ? erase(id, message) : edit(id, message, `e${by}`)).catch(() => undefined)
          }
      }
      await away.sync()
      await late.sync()
      const all = await allOf(node, id, other)
      t.deepEqual(
        all.map(({ seq }) => seq),
        numbersTo(last),
      )
      t.deepEqual(away.all(), all)
      t.deepEqual(late.all(), all)
      t.deepEqual(
        [away.wrong(), late.wrong(), away.at, late.at.seq],
        [0, 0, { seq: last, change: late.at.change }, last],
      )
    }),
    { numRuns: 12 },
  )
  t.deepEqual((await node.call('chat.verify', {})).problems, [])
})

test('more changes than one answer takes are asked for again, each once', async (t) => {
  const { id, other } = await withSomebody()
  const documents = await node.open('documents')
  const total = 450
  await documents.insertMany(
    messages,
    numbersTo(total).map((seq) => ({ ...stored(id, seq, false), version: 2, change: total + 1 - seq })),
  )
  const conversation = (await documents.get(conversations, id))!
  await documents.replace(conversations, { ...conversation, version: 2, lastChange: total }, 1)
  const changes: number[] = []
  let rounds = 0
  for (let more = true; more; rounds++) {
    const asked = { conversations: { [id]: total }, changes: { [id]: changes.at(-1) ?? 0 } }
    const answer = (await node.call('chat.sync', asked, as(other))).conversations[id]!
    changes.push(...answer.changed!.map(({ change }) => change!))
    t.is(answer.lastChange, changes.at(-1))
    more = answer.hasMore
  }
  t.deepEqual(changes, numbersTo(total))
  t.is(rounds, 3)
})

const stored = (conversation: string, seq: number, long: boolean): MessageDoc => ({
  id: `msg_${conversation.slice(-12)}${seq}`,
  version: 1,
  conversation,
  seq,
  sender: ann.id,
  senderSeq: seq,
  clientId: `c${seq}`,
  text: long ? '字'.repeat(4000) : `m${seq}`,
  attachments: [],
  sentAt: seq,
  editedAt: null,
  deleted: false,
})

test('two nodes that both change one conversation give no number twice, and whoever syncs misses none', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-changes-'))
  const nodes = [
    await startChat([ann, bob], { dataDir, cluster: 'chat-changes', name: 'one' }),
    await startChat([], { dataDir, cluster: 'chat-changes', name: 'two' }),
  ] as const
  await eventually(() => nodes.every(({ placement }) => placement.nodes('chat').length === 2), Boolean)
  const id = await open(nodes[0], ann, bob)
  const sent = await Promise.all(numbersTo(6).map((at) => send(nodes[0], id, ann, `m${at}`)))
  const clients = nodes.map((one) => client(one, id))
  const numbers: number[] = []
  for (let round = 0; round < 12; round++) {
    const changed = await Promise.all(
      [0, 1, 0, 1].map((at, by) =>
        editOn(nodes[at]!, id, ann, sent[(round + by) % 6]!.id, `r${round}-${by}`).catch(() => null),
      ),
    )
    numbers.push(...changed.flatMap((one) => (one ? [one.change!] : [])))
    await clients[round % 2]!.sync()
  }
  t.is(new Set(numbers).size, numbers.length)
  t.true(numbers.length > 20)
  t.deepEqual((await nodes[1].call('chat.verify', {})).problems, [])
  const all = await allOf(nodes[0], id)
  for (const one of clients) {
    await one.sync()
    t.deepEqual(one.all(), all)
    t.true(one.at.change >= Math.max(...numbers))
  }
  for (const one of nodes) await one.broker.stop()
  await rm(dataDir, { recursive: true })
})

test('a number whose owner died before the message had it is neither lost nor seen too early', async (t) => {
  const lone = await startChat([ann, bob])
  const id = await open(lone, ann, bob)
  const [one, two] = [await send(lone, id, ann, 'one'), await send(lone, id, ann, 'two')]
  const edit = (text: string) => lone.call('chat.edit', { id, message: two.id, text }, as(ann))
  await edit('two, again')
  const documents = await lone.open('documents')
  const claim = async () => {
    const conversation = (await documents.get(conversations, id))!
    const message = (await documents.get(messages, one.id))!
    const claimed = {
      ...conversation,
      version: conversation.version + 1,
      lastChange: conversation.lastChange! + 1,
      changing: { message: one.id, version: message.version + 1 },
    }
    t.true((await documents.replace(conversations, claimed, conversation.version)).ok)
    return message
  }
  const before = await claim()
  t.is((await lone.call('chat.history', { id }, as(bob))).lastChange, 1)
  t.deepEqual((await lone.call('chat.verify', {})).problems, [])
  const away = client(lone, id)
  await away.sync()
  t.is(away.at.change, 1)
  t.is((await edit('two, once more')).change, 3)
  // Who took the number and stood still since loses.
  const late = { ...before, text: 'too late', change: 2, version: before.version + 1 }
  t.false((await documents.replace(messages, late, before.version)).ok)
  await away.sync()
  t.deepEqual(
    away.all().map(({ text, change }) => [text, change]),
    [
      ['one', 2],
      ['two, once more', 3],
    ],
  )
  t.deepEqual((await lone.call('chat.verify', {})).problems, [])
  await lone.stop()
})

test('a change that is gone, or was never given, is noticed', async (t) => {
  const lone = await startChat([ann, bob])
  const id = await open(lone, ann, bob)
  const [one, two] = [await send(lone, id, ann, 'one'), await send(lone, id, ann, 'two')]
  for (const { id: message } of [one, two]) await lone.call('chat.edit', { id, message, text: 'again' }, as(ann))
  const documents = await lone.open('documents')
  const change = async (id: string, to: number | undefined) => {
    const { change: _, ...message } = (await documents.get(messages, id))!
    const changed = { ...message, ...(to && { change: to }), version: message.version + 1 }
    t.true((await documents.replace(messages, changed, message.version)).ok)
  }
  await change(two.id, undefined)
  t.deepEqual((await lone.call('chat.verify', {})).problems, [`${id}: change 2 is missing`])
  await change(two.id, 7)
  t.deepEqual((await lone.call('chat.verify', {})).problems, [`${id}: change 7 was never given, the last is 2`])
  await lone.stop()
})
