// Messages over real sockets, end to end: a gateway, the actors and NATS in processes of their own, and whose CPU a message
// costs. Every message is acknowledged to its sender and delivered to both members, checked by number.
import type { Chatted, Chatting, Opening, Seen } from './connections-load.ts'
import { seedConversations } from './conversations.ts'
import { startChild, table } from './harness.ts'
import { startBenchMarket } from './nodes.ts'
import { seedPeople } from './people.ts'
import { percentile } from './swarm.ts'

export type Talking = { sockets: number; inFlight: number; ms: number; profile: string }

const SERVER_CORE = 0
const LOAD_CORE = 1
const WARM_UP_MS = 1000
const ARRIVED_WITHIN_MS = 10_000
const CONNECTS_AT_ONCE = 100

export const overSockets = async ({ sockets, inFlight, ms, profile }: Talking): Promise<void> => {
  const conversations = Math.floor(sockets / 2)
  const market = await startBenchMarket({
    gateways: 1,
    core: SERVER_CORE,
    ...(profile && { profile }),
    seed: async (documents) => {
      await seedPeople(documents, 2 * conversations)
      await seedConversations(documents, conversations, (at) => [at, conversations + at])
    },
  })
  const load = startChild(new URL('./connections-load.ts', import.meta.url), [], { core: LOAD_CORE })
  try {
    const { port, secret } = market
    const whole = { from: 0, to: 2 * conversations, conversations, inFlight: CONNECTS_AT_ONCE }
    await load.ask({ asked: { open: { ...whole, port, secret } satisfies Opening } })
    const chat = (forMs: number) => load.ask<Chatted>({ asked: { chat: { inFlight, ms: forMs } satisfies Chatting } })
    const warmUp = await chat(WARM_UP_MS)
    const before = market.usage()
    const startedAt = performance.now()
    const chatted = await chat(ms)
    const wallSeconds = (performance.now() - startedAt) / 1000
    const seen = async () => (await load.ask<Seen>({ asked: 'seen' })) as Seen
    await arrived(seen, 2 * (warmUp.sent + chatted.sent))
    const after = market.usage()
    if (chatted.refused.length > 0) throw new Error(`sends were refused: ${chatted.refused.join('; ')}`)
    const { sent, acks, deliveries } = chatted
    const parts = { gateways: 'gateway', actors: 'actors (account, chat)', nats: 'NATS' } as const
    const micros = (part: keyof typeof parts) => ((after[part].cpuSeconds - before[part].cpuSeconds) * 1e6) / sent
    const names = Object.keys(parts) as (keyof typeof parts)[]
    const rows = names.map((part) => [`CPU of a message: ${parts[part]}`, `${micros(part).toFixed(0)} µs`])
    const total = names.reduce((sum, part) => sum + micros(part), 0)
    const times = (all: number[]) => `${percentile([all], 0.5).toFixed(1)} / ${percentile([all], 0.99).toFixed(1)} ms`
    rows.push(
      ['… together', `${total.toFixed(0)} µs`],
      ['Sent, acknowledged, delivered to both, a second', Math.round(sent / wallSeconds).toLocaleString('en')],
      ['Send to acknowledgement, p50 / p99', times(acks)],
      ['Send to delivery, p50 / p99', times(deliveries)],
      ['Lost, doubled, out of order', '0, 0, 0'],
    )
    console.log(`\n${table([`${sockets} sockets, ${inFlight} in flight`, 'Measured'], rows)}`)
  } finally {
    await load.stop()
    await market.stop()
  }
}

/** Both members have every message, each client saw its numbers in order. */
const arrived = async (seen: () => Promise<Seen>, due: number): Promise<void> => {
  const until = performance.now() + ARRIVED_WITHIN_MS
  for (;;) {
    const { last, trouble } = await seen()
    if (trouble) throw new Error(trouble)
    const got = last.reduce((sum, seq) => sum + seq, 0)
    if (got === due) return
    if (performance.now() > until) throw new Error(`${got} of ${due} deliveries arrived`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
