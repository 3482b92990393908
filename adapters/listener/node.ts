// The listener on node:http and ws: slower than uWebSockets and everywhere at home (musl, older glibc, Deno).
import http from 'node:http'
import type net from 'node:net'
import { clientAddress } from './address.ts'
import { answerTo, bare, isUnsafe, isWithoutBody, lingerBytesMax } from './answer.ts'
import { faultOf, headBytesMax } from './framing.ts'
import type { Handler, Listener, ListenerOptions, OpenListener, Response, SocketHandlers } from './index.ts'
import { headOf, NodeRequest } from './node-request.ts'
import { nodeSockets } from './node-sockets.ts'
import { type Leave, places } from './places.ts'

export const nodeListener = (): OpenListener => (options, handler, sockets) => open(options, { handler, sockets })

type Owner<State> = { handler: Handler; sockets: SocketHandlers<State> | null }

const open = async <State>(options: ListenerOptions, { handler, sockets }: Owner<State>): Promise<Listener> => {
  const exchange = exchanges(options, handler)
  const topics = sockets && nodeSockets(sockets, exchange)
  const server = http.createServer(settingsOf(sockets), exchange.onRequest)
  // none is dropped unseen: more than allowed are refused by faultOf
  server.maxHeadersCount = 0
  if (topics) server.on('upgrade', topics.onUpgrade)
  await listen(server, options)
  const { port } = server.address() as net.AddressInfo
  let closing: Promise<void> | null = null
  const { closeIdleConnections } = server
  const pause = () => {
    if (!server.listening) return
    // Node ends idle connections too when it stops listening; they may go on here
    server.closeIdleConnections = () => {}
    server.close()
    server.closeIdleConnections = closeIdleConnections
  }
  return {
    port,
    publish: (topic, text) => topics?.publish(topic, text),
    subscribers: (topic) => topics?.subscribers(topic) ?? 0,
    pause,
    close: () =>
      (closing ??= new Promise((resolve) => {
        pause()
        topics?.close()
        server.closeAllConnections()
        server.once('close', resolve)
        if (!server.listening) server.close(() => resolve())
      })),
  }
}

const settingsOf = <State>(sockets: SocketHandlers<State> | null) => ({
  maxHeaderSize: headBytesMax,
  headersTimeout: 10_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  // an upgrade anywhere else is an ordinary request, as it is for uWebSockets
  shouldUpgradeCallback: (request: http.IncomingMessage) =>
    sockets !== null && headOf(request).path === sockets.path && request.headers['sec-websocket-key'] !== undefined,
})

const listen = (server: http.Server, { host, port, sharePort }: ListenerOptions) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true, reusePort: sharePort ?? false }, () => {
      server.off('error', reject)
      resolve()
    })
  })

export type Exchanges = ReturnType<typeof exchanges>

/** Requests and their answers: counted, with a deadline each. */
const exchanges = (options: ListenerOptions, handler: Handler) => {
  const { requestTimeoutMs, bodyTimeoutMs } = options
  const settings = { addressOf: clientAddress(options.trustProxy), bodyTimeoutMs }
  const ending = new WeakSet<object>()
  const waiting = places(options)

  /** Reads and checks the head: the request, or the status that refuses it. */
  const accept = (message: http.IncomingMessage): NodeRequest | number => {
    const head = headOf(message)
    const fault = faultOf(head)
    const request = new NodeRequest(head, message, settings)
    if (fault !== 0 || request.bytesLeft() > lingerBytesMax) ending.add(message.socket)
    return fault || request
  }

  const onRequest = (message: http.IncomingMessage, res: http.ServerResponse) => {
    // came in together with a request whose answer ends the connection
    if (ending.has(message.socket)) return
    if (message.httpVersion !== '1.1') return write(res, bare(505), { isLast: true })
    const request = accept(message)
    if (typeof request === 'number') return write(res, bare(request), { isLast: true })
    const bytesLeft = request.bytesLeft()
    if (waiting.areFull(bytesLeft)) return finish(request, res, bare(503))
    let answer: Response | Promise<Response>
    try {
      answer = handler(request)
    } catch (error) {
      answer = answerTo(error)
    }
    if (answer instanceof Promise) later({ request, res }, answer, waiting.take(bytesLeft))
    else finish(request, res, answer)
  }

  const later = ({ request, res }: Waiting, promise: Promise<Response>, leave: Leave) => {
    let isOver = false
    const over = () => {
      if (isOver) return false
      isOver = true
      leave()
      clearTimeout(timer)
      return true
    }
    const settle = (answer: Response) => {
      if (over()) finish(request, res, answer)
    }
    const timer = setTimeout(() => {
      settle(bare(503))
      request.abort()
    }, requestTimeoutMs)
    res.once('close', () => {
      if (over()) request.abort()
    })
    promise.then(settle, (error: unknown) => settle(answerTo(error)))
  }
  return { accept, onRequest }
}

type Waiting = { request: NodeRequest; res: http.ServerResponse }

const finish = (request: NodeRequest, res: http.ServerResponse, answer: Response) => {
  const isLast = answer.status === 408 || request.bytesLeft() > lingerBytesMax
  try {
    write(res, answer, { isLast })
  } catch {
    write(res, bare(500), { isLast })
  }
  request.end()
}

type How = { /** The connection ends with this answer. */ isLast: boolean }

export const write = (res: http.ServerResponse, { status, headers, own, body }: Response, { isLast }: How) => {
  const fields = wireFields(own ? [...headers, ...own] : headers)
  // as bytes: text would be joined with the head and encoded together with it, twice for the head
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (!isWithoutBody(status)) fields.push('Content-Length', String(bytes.length))
  if (isLast) fields.push('Connection', 'close')
  res.writeHead(status, fields)
  if (isWithoutBody(status)) res.end()
  else res.end(bytes)
}

/** Flat, as Node takes them; text goes out as UTF-8, which Node is told byte by byte. */
const wireFields = (headers: Response['headers']): string[] => {
  const fields: string[] = []
  for (const [name, value] of headers) {
    if (isUnsafe(name) || isUnsafe(value)) throw new TypeError(`header ${JSON.stringify(name)} holds a line break`)
    fields.push(name, Buffer.from(value).toString('latin1'))
  }
  return fields
}
