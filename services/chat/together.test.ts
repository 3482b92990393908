import test from 'ava'
import fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, type TestNode } from '../../test/node.ts'
import type { Message } from './contract.ts'
import { as, codeOf, listen, numbersTo, open, person, send, sendOn, startChat } from './testing.ts'

const [ann, bob] = [person('ann'), person('bob')]

let node: TestNode
test.before(async () => {
  node = await startChat([ann, bob])
})
test.after.always(() => node?.stop())

const stored = async (id: string): Promise<Message[]> => {
  const { conversations } = await node.call('chat.sync', { conversations: { [id]: 0 } }, as(ann))
  return conversations[id]!.messages
}

test('what two say at once is numbered in the order asked, whoever says something twice or something suspect', async (t) => {
  const id = await open(node, ann, bob)
  const said = fc.record({
    from: fc.constantFrom(ann, bob),
    name: fc.integer({ min: 1, max: 12 }),
    isSuspect: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  })
  const heard = await listen(node, bob)
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 40 }), async (all) => {
      round++
      const before = (await stored(id)).at(-1)?.seq ?? 0
      const answers = await Promise.all(
        all.map(({ from, name, isSuspect }) =>
          send(node, id, from, `${round}-${name}`, isSuspect ? 'write to me@mail.test' : `m${name}`),
        ),
      )
      const nameOf = ({ sender, clientId }: Message) => `${sender} ${clientId}`
      const names = new Map<string, Message>()
      for (const answer of answers) {
        const first = names.get(nameOf(answer))
        if (first) t.deepEqual(answer, first)
        names.set(nameOf(answer), answer)
      }
      const { conversations } = await node.call('chat.sync', { conversations: { [id]: before } }, as(ann))
      const { messages } = conversations[id]!
      t.deepEqual(messages.map(nameOf), [...names.keys()])
      t.deepEqual(
        messages.map(({ seq }) => seq),
        numbersTo(names.size).map((n) => before + n),
      )
      const seqs = heard.told.filter(({ ev }) => ev === 'message').map(({ data }) => data.seq)
      t.deepEqual(
        seqs.slice(-names.size),
        messages.map(({ seq }) => seq),
      )
    }),
    { numRuns: 30 },
  )
  await heard.stop()
  t.deepEqual((await node.call('chat.verify', {})).problems, [])
})

test('two nodes that both think they are the owner store everything once, without a gap, and whoever was blocked meanwhile is not heard', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-together-'))
  const nodes = [
    await startChat([ann, bob], { dataDir, cluster: 'chat-together', name: 'one' }),
    await startChat([], { dataDir, cluster: 'chat-together', name: 'two' }),
  ] as const
  await eventually(() => nodes.every(({ placement }) => placement.nodes('chat').length === 2), Boolean)
  const id = await open(nodes[0], ann, bob)
  const names = numbersTo(300).map((at) => `m${at}`)
  // Half of them are sent to both nodes, as by a client that was not answered in time.
  const asked = names.flatMap((name, at) =>
    at % 2 ? [[name, 0] as const, [name, 1] as const] : [[name, at % 4 ? 0 : 1] as const],
  )
  const seqs = new Map<string, Set<number>>()
  const say = async ([name, at]: readonly [string, number]) => {
    try {
      const { seq } = await sendOn(nodes[at]!, id, ann, name)
      seqs.set(name, (seqs.get(name) ?? new Set()).add(seq))
    } catch (error) {
      t.is(await codeOf(Promise.reject(error)), 'overloaded')
      await say([name, at])
    }
  }
  await Promise.all(asked.map(say))
  t.deepEqual(
    [...seqs.values()].map(({ size }) => size),
    names.map(() => 1),
  )
  t.deepEqual(
    [...seqs.values()].flatMap((some) => [...some]).toSorted((a, b) => a - b),
    numbersTo(names.length),
  )
  t.deepEqual((await nodes[0].call('chat.verify', {})).problems, [])
  const [owner, other] = nodes[0].placement.owner('chat', id) === nodes[0].id ? nodes : [nodes[1], nodes[0]]
  await sendOn(other, id, ann, 'the other node knows who is blocked')
  await owner.call('chat.block', { id: ann.id }, as(bob))
  await sendOn(owner, id, bob, 'bob goes on')
  const blocked = await Promise.all(['x', 'y', 'm2'].map((name) => codeOf(sendOn(other, id, ann, name))))
  t.deepEqual(blocked, ['forbidden', 'forbidden', 'no refusal'])
  for (const one of nodes) await one.broker.stop()
  await rm(dataDir, { recursive: true })
})
