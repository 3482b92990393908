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
  opened: Promise<unknown>
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
  sendMs: number
  heard: (ev: string, data: unknown, frame: Answer) => void
}

type Asked = { resolve: (answer: Answer) => void; reject: (error: Error) => void; timer: ReturnType<typeof setTimeout> }

export const link = ({ url, WebSocket, answerMs, sendMs, heard }: LinkParts): Link => {
  const asked = new Map<number, Asked>()
  const ended = Promise.withResolvers<number>()
  let lastId = 0
  let live = true
  const socket = new WebSocket(url, 'gigwire.v1')

  const answerTo = (id: number, ms: number) =>
    new Promise<Answer>((resolve, reject) => {
      asked.set(id, { resolve, reject, timer: setTimeout(() => end(GONE), ms) })
    })
  /** The socket itself is asked first; no frame has this id. */
  const opened = answerTo(0, answerMs)
  opened.catch(() => undefined)

  const end = (code: number) => {
    if (!live) return
    live = false
    socket.onopen = socket.onmessage = socket.onclose = null
    for (const { timer, reject } of asked.values()) {
      clearTimeout(timer)
      reject(new ClientError('offline'))
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

  socket.onopen = () => answered({ id: 0 })
  socket.onmessage = ({ data }: { data: string }) => {
    const frame = JSON.parse(data) as Answer
    if (frame.ev) heard(frame.ev as string, frame.data, frame)
    else answered(frame)
  }
  socket.onclose = ({ code }: { code: number }) => end(code)
  // What went wrong is told by the close that follows; `ws` throws where nobody listens.
  socket.onerror = () => undefined

  return {
    opened,
    ended: ended.promise,
    isLive: () => live,
    ask: async (op, fields) => {
      if (!live) throw new ClientError('offline')
      if (asked.size >= ASKED_MAX) throw new ClientError('overloaded', 'too much at once', 1)
      socket.send(JSON.stringify({ ...fields, id: ++lastId, op }))
      return answerTo(lastId, op === 'send' ? sendMs : answerMs)
    },
    end,
  }
}
