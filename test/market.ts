// A whole marketplace as a process of its own, driven over public HTTP and WebSocket only; can be killed and started again.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import WebSocket from 'ws'
import { eventually } from './node.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
export type Answer<T = any> = { status: number; body: T; headers: Headers }
export type Asked = { token?: string; body?: unknown; key?: string; headers?: Record<string, string> }

export type Market = {
  port: number
  opsPort: number
  /** Of each process. */
  opsPorts: number[]
  dataDir: string
  url: string
  /** One request to the public API; the body is JSON both ways. */
  ask<T = any>(method: string, path: string, asked?: Asked): Promise<Answer<T>>
  socket(token: string): Promise<Client>
  /** kill -9 of every process, or of one by its place in `processes`. */
  kill(one?: number): Promise<void>
  start(one?: number): Promise<void>
  /** Graceful end; the data directory goes too. */
  stop(): Promise<void>
  /** What the processes printed, for the message of a failed test. */
  output(): string
}
export type MarketOptions = {
  env?: Record<string, string>
  /** Environments of the processes that make up this market; one process by default. The first one has the gateway. */
  processes?: Record<string, string>[]
  /** The command that starts a node, run in the project's folder. */
  command?: string[]
}

/** Budgets no test runs into by accident. */
export const RATE_LIMITS =
  'account=100000/100000,address=100000/100000,auth=100000/100000,login=100000/100000,messages=100000/100000'

export const startMarket = async ({
  env = {},
  processes = [{}],
  command = [process.execPath, 'scripts/start.mjs'],
}: MarketOptions = {}): Promise<Market> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-market-'))
  const [port, ...opsPorts] = await freePorts(1 + processes.length)
  const url = `http://127.0.0.1:${port}`
  let children: ChildProcess[] = []
  let printed = ''

  const start = async (one?: number) => {
    children = processes.map((own, at) => {
      if (one !== undefined && at !== one) return children[at]!
      const child = spawn(command[0]!, command.slice(1), {
        cwd: ROOT,
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          DATA_DIR: dataDir,
          PORT: String(port),
          OPS_PORT: String(opsPorts[at]),
          LOG_LEVEL: 'warn',
          DEMO: '0',
          RATE_LIMITS,
          ...env,
          ...own,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child.stdout!.on('data', (chunk) => (printed = (printed + chunk).slice(-20_000)))
      child.stderr!.on('data', (chunk) => (printed = (printed + chunk).slice(-20_000)))
      return child
    })
    for (const opsPort of opsPorts)
      await eventually(
        async () => children.some(({ exitCode }) => exitCode !== null) || (await isWhole(opsPort)),
        Boolean,
        60_000,
      ).catch((error: unknown) => {
        throw new Error(`the market is not whole:\n${printed}`, { cause: error })
      })
    const ended = children.find(({ exitCode }) => exitCode !== null)
    if (ended) throw new Error(`a process ended at its start with exit code ${ended.exitCode}:\n${printed}`)
  }

  const end = async (signal: NodeJS.Signals, one?: number) => {
    const ending = one === undefined ? children : [children[one]!]
    await Promise.all(
      ending.map(
        (child) =>
          new Promise<void>((resolve) =>
            child.exitCode !== null || child.signalCode !== null
              ? resolve()
              : (child.once('exit', () => resolve()), child.kill(signal)),
          ),
      ),
    )
  }

  const stop = async () => {
    await end('SIGTERM')
    await rm(dataDir, { recursive: true, force: true })
  }

  // Where one of several could not start, the others must not stay.
  await start().catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    port: port!,
    opsPort: opsPorts[0]!,
    opsPorts,
    dataDir,
    url,
    ask: (method, path, asked) => ask(url, method, path, asked),
    socket: (token) => client(`ws://127.0.0.1:${port}/v1/realtime`, token),
    kill: (one) => end('SIGKILL', one),
    start,
    stop,
    output: () => printed,
  }
}

/** A node is ready by itself; a market of several is whole when each of them sees every service somewhere. */
const isWhole = async (opsPort: number): Promise<boolean> => {
  const response = await fetch(`http://127.0.0.1:${opsPort}/health/ready`).catch(() => null)
  if (!response?.ok) return false
  const { dependencies } = (await response.json()) as { dependencies: { services: Record<string, string> } }
  return Object.values(dependencies.services).every((state) => state === 'up')
}

export const ask = async <T = any>(
  url: string,
  method: string,
  path: string,
  { token, body, key, headers = {} }: Asked = {},
): Promise<Answer<T>> => {
  const response = await fetch(path.startsWith('http') ? path : url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(key && { 'idempotency-key': key }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  // A 304 has the headers of the answer it stands for, and no body.
  const isJson = text !== '' && (response.headers.get('content-type') ?? '').includes('json')
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as T, headers: response.headers }
}

export type Client = {
  /** One operation and its answer. */
  op(op: string, fields?: Record<string, unknown>): Promise<any>
  /** Events as they came. */
  events: { ev: string; data: any }[]
  closed: Promise<{ code: number; reason: string }>
  raw: WebSocket
  close(): void
}

export const client = async (url: string, token: string): Promise<Client> => {
  const raw = new WebSocket(url, ['gigwire.v1'], { headers: token ? { authorization: `Bearer ${token}` } : {} })
  const events: Client['events'] = []
  const waiting = new Map<number, (answer: unknown) => void>()
  let lastId = 0
  raw.on('message', (data) => {
    const frame = JSON.parse(String(data))
    if (frame.ev) events.push(frame)
    else waiting.get(frame.id)?.(frame)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    raw.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  )
  await new Promise<void>((resolve, reject) => {
    raw.once('open', () => resolve())
    raw.once('error', reject)
  })
  raw.on('error', () => undefined)
  return {
    op: (op, fields = {}) =>
      new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, resolve)
        raw.send(JSON.stringify({ id, op, ...fields }))
        setTimeout(() => reject(new Error(`no answer to ${op}`)), 15_000).unref()
      }),
    events,
    closed,
    raw,
    close: () => raw.close(),
  }
}

export const freePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
