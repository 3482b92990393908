// Answers that the listener gives by itself, and how any answer is put on the wire.
import { STATUS_CODES } from 'node:http'
import { ListenerError, type Response } from './index.ts'

const retryAfterSeconds = '1'

/** Without a body: nothing is said to strangers about what went wrong. */
export const bare = (status: number): Response => ({ status, headers: extra[status] ?? [], body: '' })

const extra: Readonly<Record<number, Response['headers']>> = {
  426: [['Sec-WebSocket-Version', '13']],
  503: [['Retry-After', retryAfterSeconds]],
}

/** What a handler's throw or rejection becomes. */
export const answerTo = (error: unknown): Response => bare(error instanceof ListenerError ? statusOf[error.code] : 500)

const statusOf: Readonly<Record<ListenerError['code'], number>> = {
  body_too_large: 413,
  body_timeout: 408,
  aborted: 400,
}

export const isWithoutBody = (status: number) => status === 204 || status === 304

export const statusLine = (status: number) => `${status} ${STATUS_CODES[status] ?? 'Unknown'}`

/** A header that would end its line early could make two answers out of one. */
export const isUnsafe = (text: string) => LINE_ENDS.test(text)
const LINE_ENDS = /[\r\n\0]/

/** Left of a body after its answer: up to this much is read and dropped, so that the client gets to see the answer. */
export const lingerBytesMax = 16 * 1024 * 1024
