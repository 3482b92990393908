// The processes of a run: the provider, a nats-server, a front node with everything people touch, and two nodes that both keep
// orders, payments, the ledger and payouts, over one data directory. Each of those has its own way to the provider.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { freePorts, RATE_LIMITS } from '../../market.ts'
import { up } from '../../servers.ts'
import { natsProgram } from '../cluster.ts'
import { member, ready, type Member } from '../member.ts'
import { openGate, type Gate, type Harm, type Passing } from './gate.ts'
import { CHANGED } from '../../mutation.ts'
import type { ProviderPlace } from './node.ts'
import type { Told } from './provider.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const OUTPUT_CHARACTERS_MAX = 20_000
const MONEY = ['order', 'payment', 'ledger', 'payout']
const FRONT = readdirSync(join(ROOT, 'services'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !MONEY.includes(entry.name))
  .map(({ name }) => name)

/** A node says this at its start. */
const INSTANCE = /node (\S+) is instance (\S+)/g

export type Role = 'nats' | 'front' | 'money'
export type Fleet = {
  members: readonly Member<Role>[]
  money: readonly Member<Role>[]
  url: string
  dataDir: string
  provider: ProviderPlace & { tell(told: Told): void; restart(): Promise<void> }
  /** How a node names itself where it leaves its name, as long as it lives. */
  instanceOf(node: string): string | undefined
  opsPort: number
  output(): string
  /** Nodes that said they run changed source. */
  changed(): number
  /** Everybody is gone; what they stored is left to look at. */
  stopAll(): Promise<void>
  stop(): Promise<void>
}
export type FleetOptions = { mutant?: string | undefined; harm(passing: Passing): Promise<Harm | null> }

export const startFleet = async ({ mutant, harm }: FleetOptions): Promise<Fleet> => {
  const program = natsProgram()
  if (!program) throw new Error('two nodes take nats-server: install it and put it on PATH')
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-chaos-money-'))
  const [natsPort, port, ...ports] = await freePorts(8)
  let printed = ''
  let changed = 0
  const instances = new Map<string, string>()
  const listen = (child: ChildProcess) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        if (String(chunk).includes(CHANGED)) changed += 1
        for (const [, node, instance] of String(chunk).matchAll(INSTANCE)) instances.set(node!, instance!)
        printed = (printed + String(chunk)).slice(-OUTPUT_CHARACTERS_MAX)
      })
    return child
  }
  const gates: Gate[] = []
  let bank = await openProvider(dataDir, listen)
  const provider: Fleet['provider'] = {
    ...bank.place,
    tell: (told) => void bank.child.send(told),
    restart: async () => {
      bank.child.kill('SIGKILL')
      await once(bank.child, 'exit')
      bank = await openProvider(dataDir, listen)
      provider.port = bank.place.port
      provider.tell({ webhookUrl: `http://127.0.0.1:${port}/v1/webhooks/stripe` })
    },
  }

  const node = async (role: Role, name: string, hosted: readonly string[], at: number): Promise<Member<Role>> => {
    const gate = await openGate(name, () => provider.port, harm)
    gates.push(gate)
    const isMutant = mutant !== undefined && role === 'money'
    const opsPort = ports[at]!
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATA_DIR: dataDir,
      NODE_ID: name,
      PORT: String(role === 'front' ? port : ports[at + 3]),
      OPS_PORT: String(opsPort),
      LOG_LEVEL: 'error',
      DEMO: '0',
      RATE_LIMITS,
      // Runs begin when they are asked for.
      PAYOUT_CRON: '0 0 29 2 *',
      HOSTED: hosted.join(),
      NATS_URL: `nats://127.0.0.1:${natsPort}`,
      PROVIDER_PLACE: JSON.stringify({ ...bank.place, port: gate.port }),
      ...(isMutant && { CHAOS_MUTANT: mutant }),
    }
    const args = [
      '--disable-warning=ExperimentalWarning',
      ...(isMutant ? ['--import', join(ROOT, 'test/chaos/money/mutant.ts')] : []),
      join(ROOT, 'test/chaos/money/node.ts'),
    ]
    const launch = () => listen(spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] }))
    return member({ name, role, port: role === 'front' ? port! : 0 }, launch, (child) => ready(child, opsPort))
  }
  const members = [
    member<Role>(
      { name: 'nats', role: 'nats', port: 0 },
      () =>
        listen(
          spawn(program, ['--addr', '127.0.0.1', '--port', String(natsPort)], { stdio: ['ignore', 'pipe', 'pipe'] }),
        ),
      (child) => up(child, natsPort!),
    ),
    await node('front', 'front', FRONT, 0),
    await node('money', 'money-1', MONEY, 1),
    await node('money', 'money-2', MONEY, 2),
  ]
  // A paused process hears of no signal but this one: whoever ends the run early must not leave one behind.
  const slay = () => {
    for (const one of members) void one.kill()
    bank.child.kill('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', slay)
  const stopAll = async () => {
    await Promise.all(members.map((one) => one.kill()))
    if (bank.child.kill('SIGKILL')) await once(bank.child, 'exit')
  }
  const stop = async () => {
    await stopAll()
    for (const gate of gates) await gate.close()
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
    process.off('exit', slay)
  }
  try {
    const [nats, front, ...money] = members
    await nats!.start()
    await Promise.all([front!, ...money].map((one) => one.start()))
    provider.tell({ webhookUrl: `http://127.0.0.1:${port}/v1/webhooks/stripe` })
  } catch (error) {
    await stop()
    throw new Error(`the processes did not start:\n${printed}`, { cause: error })
  }
  return {
    members,
    money: members.filter(({ role }) => role === 'money'),
    url: `http://127.0.0.1:${port}`,
    dataDir,
    provider,
    instanceOf: (name) => instances.get(name),
    opsPort: ports[0]!,
    output: () => printed,
    changed: () => changed,
    stopAll,
    stop,
  }
}

/** The documents of the nodes, to look at. */
export const openStore = (dataDir: string) => new DatabaseSync(join(dataDir, 'documents.sqlite'), { readOnly: true })

const openProvider = async (dataDir: string, listen: (child: ChildProcess) => ChildProcess) => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'test/chaos/money/provider.ts')],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], PROVIDER_FILE: join(dataDir, 'provider.sqlite') },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  listen(child)
  let first = ''
  child.stdout!.on('data', (chunk) => (first += String(chunk)))
  while (!first.includes('\n')) {
    if (child.exitCode !== null) throw new Error(`the provider did not start: ${first}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { child, place: JSON.parse(first.split('\n')[0]!) as ProviderPlace }
}
