// A payment provider of our own that speaks the provider's HTTP API on loopback: state on disk, webhooks, pages for people.
import { timingSafeEqual } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import type { Clock } from '../../clock/index.ts'
import { catchUp } from './due.ts'
import { answerOf, execute, type ApiRequest, type Executed } from './execute.ts'
import { faultTable, type Faults } from './faults.ts'
import { parseForm } from './form.ts'
import { inUse, type Answer } from './idempotency.ts'
import { page } from './pages.ts'
import { invalid, Problem, rateLimited, serverError } from './problem.ts'
import { openStore, StoreBusy, type Store } from './store.ts'
import { openWebhooks, type Webhooks } from './webhooks.ts'
import { newId, randomName, type Settings, type World } from './world.ts'

export const BODY_BYTES_MAX = 64 * 1024
export const CONNECTIONS_MAX = 1_000
export const TICK_MS = 1_000
// Longer than a client keeps an idle connection, so that it is the client who closes it.
export const KEEP_ALIVE_MS = 120_000

export const DEFAULT_SETTINGS: Settings = { chargeAvailableMs: 0, payoutArrivalMs: 1_000 }

export type SandboxOptions = {
  file: string
  clock: Clock
  /** Where events are posted; setWebhookUrl says it later. */
  webhookUrl?: string
  /** Made at random and kept in the file unless given. */
  webhookSecret?: string
  settings?: Partial<Settings>
  log: { info(...args: unknown[]): void; warn(...args: unknown[]): void; error(...args: unknown[]): void }
}

export type SandboxServer = {
  port: number
  secretKey: string
  webhookSecret: string
  setWebhookUrl(url: string): void
  faults: Faults
  /** Applies what the clock made due. It also happens by itself, on every access and each second. */
  tick(): Promise<void>
  close(): Promise<void>
}

/** What one running server holds. */
type Running = { store: Store; world: World; webhooks: Webhooks; keysInUse: Set<string>; held: Set<NodeJS.Timeout>; secretKey: string; log: SandboxOptions['log'] }

export const openSandboxServer = async (options: SandboxOptions): Promise<SandboxServer> => {
  mkdirSync(dirname(options.file), { recursive: true })
  const store = openStore(options.file)
  if (options.webhookSecret) store.setSetting('webhook_secret', options.webhookSecret)
  const secretKey = store.setting('secret_key', () => `sk_test_${randomName(48)}`)
  const webhookSecret = store.setting('webhook_secret', () => `whsec_${randomName(32)}`)
  const faults = faultTable()
  const webhooks = openWebhooks({ store, faults, secret: webhookSecret, log: options.log })
  let port = 0
  const world: World = {
    store, faults, now: options.clock.now, origin: () => `http://127.0.0.1:${port}`, queueWebhook: webhooks.queue,
    settings: { ...DEFAULT_SETTINGS, ...options.settings }, request: null,
  }
  const running: Running = { store, world, webhooks, keysInUse: new Set(), held: new Set(), secretKey, log: options.log }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 30_000 }, (request, response) => { void serve(running, request, response) })
  server.maxConnections = CONNECTIONS_MAX
  port = await listen(server, Number(store.setting('port', () => '0')))
  store.setSetting('port', String(port))
  if (options.webhookUrl) webhooks.setUrl(options.webhookUrl)
  const tick = async () => {
    await store.commit(() => catchUp(world))
    webhooks.wake()
  }
  const ticking = setInterval(() => { tick().catch((error: unknown) => options.log.error('sandbox provider could not keep its state', error)) }, TICK_MS)
  ticking.unref()
  return {
    port, secretKey, webhookSecret, faults, tick, setWebhookUrl: webhooks.setUrl,
    close: async () => {
      clearInterval(ticking)
      await closeRunning(server, running)
    },
  }
}

/** The same port as last time if it is free, so that links opened before a restart still lead here. */
const listen = (server: Server, preferred: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const listening = () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    }
    server.once('error', (error) => {
      if (preferred === 0) return reject(error)
      server.once('error', reject)
      server.listen(0, '127.0.0.1')
    })
    server.once('listening', listening)
    server.listen(preferred, '127.0.0.1')
  })

const closeRunning = async (server: Server, running: Running): Promise<void> => {
  for (const timer of running.held) clearTimeout(timer)
  const closed = new Promise<void>((resolve) => { server.close(() => resolve()) })
  server.closeAllConnections()
  await closed
  await running.webhooks.close()
  await running.store.commit(() => undefined)
  running.store.close()
}

const serve = async (running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const body = await readBody(request)
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const form = request.method === 'POST' ? body : url.search.slice(1)
    if (url.pathname.startsWith('/v1/')) await serveApi(running, { request, response, path: url.pathname, form })
    else await servePage(running, { request, response, path: url.pathname, form: `${url.search.slice(1)}&${body}` })
  } catch (error) {
    if (!(error instanceof Problem) && !(error instanceof StoreBusy)) running.log.error('sandbox provider failed on a request', error)
    if (!response.headersSent) send(response, answerOf(problemOf(error)), newId('req'))
  }
}

const problemOf = (error: unknown): Problem => {
  if (error instanceof Problem) return error
  return error instanceof StoreBusy ? rateLimited() : serverError()
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > BODY_BYTES_MAX) throw invalid(`A request body has at most ${BODY_BYTES_MAX} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

type Served = { request: IncomingMessage; response: ServerResponse; path: string; form: string }

const serveApi = async (running: Running, { request, response, path, form }: Served): Promise<void> => {
  checkKey(running.secretKey, request.headers.authorization)
  const api: ApiRequest = {
    id: newId('req'), method: request.method ?? 'GET', path, form,
    account: String(request.headers['stripe-account'] ?? ''), key: (request.headers['idempotency-key'] as string | undefined) ?? null,
  }
  const using = api.method === 'POST' && api.key !== null ? `${api.account} ${api.key}` : undefined
  if (using !== undefined && running.keysInUse.has(using)) return send(response, answerOf(inUse(api.key as string)), api.id)
  if (using !== undefined) running.keysInUse.add(using)
  try {
    const executed = await running.store.commit(() => execute(running.world, api))
    running.webhooks.wake()
    await answerExecuted(running, response, { executed, requestId: api.id })
  } finally {
    if (using !== undefined) running.keysInUse.delete(using)
  }
}

const checkKey = (secretKey: string, authorization = ''): void => {
  const [scheme = '', token = ''] = authorization.split(' ')
  const given = scheme === 'Basic' ? (Buffer.from(token, 'base64').toString().split(':')[0] ?? '') : token
  const [left, right] = [Buffer.from(given), Buffer.from(secretKey)]
  if (left.length === right.length && timingSafeEqual(left, right)) return
  throw new Problem(401, { type: 'invalid_request_error', message: given ? 'Invalid API Key provided.' : 'You did not provide an API key.' })
}

const answerExecuted = async (running: Running, response: ServerResponse, { executed, requestId }: { executed: Executed; requestId: string }) => {
  if (executed.after?.kind === 'answer_delayed') await hold(running.held, executed.after.ms ?? 0)
  if (executed.after?.kind === 'answer_lost') return cutOff(response, executed)
  send(response, executed, requestId)
}

const hold = (held: Set<NodeJS.Timeout>, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => { held.delete(timer); resolve() }, ms)
    held.add(timer)
  })

const cutOff = (response: ServerResponse, answer: Answer): void => {
  response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer.body) })
  response.write(answer.body.slice(0, 20), () => response.destroy())
}

const send = (response: ServerResponse, answer: Answer, requestId: string): void => {
  response.writeHead(answer.status, {
    'content-type': 'application/json', 'content-length': Buffer.byteLength(answer.body), 'request-id': requestId,
    ...(answer.replayed && { 'idempotent-replayed': 'true' }),
  })
  response.end(answer.body)
}

const servePage = async (running: Running, { request, response, path, form }: Served): Promise<void> => {
  const shown = await running.store.commit(() => {
    catchUp(running.world)
    return page(running.world, { method: request.method ?? 'GET', path, form: parseForm(form) })
  })
  running.webhooks.wake()
  if (!shown) return send(response, { status: 404, body: '{"error":{"type":"invalid_request_error","message":"Nothing is here."}}' }, newId('req'))
  response.writeHead(shown.status, {
    'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'", ...(shown.location && { location: shown.location }),
  })
  response.end(shown.html ?? '')
}
