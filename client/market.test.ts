// The client on a whole market: what comes from others than chat.
import test from 'ava'
import { castOf, startEverything, thingsOf, type Cast, type Everything } from '../test/everything.ts'
import { eventually } from '../test/node.ts'
import { TAIL_MAX } from '../services/topic.ts'
import { connect, type Client, type Events, type Options, type State } from './index.ts'
import { cuttable } from './testing.ts'

let market: Everything
let cast: Cast
let socketUrl: string
const clients: Client[] = []
test.before(async () => {
  market = await startEverything()
  cast = await castOf(market)
  socketUrl = `${market.url.replace('http', 'ws')}/v1/realtime`
})
test.after.always(async () => {
  for (const one of clients) one.close()
  await market?.stop()
})

const clientOf = (who: keyof Cast, options: Partial<Options> = {}): Client => {
  const one = connect({ url: socketUrl, token: () => cast[who].token, minDelayMs: 20, maxDelayMs: 200, ...options })
  clients.push(one)
  return one
}
const count = (some: unknown[], wanted: number) =>
  eventually(
    () => some.length,
    (length) => length >= wanted,
  )
const announce = (text: string) =>
  market.request('POST', '/v1/admin/announcements', { token: cast.admin.token, body: { text } })
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `${from + at}`)

test.serial(
  'a topic is joined again at every connection, and what was said meanwhile is told once and in order',
  async (t) => {
    const link = await cuttable(socketUrl)
    t.teardown(link.stop)
    const client = clientOf('buyer', { url: link.url })
    const heard: string[] = []
    const topics: string[] = []
    client.on('announcement', ({ text }) => void heard.push(text))
    client.on('topic', ({ topic, missed, error }) => void topics.push(`${topic} ${missed ?? error?.code}`))
    client.subscribe('announcements')
    client.subscribe('anything')
    await count(topics, 1)
    t.deepEqual(topics, ['anything validation_failed'])

    await announce('1')
    await count(heard, 1)
    for (const part of [1, 2, 3]) {
      link.refuse(true)
      link.cut()
      for (const text of numbers(part * 10, part * 10 + 4)) await announce(text)
      link.refuse(false)
      for (const text of numbers(part * 10 + 5, part * 10 + 9)) await announce(text)
      await count(heard, 1 + part * 10)
    }
    t.deepEqual(heard, ['1', ...numbers(10, 39)])

    // Said to this node and lost on its way: the next one shows the gap.
    const fanout = await market.open('fanout')
    const { toTopic } = fanout
    fanout.toTopic = () => undefined
    await announce('40')
    fanout.toTopic = toTopic
    await announce('41')
    await count(heard, 33)
    t.deepEqual(heard.slice(31), ['40', '41'])

    client.unsubscribe('announcements')
    await client.presence([])
    await announce('42')
    await client.presence([])
    t.is(heard.length, 33)
    t.is(topics.length, 1)
  },
)

test.serial('who missed more of a topic than is kept is told so, and hears what comes then', async (t) => {
  const link = await cuttable(socketUrl)
  t.teardown(link.stop)
  const client = clientOf('seller', { url: link.url })
  const heard: string[] = []
  const topics: Events['topic'][] = []
  client.on('announcement', ({ text }) => void heard.push(text))
  client.on('topic', (one) => void topics.push(one))
  client.subscribe('announcements')
  const becomes = (state: State) =>
    eventually(
      () => client.state,
      (now) => now === state,
    )
  await becomes('connected')
  await client.presence([])
  await announce('heard')
  await count(heard, 1)
  link.refuse(true)
  link.cut()
  await becomes('waiting')
  for (let nth = 0; nth <= TAIL_MAX; nth++) await announce('missed')
  link.refuse(false)
  await count(topics, 1)
  await announce('heard again')
  await count(heard, 2)
  t.deepEqual(topics, [{ topic: 'announcements', missed: true }])
  t.deepEqual(heard, ['heard', 'heard again'])
})

test.serial('a notification comes to the person it is for', async (t) => {
  const client = clientOf('seller')
  const heard: string[] = []
  client.on('notification', ({ kind, about }) => void heard.push(`${kind} ${about.type}`))
  await eventually(
    () => client.state,
    (state) => state === 'connected',
  )
  await thingsOf(market, cast)
  await eventually(
    () => heard,
    (all) => all.includes('gig gig'),
  )
  t.pass()
})
