// From checked parameters to an answer's status and body: the owner of the actor is called, once per Idempotency-Key where
// one was sent, and public reads of strangers come from prepared answers.
import type { CallingOptions } from 'moleculer'
import type { Caller } from '../shapes.ts'
import type { Response } from '../../adapters/listener/index.ts'
import { ownerNode, type Command, type Meta, type Node } from '../../mixins/node.ts'
import type { Admission } from './admission.ts'
import { priorityOf } from './admission.ts'
import { audited } from './audited.ts'
import type { Params } from './body.ts'
import { etagOf, isUnchanged, publicCaching } from './conditional.ts'
import { CSP_PAPER, HTML_TYPE, jsonResponse, NO_STORE, SECURITY, surrogateKeys, type Header } from './headers.ts'
import type { Hot, Prepared, Wanted } from './hot.ts'
import type { Idempotent, Outcome } from './idempotency.ts'
import { spend, type Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import { asNotFound, problemResponse } from './problem.ts'
import type { Route } from './routes.ts'
import { namesOf, standingOf } from './tags.ts'

/** A turn that has not begun by then is refused, not run. */
export const DEADLINE_MS = 10_000
/** How long the gateway waits for an actor: longer than it may take to begin, for a provider may be asked on the way. */
export const CALL_TIMEOUT_MS = 20_000

export type Asked = {
  route: Route
  params: Params
  caller: Caller | undefined
  meta: Meta
  requestId: string
  idempotencyKey: string | undefined
  ifNoneMatch: string | undefined
}
export type Calls = {
  /** Calls and answers. */
  answer(asked: Asked, headers: readonly Header[]): Promise<Response>
  /** A public read for nobody in particular. */
  prepared(url: string, asked: Asked): Promise<Prepared>
}
export type CallsParts = {
  node: Node
  hot: Hot
  idempotent: Idempotent
  limits: Limits
  admission: Admission
  meters: Meters
}

export const calls = ({ node, hot, idempotent, limits, admission, meters }: CallsParts): Calls => {
  const answer = async (asked: Asked, headers: readonly Header[]): Promise<Response> => {
    const { route, caller, idempotencyKey: key, params } = asked
    if (key === undefined || !caller || route.method !== 'POST') return spoken(asked, await called(asked), headers)
    const outcome = await idempotent.run({ userId: caller.id, action: route.name, key, params }, (command) =>
      told(asked, command),
    )
    return replayable(outcome, headers)
  }

  type Result = { status: number; result: unknown }

  const called = async (asked: Asked): Promise<Result> => {
    const { route, params, meta } = asked
    const { name, action } = route
    const settle = name === 'account.login' ? loginBudget(params) : undefined
    try {
      const result = await admission.run(priorityOf(route), () =>
        audited(node, asked, () => callOwner(node, name, params, meta)),
      )
      settle?.(null)
      return { status: meta.$statusCode ?? action.status ?? 200, result }
    } catch (error) {
      settle?.(error)
      throw asNotFound(error, route.pathParams)
    }
  }

  /** A try is taken before it is known to fail, so that many at once get no more than one at a time would. */
  const loginBudget = ({ email }: Params) => {
    const key = String(email).trim().toLowerCase()
    spend(limits.login, key)
    return (error: unknown) => {
      if ((error as { type?: string } | null)?.type !== 'unauthenticated') limits.login.giveBack(key)
    }
  }

  /** The outcome under a key: also a refusal is an answer that can be had again. */
  const told = async (asked: Asked, command: Command): Promise<Outcome> => {
    try {
      const { status, result } = await called({ ...asked, meta: { ...asked.meta, command } })
      return { status, body: status === 204 ? '' : textOf(result) }
    } catch (error) {
      const { status, body } = problemResponse(error, { requestId: asked.requestId, log: node.log, headers: [] })
      return { status, body: body as string }
    }
  }

  const prepared = (url: string, { route, params, meta }: Asked): Promise<Prepared> => {
    meters.hotMiss.add()
    const { action, name, path } = route
    const { shows, ...standing } = standingOf(name, params)
    const headers = [
      JSON_TYPE,
      publicCaching(action.publicRead!),
      limits.address.policy,
      ...SECURITY,
      ...surrogateKeys(namesOf(standing)),
    ]
    const wanted: Wanted = {
      ...standing,
      headers,
      key: `${name} ${JSON.stringify(Object.entries(params).sort())}`,
      ...action.publicRead!,
      served: meters.answered(path, 200),
      make: async () => {
        const { result } = await called({
          route,
          params,
          caller: undefined,
          requestId: '',
          idempotencyKey: undefined,
          ifNoneMatch: undefined,
          meta: remade(meta),
        })
        return { bytes: Buffer.from(textOf(result)), headers, ...(shows && { shows: shows(result) }) }
      },
    }
    return hot.get(url, wanted)
  }

  return { answer, prepared }
}

/** Asks the node that owns the actor. What a handler sets in the meta is set in the one given, also from another node. */
export const callOwner = (node: Node, name: string, params: Params, meta: Meta): Promise<unknown> => {
  const options: CallingOptions = { meta, timeout: CALL_TIMEOUT_MS }
  const nodeID = ownerNode(node.broker, node.placement, name, params)
  if (nodeID) options.nodeID = nodeID
  return node.broker.call(name, params, options)
}

const JSON_TYPE: Header = ['Content-Type', 'application/json; charset=utf-8']

/** An answer made again later has a deadline of its own. */
const remade = ({ requestId }: Meta): Meta => ({
  ...(requestId && { requestId }),
  deadlineAt: Date.now() + DEADLINE_MS,
})

const textOf = (result: unknown): string => JSON.stringify(result ?? null)

const spoken = (
  { route, ifNoneMatch }: Asked,
  { status, result }: { status: number; result: unknown },
  headers: readonly Header[],
): Response => {
  if (status === 204) return jsonResponse(204, [NO_STORE, ...headers], '')
  if (route.action.html) return { status, headers: [HTML_TYPE, CSP_PAPER, NO_STORE, ...headers], body: String(result) }
  const body = textOf(result)
  const { publicRead } = route.action
  if (!publicRead || status !== 200 || !isForEverybody(route.name, result))
    return jsonResponse(status, [NO_STORE, ...kept(route), ...headers], body)
  const etag = etagOf(body)
  const shared: Header[] = [publicCaching(publicRead), ['ETag', etag], ...headers]
  return isUnchanged(ifNoneMatch, etag) ? { status: 304, headers: shared, body: '' } : jsonResponse(200, shared, body)
}

const kept = ({ action: { download } }: Route): readonly Header[] =>
  download ? [['Content-Disposition', `attachment; filename="${download}"`]] : []

/** Owners see their gigs whatever the status; that is between them and us. */
const isForEverybody = (name: string, result: unknown): boolean =>
  name !== 'gig.get' || (result as { status?: string } | null)?.status === 'live'

const replayable = ({ status, body, replayed }: Outcome, headers: readonly Header[]): Response => {
  const all: Header[] = [NO_STORE, ...headers]
  if (replayed) all.push(['Idempotency-Replayed', 'true'])
  if (status < 400) return jsonResponse(status, all, body)
  if (status === 503) all.push(['Retry-After', '1'])
  return { status, headers: [['Content-Type', 'application/problem+json; charset=utf-8'], ...all], body }
}
