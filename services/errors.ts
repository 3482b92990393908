// Everything a client can be told has gone wrong, in one table: stable code → HTTP status and title.
import { Errors } from 'moleculer'

export const ERRORS = {
  validation_failed: [400, 'The request is not valid'],
  bad_cursor: [400, 'The cursor is not one of ours'],
  bad_signature: [400, 'The signature does not match'],
  unauthenticated: [401, 'Who are you?'],
  payment_declined: [402, 'The payment was declined'],
  forbidden: [403, 'You may not do that'],
  not_found: [404, 'There is no such thing'],
  method_not_allowed: [405, 'That route has no such verb'],
  conflict: [409, 'Something else is in the way'],
  invalid_transition: [409, 'The state does not allow that'],
  idempotency_key_reused: [409, 'This Idempotency-Key was used with another request'],
  insufficient_balance: [409, 'There is not that much money available'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'That content type is not understood here'],
  rate_limited: [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  overloaded: [503, 'Too much to do right now'],
  unavailable: [503, 'That part is not available right now'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ErrorCode = keyof typeof ERRORS
export type FieldError = { path: string; message: string }
type Extra = { errors?: FieldError[]; retryAfterSeconds?: number; data?: Record<string, unknown> }

/** An error a client is meant to see. Crosses brokers: read it by `type` and `data`, never by class. */
export const refuse = (code: ErrorCode, detail?: string, extra: Extra = {}): Error => {
  const [status, title] = ERRORS[code]
  const error = new Errors.MoleculerError(detail ?? title, status, code, extra)
  error.retryable = false
  return error
}

/** The table's entry of an error that `refuse` made, here or on another node; undefined for anything else. */
export const refusal = (
  error: unknown,
): { code: ErrorCode; status: number; detail: string; extra: Extra } | undefined => {
  const { type, message, data } = (error ?? {}) as { type?: string; message?: string; data?: Extra }
  if (typeof type !== 'string' || !Object.hasOwn(ERRORS, type)) return undefined
  const code = type as ErrorCode
  return { code, status: ERRORS[code][0], detail: message ?? ERRORS[code][1], extra: data ?? {} }
}

export const isRefused = (error: unknown, code: ErrorCode): boolean => refusal(error)?.code === code
