// One WebSocket from its opening to its end: frames out, answers matched by id, events handed on. Never comes back; the
// client makes another. A link that leaves a question unanswered is dead, whatever the socket believes.
import { ClientError } from './failure.ts'
import type { SocketClass } from './types.ts'

/** Questions without an answer at once; the server takes 256 from one socket. */
export const ASKED_MAX = 200
/** Told by no server: this end gave up on the link. */
export const GONE = 1006

export type Answer = Record<string, unknown>
export type Link = {
  opened: Promise<void>
  /** Resolves with the close code, once, and whatever was asked is refused with `offline`. */
  ended: Promise<number>
  isLive(): boolean
  ask(op: string, fields?: object): Promise<Answer>
  end(code: number): void
}
export type LinkParts = {
  url: string
  WebSocket: SocketClass
  answerMs: number
  heard: (ev: string, data: unknown, frame: Answer) => void
}

type Asked = { resolve: (answer: Answer) => void; reject: (error: Error) => void; timer: ReturnType<typeof setTimeout> }

export const link = ({ url, WebSocket, answerMs, heard }: LinkParts): Link => {
  const asked = new Map<number, Asked>()
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<number>()
  let lastId = 0
  let live = true
  const socket = new WebSocket(url, 'gigwire.v1')
  const opening = setTimeout(() => end(GONE), answerMs)

  const end = (code: number) => {
    if (!live) return
    live = false
    clearTimeout(opening)
    socket.onopen = socket.onmessage = socket.onclose = null
    const offline = new ClientError('offline', 'the connection ended')
    opened.reject(offline)
    for (const one of asked.values()) {
      clearTimeout(one.timer)
      one.reject(offline)
    }
    asked.clear()
    ended.resolve(code)
    socket.close()
  }

  const answered = (frame: Answer) => {
    const one = asked.get(frame.id as number)
    if (!one) return
    asked.delete(frame.id as number)
    clearTimeout(one.timer)
    const error = frame.error as { code: string; message: string; retryAfter?: number } | undefined
    if (error) one.reject(new ClientError(error.code, error.message, error.retryAfter))
    else one.resolve(frame)
  }

  socket.onopen = () => {
    clearTimeout(opening)
    opened.resolve()
  }
  socket.onmessage = ({ data }: { data: string }) => {
    const frame = JSON.parse(data) as Answer
    if (frame.ev) heard(frame.ev as string, frame.data, frame)
    else answered(frame)
  }
  socket.onclose = ({ code }: { code: number }) => end(code)
  // What went wrong is told by the close that follows; `ws` throws where nobody listens.
  socket.onerror = () => undefined
  opened.promise.catch(() => undefined)

  return {
    opened: opened.promise,
    ended: ended.promise,
    isLive: () => live,
    ask: (op, fields) =>
      new Promise((resolve, reject) => {
        if (!live) return reject(new ClientError('offline', 'not connected'))
        if (asked.size >= ASKED_MAX) return reject(new ClientError('overloaded', 'too much at once', 1))
        const id = ++lastId
        asked.set(id, { resolve, reject, timer: setTimeout(() => end(GONE), answerMs) })
        socket.send(JSON.stringify({ ...fields, id, op }))
      }),
    end,
  }
}
