// What a client is told when something went wrong: RFC 9457, from services/errors.ts. What is not in that table is
// 'internal' to clients, and in full only in the log.
import type { Response } from '../../adapters/listener/index.ts'
import { ListenerError } from '../../adapters/listener/index.ts'
import type { Log } from '../../mixins/node.ts'
import { ERRORS, refusal, refuse, type ErrorCode, type FieldError } from '../errors.ts'
import { NO_STORE, type Header } from './headers.ts'

export type Trouble = {
  status: number
  code: string
  title: string
  detail: string
  errors?: readonly FieldError[]
  retryAfterSeconds?: number
  /** Not one that a client was meant to see. */
  unknown?: true
}

/** The runtime's own errors in the words of ours, by Moleculer's `type`. */
const RUNTIME: Readonly<Record<string, ErrorCode>> = {
  SERVICE_NOT_FOUND: 'unavailable',
  SERVICE_NOT_AVAILABLE: 'unavailable',
  REQUEST_TIMEOUT: 'unavailable',
  BAD_GATEWAY: 'unavailable',
  REQUEST_REJECTED: 'overloaded',
  REQUEST_SKIPPED: 'overloaded',
  QUEUE_FULL: 'overloaded',
}

export const troubleOf = (error: unknown): Trouble => {
  const told = refusal(error)
  if (told) return troubleFrom(told.code, told.detail, told.extra)
  if (error instanceof ListenerError) return LISTENER[error.code]
  const runtime = RUNTIME[(error as { type?: string } | null)?.type ?? '']
  if (runtime) return troubleFrom(runtime, ERRORS[runtime][1], { retryAfterSeconds: 1 })
  return { ...troubleFrom('internal', ERRORS.internal[1], {}), unknown: true }
}

type Extra = { errors?: FieldError[]; retryAfterSeconds?: number }

const troubleFrom = (code: ErrorCode, detail: string, { errors, retryAfterSeconds }: Extra): Trouble => {
  const [status, title] = ERRORS[code]
  const retry = retryAfterSeconds ?? (status === 429 || status === 503 ? 1 : undefined)
  return {
    status,
    code,
    title,
    detail,
    ...(errors && { errors }),
    ...(retry !== undefined && { retryAfterSeconds: Math.max(1, Math.ceil(retry)) }),
  }
}

const LISTENER: Record<ListenerError['code'], Trouble> = {
  body_too_large: troubleFrom('body_too_large', ERRORS.body_too_large[1], {}),
  body_timeout: {
    status: 408,
    code: 'body_timeout',
    title: 'The body did not arrive in time',
    detail: 'send it again',
  },
  aborted: { status: 400, code: 'aborted', title: 'The client left', detail: 'the request ended before its body did' },
}

/** A refusal about the route itself when every reason is in the path: such a thing is not there. */
export const asNotFound = (error: unknown, pathParams: readonly string[]): unknown => {
  const told = refusal(error)
  if (told?.code !== 'validation_failed' || !told.extra.errors?.length) return error
  return told.extra.errors.every(({ path }) => pathParams.includes(path)) ? refuse('not_found') : error
}

export type ProblemContext = { requestId: string; log: Log; headers: readonly Header[] }

/** The answer to a request that failed. Unknown errors are logged under the id that the client got. */
export const problemResponse = (error: unknown, { requestId, log, headers }: ProblemContext): Response => {
  const trouble = troubleOf(error)
  if (trouble.unknown) log.error(`request ${requestId} failed:`, error)
  return {
    status: trouble.status,
    headers: [
      ['Content-Type', 'application/problem+json; charset=utf-8'],
      NO_STORE,
      ...retryAfter(trouble),
      ...challenge(trouble),
      ...headers,
    ],
    body: JSON.stringify(problemOf(trouble, requestId)),
  }
}

const retryAfter = ({ retryAfterSeconds }: Trouble): Header[] =>
  retryAfterSeconds === undefined ? [] : [['Retry-After', String(retryAfterSeconds)]]

/** A 401 names the scheme that would do (RFC 9110, 11.6.1). */
const challenge = ({ status }: Trouble): Header[] => (status === 401 ? [['WWW-Authenticate', 'Bearer']] : [])

const problemOf = ({ status, code, title, detail, errors }: Trouble, requestId: string) => ({
  type: `/docs#${code}`,
  title,
  status,
  detail,
  code,
  requestId,
  ...(errors && { errors }),
})
