// For the tests: both products, opened on a free port and closed with the test, and a client that speaks raw TCP.
import net from 'node:net'
import type { ExecutionContext } from 'ava'
import type { Handler, Listener, ListenerOptions, OpenListener, Response, Socket, SocketHandlers } from './index.ts'
import { nodeListener } from './node.ts'
import { uwsListener } from './uws.ts'

/** What can be had here; on musl or an unknown platform only the second. */
export const products: readonly (readonly [string, OpenListener])[] = [
  ...[uwsListener()].flatMap((open) => (open ? [['uws', open] as const] : [])),
  ['node', nodeListener()],
]

export const text = (body: string, status = 200, headers: Response['headers'] = []): Response => ({
  status,
  headers,
  body,
})

const defaults: ListenerOptions = {
  host: '127.0.0.1',
  port: 0,
  trustProxy: [],
  requestTimeoutMs: 20_000,
  bodyTimeoutMs: 20_000,
  requestsMax: 1_000,
}

export type State = { heard: string[]; closed: [number, string] | null }
type Trial = { handler?: Handler; options?: Partial<ListenerOptions>; sockets?: Partial<SocketHandlers<State>> }

/** A listener for one test. Its sockets, unless told otherwise, echo and remember what they heard. */
export const opened = async (t: ExecutionContext, open: OpenListener, { handler, options, sockets }: Trial) => {
  const known: Socket<State>[] = []
  const echo: SocketHandlers<State> = {
    path: '/live',
    upgrade: (_request, [protocol]) => ({ state: { heard: [], closed: null }, ...(protocol ? { protocol } : {}) }),
    open: (socket) => {
      known.push(socket)
    },
    message(socket, message) {
      socket.state.heard.push(message)
      socket.send(message)
    },
    close: (socket, code, reason) => {
      socket.state.closed = [code, reason]
    },
    messageBytesMax: 1_000,
    backpressureBytesMax: 1_000_000,
    idleTimeoutMs: 60_000,
    ...sockets,
  }
  const all = { ...defaults, ...options }
  const listener: Listener = await open(all, handler ?? (() => text('hello')), sockets ? echo : null)
  t.teardown(() => listener.close())
  return { listener, port: listener.port, url: `http://127.0.0.1:${listener.port}`, known }
}

export type Tcp = ReturnType<typeof connect>

/** A client without manners: sends any bytes, keeps what comes back as one character per byte. */
export const connect = (port: number) => {
  const socket = net.connect(port, '127.0.0.1')
  const state = { heard: '', isClosed: false }
  socket.on('data', (data: Buffer) => {
    state.heard += data.toString('latin1')
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    state.isClosed = true
  })
  return {
    state,
    socket,
    send: (bytes: string | Buffer) => socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    end: () => socket.destroy(),
  }
}

/** Sends the bytes and hears until `isEnough`, a close, or long after an answer was due. */
export const exchange = async (port: number, bytes: string, isEnough: (heard: string) => boolean = isAnswered) => {
  const tcp = connect(port)
  tcp.send(bytes)
  await until(() => tcp.state.isClosed || isEnough(tcp.state.heard), 3_000)
  tcp.end()
  return { heard: tcp.state.heard, statuses: statusesOf(tcp.state.heard), isClosed: tcp.state.isClosed }
}

const isAnswered = (heard: string) => heard.includes('\r\n\r\n')

export const statusesOf = (heard: string) =>
  [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

/** True as soon as it holds; false when it never did. */
export const until = async (holds: () => boolean, ms = 20_000) => {
  const end = performance.now() + ms
  while (!holds()) {
    if (performance.now() > end) return false
    await wait(5)
  }
  return true
}

export const wait = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
