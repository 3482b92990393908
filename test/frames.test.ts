// The AsyncAPI document is true: every example frame in it is sent to a whole market, and what comes back, asked or not, fits
// the schemas of the same document.
import test from 'ava'
import type { TSchema } from 'typebox'
import { checker } from '../mixins/schema.ts'
import { EXAMPLE } from '../services/gateway/examples.ts'
import { EVENTS } from '../services/gateway/events.ts'
import { OPS } from '../services/gateway/frames.ts'
import { castOf, startEverything, thingsOf, type Cast, type Everything, type Things } from './everything.ts'
import { client, type Client } from './market.ts'
import { eventually } from './node.ts'

type Json = Record<string, unknown>
type Described = { payload: Json; examples?: { payload: Json }[] }
type Document = { components: { messages: Record<string, Described>; schemas: Record<string, Json> } }

let market: Everything
let cast: Cast
let things: Things
let document: Document
const sockets: Client[] = []

test.before(async () => {
  market = await startEverything()
  cast = await castOf(market)
  things = await thingsOf(market, cast)
  document = (await market.request('GET', '/asyncapi.json')).body
})
test.after.always(async () => {
  for (const one of sockets) one.close()
  await market?.stop()
})

/** The schema with what it refers to in its place: nothing of ours is within itself. */
const whole = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(whole)
  if (typeof schema !== 'object' || schema === null) return schema
  const { $ref } = schema as { $ref?: string }
  return $ref
    ? whole(document.components.schemas[$ref.split('/').at(-1)!])
    : Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value)]))
}
const troubleWith = (name: string, frame: unknown) => {
  const described = document.components.messages[name]
  return described ? checker(whole(described.payload) as TSchema)(frame) : [{ path: '', message: `no message ${name}` }]
}
const exampleOf = (name: string): Json => document.components.messages[name]!.examples![0]!.payload
/** With the ids of things that are there. */
const filled = (example: Json): Json => {
  const real: Record<keyof typeof EXAMPLE, string> = {
    ...things,
    buyer: cast.buyer.id,
    seller: cast.seller.id,
    token: cast.buyer.token,
  }
  const text = Object.entries(EXAMPLE).reduce(
    (before, [name, id]) => before.replaceAll(id, real[name as keyof typeof EXAMPLE]),
    JSON.stringify(example),
  )
  return JSON.parse(text) as Json
}
const socketOf = async (token: string): Promise<Client> => {
  const one = await client(`${market.url.replace('http', 'ws')}/v1/realtime`, token)
  sockets.push(one)
  return one
}

test.serial('every frame has an example that its own schema takes, and would not take with a wrong field', (t) => {
  const names = Object.keys(document.components.messages)
  t.true(names.length > 2 * Object.keys(OPS).length + Object.keys(EVENTS).length)
  for (const name of names) {
    t.truthy(document.components.messages[name]!.examples, `${name} has no example`)
    t.is(troubleWith(name, exampleOf(name)), null, name)
    const [field] = Object.keys(exampleOf(name))
    t.not(troubleWith(name, { ...exampleOf(name), [field!]: { not: 'this' } }), null, name)
  }
})

test.serial('every example that asks is answered as described', async (t) => {
  const buyer = await socketOf('')
  for (const op of Object.keys(OPS)) {
    const { id: _, op: named, ...fields } = filled(exampleOf(op))
    t.is(named, op)
    const answer = (await buyer.op(op, fields)) as Json
    t.is(troubleWith(`${op}.ok`, answer), null, `${op}: ${JSON.stringify(answer)}`)
  }
  const refused = (await buyer.op('send', { conversation: things.conversation })) as Json
  t.is(troubleWith('error', refused), null)
  t.not(troubleWith('send.ok', refused), null)
})

/** What makes the server say each event, to the seller's socket. */
type Cause = (to: { buyer: Client; seller: Client }) => Promise<unknown>
const inConversation = () => ({ conversation: things.conversation })
const said = async (buyer: Client): Promise<Json> =>
  (await buyer.op('send', { ...inConversation(), clientId: 'said', text: 'Hello?' })).message
const CAUSES: Readonly<Record<string, Cause>> = {
  message: ({ buyer }) => said(buyer),
  'message.edited': async ({ buyer }) =>
    buyer.op('edit', { ...inConversation(), message: (await said(buyer))['id'], text: 'Hello!' }),
  'message.deleted': async ({ buyer }) =>
    buyer.op('delete', { ...inConversation(), message: (await said(buyer))['id'] }),
  read: ({ buyer }) => buyer.op('read', { ...inConversation(), seq: 2 }),
  // Told once in a while, and it was told of the examples.
  typing: ({ buyer, seller }) =>
    eventually(async () => {
      await buyer.op('typing', inConversation())
      return seller.events.some(({ ev }) => ev === 'typing')
    }, Boolean),
  order: () => move('cancel', { reason: 'changed my mind' }),
  /** The seller is told that a gig may be seen. */
  notification: () =>
    market.request('POST', `/v1/gigs/${things.draft}/publish`, { token: cast.seller.token, body: {} }),
  // The last but one: the buyer leaves.
  presence: async ({ seller }) => {
    await seller.op('presence', { users: [cast.buyer.id] })
    for (const one of sockets) if (one !== seller) one.close()
  },
  gig: async ({ seller }) => {
    await seller.op('subscribe', { topic: `gig:${things.gig}` })
    await market.request('PATCH', `/v1/gigs/${things.gig}`, {
      token: cast.seller.token,
      body: { tags: ['map', 'sea'] },
    })
  },
  announcement: async ({ seller }) => {
    await seller.op('subscribe', { topic: 'announcements' })
    await market.request('POST', '/v1/admin/announcements', { token: cast.admin.token, body: { text: 'Hello, all.' } })
  },
  // The last one: this node stops.
  draining: () => market.broker.stop(),
}
const move = (name: string, body: object) =>
  market.request('POST', `/v1/orders/${things.order}/${name}`, { token: cast.buyer.token, body })
/** Nothing a request does here makes the server say these: why, or which test shows them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  missed: 'said after an outage between nodes',
}

test.serial('every event is said when it happens, as described', async (t) => {
  const [seller, buyer] = [await socketOf(cast.seller.token), await socketOf(cast.buyer.token)]
  await seller.op('ping')
  await buyer.op('typing', inConversation())
  const last = ['presence', 'draining']
  const names = Object.keys(EVENTS).sort((one, other) => last.indexOf(one) - last.indexOf(other))
  for (const ev of names) {
    if (ev in ELSEWHERE) continue
    const cause = CAUSES[ev]
    if (!cause) {
      t.fail(`say in CAUSES what makes the server say ${ev}`)
      continue
    }
    await cause({ seller, buyer })
    const frame = await eventually(() => seller.events.find((one) => one.ev === ev), Boolean)
    t.is(troubleWith(`ev.${ev}`, frame), null, JSON.stringify(frame))
  }
  for (const frame of seller.events) t.is(troubleWith(`ev.${frame.ev}`, frame), null, JSON.stringify(frame))
})
