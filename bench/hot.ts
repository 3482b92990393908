// A hot gig over HTTP, beside raw uWebSockets serving the same bytes and headers, and peers where they are installed
// (cd bench/peers && npm install --ignore-scripts): node bench/hot.ts [--rounds 5] [--seconds 3] [--connections 64]
// Each server is one process on one core, wrk on the other; rounds go through all of them in a random order.
import { execFile, fork, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { median, shuffled } from './harness.ts'
import { serve, type Kind } from './hot-servers.ts'

const { values } = parseArgs({
  options: {
    serve: { type: 'string' },
    gateway: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
  },
})
export const GIG_PATH = '/v1/gigs/gig_hot'
const PEERS = new URL('./peers/node_modules/fastify', import.meta.url)
const run = promisify(execFile)

type Server = { kind: Kind; child: ChildProcess; port: number }
type Round = { perSecond: number; cpuMicros: number }

async function compare() {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-hot-'))
  const gateway = await start('gateway', dataDir)
  const like = `http://127.0.0.1:${gateway.port}${GIG_PATH}`
  const others: Kind[] = ['raw', ...(existsSync(PEERS) ? (['fastify', 'moleculer-web'] as const) : [])]
  const servers = [gateway, ...(await Promise.all(others.map((kind) => start(kind, dataDir, like))))]
  try {
    await same(servers)
    const rounds = new Map<Kind, Round[]>(servers.map(({ kind }) => [kind, []]))
    for (const server of servers) await load(server)
    for (let round = 0; round < Number(values.rounds); round++)
      for (const server of shuffled(servers)) rounds.get(server.kind)!.push(await load(server))
    report(rounds)
  } finally {
    for (const { child } of servers) child.kill('SIGTERM')
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function start(kind: Kind, dataDir: string, like = ''): Promise<Server> {
  const args = ['--serve', kind, '--gateway', like]
  const child = fork(new URL(import.meta.url), args, { env: { ...process.env, DATA_DIR: join(dataDir, kind) } })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (said) => resolve((said as { port: number }).port))
    child.once('exit', (code) => reject(new Error(`${kind} ended with ${code}`)))
  })
  if (process.platform === 'linux') await run('taskset', ['-a', '-p', '-c', '0', String(child.pid)])
  return { kind, child, port }
}

/** Nobody is measured for a different answer. */
async function same(servers: readonly Server[]) {
  const bodies = await Promise.all(
    servers.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}${GIG_PATH}`)).text()),
  )
  if (new Set(bodies.map((body) => JSON.stringify(JSON.parse(body)))).size !== 1)
    throw new Error('the servers do not give the same answer')
  console.log(`answer: ${Buffer.byteLength(bodies[0]!)} bytes`)
}

async function load({ child, port }: Server): Promise<Round> {
  const before = await cpuOf(child)
  const wrk = ['-t1', `-c${values.connections}`, `-d${values.seconds}s`, `http://127.0.0.1:${port}${GIG_PATH}`]
  const { stdout } = await run('taskset', ['-c', '1', 'wrk', ...wrk])
  const cpu = (await cpuOf(child)) - before
  const requests = Number(/(\d+) requests in/.exec(stdout)![1])
  if (/Non-2xx/.test(stdout)) throw new Error(stdout)
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)![1]), cpuMicros: cpu / requests }
}

const cpuOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.once('message', (said) => resolve((said as { cpuMicros: number }).cpuMicros))
    child.send('cpu')
  })

function report(rounds: ReadonlyMap<Kind, readonly Round[]>) {
  const raw = median(rounds.get('raw')!.map(({ cpuMicros }) => cpuMicros))
  for (const [kind, all] of rounds) {
    const cpu = median(all.map(({ cpuMicros }) => cpuMicros))
    const perSecond = median(all.map((one) => one.perSecond))
    console.log(
      `${kind.padEnd(14)} ${cpu.toFixed(2).padStart(7)} µs CPU/request  ${Math.round(perSecond).toString().padStart(7)} requests/s  ${(raw / cpu).toFixed(2)} × raw per CPU`,
    )
  }
}

if (values.serve) await serve(values.serve as Kind, { dataDir: process.env.DATA_DIR!, likeUrl: values.gateway })
else await compare()
