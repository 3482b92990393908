// The load of bench/fanout.ts: subscribers that check the order of what they get, and one publisher with so many messages
// in flight: the next one goes out when everybody has one of them.
import { connect, type Socket } from 'node:net'
import { answerParent } from './harness.ts'
import { tokenOf } from './people.ts'
import { histogram, percentile, spread, swarmClient, type SwarmClient } from './swarm.ts'

export type Dialect = 'raw' | 'topic' | 'users' | 'socket.io' | 'centrifuge'
export type Opening = { dialect: Dialect; subscribers: number; port: number; controlPort: number; secret?: string }
export type Rounding = { inFlight: number; ms: number }
export type Rounded = { messages: number; deliveries: number; seconds: number; p50Ms: number; p99Ms: number }

/** How one product is talked to. `isReady` tells the answer that says that messages come from now on. */
type Talk = {
  path: string
  headers?: (at: number) => Promise<Record<string, string>>
  first?: readonly string[]
  isReady?: (text: string) => boolean
  /** What to answer to texts that carry no message, such as a server's ping. */
  answer?: (text: string) => string | undefined
}

const OPENING_AT_ONCE = 100
const OPEN_WITHIN_MS = 60_000
/** After the last publication of a round everything must have arrived by then. */
const DRAIN_MS = 40_000
const NUMBER = Buffer.from('"n":')
const ZERO = 48
const NINE = 57
const TEXT = 'A new collection of gigs is open until the end of the week: have a look, and tell your friends about it.'

type State = {
  control: Socket
  /** The last number each subscriber has. */
  last: Int32Array
  /** Subscribers that have a number which is not everybody's yet. */
  got: Map<number, { count: number; at: number }>
  trouble: string | null
  arrived: (n: number) => void
}
let state: State | null = null

const open = async (opening: Opening): Promise<object> => {
  const { subscribers, port, controlPort } = opening
  const control = connect({ host: '127.0.0.1', port: controlPort, noDelay: true })
  const got: State['got'] = new Map()
  const made: State = { control, last: new Int32Array(subscribers), got, trouble: null, arrived: () => {} }
  const talk = talkOf(opening)
  await spread(subscribers, OPENING_AT_ONCE, async (at) => {
    const headers = (await talk.headers?.(at)) ?? {}
    await within(OPEN_WITHIN_MS, `subscriber ${at} was not ready`, (ready) => {
      const say = (client: SwarmClient) => {
        for (const text of talk.first ?? []) client.send(text)
        if (!talk.isReady) ready()
      }
      swarmClient({
        port,
        path: talk.path,
        headers,
        opened: say,
        text: (client, bytes, from, to) => {
          if (take(made, at, bytes, from, to)) return
          const text = bytes.toString('utf8', from, to)
          if (talk.isReady?.(text)) ready()
          const answer = talk.answer?.(text)
          if (answer !== undefined) client.send(answer)
        },
        closed: (_, code, reason) => (made.trouble ??= `subscriber ${at} was closed: ${code} ${reason}`),
      })
    })
  })
  if (made.trouble) throw new Error(made.trouble)
  state = made
  return {}
}

/** Counts every message in a frame (there may be several) and checks that none is missing, doubled or out of order. */
const take = (to: State, at: number, bytes: Buffer, from: number, end: number): boolean => {
  let found = bytes.indexOf(NUMBER, from)
  if (found < 0 || found >= end) return false
  while (found >= 0 && found < end) {
    let n = 0
    let digit = found + NUMBER.length
    for (; bytes[digit]! >= ZERO && bytes[digit]! <= NINE; digit++) n = n * 10 + bytes[digit]! - ZERO
    if (n !== to.last[at]! + 1) to.trouble ??= `subscriber ${at} got ${n} after ${to.last[at]}`
    to.last[at] = n
    to.arrived(n)
    found = digit < end ? bytes.indexOf(NUMBER, digit) : -1
  }
  return true
}

const round = async ({ inFlight, ms }: Rounding): Promise<Rounded> => {
  if (!state) throw new Error('nobody is connected')
  const now = state
  const { control, last, got } = now
  const took = histogram()
  const first = last[0]!
  let published = first
  let complete = first
  let lines = ''
  const startedAt = performance.now()
  const endsAt = startedAt + ms
  // Freed places of one turn of the loop are filled with one write, as one publisher on one connection does it.
  const publish = () => {
    published += 1
    got.set(published, { count: 0, at: performance.now() })
    if (lines === '') setImmediate(flush)
    lines += `${JSON.stringify({ n: published, text: TEXT })}\n`
  }
  const flush = () => {
    control.write(lines)
    lines = ''
  }
  await within(ms + DRAIN_MS, `not everybody got everything`, (done, failed) => {
    now.arrived = (n) => {
      if (now.trouble) return failed(new Error(now.trouble))
      const one = got.get(n)
      if (!one || ++one.count < last.length) return
      got.delete(n)
      complete += 1
      const at = performance.now()
      took.add(at - one.at)
      if (at < endsAt) publish()
      else if (complete === published) done()
    }
    for (let at = 0; at < inFlight; at++) publish()
  })
  now.arrived = () => {}
  const messages = complete - first
  if (last.some((n) => n !== complete)) throw new Error('a subscriber misses messages')
  return {
    messages,
    deliveries: messages * last.length,
    seconds: (performance.now() - startedAt) / 1000,
    p50Ms: percentile([took.counts()], 0.5),
    p99Ms: percentile([took.counts()], 0.99),
  }
}

const within = (ms: number, otherwise: string, act: (done: () => void, failed: (error: Error) => void) => void) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${otherwise} within ${ms} ms`)), ms)
    act(
      () => {
        clearTimeout(timer)
        resolve()
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })

const talkOf = ({ dialect, secret = '' }: Opening): Talk => {
  const bearer = async (at: number) => ({
    Authorization: `Bearer ${await tokenOf(secret, at)}`,
    'Sec-WebSocket-Protocol': 'gigwire.v1',
  })
  const isAnswered = (text: string) => text.startsWith('{"id":1,"ok":true')
  const realtime = { path: '/v1/realtime', headers: bearer, isReady: isAnswered }
  const talks: Record<Dialect, Talk> = {
    raw: { path: '/' },
    topic: { ...realtime, first: ['{"id":1,"op":"subscribe","topic":"announcements"}'] },
    // Answered only when the account is known, and with it who this connection is.
    users: { ...realtime, first: ['{"id":1,"op":"presence","users":[]}'] },
    'socket.io': {
      path: '/socket.io/?EIO=4&transport=websocket',
      isReady: (text) => text.startsWith('40'),
      answer: (text) => (text.startsWith('0') ? '40' : text === '2' ? '3' : undefined),
    },
    centrifuge: {
      path: '/connection/websocket',
      first: ['{"id":1,"connect":{}}', '{"id":2,"subscribe":{"channel":"room"}}'],
      isReady: (text) => text.includes('"subscribe":'),
      answer: (text) => (text.trim() === '{}' ? '{}' : undefined),
    },
  }
  return talks[dialect]
}

if (import.meta.main)
  answerParent((asked: { open: Opening } | { round: Rounding }) =>
    'open' in asked ? open(asked.open) : round(asked.round),
  )
