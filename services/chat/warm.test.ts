import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Documents } from '../../adapters/documents/index.ts'
import { eventually, startNode } from '../../test/node.ts'
import { conversations } from './conversation.ts'
import { messages, publicMessage, type MessageDoc } from './messages.ts'
import { roster } from './roster.ts'
import { sender } from './sending.ts'
import { TAIL_BYTES_MAX, TAIL_MESSAGES_MAX, tails, TAILS_BYTES_MAX } from './tails.ts'
import { as, editOn, numbersTo, open, person, send, sendOn, startChat } from './testing.ts'
import { wired, wiredDoc } from './wire.ts'

const [ann, bob] = [person('ann'), person('bob')]

/** The store, and what was asked of it. */
const counted = (documents: Documents) => {
  const asked: string[] = []
  const all = Object.entries(documents).map(([name, ask]) => [
    name,
    (...args: unknown[]) => {
      asked.push(name)
      return (ask as (...args: unknown[]) => unknown)(...args)
    },
  ])
  return { asked, documents: Object.fromEntries(all) as Documents }
}
const message = (seq: number, text = `m${seq}`): MessageDoc => ({
  id: `msg_${seq}`,
  version: 1,
  conversation: 'cnv_1',
  seq,
  sender: ann.id,
  senderSeq: seq,
  clientId: `c${seq}`,
  text,
  attachments: [],
  sentAt: seq,
  editedAt: null,
  deleted: false,
})

test('the first send of a conversation reads it and its last message, the next ones only write', async (t) => {
  const node = await startNode({ services: [] })
  const { documents, asked } = counted(await node.open('documents'))
  await documents.declare([conversations, messages] as never)
  const members = [ann.id, bob.id]
  await documents.insert(conversations, { id: 'cnv_1', version: 1, pair: 'ab', members, gig: null, createdAt: 1 })
  const sequencer = sender({
    documents,
    roster: roster(documents),
    newId: () => node.newId('msg'),
    now: Date.now,
    stored: publicMessage,
    tellAgain: () => undefined,
  })
  const say = (clientId: string) =>
    sequencer.send({
      conversation: 'cnv_1',
      sender: ann.id,
      clientId,
      text: clientId,
      attachments: [],
      deadlineAt: Date.now() + 10_000,
    })
  asked.length = 0
  await say('first')
  t.deepEqual(asked.sort(), ['find', 'get', 'insertInOrder'])
  asked.length = 0
  for (const at of numbersTo(20)) await say(`m${at}`)
  t.deepEqual(new Set(asked), new Set(['insertInOrder']))
  t.is(asked.length, 20)
  sequencer.box.stop()
  await node.stop()
})

test('who blocks while a message is being stored is known when it is told', async (t) => {
  const node = await startNode({ services: [] })
  const store = await node.open('documents')
  await store.declare([conversations, messages] as never)
  const conversation = { id: 'cnv_1', version: 1, pair: 'ab', members: [ann.id, bob.id], gig: null, createdAt: 1 }
  await store.insert(conversations, conversation)
  const known = roster(store)
  const blockers: unknown[] = []
  const sequencer = sender({
    documents: {
      ...store,
      insertInOrder: async (of, docs) => {
        const inserted = await store.insertInOrder(of, docs)
        known.put({ ...conversation, version: 2, blockers: [bob.id] })
        return inserted
      },
    },
    roster: known,
    newId: () => node.newId('msg'),
    now: Date.now,
    tellAgain: () => undefined,
    stored: (stored, of) => {
      blockers.push(of.blockers)
      return publicMessage(stored)
    },
  })
  const draft = { conversation: 'cnv_1', sender: ann.id, clientId: 'x', text: 'x', attachments: [] }
  await sequencer.send({ ...draft, deadlineAt: Date.now() + 10_000 })
  t.deepEqual(blockers, [[bob.id]])
  sequencer.box.stop()
  await node.stop()
})

test('a tail answers what is in it, and nothing once the store knows more', async (t) => {
  const node = await startNode({ services: [] })
  const documents = await node.open('documents')
  await documents.declare([messages] as never)
  const kept = tails(documents)
  for (const seq of numbersTo(5)) {
    await documents.insert(messages, message(seq))
    if (seq > 2) kept.add('cnv_1', wiredDoc(message(seq)), 0)
  }
  const seqs = async (after: number) => (await kept.current('cnv_1', after))?.messages.map(({ seq }) => seq)
  t.deepEqual(await seqs(2), [3, 4, 5])
  t.deepEqual(await seqs(5), [3, 4, 5])
  t.is(await seqs(1), undefined)
  t.is(await seqs(6), undefined)
  t.is(await kept.current('cnv_2', 0), null)
  // Another owner stores one more, and changes one.
  await documents.insert(messages, message(6))
  t.is(await seqs(4), undefined)
  kept.keep('cnv_1', { messages: [4, 5, 6].map((seq) => wiredDoc(message(seq))), lastChange: 0 })
  t.deepEqual(await seqs(4), [4, 5, 6])
  await documents.replace(messages, { ...message(5), version: 2, text: 'changed', change: 1 }, 1)
  t.is(await seqs(4), undefined)
  await node.stop()
})

test('tails have a bound each and one together; a gap starts a new one', async (t) => {
  const node = await startNode({ services: [] })
  const kept = tails(await node.open('documents'))
  const add = (conversation: string, seq: number, text = 'x') =>
    kept.add(conversation, wired(publicMessage(message(seq, text))), 0)
  for (const seq of numbersTo(TAIL_MESSAGES_MAX * 3)) add('many', seq)
  t.true(kept.bytes() < TAIL_MESSAGES_MAX * 500)
  const before = kept.bytes()
  for (const seq of numbersTo(100)) add('large', seq, 'x'.repeat(3000))
  t.true(kept.bytes() - before <= TAIL_BYTES_MAX)
  add('huge', 1, '字'.repeat(8000))
  t.true(kept.bytes() - before <= TAIL_BYTES_MAX)
  add('large', 200)
  t.true(kept.bytes() - before < 1000)
  for (const at of numbersTo(TAILS_BYTES_MAX / 10_000 + 500)) add(`of-many-${at}`, 1, 'x'.repeat(10_000))
  t.true(kept.bytes() <= TAILS_BYTES_MAX)
  await node.stop()
})

test('what another node stored or changed is never missing from an answer', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-tails-'))
  const nodes = [
    await startChat([ann, bob], { dataDir, cluster: 'chat-tails', name: 'one' }),
    await startChat([], { dataDir, cluster: 'chat-tails', name: 'two' }),
  ] as const
  await eventually(() => nodes.every(({ placement }) => placement.nodes('chat').length === 2), Boolean)
  const id = await open(nodes[0], ann, bob)
  const first = await send(nodes[0], id, ann, 'first')
  for (const round of numbersTo(20)) {
    const [writer, reader] = round % 2 ? nodes : [nodes[1], nodes[0]]
    const sent = await sendOn(writer, id, ann, `m${round}`)
    const edited = await editOn(writer, id, ann, first.id, `edit ${round}`)
    for (const one of [reader, writer]) {
      const { conversations: answered } = (await one.broker.call(
        'chat.sync',
        { conversations: { [id]: 0 }, changes: { [id]: edited.change! - 1 } },
        { nodeID: one.id, ...as(bob) },
      )) as { conversations: Record<string, { messages: object[]; lastSeq: number; changed: object[] }> }
      const { messages: all, lastSeq, changed } = answered[id]!
      t.deepEqual([all.at(-1), lastSeq, all.length], [sent, sent.seq, sent.seq])
      t.deepEqual([all[0], changed], [edited, [edited]])
    }
  }
  for (const one of nodes) await one.broker.stop()
  await rm(dataDir, { recursive: true })
})
