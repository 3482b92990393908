// The real servers behind a market: Redis, NATS, MongoDB's protocol and Meilisearch, started on free loopback ports with their data in
// a temporary directory, and ended by pid. A server that somebody names by URL is used as it is.
import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { freePorts } from './market.ts'
import { eventually } from './node.ts'

type ServerName = 'Redis' | 'NATS' | 'MongoDB' | 'Meilisearch'
export type Servers = {
  /** The variables that name the servers which run. */
  environment: Record<string, string>
  /** How to have each that does not. */
  missing: string[]
  /** The same of those that no package registry carries: their tests may be skipped everywhere. */
  rare: string[]
  stop(): Promise<void>
}

type Kind = {
  /** The environment may name a running one. */
  variable: string
  programs: readonly string[]
  howToHave: string
  isRare?: true
  arguments(port: number, dir: string): string[]
  url(port: number): string
}

const KINDS: Readonly<Record<ServerName, Kind>> = {
  Redis: {
    variable: 'TEST_REDIS_URL',
    programs: ['redis-server'],
    howToHave: 'install redis-server',
    arguments: (port, dir) => [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--save',
      '',
      '--appendonly',
      'no',
    ],
    url: (port) => `redis://127.0.0.1:${port}`,
  },
  NATS: {
    variable: 'TEST_NATS_URL',
    programs: ['nats-server'],
    howToHave: 'install nats-server',
    arguments: (port) => ['--addr', '127.0.0.1', '--port', String(port)],
    url: (port) => `nats://127.0.0.1:${port}`,
  },
  // Not MongoDB itself, which no package registry carries, but a server that speaks its protocol.
  MongoDB: {
    variable: 'TEST_MONGO_URL',
    programs: ['secantusd-rs', 'secantusd-py'],
    howToHave:
      'install SecantusDB 0.7.0b3 from PyPI into a virtual environment and put its bin folder on PATH, or set TEST_MONGO_URL',
    arguments: (port, dir) => [
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--storage-path',
      dir,
      '--log-level',
      'ERROR',
    ],
    url: (port) => `mongodb://127.0.0.1:${port}/gigwire`,
  },
  Meilisearch: {
    variable: 'TEST_MEILI_URL',
    programs: ['meilisearch'],
    howToHave: 'put the server program meilisearch on PATH, or set TEST_MEILI_URL (and TEST_MEILI_KEY)',
    isRare: true,
    arguments: (port, dir) => [
      '--http-addr',
      `127.0.0.1:${port}`,
      '--db-path',
      join(dir, 'data'),
      '--no-analytics',
      '--log-level',
      'ERROR',
    ],
    url: (port) => `http://127.0.0.1:${port}`,
  },
}
/** A server written in Python, on a busy machine. */
const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 5000
const OUTPUT_CHARACTERS_MAX = 4000

export const startServers = async (): Promise<Servers> => {
  const dir = await mkdtemp(join(tmpdir(), 'gigwire-servers-'))
  const names = Object.keys(KINDS) as ServerName[]
  const ports = await freePorts(names.length)
  const children: ChildProcess[] = []
  const stop = async () => {
    await Promise.all(children.map(end))
    await rm(dir, { recursive: true, force: true })
  }
  const environment: Servers['environment'] = {}
  const missing: string[] = []
  const rare: string[] = []
  try {
    await Promise.all(
      names.map(async (name, at) => {
        const kind = KINDS[name]
        const given = process.env[kind.variable]
        const program = given ? undefined : onPath(kind.programs)
        if (given) environment[kind.variable] = given
        else if (!program) (kind.isRare ? rare : missing).push(`${name}: ${kind.howToHave}`)
        else {
          const own = join(dir, name)
          await mkdir(own)
          const child = spawn(program, kind.arguments(ports[at]!, own), { cwd: own, stdio: ['ignore', 'pipe', 'pipe'] })
          children.push(child)
          await up(child, ports[at]!)
          environment[kind.variable] = kind.url(ports[at]!)
        }
      }),
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { environment, missing, rare, stop }
}

/** Servers of the system stand in sbin, which is not on everybody's PATH. */
export const onPath = (programs: readonly string[]): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/usr/local/bin']
    .flatMap((folder) => programs.map((program) => join(folder, program)))
    .find(isExecutable)

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export const up = async (child: ChildProcess, port: number): Promise<void> => {
  let printed = ''
  const keep = (chunk: unknown) => (printed = (printed + String(chunk)).slice(-OUTPUT_CHARACTERS_MAX))
  child.stdout!.on('data', keep)
  child.stderr!.on('data', keep)
  child.on('error', keep)
  const isOver = () => child.exitCode !== null || child.pid === undefined
  await eventually(async () => isOver() || (await accepts(port)), Boolean, START_WITHIN_MS)
  if (isOver()) throw new Error(`${child.spawnfile} ended at its start:\n${printed}`)
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

/** Asked to leave first; whoever does not is ended. */
export const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await exited
  clearTimeout(late)
}
