// Three brokers in one process over one store: placement sends a key to one owner, and who wrongly thinks it is the owner loses.
import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceSchema } from 'moleculer'
import { actor, actorCollection, type Actor, type ActorDoc } from '../mixins/actor.ts'
import { parkedEvents } from '../mixins/outbox.ts'
import { eventually, startNode, type TestNode } from './node.ts'

type Counter = ActorDoc & { count: number }
const counters = actorCollection<Counter>('counters')

/** Stands where orders would: `deliver` is keyed by the order's id, so the runtime places it. */
const counting = (taken: Map<string, Set<string>>): ServiceSchema => {
  const books = new WeakMap<object, Actor<Counter>>()
  return {
    name: 'order',
    actions: {
      deliver(this: { broker: { nodeID: string } } & object, ctx: { params: { id: string } }) {
        const { id } = ctx.params
        taken.set(id, (taken.get(id) ?? new Set()).add(this.broker.nodeID))
        return books.get(this)!.turn(id, (state) => {
          const count = (state?.count ?? 0) + 1
          return { next: { ...(state ?? { id, version: 0, outbox: [] }), count }, result: count }
        })
      },
      bind(this: object, ctx: { params: { book: Actor<Counter> } }) {
        books.set(this, ctx.params.book)
      },
    },
  } as unknown as ServiceSchema
}

type Member = { node: TestNode; book: Actor<Counter> }
const join3 = async (
  names: string[],
  dataDir: string,
  taken: Map<string, Set<string>>,
  cluster: string,
): Promise<Member[]> => {
  const members: Member[] = []
  for (const name of names) {
    const node = await startNode({
      services: [counting(taken)],
      env: { DATA_DIR: dataDir, NODE_ID: name },
      broker: { transporter: 'Fake', namespace: cluster, registry: { stopDelay: 0 } },
    })
    const documents = await node.open('documents')
    await documents.declare([counters, parkedEvents] as never)
    const book = actor<Counter>(node, documents, 'order', { of: counters })
    await node.broker.call('order.bind', { book } as never, { nodeID: name })
    members.push({ node, book })
  }
  return members
}
const allSee = (members: Member[], count: number) =>
  eventually(
    () => members.every(({ node }) => node.placement.nodes('order').length === count),
    (agreed) => agreed,
  )

const leave = async ({ node, book }: Member) => {
  await book.stop()
  await node.broker.stop()
}
const deliver = ({ node }: Member, id: string) =>
  node.call('order.deliver', { id, message: 'x' }) as unknown as Promise<number>
const keys = Array.from({ length: 30 }, (_, at) => `ord_${at}`)

test('callers on three nodes agree on one owner per key, and every turn counts', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-owners-'))
  const taken = new Map<string, Set<string>>()
  const members = await join3(['a', 'b', 'c'], dataDir, taken, 'agree')
  await allSee(members, 3)
  await Promise.all(members.flatMap((member) => keys.flatMap((key) => [deliver(member, key), deliver(member, key)])))
  t.true([...taken.values()].every((nodes) => nodes.size === 1))
  t.is(new Set([...taken.values()].map((nodes) => [...nodes][0])).size, 3)
  for (const key of keys) t.is((await members[0]!.book.read(key))?.count, 6)
  for (const member of members) await leave(member)
  await rm(dataDir, { recursive: true })
})

test('a stale owner loses its write and nothing acknowledged is lost', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-owners-'))
  const members = await join3(['a', 'b', 'c'], dataDir, new Map(), 'stale')
  await allSee(members, 3)
  // Every node acts on every key at once, as if each believed it was the owner.
  const acknowledged = new Map<string, number[]>()
  for (let round = 0; round < 5; round++)
    await Promise.all(
      members.flatMap(({ node }) =>
        keys.slice(0, 5).map(async (id) => {
          const count = await node.broker
            .call<number, object>('order.deliver', { id }, { nodeID: node.id, retries: 0 })
            .catch(() => null)
          if (count !== null) acknowledged.set(id, [...(acknowledged.get(id) ?? []), count])
        }),
      ),
    )
  for (const [id, counts] of acknowledged) {
    t.is(new Set(counts).size, counts.length, `${id}: no two turns were told the same count`)
    t.is((await members[0]!.book.read(id))?.count, Math.max(...counts))
    t.is((await members[0]!.book.read(id))?.count, counts.length)
  }
  for (const member of members) await leave(member)
  await rm(dataDir, { recursive: true })
})

test('a node that joins and leaves under load loses no acknowledged turn', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-owners-'))
  const members = await join3(['a', 'b'], dataDir, new Map(), 'rolling')
  await allSee(members, 2)
  const acknowledged = new Map(keys.map((key) => [key, 0]))
  let loading = true
  const load = members.map(async (member) => {
    while (loading)
      for (const key of keys) {
        const counted = await deliver(member, key).then(
          () => true,
          () => false,
        )
        if (counted) acknowledged.set(key, acknowledged.get(key)! + 1)
      }
  })
  const [third] = await join3(['c'], dataDir, new Map(), 'rolling')
  await allSee([...members, third!], 3)
  await deliver(third!, keys[0]!).then(() => acknowledged.set(keys[0]!, acknowledged.get(keys[0]!)! + 1))
  await leave(third!)
  await allSee(members, 2)
  loading = false
  await Promise.all(load)
  for (const key of keys) {
    const stored = (await members[0]!.book.read(key))?.count ?? 0
    t.true(stored >= acknowledged.get(key)!, `${key}: ${acknowledged.get(key)} acknowledged, ${stored} stored`)
  }
  for (const member of members) await leave(member)
  await rm(dataDir, { recursive: true })
})
