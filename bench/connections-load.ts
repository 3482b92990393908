// The load of bench/connections.ts: a stretch of people, one socket each, who belong to one conversation each. Every client
// checks that its conversation's numbers come without a gap, twice or out of order.
import { answerParent } from './harness.ts'
import { conversationId, LINE } from './conversations.ts'
import { tokenOf } from './people.ts'
import { histogram, spread, swarmClient, type SwarmClient } from './swarm.ts'

/** People `from` to `to`; person n talks in conversation n modulo `conversations`. */
export type Opening = {
  from: number
  to: number
  conversations: number
  port: number
  secret: string
  inFlight: number
}
export type Opened = { seconds: number; took: number[] }
/** Open loop with so many a second, whatever the answers take; or closed, with so many unanswered. */
export type Chatting = { ms: number } & ({ perSecond: number } | { inFlight: number })
export type Chatted = { sent: number; acknowledged: number; refused: string[]; acks: number[]; deliveries: number[] }
export type Resumed = Opened & { missed: number }
/** The last number that each of these people has seen, and the first thing that was wrong. */
export type Seen = { last: Int32Array; trouble: string | null; connected: number }

/** Connections of one source address: the system looks for a free port of it at each, and the fewer are taken the sooner. */
const PER_ADDRESS = 2000
const ANSWER_WITHIN_MS = 120_000
const TICK_MS = 10
const ACKNOWLEDGED_WITHIN_MS = 20_000

type Frame = {
  id?: number
  ok?: boolean
  ev?: string
  error?: { code: string; message: string }
  data?: { conversation: string; seq: number; text: string; sender: string }
  conversations?: Record<string, { messages: { seq: number }[]; lastSeq: number; hasMore: boolean }>
}
type Waiting = { resolve: (frame: Frame) => void; reject: (error: Error) => void }
type People = {
  opening: Opening
  tokens: string[]
  clients: (SwarmClient | null)[]
  last: Int32Array
  waiting: Map<number, Waiting>
  trouble: string | null
  deliveries: ReturnType<typeof histogram>
}
let people: People | null = null
let lastId = 0

/** The same clock in every process of this machine. */
const now = (): number => performance.timeOrigin + performance.now()

const open = async (opening: Opening): Promise<Opened> => {
  const count = opening.to - opening.from
  people = {
    opening,
    tokens: await signed(opening),
    clients: new Array<SwarmClient | null>(count).fill(null),
    last: new Int32Array(count),
    waiting: new Map(),
    trouble: null,
    deliveries: histogram(),
  }
  // Answered only once the account is known, and with it who this connection is.
  return connectAll(people, async (at) => void (await ask(at, { op: 'presence', users: [] })))
}

const signed = async ({ from, to, secret }: Opening): Promise<string[]> => {
  const tokens: string[] = []
  for (let at = from; at < to; at++) tokens.push(await tokenOf(secret, at))
  return tokens
}

/** Connects everybody, does a first thing with each, and answers how long that took. */
const connectAll = async (to: People, first: (at: number) => Promise<void>): Promise<Opened> => {
  const { opening, clients, tokens } = to
  const took = histogram()
  const startedAt = now()
  await spread(clients.length, opening.inFlight, async (at) => {
    const from = now()
    await connect(to, at, tokens[at]!)
    await first(at)
    took.add(now() - from)
  })
  return { seconds: (now() - startedAt) / 1000, took: took.counts() }
}

/** 127.0.1.1 and up: loopback addresses of their own, for two million people at least. */
const sourceOf = (person: number): string => {
  const nth = Math.floor(person / PER_ADDRESS)
  return `127.0.${1 + Math.floor(nth / 250)}.${1 + (nth % 250)}`
}

const connect = (to: People, at: number, token: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { port, from } = to.opening
    const client = swarmClient({
      port,
      path: '/v1/realtime',
      headers: { Authorization: `Bearer ${token}`, 'Sec-WebSocket-Protocol': 'gigwire.v1' },
      localAddress: sourceOf(from + at),
      opened: () => resolve(),
      text: (_, bytes, start, end) => heard(to, at, JSON.parse(bytes.toString('utf8', start, end)) as Frame),
      closed: (_, code, reason) => {
        // Ended by this side: the place is somebody else's already.
        if (to.clients[at] !== client) return reject(new Error('ended'))
        to.clients[at] = null
        to.trouble ??= `person ${from + at} was closed: ${code} ${reason}`
        reject(new Error(to.trouble))
      },
    })
    to.clients[at] = client
  })

const heard = (to: People, at: number, frame: Frame) => {
  if (frame.id !== undefined) {
    const one = to.waiting.get(frame.id)
    to.waiting.delete(frame.id)
    return one?.resolve(frame)
  }
  if (frame.ev !== 'message' || !frame.data) return
  const { seq, text, conversation } = frame.data
  if (conversation !== conversationOf(to, at)) to.trouble ??= `person ${at} heard ${conversation}`
  next(to, at, seq)
  to.deliveries.add(now() - Number(text.slice(0, text.indexOf(' '))))
}

const next = (to: People, at: number, seq: number) => {
  if (seq !== to.last[at]! + 1) to.trouble ??= `person ${to.opening.from + at} got ${seq} after ${to.last[at]}`
  to.last[at] = seq
}

const conversationOf = ({ opening }: People, at: number) => conversationId((opening.from + at) % opening.conversations)

const ask = (at: number, fields: object): Promise<Frame> => {
  const to = people!
  const id = ++lastId
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`person ${at} had no answer`)), ANSWER_WITHIN_MS)
    const resolved = (frame: Frame) => {
      clearTimeout(timer)
      if (frame.ok) resolve(frame)
      else reject(new Error(`${frame.error?.code}: ${frame.error?.message}`))
    }
    to.waiting.set(id, { resolve: resolved, reject })
    to.clients[at]?.send(JSON.stringify({ id, ...fields }))
  })
}

/** From people drawn at random, each to their own conversation. */
const chat = async (chatting: Chatting): Promise<Chatted> => {
  const to = people!
  to.deliveries = histogram()
  const acks = histogram()
  const refused: string[] = []
  let sent = 0
  let acknowledged = 0
  const say = async () => {
    const at = Math.floor(Math.random() * to.clients.length)
    const from = now()
    sent += 1
    const clientId = `${process.pid}-${from}-${sent}`
    try {
      await ask(at, { op: 'send', conversation: conversationOf(to, at), clientId, text: `${from} ${LINE}` })
      acknowledged += 1
      acks.add(now() - from)
    } catch (error) {
      if (refused.length < 5) refused.push((error as Error).message)
    }
  }
  const startedAt = now()
  const endsAt = startedAt + chatting.ms
  if ('inFlight' in chatting) {
    const talker = async () => {
      while (now() < endsAt && refused.length === 0) await say()
    }
    await Promise.all(Array.from({ length: chatting.inFlight }, talker))
  } else {
    while (now() < endsAt) {
      const due = Math.floor(((now() - startedAt) / 1000) * chatting.perSecond)
      while (sent < due) void say()
      await pause(TICK_MS)
    }
  }
  const until = now() + ACKNOWLEDGED_WITHIN_MS
  while (acknowledged < sent && now() < until && refused.length === 0) await pause(TICK_MS)
  return { sent, acknowledged, refused, acks: acks.counts(), deliveries: to.deliveries.counts() }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const drop = async (): Promise<object> => {
  const { clients } = people!
  for (const [at, client] of clients.entries()) {
    clients[at] = null
    client?.destroy()
  }
  return {}
}

/** Connects again and closes the gap: everybody says the last number it has. */
const resume = async (): Promise<Resumed> => {
  const to = people!
  let missed = 0
  const opened = await connectAll(to, async (at) => {
    const id = conversationOf(to, at)
    for (let hasMore = true; hasMore;) {
      const { conversations } = await ask(at, { op: 'sync', conversations: { [id]: to.last[at] } })
      const answered = conversations?.[id]
      if (!answered) throw new Error(`sync left out ${id}`)
      for (const { seq } of answered.messages) next(to, at, seq)
      missed += answered.messages.length
      if (!answered.hasMore && answered.lastSeq !== to.last[at])
        to.trouble ??= `person ${at} has ${to.last[at]} of ${answered.lastSeq}`
      hasMore = answered.hasMore
    }
  })
  return { ...opened, missed }
}

const seen = async (): Promise<Seen> => ({
  last: people!.last,
  trouble: people!.trouble,
  connected: people!.clients.filter(Boolean).length,
})

type Asked = { open: Opening } | { chat: Chatting } | 'drop' | 'resume' | 'seen'
if (import.meta.main)
  answerParent(({ asked }: { asked: Asked }): Promise<object> => {
    if (asked === 'drop') return drop()
    if (asked === 'resume') return resume()
    if (asked === 'seen') return seen()
    return 'open' in asked ? open(asked.open) : chat(asked.chat)
  })
