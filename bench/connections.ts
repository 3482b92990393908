// Live connections: memory and CPU of each, chat among them, then all cut at once and back with `sync`.
// `npm run bench:connections [-- --sockets 10000 --per-second 200 --chat-seconds 10 --profile folder]`
// `npm run bench:connections -- --resumes 10000 --missed 20`: what it costs when everybody has missed so many messages.
// Every socket is an account of its own with a real token; every client checks the numbers of its conversation.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Chatted, Opened, Opening, Resumed, Seen } from './connections-load.ts'
import { conversationId, LINE, seedConversations, seedMessages, type Pair } from './conversations.ts'
import { openFilesMax, seconds, startChild, table, type Child } from './harness.ts'
import { startBenchMarket, type BenchMarket } from './nodes.ts'
import { seedPeople, tokenOf } from './people.ts'
import { percentile, spread } from './swarm.ts'

const { values } = parseArgs({
  options: {
    sockets: { type: 'string', default: '100000' },
    /** Gateway processes; 0 is one process with everything. As many as the limit of open files asks for by default. */
    gateways: { type: 'string', default: '' },
    'per-second': { type: 'string', default: '200' },
    'chat-seconds': { type: 'string', default: '10' },
    /** Messages sent while everybody is away. */
    away: { type: 'string', default: '1000' },
    /** Connects under way at once, over all of the load's processes. */
    'in-flight': { type: 'string', default: '200' },
    resumes: { type: 'string', default: '' },
    missed: { type: 'string', default: '20' },
    profile: { type: 'string', default: '' },
  },
})
const SERVER_CORE = 0
const LOAD_CORE = 1
/** Of the files a process may have open, what is left for all but sockets, and for uneven spreading over gateways. */
const FILES_KEPT = 3000
const POSTS_AT_ONCE = 20
const SETTLED_WITHIN_MS = 20_000
const QUIET_MS = 1500
const IDLE_MS = 5000
const CLOSED_WITHIN_MS = 60_000

const perProcess = openFilesMax() - FILES_KEPT
if (values.resumes) await resumes(Number(values.resumes), Number(values.missed))
else await connections(Number(values.sockets))

type Run = { market: BenchMarket; loads: Child[]; count: number; conversations: number }
type Cost = { wallSeconds: number; gateways: number; actors: number; nats: number }

async function connections(count: number) {
  const processes = Math.ceil(count / perProcess)
  const gateways = values.gateways ? Number(values.gateways) : processes > 1 ? processes : 0
  // Partners sit at two ends of the list, so mostly on two gateways.
  const half = Math.floor(count / 2)
  await run(
    { count: 2 * half, conversations: half, gateways, processes },
    (at) => [at, half + at],
    0,
    async (one) => {
      const before = memory(one.market)
      const connected = await costOf(one.market, () => all<Opened>(one, 'open'))
      await sleep(QUIET_MS)
      const after = memory(one.market)
      const idle = await costOf(one.market, () => sleep(IDLE_MS))
      await check(one, new Map())
      const talked = await chat(one)
      const due = await sentMeanwhile(one, talked.sum)
      const resumed = await costOf(one.market, () => all<Resumed>(one, 'resume'))
      await check(one, due)
      const missed = resumed.answers.reduce((sum, { missed }) => sum + missed, 0)
      const away = Number(values.away)
      if (missed !== 2 * away) throw new Error(`${missed} messages came with sync, ${2 * away} were due`)
      report(one, {
        connected: { ...connected, before, after },
        idle: idle.cost,
        talked,
        resumed: { ...resumed, missed },
      })
    },
  )
}

async function resumes(count: number, each: number) {
  const processes = Math.ceil(count / perProcess)
  const gateways = values.gateways ? Number(values.gateways) : processes
  // Everybody's partner is away and has said what there is to catch up with.
  await run(
    { count, conversations: count, gateways, processes },
    (at) => [at, count + at],
    each,
    async (one) => {
      const loads = openings(one)
      await Promise.all(one.loads.map((load, at) => load.ask({ asked: { open: loads[at]! } })))
      await dropAll(one)
      const resumed = await costOf(one.market, () => all<Resumed>(one, 'resume'))
      await check(one, new Map(Array.from({ length: count }, (_, at) => [at, each])))
      const missed = resumed.answers.reduce((sum, { missed }) => sum + missed, 0)
      if (missed !== count * each) throw new Error(`${missed} messages came with sync, ${count * each} were due`)
      const { cost } = resumed
      console.log(`\n${count} people came back, each to ${each} missed messages: lost 0, doubled 0, out of order 0\n`)
      const micros = (cpu: number) => `${((cpu * 1e6) / count).toFixed(0)} µs`
      const parts = [
        ['gateway', cost.gateways],
        ['actors (account, chat)', cost.actors],
        ['NATS', cost.nats],
        ['gateway and actors together', cost.gateways + cost.actors],
      ] as const
      const rows = parts.map(([name, cpu]) => [name, seconds(cpu), micros(cpu)])
      console.log(table(['Process', 'CPU', 'CPU of one resume'], rows))
      console.log(`\n${slowest(resumed.answers)} in all, p99 of one ${latency(resumed.answers, 0.99)}`)
    },
  )
}

type Shape = { count: number; conversations: number; gateways: number; processes: number }

async function run(shape: Shape, pair: Pair, each: number, work: (one: Run) => Promise<void>) {
  const { count, conversations, gateways, processes } = shape
  console.log(`${openFilesMax()} open files a process: ${describe(gateways)}, ${processes} of the load`)
  const market = await startBenchMarket({
    gateways,
    core: SERVER_CORE,
    ...(values.profile && { profile: values.profile }),
    seed: async (documents) => {
      await seedPeople(documents, count)
      await seedConversations(documents, conversations, pair)
      if (each > 0) await seedMessages(documents, conversations, pair, each)
    },
  })
  const loads = Array.from({ length: processes }, () =>
    startChild(new URL('./connections-load.ts', import.meta.url), [], { core: LOAD_CORE }),
  )
  try {
    await work({ market, loads, count, conversations })
  } finally {
    await Promise.all(loads.map((load) => load.stop()))
    await market.stop()
  }
}

function describe(gateways: number): string {
  if (gateways === 0) return 'one process with everything'
  return `${gateways} gateway process${gateways > 1 ? 'es on one port' : ''} and one with the actors, over NATS`
}

function openings({ market, loads, count, conversations }: Run): Opening[] {
  const size = Math.ceil(count / loads.length)
  const inFlight = Math.ceil(Number(values['in-flight']) / loads.length)
  return loads.map((_, at) => ({
    from: at * size,
    to: Math.min(count, (at + 1) * size),
    conversations,
    port: market.port,
    secret: market.secret,
    inFlight,
  }))
}

function all<A>(one: Run, what: 'open' | 'resume'): Promise<A[]> {
  const opening = openings(one)
  return Promise.all(
    one.loads.map((load, at) => load.ask<A>({ asked: what === 'open' ? { open: opening[at]! } : what })),
  )
}

async function costOf<A>(market: BenchMarket, work: () => Promise<A>): Promise<{ answers: A; cost: Cost }> {
  const before = market.usage()
  const startedAt = performance.now()
  const answers = await work()
  const wallSeconds = (performance.now() - startedAt) / 1000
  const after = market.usage()
  const spent = (part: keyof typeof after) => after[part].cpuSeconds - before[part].cpuSeconds
  return { answers, cost: { wallSeconds, gateways: spent('gateways'), actors: spent('actors'), nats: spent('nats') } }
}

type Talked = { cost: Cost; sent: number; acks: number[][]; deliveries: number[][]; sum: Map<number, number> }

async function chat(one: Run): Promise<Talked> {
  const { market, loads } = one
  const chatting = { perSecond: Number(values['per-second']) / loads.length, ms: Number(values['chat-seconds']) * 1000 }
  const { answers, cost } = await costOf(market, () =>
    Promise.all(loads.map((load) => load.ask<Chatted>({ asked: { chat: chatting } }))),
  )
  const refused = answers.flatMap((answer) => answer.refused)
  if (refused.length > 0) throw new Error(`sends were refused: ${refused.slice(0, 3).join('; ')}`)
  const sent = answers.reduce((total, answer) => total + answer.sent, 0)
  const acknowledged = answers.reduce((total, answer) => total + answer.acknowledged, 0)
  if (sent !== acknowledged) throw new Error(`${acknowledged} of ${sent} sends were acknowledged`)
  return {
    cost,
    sent,
    acks: answers.map(({ acks }) => acks),
    deliveries: answers.map(({ deliveries }) => deliveries),
    sum: await settled(one, sent),
  }
}

/** Waits until both members of every conversation have the same, and all of it together is what was sent. */
async function settled(one: Run, sent: number): Promise<Map<number, number>> {
  const until = performance.now() + SETTLED_WITHIN_MS
  for (;;) {
    const last = await seen(one)
    const sums = new Map<number, number>()
    let uneven = 0
    for (let at = 0; at < one.conversations; at++) {
      sums.set(at, last[at]!)
      if (last[at] !== last[one.conversations + at]) uneven += 1
    }
    const total = [...sums.values()].reduce((sum, n) => sum + n, 0)
    if (uneven === 0 && total === sent) return sums
    if (performance.now() > until)
      throw new Error(`${sent} messages were acknowledged; ${total} arrived, ${uneven} pairs have not the same`)
    await sleep(100)
  }
}

/** The last numbers of everybody in order; throws where a client saw a gap, a repetition or the wrong order. */
async function seen({ loads }: Run): Promise<number[]> {
  const answers = await Promise.all(loads.map((load) => load.ask<Seen>({ asked: 'seen' })))
  const trouble = answers.find((answer) => answer.trouble)?.trouble
  if (trouble) throw new Error(trouble)
  return answers.flatMap(({ last }) => [...last])
}

async function check(one: Run, expected: ReadonlyMap<number, number>) {
  const last = await seen(one)
  for (const [at, seq] of last.entries()) {
    const due = expected.get(at % one.conversations) ?? 0
    if (seq !== due) throw new Error(`person ${at} has ${seq} of ${due}`)
  }
  const open = await one.market.sockets()
  if (open !== one.count) throw new Error(`${open} of ${one.count} sockets are open`)
}

async function dropAll({ market, loads }: Run) {
  await Promise.all(loads.map((load) => load.ask({ asked: 'drop' })))
  const until = performance.now() + CLOSED_WITHIN_MS
  while ((await market.sockets()) > 0) {
    if (performance.now() > until) throw new Error('the gateways keep sockets that were cut')
    await sleep(200)
  }
  await sleep(QUIET_MS)
}

/** Everybody is cut off; meanwhile messages are sent over HTTP. Answers the last number of each conversation. */
async function sentMeanwhile(one: Run, before: ReadonlyMap<number, number>): Promise<Map<number, number>> {
  await dropAll(one)
  const last = new Map(before)
  const { url, secret } = one.market
  const count = Number(values.away)
  await spread(count, POSTS_AT_ONCE, async (n) => {
    const at = Math.floor((n * one.conversations) / count)
    last.set(at, (last.get(at) ?? 0) + 1)
    const response = await fetch(`${url}/v1/conversations/${conversationId(at)}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(secret, at)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ clientId: `away-${n}`, text: LINE }),
    })
    if (response.status !== 201) throw new Error(`a message over HTTP: ${response.status} ${await response.text()}`)
  })
  return last
}

type Memory = { gateways: number; actors: number; kernelBytes: number }
function memory(market: BenchMarket): Memory {
  const { gateways, actors } = market.usage()
  const slab = /^Slab:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))![1]
  return { gateways: gateways.residentBytes, actors: actors.residentBytes, kernelBytes: Number(slab) * 1024 }
}

function latency(answers: readonly { took: number[] }[], share: number): string {
  return `${percentile(
    answers.map(({ took }) => took),
    share,
  ).toFixed(0)} ms`
}

/** The load's processes begin together. */
function slowest(answers: readonly Opened[]): string {
  return seconds(Math.max(...answers.map((answer) => answer.seconds)))
}

function cpuOf({ gateways, actors, nats, wallSeconds }: Cost): number {
  return (gateways + actors + nats) / wallSeconds
}

type Result = {
  connected: { answers: Opened[]; cost: Cost; before: Memory; after: Memory }
  idle: Cost
  talked: Talked
  resumed: { answers: Resumed[]; cost: Cost; missed: number }
}
function report({ count }: Run, { connected, idle, talked, resumed }: Result) {
  const { before, after } = connected
  const each = (what: keyof Memory) => `${((after[what] - before[what]) / count / 1024).toFixed(2)} KB`
  const micros = (cpu: number, of: number) => `${((cpu * 1e6) / of).toFixed(0)} µs`
  const split = ({ gateways, actors, nats }: Cost, of: number) =>
    `${micros(gateways + actors + nats, of)} (gateways ${micros(gateways, of)}, actors ${micros(actors, of)}, NATS ${micros(nats, of)})`
  const time = (histograms: readonly number[][], share: number) => `${percentile(histograms, share).toFixed(1)} ms`
  const rows = [
    ['Memory of a socket in the gateways', each('gateways')],
    ['… in the process with the actors', each('actors')],
    ["… in the kernel's slab, both ends", each('kernelBytes')],
    ['CPU of a connect, account looked up', split(connected.cost, count)],
    ['All connected', slowest(connected.answers)],
    ['All idle, answering pings: CPU of a second', `${cpuOf(idle).toFixed(3)} s`],
    ['Messages sent, acknowledged, delivered to both', String(talked.sent)],
    ['Send to acknowledgement, p50 / p99', `${time(talked.acks, 0.5)} / ${time(talked.acks, 0.99)}`],
    ['Send to delivery, p50 / p99', `${time(talked.deliveries, 0.5)} / ${time(talked.deliveries, 0.99)}`],
    [`CPU of a message at ${values['per-second']} a second, with what idling costs`, split(talked.cost, talked.sent)],
    ['All cut at once and back with `sync`', slowest(resumed.answers)],
    ['CPU of one coming back', split(resumed.cost, count)],
    ['Caught up, p50 / p99 of one', `${latency(resumed.answers, 0.5)} / ${latency(resumed.answers, 0.99)}`],
    ['Messages closed by `sync`; lost, doubled, out of order', `${resumed.missed}; 0, 0, 0`],
  ]
  console.log(`\n${table([`${count} sockets`, 'Measured'], rows)}`)
}
