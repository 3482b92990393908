// The processes of a run: gateways and chat nodes over one data directory and a real nats-server, each of which can be
// killed, paused, told to leave, and started again. Without nats-server: one process that is everything.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, RATE_LIMITS } from '../market.ts'
import { onPath, up } from '../servers.ts'
import { member, ready, type Member as AnyMember } from './member.ts'
import { CHANGED } from '../mutation.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const OUTPUT_CHARACTERS_MAX = 20_000

export type Role = 'gateway' | 'chat' | 'nats' | 'all'
export type Member = AnyMember<Role>
export type Cluster = {
  members: readonly Member[]
  of(role: Role): Member[]
  /** Gateways that serve now. */
  gatewayPorts(): number[]
  output(): string
  /** Mutants that said so. */
  changed(): number
  stop(): Promise<void>
}
export type ClusterOptions = {
  gateways: number
  /** Chat nodes that are there from the start; one more may join. */
  chats: number
  /** Run every chat node with this change of its source. */
  mutant?: string
}

/** What a gateway needs beside itself. */
const WITH_GATEWAY = 'gateway,account,moderation,media'

export const natsProgram = () => onPath(['nats-server'])

export const startCluster = async ({ gateways, chats, mutant }: ClusterOptions): Promise<Cluster> => {
  const program = natsProgram()
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-chaos-'))
  const count = program ? gateways + chats + 1 : 1
  const [natsPort, ...ports] = await freePorts(1 + 2 * count)
  let printed = ''
  const keep = (chunk: unknown) => (printed = (printed + String(chunk)).slice(-OUTPUT_CHARACTERS_MAX))
  let changed = 0

  const node = (role: Role, name: string, at: number, hosted: string | null): Member => {
    const [port, opsPort] = [ports[2 * at]!, ports[2 * at + 1]!]
    const isMutant = mutant !== undefined && role !== 'gateway'
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATA_DIR: dataDir,
      NODE_ID: name,
      PORT: String(port),
      OPS_PORT: String(opsPort),
      LOG_LEVEL: 'error',
      DEMO: '0',
      RATE_LIMITS,
      ...(hosted && { SERVICES: hosted }),
      ...(program && { NATS_URL: `nats://127.0.0.1:${natsPort}` }),
      ...(isMutant && { CHAOS_MUTANT: mutant }),
    }
    const args = [...(isMutant ? ['--import', join(ROOT, 'test/chaos/mutant.ts')] : []), 'scripts/start.mjs']
    const launch = () => {
      const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          if (String(chunk).includes(CHANGED)) changed += 1
          keep(chunk)
        })
      return child
    }
    return member({ name, role, port: role === 'chat' ? 0 : port }, launch, (child) => ready(child, opsPort))
  }

  const members = program
    ? [
        member(
          { name: 'nats', role: 'nats', port: 0 },
          () =>
            spawn(program, ['--addr', '127.0.0.1', '--port', String(natsPort)], { stdio: ['ignore', 'pipe', 'pipe'] }),
          (child) => up(child, natsPort!),
        ),
        ...Array.from({ length: gateways }, (_, n) => node('gateway', `gateway-${n + 1}`, n, WITH_GATEWAY)),
        ...Array.from({ length: chats + 1 }, (_, n) => node('chat', `chat-${n + 1}`, gateways + n, 'chat')),
      ]
    : [node('all', 'market', 0, null)]
  const of = (role: Role) => members.filter((one) => one.role === role)

  // A paused process hears of no signal but this one: whoever ends the run early must not leave one behind.
  const slay = () => {
    for (const one of members) void one.kill()
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', slay)
  const stop = async () => {
    await Promise.all(members.map((one) => one.kill()))
    await rm(dataDir, { recursive: true, force: true })
    process.off('exit', slay)
  }

  try {
    for (const one of of('nats')) await one.start()
    // The last chat node is the one that joins later.
    const first = members.filter(({ role, name }) => role !== 'nats' && name !== `chat-${chats + 1}`)
    await Promise.all(first.map((one) => one.start()))
  } catch (error) {
    await stop()
    throw new Error(`the processes did not start:\n${printed}`, { cause: error })
  }
  return {
    members,
    of,
    gatewayPorts: () => members.filter(({ port, state }) => port > 0 && state() === 'up').map(({ port }) => port),
    output: () => printed,
    changed: () => changed,
    stop,
  }
}
