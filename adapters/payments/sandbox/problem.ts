// A refusal in the provider's own shape: `{error: {type, code, message, param}}` with a status.
import type { Json } from './store.ts'

export type ProblemType =
  | 'invalid_request_error'
  | 'idempotency_error'
  | 'card_error'
  | 'api_error'
  | 'rate_limit_error'

export class Problem extends Error {
  readonly status: number
  readonly body: { error: { type: ProblemType; message: string; [field: string]: Json } }
  /** True when what was written before the refusal stays: a declined attempt is part of the payment's history. */
  readonly kept: boolean
  constructor(status: number, error: { type: ProblemType; message: string; [field: string]: Json }, kept = false) {
    super(error.message)
    this.status = status
    this.body = { error }
    this.kept = kept
  }
}

export const invalid = (message: string, code?: string, param?: string): Problem =>
  new Problem(400, { type: 'invalid_request_error', message, ...(code && { code }), ...(param && { param }) })

export const missing = (noun: string, id: string, param = 'id'): Problem =>
  new Problem(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such ${noun.replaceAll('_', ' ')}: '${id}'`,
  })

export const serverError = (): Problem =>
  new Problem(500, { type: 'api_error', message: 'Something went wrong on our side. We have noted it.' })

export const rateLimited = (): Problem =>
  new Problem(429, {
    type: 'rate_limit_error',
    code: 'rate_limit',
    message: 'Too many requests. Wait a moment and send fewer.',
  })
