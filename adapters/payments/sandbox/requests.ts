// Each HTTP request to the sandbox provider: read within bounds, recognised, carried out in a commit, and answered.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { catchUp } from './due.ts'
import { answerOf, execute, type ApiRequest, type Executed } from './execute.ts'
import { parseForm } from './form.ts'
import { inUse, type Answer } from './idempotency.ts'
import { page } from './pages.ts'
import { invalid, Problem, rateLimited, serverError } from './problem.ts'
import { StoreBusy, type Store } from './store.ts'
import type { Webhooks } from './webhooks.ts'
import { newId, type World } from './world.ts'

export const BODY_BYTES_MAX = 64 * 1024

/** What one running server holds. */
export type Running = {
  store: Store
  world: World
  webhooks: Webhooks
  keysInUse: Set<string>
  held: Set<NodeJS.Timeout>
  secretKey: string
  log: { error(...args: unknown[]): void }
}

export const serve = async (running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const body = await readBody(request)
    const url = URL.parse(request.url ?? '/', 'http://127.0.0.1')
    if (!url) throw invalid('The path of this request is not valid.')
    const form = request.method === 'POST' ? body : url.search.slice(1)
    if (url.pathname.startsWith('/v1/')) await serveApi(running, { request, response, path: url.pathname, form })
    else await servePage(running, { request, response, path: url.pathname, form: `${url.search.slice(1)}&${body}` })
  } catch (error) {
    if (request.socket.destroyed) return
    if (!(error instanceof Problem) && !(error instanceof StoreBusy))
      running.log.error('sandbox provider failed on a request', error)
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
    id: newId('req'),
    method: request.method ?? 'GET',
    path,
    form,
    account: String(request.headers['stripe-account'] ?? ''),
    key: (request.headers['idempotency-key'] as string | undefined) ?? null,
  }
  const using = api.method === 'POST' && api.key !== null ? `${api.account} ${api.key}` : undefined
  if (using !== undefined && running.keysInUse.has(using))
    return send(response, answerOf(inUse(api.key as string)), api.id)
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
  throw new Problem(401, {
    type: 'invalid_request_error',
    message: given ? 'Invalid API Key provided.' : 'You did not provide an API key.',
  })
}

const answerExecuted = async (
  running: Running,
  response: ServerResponse,
  { executed, requestId }: { executed: Executed; requestId: string },
) => {
  if (executed.after?.kind === 'answer_delayed') await hold(running.held, executed.after.ms ?? 0)
  if (executed.after?.kind === 'connection_lost') return void response.destroy()
  if (executed.after?.kind === 'answer_lost') return cutOff(response, executed)
  send(response, executed, requestId)
}

const hold = (held: Set<NodeJS.Timeout>, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => {
      held.delete(timer)
      resolve()
    }, ms)
    held.add(timer)
  })

const cutOff = (response: ServerResponse, answer: Answer): void => {
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(answer.body),
  })
  response.write(answer.body.slice(0, 20), () => response.destroy())
}

const send = (response: ServerResponse, answer: Answer, requestId: string): void => {
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(answer.body),
    'request-id': requestId,
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
  if (!shown) throw new Problem(404, { type: 'invalid_request_error', message: 'Nothing is here.' })
  response.writeHead(shown.status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ...(shown.location && { location: shown.location }),
  })
  response.end(shown.html ?? '')
}
