// How an answer leaves through uWebSockets: status and headers first, then the body, all in one corked write.
import type { HttpResponse } from 'uWebSockets.js'
import { bare, isUnsafe, isWithoutBody, lingerBytesMax, statusLine } from './answer.ts'
import type { Response } from './index.ts'
import type { UwsRequest } from './uws-request.ts'

type How = { isHead: boolean; /** The connection ends with this answer. */ isLast: boolean }

export const createAnswers = () => {
  const linesOf = headerLines()

  /** Writes the answer; after it neither the request nor its body can be read. */
  const finish = (request: UwsRequest, answer: Response) => {
    const { res } = request
    const isHead = request.method === 'HEAD'
    if (answer.status === 408 || request.bytesLeft() > lingerBytesMax) finishLast(res, answer, isHead)
    else write(res, answer, { isHead, isLast: false })
    request.end()
  }

  /** For a request that was refused before anybody read it. */
  const finishUnread = (res: HttpResponse, answer: Response) => finishLast(res, answer, false)

  /**
   * The connection ends with this answer. uWebSockets would first serve whatever came in the same packet, which may
   * not be what the client meant; as long as an answer is due it closes the connection instead.
   */
  const finishLast = (res: HttpResponse, answer: Response, isHead: boolean) => {
    let isGone = false
    res.onAborted(() => {
      isGone = true
    })
    setImmediate(() => {
      if (!isGone) res.cork(() => write(res, answer, { isHead, isLast: true }))
    })
  }

  const write = (res: HttpResponse, answer: Response, how: How) => {
    const { status, headers, own = none, body } = answer
    const lines = linesOf(headers)
    const ownLines = joined(own)
    if (lines === null || ownLines === null) return write(res, bare(500), how)
    if (status !== 200) res.writeStatus(statusLine(status))
    if (headers.length > 0) res.writeHeader(headers[0]![0], lines)
    if (own.length > 0) res.writeHeader(own[0]![0], ownLines)
    if (isWithoutBody(status)) endWithoutBody(res, how)
    else if (how.isHead) res.endWithoutBody(Buffer.byteLength(body), how.isLast)
    else res.end(body, how.isLast)
  }

  return { finish, finishUnread }
}

const none: Response['headers'] = []

/** Anything given as a length is sent as one, so that only a last answer says Content-Length: 0. */
const endWithoutBody = (res: HttpResponse, { isLast }: How) => {
  if (isLast) res.endWithoutBody(0, true)
  else res.endWithoutBody()
}

/**
 * All headers but the first name in one text, null where one would break its line: a single call into native code
 * costs less than one for each header. Frozen headers are joined once, for as long as somebody holds them.
 */
const headerLines = () => {
  const known = new WeakMap<Response['headers'], Uint8Array | null>()
  return (headers: Response['headers']): string | Uint8Array | null => {
    if (!Object.isFrozen(headers)) return joined(headers)
    let lines = known.get(headers)
    if (lines === undefined) {
      const text = joined(headers)
      lines = text === null ? null : Buffer.from(text)
      known.set(headers, lines)
    }
    return lines
  }
}

const joined = (headers: Response['headers']): string | null => {
  let lines = ''
  // by index: taking a pair apart by pattern walks an iterator, which shows in the hot path
  for (let n = 0; n < headers.length; n += 1) {
    const name = headers[n]![0]
    const value = headers[n]![1]
    if (isUnsafe(name) || isUnsafe(value)) return null
    lines = n === 0 ? value : lines + '\r\n' + name + ': ' + value
  }
  return lines
}
