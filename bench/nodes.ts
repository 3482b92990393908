// A market for a load: people and conversations seeded into its store before it starts, in one process or as gateways that
// share a port, one node with the actors and NATS between them.
import { mkdtemp, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite } from '../adapters/documents/sqlite.ts'
import type { Documents } from '../adapters/documents/index.ts'
import { freePorts } from '../test/market.ts'
import { owned, pinned, startBenchNode, UNLIMITED, usageOf, type BenchNode, type Usage } from './harness.ts'

export type BenchMarket = {
  port: number
  url: string
  secret: string
  gateways: BenchNode[]
  /** CPU and memory of each kind of process; in one process everything is the gateway's. */
  usage(): Record<'gateways' | 'actors' | 'nats', Usage>
  /** Open sockets as the gateways count them. */
  sockets(): Promise<number>
  stop(): Promise<void>
}
export type BenchMarketOptions = {
  /** 0: one process that hosts everything. */
  gateways: number
  core: number
  seed(documents: Documents): Promise<void>
  /** A folder for CPU profiles. */
  profile?: string
}

/** What a gateway asks for when people sign in and chat. */
const ACTORS = 'account,chat'
const STARTED_WITHIN_MS = 10_000

export const startBenchMarket = async (options: BenchMarketOptions): Promise<BenchMarket> => {
  const { gateways: count, core, seed, profile } = options
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-connections-'))
  const secret = randomBytes(32).toString('base64url')
  const documents = await openSqlite({ file: join(dataDir, 'documents.sqlite'), log: console })
  await seed(documents)
  await documents.close()
  const [port, natsPort] = await freePorts(2)
  const nats = count > 0 ? await startNats(natsPort!, core) : null
  const shared = {
    JWT_SECRET: secret,
    PORT: String(port),
    DEMO: '0',
    RATE_LIMITS: UNLIMITED,
    ...(count > 1 && { SHARE_PORT: '1' }),
    ...(nats && { NATS_URL: nats.url }),
  }
  const start = (name: string, env: Record<string, string>) =>
    startBenchNode({
      dataDir,
      core,
      env: { ...shared, NODE_ID: name, ...env },
      nodeArguments: profile ? ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`] : [],
    })
  const actors = nats ? await start('actors', { SERVICES: ACTORS }) : null
  const gateways: BenchNode[] = []
  for (let at = 0; at < Math.max(1, count); at++)
    gateways.push(await start(`gateway-${at}`, actors ? { SERVICES: 'gateway' } : {}))
  return {
    port: port!,
    url: `http://127.0.0.1:${port}`,
    secret,
    gateways,
    usage: () => ({
      gateways: sum(gateways.map((one) => one.usage())),
      actors: actors?.usage() ?? NONE,
      nats: nats ? usageOf(nats.pid) : NONE,
    }),
    sockets: async () => {
      const pages = await Promise.all(gateways.map(async ({ opsUrl }) => (await fetch(`${opsUrl}/metrics`)).text()))
      return pages.reduce((total, page) => total + Number(/^gigwire_ws_connections (\d+)/m.exec(page)?.[1] ?? 0), 0)
    },
    stop: async () => {
      await Promise.all(gateways.map((one) => one.stop()))
      await actors?.stop()
      await nats?.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const NONE: Usage = { cpuSeconds: 0, residentBytes: 0 }
const sum = (all: readonly Usage[]): Usage =>
  all.reduce(
    (total, one) => ({
      cpuSeconds: total.cpuSeconds + one.cpuSeconds,
      residentBytes: total.residentBytes + one.residentBytes,
    }),
    NONE,
  )

export const startNats = async (port: number, core: number) => {
  const path = `${process.env['PATH']}:/usr/sbin:/usr/local/bin`
  const [command, ...rest] = pinned(core, ['nats-server', '--addr', '127.0.0.1', '--port', String(port)])
  const child = owned(spawn(command!, rest, { stdio: 'ignore', env: { PATH: path } }))
  const until = performance.now() + STARTED_WITHIN_MS
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > until) throw new Error('nats-server did not start: install it')
    await sleep(20)
  }
  return {
    url: `nats://127.0.0.1:${port}`,
    pid: child.pid!,
    stop: async () => {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
