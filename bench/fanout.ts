// Fan-out of one room: CPU of the server's process per delivery, side by side in one run and in a random order.
// `npm run bench:fanout [-- --subscribers 500,5000 --in-flight 1,32 --rounds 3 --ms 1500 --only raw,gateway]`
// The server has one core, the load the other. Every delivery is counted and its order checked; peers that are not installed
// (`cd bench/peers && npm install --ignore-scripts`, Go) are left out and said to be.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Dialect, Opening, Rounded, Rounding } from './fanout-load.ts'
import type { NodeKind, Served } from './fanout-servers.ts'
import {
  median,
  openFilesMax,
  owned,
  pinned,
  ratio,
  shuffled,
  startChild,
  table,
  usageOf,
  type Child,
} from './harness.ts'

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '500,5000' },
    'in-flight': { type: 'string', default: '1,32' },
    rounds: { type: 'string', default: '3' },
    ms: { type: 'string', default: '1500' },
    only: { type: 'string', default: '' },
    /** A folder for CPU profiles of the gateways. */
    profile: { type: 'string', default: '' },
  },
})
const SERVER_CORE = 0
const LOAD_CORE = 1
/** Files a process has open besides its sockets. */
const OWN_FILES = 200
const WARM_UP_MS = 500

type Kind = NodeKind | 'centrifuge'
type Peer = { label: string; dialect: Dialect; missing?: () => string | null }
type Server = { pid: number; served: Served; stop(): Promise<void> }
type Contender = { kind: Kind; server: Server; load: Child }
type Measured = { cpuMicros: number; perSecond: number; p99Ms: number }

const here = (path: string): URL => new URL(path, import.meta.url)
const noSocketIo = () => (existsSync(here('./peers/node_modules/socket.io')) ? null : 'npm install in bench/peers')
const noGo = () => {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return null
  } catch {
    return 'Go'
  }
}
const PEERS: Record<Kind, Peer> = {
  raw: { label: 'bare uWebSockets.js `publish`', dialect: 'raw' },
  gateway: { label: "Gigwire's gateway, a topic", dialect: 'topic' },
  'gateway-users': { label: "Gigwire's gateway, conversations of two", dialect: 'users' },
  ws: { label: '`ws`, a loop', dialect: 'raw' },
  'socket.io': { label: 'Socket.IO', dialect: 'socket.io', missing: noSocketIo },
  'socket.io-uws': { label: 'Socket.IO on uWebSockets.js', dialect: 'socket.io', missing: noSocketIo },
  centrifuge: { label: 'centrifuge library (Go), history and recovery', dialect: 'centrifuge', missing: noGo },
}

const scratch = mkdtempSync(join(tmpdir(), 'gigwire-fanout-'))
try {
  for (const subscribers of numbers(values.subscribers)) await compare(subscribers)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function numbers(list: string): number[] {
  return list.split(',').map(Number)
}

async function compare(subscribers: number) {
  if (subscribers + OWN_FILES > openFilesMax())
    return console.log(`${subscribers} subscribers: this machine allows ${openFilesMax()} open files a process`)
  const asked = values.only ? (values.only.split(',') as Kind[]) : (Object.keys(PEERS) as Kind[])
  const started: Contender[] = []
  try {
    for (const kind of asked) {
      const missing = PEERS[kind].missing?.()
      if (missing) console.log(`${PEERS[kind].label}: left out, needs ${missing}`)
      else started.push(await contender(kind, subscribers))
    }
    const contenders = [...started]
    for (const inFlight of numbers(values['in-flight']))
      report(subscribers, inFlight, await rounds(contenders, inFlight))
  } finally {
    await Promise.all(started.flatMap(({ server, load }) => [load.stop(), server.stop()]))
  }
}

async function contender(kind: Kind, subscribers: number): Promise<Contender> {
  const server = kind === 'centrifuge' ? await centrifuge() : await nodeServer(kind, subscribers)
  const load = startChild(here('./fanout-load.ts'), [], { core: LOAD_CORE })
  const { dialect } = PEERS[kind]
  await load.ask({ open: { ...server.served, dialect, subscribers } satisfies Opening })
  return { kind, server, load }
}

async function nodeServer(kind: NodeKind, subscribers: number): Promise<Server> {
  const profiled = values.profile && kind.startsWith('gateway')
  const nodeArguments = profiled ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}/${kind}-${subscribers}`] : []
  const child = startChild(here('./fanout-servers.ts'), [], { core: SERVER_CORE, nodeArguments })
  const dataDir = join(scratch, `${kind}-${subscribers}`)
  const served = await child.ask<Served>({ kind, subscribers, dataDir })
  return { pid: child.pid, served, stop: child.stop }
}

async function centrifuge(): Promise<Server> {
  const program = join(scratch, 'centrifuge')
  if (!existsSync(program))
    execFileSync('go', ['build', '-o', program, '.'], { cwd: fileURLToPath(here('./peers/centrifuge')) })
  const [command, ...rest] = pinned(SERVER_CORE, [program])
  const child = owned(spawn(command!, rest, { stdio: ['ignore', 'pipe', 'inherit'] }))
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return {
    pid: child.pid!,
    served: JSON.parse(line) as Served,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function rounds(contenders: Contender[], inFlight: number): Promise<Map<Kind, Measured[]>> {
  for (const one of shuffled(contenders)) await orDropped(contenders, one, measure(one, inFlight, WARM_UP_MS))
  const measured = new Map<Kind, Measured[]>(contenders.map(({ kind }) => [kind, []]))
  for (let round = 0; round < Number(values.rounds); round++)
    for (const one of shuffled(contenders)) {
      const result = await orDropped(contenders, one, measure(one, inFlight, Number(values.ms)))
      if (result) measured.get(one.kind)!.push(result)
      else measured.delete(one.kind)
    }
  return measured
}

/** A peer that loses its subscribers, or anything on the way to them, is said to have and measured no further. */
async function orDropped(contenders: Contender[], { kind }: Contender, result: Promise<Measured>) {
  try {
    return await result
  } catch (error) {
    if (kind === 'raw' || kind.startsWith('gateway')) throw error
    console.log(`${PEERS[kind].label}: dropped, ${(error as Error).message.split('\n')[0]}`)
    contenders.splice(
      contenders.findIndex((one) => one.kind === kind),
      1,
    )
    return null
  }
}

async function measure({ server, load }: Contender, inFlight: number, ms: number): Promise<Measured> {
  const before = usageOf(server.pid).cpuSeconds
  const { deliveries, seconds, p99Ms } = await load.ask<Rounded>({ round: { inFlight, ms } satisfies Rounding })
  const cpuSeconds = usageOf(server.pid).cpuSeconds - before
  return { cpuMicros: (cpuSeconds * 1e6) / deliveries, perSecond: deliveries / seconds, p99Ms }
}

function report(subscribers: number, inFlight: number, measured: ReadonlyMap<Kind, readonly Measured[]>) {
  const of = (kind: Kind, what: keyof Measured) => median(measured.get(kind)!.map((one) => one[what]))
  const base = measured.has('raw') ? of('raw', 'cpuMicros') : Number.NaN
  const rows = [...measured.keys()].map((kind) => {
    const cpu = of(kind, 'cpuMicros')
    const all = measured.get(kind)!.map(({ cpuMicros }) => cpuMicros)
    const spreadOf = `${Math.min(...all).toFixed(2)}–${Math.max(...all).toFixed(2)}`
    const rate = Math.round(of(kind, 'perSecond') / 1000)
    const p99 = of(kind, 'p99Ms')
    return [PEERS[kind].label, `${cpu.toFixed(2)} µs`, spreadOf, ratio(cpu, base), `${rate} k`, `${p99.toFixed(1)} ms`]
  })
  console.log(`\n${subscribers} subscribers of one room, ${inFlight} in flight\n`)
  const head = [
    'Server',
    'CPU per delivery',
    'of rounds',
    'of bare publish',
    'deliveries a second',
    'p99 to the last one',
  ]
  console.log(table(head, rows))
}
