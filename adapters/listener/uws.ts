// The listener on uWebSockets.js: HTTP and WebSocket on one port, native code up to the handler.
// Its request object dies when the callback returns, so the head is read at once; its answer object dies when it ends
// or the client leaves, so whoever holds one asks first. The address of a PROXY protocol prefix is never read: any
// client can write one.
import net from 'node:net'
import type { HttpRequest, HttpResponse, us_listen_socket } from 'uWebSockets.js'
import { clientAddress } from './address.ts'
import { type Addon, loadAddon } from './addon.ts'
import { answerTo, bare, isUnsafe, isWithoutBody, lingerBytesMax, statusLine } from './answer.ts'
import { faultOf } from './framing.ts'
import type { Handler, Listener, ListenerOptions, OpenListener, Response, SocketHandlers } from './index.ts'
import { headOf, UwsRequest } from './uws-request.ts'
import { uwsSockets } from './uws-sockets.ts'

/** Null where the addon can't be loaded; `explain` then hears why. `directory` keeps a copy for an older glibc. */
export const uwsListener = (directory?: string, explain?: (reason: string) => void): OpenListener | null => {
  const addon = loadAddon(directory, explain)
  return addon && ((options, handler, sockets) => open(addon, options, { handler, sockets }))
}

type Owner<State> = { handler: Handler; sockets: SocketHandlers<State> | null }

const open = async <State>(addon: Addon, options: ListenerOptions, { handler, sockets }: Owner<State>) => {
  const app = addon.App()
  const exchange = exchanges(options, handler)
  const topics = uwsSockets(addon, app, { sockets, exchange })
  app.any('/*', exchange.onRequest)
  const token = await listen(addon, app, options)
  const port = addon.us_socket_local_port(token as never)
  let state: 'open' | 'paused' | 'closed' = 'open'
  return {
    port,
    publish: (topic, text) => { if (state !== 'closed') topics.publish(topic, text) },
    subscribers: (topic) => (state === 'closed' ? 0 : app.numSubscribers(topic)),
    pause() {
      if (state !== 'open') return
      state = 'paused'
      addon.us_listen_socket_close(token)
    },
    async close() {
      if (state === 'closed') return
      state = 'closed'
      app.close()
    },
  } satisfies Listener
}

const listen = (addon: Addon, app: ReturnType<Addon['App']>, { host, port, sharePort }: ListenerOptions) =>
  new Promise<us_listen_socket>((resolve, reject) => {
    const option = sharePort ? 0 : addon.LIBUS_LISTEN_EXCLUSIVE_PORT
    app.listen(host, port, option, (token) => {
      if (token) return resolve(token)
      app.close()
      reasonOf(host, port).then(reject)
    })
  })

/** uWebSockets only says that it failed; the system tells Node why. */
const reasonOf = (host: string, port: number) =>
  new Promise<Error>((resolve) => {
    const probe = net.createServer()
    probe.once('error', resolve)
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => resolve(new Error(`uWebSockets can't listen on ${host}:${port}`)))
    })
  })

export type Exchanges = ReturnType<typeof exchanges>

/** Requests and their answers: counted, with a deadline each. */
const exchanges = (options: ListenerOptions, handler: Handler) => {
  const { requestTimeoutMs, bodyTimeoutMs, requestsMax } = options
  const settings = { addressOf: clientAddress(options.trustProxy), bodyTimeoutMs }
  let waiting = 0

  /** Reads and checks the head; answers and gives null where it is refused. */
  const accept = (res: HttpResponse, req: HttpRequest): UwsRequest | null => {
    const head = headOf(req)
    const fault = faultOf(head)
    if (fault === 0) return new UwsRequest(head, res, settings)
    write(res, bare(fault), { isHead: false, isLast: true })
    return null
  }

  const onRequest = (res: HttpResponse, req: HttpRequest) => {
    const request = accept(res, req)
    if (!request) return
    if (waiting >= requestsMax) return finish(request, bare(503))
    let answer: Response | Promise<Response>
    try {
      answer = handler(request)
    } catch (error) {
      answer = answerTo(error)
    }
    if (answer instanceof Promise) later(request, answer)
    else finish(request, answer)
  }

  const later = (request: UwsRequest, promise: Promise<Response>) => {
    const { res } = request
    waiting += 1
    request.keep()
    let isOver = false
    const over = () => {
      if (isOver) return false
      isOver = true
      waiting -= 1
      clearTimeout(timer)
      return true
    }
    const settle = (answer: Response) => {
      if (over()) res.cork(() => finish(request, answer))
    }
    const timer = setTimeout(() => {
      settle(bare(503))
      request.abort()
    }, requestTimeoutMs)
    res.onAborted(() => {
      if (over()) request.abort()
    })
    promise.then(settle, (error: unknown) => settle(answerTo(error)))
  }
  return { accept, onRequest }
}

/** Writes the answer; after it neither the request nor its body can be read. */
export const finish = (request: UwsRequest, answer: Response) => {
  const isLast = answer.status === 408 || request.bytesLeft() > lingerBytesMax
  const how = { isHead: request.method === 'HEAD', isLast }
  try {
    write(request.res, answer, how)
  } catch {
    write(request.res, bare(500), how)
  }
  request.end()
}

type How = { isHead: boolean; /** The connection ends with this answer. */ isLast: boolean }

const write = (res: HttpResponse, { status, headers, body }: Response, { isHead, isLast }: How) => {
  const lines = headerLines(headers)
  if (status !== 200) res.writeStatus(statusLine(status))
  if (lines !== null) res.writeHeader(headers[0]![0], lines)
  if (isWithoutBody(status)) res.endWithoutBody(undefined, isLast)
  else if (isHead) res.endWithoutBody(Buffer.byteLength(body), isLast)
  else res.end(body, isLast)
}

/** All headers but the first name in one text: one call into native code costs less than one for each header. */
const headerLines = (headers: Response['headers']): string | null => {
  if (headers.length === 0) return null
  let lines = headers[0]![1]
  if (isUnsafe(lines) || isUnsafe(headers[0]![0])) throw new TypeError('a header holds a line break')
  for (let n = 1; n < headers.length; n += 1) {
    const [name, value] = headers[n]!
    if (isUnsafe(value) || isUnsafe(name)) throw new TypeError(`header ${JSON.stringify(name)} holds a line break`)
    lines += `\r\n${name}: ${value}`
  }
  return lines
}
