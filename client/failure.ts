// What a promise of the client is refused with.

/** `code` is the server's (`forbidden`, `rate_limited` …) or the client's own: `offline`, `closed`, `queue_full`. */
export class ClientError extends Error {
  declare code: string
  /** Seconds the server asks to wait. */
  declare retryAfter: number | undefined
  constructor(code: string, message = code, retryAfter?: number) {
    super(message)
    Object.assign(this, { name: 'ClientError', code, retryAfter })
  }
}

/** Asking again later may go well; everything else is the server's last word. */
const TEMPORARY = ['rate_limited', 'overloaded', 'unavailable', 'internal', 'unauthenticated', 'offline']
export const isTemporary = (error: ClientError): boolean => TEMPORARY.includes(error.code)
