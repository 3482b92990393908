// A request becomes an answer: named, counted against its budgets, matched to a route, its caller and parameters made sure
// of, and then called. Prepared answers are found before all of that and go out without waiting.
import type { Handler, Request, Response } from '../../adapters/listener/index.ts'
import { authorize } from '../../mixins/auth.ts'
import type { Meta, Node } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import { paramsOf } from './body.ts'
import { DEADLINE_MS, type Calls } from './calls.ts'
import { isUnchanged } from './conditional.ts'
import { requestIds, SECURITY, type Header } from './headers.ts'
import type { Hot, Prepared } from './hot.ts'
import { addressKey, type Bucket, type Limit, type Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import type { Mounts } from './mounts.ts'
import { problemResponse, troubleOf } from './problem.ts'
import type { Match, Routes } from './routes.ts'
import type { Session } from './session.ts'
import type { Warm } from './warm.ts'

/** One request on its way through, and what every answer to it will carry. */
export type Exchange = {
  request: Request
  requestId: string
  /** Asked by our own pages: the budgets of addresses and accounts were the page's. */
  inside: boolean
  /** The route's declared path, for counting. */
  label: string
  headers: Header[]
}
export type Http = {
  handle: Handler
  /** The same for a request of our own pages. */
  inside(request: Request): Promise<Response>
  underWay(): number
}
export type HttpParts = {
  node: Node
  routes: Routes
  session: Session
  limits: Limits
  hot: Hot
  calls: Calls
  mounts: Mounts
  meters: Meters
  /** Told what is asked for. */
  warm: Pick<Warm, 'hit' | 'miss'>
}

export const http = ({ node, routes, session, limits, hot, calls, mounts, meters, warm }: HttpParts): Http => {
  const idOf = requestIds()
  let underWay = 0

  const handle: Handler = (request) => {
    const requestId = idOf(request)
    const now = Date.now()
    const bucket = limits.address.take(addressKey(request.address), now)
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (isRead && !bucket.refused && !request.headers.has('authorization')) {
      const url = urlOf(request)
      const kept = hot.find(url, now)
      if (kept) {
        warm.hit(url)
        return fromPrepared(kept, request.headers.get('if-none-match'), [
          ['X-Request-Id', requestId],
          limits.address.left(bucket),
        ])
      }
    }
    const exchange: Exchange = {
      request,
      requestId,
      inside: false,
      label: 'none',
      headers: [['X-Request-Id', requestId], ...SECURITY],
    }
    return answered(exchange, () => {
      budgeted(exchange, limits.address, bucket)
      return routed(exchange)
    })
  }

  const inside = async (request: Request): Promise<Response> => {
    const requestId = idOf(request)
    const url = urlOf(request)
    const kept = request.method === 'GET' && !request.headers.has('authorization') ? hot.find(url) : undefined
    if (kept) {
      warm.hit(url)
      return fromPrepared(kept, undefined, [])
    }
    const exchange: Exchange = {
      request,
      requestId,
      inside: true,
      label: 'none',
      headers: [['X-Request-Id', requestId]],
    }
    return answered(exchange, () => routed(exchange))
  }

  const fromPrepared = (kept: Prepared, ifNoneMatch: string | undefined, own: readonly Header[]): Response => {
    meters.hotHit.add()
    kept.wanted.served.add()
    return bytesOf(kept, ifNoneMatch, own)
  }

  const answered = async (exchange: Exchange, work: () => Promise<Response>): Promise<Response> => {
    const startedAt = performance.now()
    underWay += 1
    let response: Response
    try {
      response = await work()
    } catch (error) {
      const { requestId, headers } = exchange
      response = problemResponse(error, { requestId, log: node.log, headers })
      if (response.status === 429 || response.status === 503) meters.shed(troubleOf(error).code).add()
    } finally {
      underWay -= 1
    }
    meters.answered(exchange.label, response.status).add()
    meters.took(exchange.label).observe((performance.now() - startedAt) / 1000)
    return response
  }

  const routed = async (exchange: Exchange): Promise<Response> => {
    const { method, path } = exchange.request
    const match = routes.find(method, path)
    if (match.found === 'route') return run(exchange, match)
    if (match.found === 'path') exchange.headers.push(['Allow', match.allow])
    if (match.found === 'path') throw refuse('method_not_allowed', `${path} takes ${match.allow}`)
    const mounted = await mounts.answer(exchange)
    if (!mounted) throw refuse('not_found', `there is no ${path}`)
    return mounted
  }

  const run = async (exchange: Exchange, match: Match & { found: 'route' }): Promise<Response> => {
    const { request, requestId } = exchange
    const { route } = match
    const { action } = route
    exchange.label = route.path
    if (action.limit === 'auth' && request.address)
      budgeted(exchange, limits.auth, limits.auth.take(addressKey(request.address)))
    const meta: Meta = { requestId, deadlineAt: Date.now() + DEADLINE_MS }
    const authorization = request.headers.get('authorization')
    const caller = await session.caller(authorization, action.auth)
    authorize(action.auth, caller)
    if (caller) accountBudgets(exchange, route.name, caller)
    const params = await paramsOf(request, match)
    const asked = {
      route,
      params,
      caller,
      requestId,
      meta: caller ? { ...meta, caller } : meta,
      idempotencyKey: request.headers.get('idempotency-key'),
      ifNoneMatch: request.headers.get('if-none-match'),
    }
    // Where nobody is asked who they are, everybody gets the same bytes.
    if (!action.publicRead || (authorization !== undefined && action.auth !== 'none'))
      return calls.answer(asked, exchange.headers)
    const url = urlOf(request)
    warm.miss(url)
    return fromMade(await calls.prepared(url, asked), asked.ifNoneMatch, exchange.headers)
  }

  const accountBudgets = (exchange: Exchange, name: string, { id }: Caller) => {
    if (!exchange.inside) budgeted(exchange, limits.account, limits.account.take(id))
    if (name === 'chat.send') budgeted(exchange, limits.messages, limits.messages.take(id))
  }

  /** Says the budget in the answer, the narrowest last said wins, and refuses when it is used up. */
  const budgeted = (exchange: Exchange, limit: Limit, bucket: Bucket) => {
    exchange.headers = exchange.headers.filter(([name]) => !name.startsWith('RateLimit'))
    exchange.headers.push(limit.policy, limit.left(bucket))
    if (bucket.refused)
      throw refuse('rate_limited', `more than the budget "${limit.name}" allows`, {
        retryAfterSeconds: limit.retryAfterSeconds(bucket),
      })
  }

  return { handle, inside, underWay: () => underWay }
}

const urlOf = ({ path, query }: Request): string => (query === '' ? path : `${path}?${query}`)

/** The prepared headers bring all but what is this request's own. */
const fromMade = (kept: Prepared, ifNoneMatch: string | undefined, headers: readonly Header[]): Response =>
  bytesOf(
    kept,
    ifNoneMatch,
    headers.filter(([name]) => name === 'X-Request-Id' || name === 'RateLimit'),
  )

const bytesOf = (
  { headers, bytes, etag, marks }: Prepared,
  ifNoneMatch: string | undefined,
  own: readonly Header[],
): Response => {
  const all = marks.length === 0 ? own : [...own, ...marks]
  return isUnchanged(ifNoneMatch, etag)
    ? { status: 304, headers, own: all, body: '' }
    : { status: 200, headers, own: all, body: bytes }
}
