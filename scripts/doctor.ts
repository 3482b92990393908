// npm run doctor [-- --json]: looks at this machine and this configuration and says what is wrong before anything else does.
// Exit code 0: nothing that stops a start; 1: something does.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configuration, type Configuration } from '../mixins/configuration.ts'
import { parkedEvents } from '../mixins/outbox.ts'
import { askRunning, ownNode, runScript } from './own-node.ts'

export type Finding = { state: 'ok' | 'warn' | 'fail'; what: string; said: string }
const ok = (what: string, said: string): Finding => ({ state: 'ok', what, said })
const warn = (what: string, said: string): Finding => ({ state: 'warn', what, said })
const fail = (what: string, said: string): Finding => ({ state: 'fail', what, said })

const CONNECT_MS = 2000
const FREE_BYTES_MIN = 1024 ** 3
const OPEN_FILES_MIN = 10_000

const doctor = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    console.log(
      'npm run doctor [-- --json]\nChecks Node, the socket library, ports, disk, limits and every configured product.',
    )
    return 0
  }
  const findings = await examine(configuration(process.env))
  console.log(
    values.json
      ? JSON.stringify({ findings })
      : findings.map(({ state, what, said }) => `${state.padEnd(4)}  ${what}: ${said}`).join('\n'),
  )
  return findings.some(({ state }) => state === 'fail') ? 1 : 0
}

export const examine = async (chosen: Configuration): Promise<Finding[]> => {
  const running = (await askRunning('/health/live')) !== null
  return [
    nodeVersion(process.versions.node),
    await socketLibrary(chosen),
    openFiles(),
    ...dataDirectory(chosen.dataDir),
    ...(await ports(chosen, running)),
    ...(await products(chosen)),
    ...secrets(chosen),
    ...(running ? [ok('market', 'running here')] : await leftBehind(chosen)),
  ]
}

export const nodeVersion = (version: string): Finding => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > 24 || (major === 24 && minor >= 12)
  return isNew
    ? ok('node', version)
    : fail('node', `${version} is too old, 24.12 is needed: npm ci brings one where the platform has it`)
}

const socketLibrary = async ({ listener }: Configuration): Promise<Finding> => {
  if (listener === 'node') return ok('sockets', 'node:http and ws, as asked by LISTENER=node')
  let why = ''
  const { uwsListener } = await import('../adapters/listener/uws.ts')
  if (uwsListener(undefined, (reason) => (why = reason)))
    return ok('sockets', `uWebSockets.js${why ? ` (${why})` : ''}`)
  const said = `uWebSockets.js does not load here (${why || 'no reason given'})`
  return listener === 'uws'
    ? fail('sockets', `${said}, and LISTENER=uws insists`)
    : warn('sockets', `${said}: node:http and ws serve instead, slower`)
}

const openFiles = (): Finding => {
  if (process.platform === 'win32') return ok('open files', 'no such limit here')
  const limit = Number(execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim() || Infinity)
  return limit >= OPEN_FILES_MIN || Number.isNaN(limit)
    ? ok('open files', `${limit} at once`)
    : warn('open files', `only ${limit} at once: each socket is one (ulimit -n)`)
}

const dataDirectory = (directory: string): Finding[] => {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    accessSync(directory, constants.W_OK)
  } catch (error) {
    return [fail('data', `${directory} cannot be written: ${(error as Error).message}`)]
  }
  const { bavail, bsize } = statfsSync(directory)
  const free = bavail * bsize
  const said = `${directory}, ${(free / 1024 ** 3).toFixed(1)} GiB free`
  return [free < FREE_BYTES_MIN ? warn('data', `${said}: that is little`) : ok('data', said)]
}

const ports = async ({ host, port, opsHost, opsPort }: Configuration, running: boolean): Promise<Finding[]> => {
  if (running) return []
  const places = [
    ['port', host, port],
    ['ops port', opsHost, opsPort],
  ] as const
  return Promise.all(
    places.map(async ([what, at, number]) =>
      (await isFree(at, number))
        ? ok(what, `${at}:${number} is free`)
        : fail(what, `${at}:${number} is taken by another program`),
    ),
  )
}

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, host, () => server.close(() => resolve(true)))
  })

/** Whether something listens where each configured product should be; passwords are never shown. */
const products = async ({
  natsUrl,
  redisUrl,
  mongoUrl,
  meiliUrl,
  smtpUrl,
  stripeSecretKey,
}: Configuration): Promise<Finding[]> => {
  const asked: [string, string | null, number][] = [
    ['NATS', natsUrl, 4222],
    ['Redis', redisUrl, 6379],
    ['MongoDB', mongoUrl, 27_017],
    ['Meilisearch', meiliUrl, meiliUrl?.startsWith('https:') ? 443 : 80],
    ['SMTP', smtpUrl, 25],
  ]
  const found = asked.flatMap(([what, url, port]) => (url ? [reach(what, new URL(url.split(',')[0]!), port)] : []))
  const stripe =
    stripeSecretKey && !/^(sk|rk)_(test|live)_/.test(stripeSecretKey)
      ? [warn('Stripe', 'STRIPE_SECRET_KEY does not look like one')]
      : []
  return [...(await Promise.all(found)), ...stripe]
}

const reach = (what: string, url: URL, port: number): Promise<Finding> =>
  new Promise((resolve) => {
    const at = `${url.hostname}:${url.port || port}`
    const socket = createConnection({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || port),
      timeout: CONNECT_MS,
    })
    const end = (finding: Finding) => {
      socket.destroy()
      resolve(finding)
    }
    socket.once('connect', () => end(ok(what, `something listens at ${at}`)))
    socket.once('timeout', () => end(fail(what, `${at} does not answer within ${CONNECT_MS} ms`)))
    socket.once('error', (error) => end(fail(what, `${at}: ${(error as NodeJS.ErrnoException).code ?? error.message}`)))
  })

const secrets = ({ sandbox, jwtSecret }: Configuration): Finding[] =>
  sandbox
    ? [ok('mode', 'sandbox: play money, demo accounts, a movable clock')]
    : [ok('mode', `real money; JWT_SECRET has ${jwtSecret?.length} characters`)]

/** What only the data knows: parked events and a moved clock. */
const leftBehind = async ({ dataDir, mongoUrl }: Configuration): Promise<Finding[]> => {
  if (!mongoUrl && !existsSync(join(dataDir, 'documents.sqlite')))
    return [ok('store', 'none yet: the first start makes it')]
  const node = await ownNode([])
  try {
    const documents = await node.open('documents')
    await documents.declare([parkedEvents] as never)
    const parked = await documents.count(parkedEvents, { index: 'byTime' })
    const ahead = node.clock.offsetMs()
    return [
      parked === 0
        ? ok('events', 'none is parked')
        : warn('events', `${parked} are parked: nobody could take them (docs/operations.md)`),
      ahead === 0
        ? ok('clock', "stands with the machine's")
        : warn('clock', `the sandbox's clock is ${(ahead / 86_400_000).toFixed(1)} days ahead`),
    ]
  } finally {
    await node.stop()
  }
}

if (import.meta.main) await runScript(doctor)
