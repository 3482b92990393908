// Browsing over HTTP: a hot gig, the same for who has it already, a hot listing and listings nobody asked for before; beside
// raw uWebSockets and peers where they are installed (cd bench/peers && npm install --ignore-scripts). Then how long
// browsing takes while gigs are updated, beside the same without: npm run bench:browse [-- --rounds 5 --seconds 2]
// Each server is one process on one core, wrk on the other; rounds go through all of them in a random order.
import { execFile, fork, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { COLD_LISTING, HOT_GIG, HOT_LISTING, serve, type Kind } from './browse-servers.ts'
import { whileUpdated } from './browse-updates.ts'
import { median, owned, shuffled, table } from './harness.ts'

const { values } = parseArgs({
  options: {
    serve: { type: 'string' },
    gateway: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string', default: 'servers,updates' },
    updates: { type: 'string', default: '1000' },
    'update-rounds': { type: 'string', default: '4' },
    profile: { type: 'string', default: '' },
  },
})
const PEERS = new URL('./peers/node_modules/fastify', import.meta.url)
const run = promisify(execFile)

type Server = { kind: Kind; child: ChildProcess; port: number }
type Round = { perSecond: number; cpuMicros: number }
type Scenario = { name: string; kinds: readonly Kind[]; wrk: (dir: string) => Promise<string[]>; path: string }

const ALL: readonly Kind[] = ['gateway', 'raw', 'fastify', 'moleculer-web']
/** Questions one run asks begin where nobody's did. */
let coldRuns = 0

const scenariosOf = (etag: string): Scenario[] => [
  { name: 'hot gig', kinds: ALL, path: HOT_GIG, wrk: async () => [] },
  // moleculer-web's tags are weak ones of its own: its 304 is not the same answer.
  {
    name: 'hot gig, 304',
    kinds: ['gateway', 'raw', 'fastify'],
    path: HOT_GIG,
    wrk: async () => ['-H', `If-None-Match: ${etag}`],
  },
  { name: 'hot listing', kinds: ALL, path: HOT_LISTING, wrk: async () => [] },
  { name: 'cold listing', kinds: ALL, path: COLD_LISTING(0), wrk: coldScript },
]

async function coldScript(dir: string): Promise<string[]> {
  const file = join(dir, `cold-${coldRuns}.lua`)
  const [before, after] = COLD_LISTING(0).split('10000000')
  const from = 10_000_000 + ++coldRuns * 1_000_000
  await writeFile(
    file,
    `n = ${from}\nrequest = function() n = n + 1; return wrk.format("GET", "${before}" .. n .. "${after}") end\n`,
  )
  return ['-s', file]
}

async function compare() {
  const dir = await mkdtemp(join(tmpdir(), 'gigwire-browse-'))
  const servers: Server[] = []
  try {
    const gateway = await start('gateway', dir)
    servers.push(gateway)
    const like = `http://127.0.0.1:${gateway.port}`
    const others = ALL.slice(1).filter((kind) => kind === 'raw' || existsSync(PEERS))
    for (const kind of others) servers.push(await start(kind, dir, like))
    const etag = (await fetch(like + HOT_GIG)).headers.get('etag')!
    for (const scenario of scenariosOf(etag)) await measure(scenario, servers, dir)
  } finally {
    for (const { child } of servers) child.kill('SIGTERM')
    await rm(dir, { recursive: true, force: true })
  }
}

async function measure(scenario: Scenario, all: readonly Server[], dir: string) {
  const servers = all.filter(({ kind }) => scenario.kinds.includes(kind))
  const bytes = await same(scenario.path, servers)
  const rounds = new Map<Kind, Round[]>(servers.map(({ kind }) => [kind, []]))
  for (const server of servers) await load(server, scenario, dir)
  for (let round = 0; round < Number(values.rounds); round++)
    for (const server of shuffled(servers)) rounds.get(server.kind)!.push(await load(server, scenario, dir))
  report(`${scenario.name} (${bytes} bytes)`, rounds)
}

async function start(kind: Kind, dataDir: string, like = ''): Promise<Server> {
  const args = ['--serve', kind, '--gateway', like]
  const child = owned(fork(new URL(import.meta.url), args, { env: { ...process.env, DATA_DIR: join(dataDir, kind) } }))
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (said) => resolve((said as { port: number }).port))
    child.once('exit', (code) => reject(new Error(`${kind} ended with ${code}`)))
  })
  if (process.platform === 'linux') await run('taskset', ['-a', '-p', '-c', '0', String(child.pid)])
  return { kind, child, port }
}

/** Nobody is measured for a different answer; when it was made and how long that took differs. */
async function same(path: string, servers: readonly Server[]): Promise<number> {
  const bodies = await Promise.all(
    servers.map(async ({ port }) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()),
  )
  const answers = bodies.map((body) => JSON.stringify({ ...(JSON.parse(body) as object), tookMs: 0, nextCursor: null }))
  if (new Set(answers).size !== 1) throw new Error(`the servers do not give the same answer to ${path}`)
  return Buffer.byteLength(bodies[0]!)
}

async function load({ child, port }: Server, { path, wrk }: Scenario, dir: string): Promise<Round> {
  const before = await cpuOf(child)
  const url = `http://127.0.0.1:${port}${path}`
  const args = ['-t1', `-c${values.connections}`, `-d${values.seconds}s`, ...(await wrk(dir)), url]
  const { stdout } = await run('taskset', ['-c', '1', 'wrk', ...args])
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

function report(title: string, rounds: ReadonlyMap<Kind, readonly Round[]>) {
  const cpuOfKind = (kind: Kind) => median((rounds.get(kind) ?? []).map(({ cpuMicros }) => cpuMicros))
  const gateway = cpuOfKind('gateway')
  const rows = [...rounds].map(([kind, all]) => [
    kind,
    cpuOfKind(kind).toFixed(2),
    String(Math.round(median(all.map(({ perSecond }) => perSecond)))),
    (cpuOfKind(kind) / gateway).toFixed(2),
  ])
  console.log(`\n${table([title, 'µs CPU/request', 'requests/s', '× the gateway'], rows)}`)
}

if (values.serve) await serve(values.serve as Kind, { dataDir: process.env.DATA_DIR!, likeUrl: values.gateway })
else {
  if (values.only.includes('servers')) await compare()
  if (values.only.includes('updates'))
    await whileUpdated({
      perSecond: Number(values.updates),
      rounds: Number(values['update-rounds']),
      profile: values.profile,
    })
}
