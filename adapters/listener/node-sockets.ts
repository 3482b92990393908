// WebSockets on ws. It shakes hands, reads and closes; text frames are written here, straight to the connection, so
// that a frame for many is encoded once and all of one turn leave in one write.
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { bare } from './answer.ts'
import { closings, hardMessageBytesMax } from './closing.ts'
import { protocolsOf, upgradeFaultOf } from './framing.ts'
import { textFrame } from './frame.ts'
import type { Response, Socket, SocketHandlers } from './index.ts'
import { type Exchanges, write } from './node.ts'

/** The other side has this long to answer a close frame. */
const closeTimeoutMs = 5_000

export const nodeSockets = <State>(handlers: SocketHandlers<State>, { accept }: Pick<Exchanges, 'accept'>) => {
  const room = createRoom(handlers)
  const chosen = new WeakMap<http.IncomingMessage, string>()
  const settings = {
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: hardMessageBytesMax(handlers.messageBytesMax),
    closeTimeout: closeTimeoutMs,
    handleProtocols: (_offered: Set<string>, message: http.IncomingMessage) => chosen.get(message) ?? false,
  }
  const server = new WebSocketServer(settings)
  const sweep = setInterval(() => room.sweep(), Math.max(50, handlers.idleTimeoutMs / 4))

  const onUpgrade = (message: http.IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => {})
    const request = accept(message)
    if (typeof request === 'number') return refuse(message, stream, bare(request))
    const fault = request.path === handlers.path ? upgradeFaultOf(request.fields) : 404
    if (fault !== 0) return refuse(message, stream, bare(fault))
    let verdict: Response | { state: State; protocol?: string }
    try {
      verdict = handlers.upgrade(request, protocolsOf(request.fields))
    } catch {
      verdict = bare(500)
    }
    if (!('state' in verdict)) return refuse(message, stream, verdict)
    const { state, protocol } = verdict
    if (protocol) chosen.set(message, protocol)
    const { address } = request
    request.end()
    server.handleUpgrade(message, stream, head, (connection) => room.enter(connection, stream, { state, address }))
  }
  return {
    onUpgrade,
    publish: room.publish,
    subscribers: room.subscribers,
    close() {
      clearInterval(sweep)
      room.close()
      server.close()
    },
  }
}

const refuse = (message: http.IncomingMessage, stream: Duplex, answer: Response) => {
  const response = new http.ServerResponse(message)
  response.assignSocket(stream as never)
  response.once('finish', () => stream.end())
  write(response, answer, { isLast: true })
}

export type Room<State> = ReturnType<typeof createRoom<State>>

/** Everybody who is connected, and who listens to what. */
const createRoom = <State>(handlers: SocketHandlers<State>) => {
  const everybody = new Set<NodeSocket<State>>()
  const topics = new Map<string, Set<NodeSocket<State>>>()
  const room = {
    handlers,
    topics,
    enter(connection: WebSocket, stream: Duplex, { state, address }: { state: State; address: string }) {
      const socket = new NodeSocket(room, { connection, stream }, { state, address })
      everybody.add(socket)
      hear(socket, connection, handlers)
      stream.on('drain', () => {
        if (!socket.closed) handlers.drain?.(socket)
      })
      handlers.open(socket)
    },
    leave(socket: NodeSocket<State>) {
      everybody.delete(socket)
      for (const topic of socket.topics) room.remove(topic, socket)
      socket.topics.clear()
    },
    remove(topic: string, socket: NodeSocket<State>) {
      const members = topics.get(topic)
      members?.delete(socket)
      if (members?.size === 0) topics.delete(topic)
    },
    publish(topic: string, text: string) {
      const members = topics.get(topic)
      if (!members) return
      const frame = textFrame(text)
      for (const socket of members) socket.write(frame)
    },
    subscribers: (topic: string) => topics.get(topic)?.size ?? 0,
    /** Pings whoever is silent, ends whoever stays it. */
    sweep() {
      const now = performance.now()
      for (const socket of everybody) {
        const silentMs = now - socket.heardAt
        if (silentMs > handlers.idleTimeoutMs) socket.end(...closings.idle)
        else if (silentMs > handlers.idleTimeoutMs / 2) socket.connection.ping()
      }
    },
    close() {
      for (const socket of everybody) socket.end(1006, '')
    },
  }
  return room
}

const hear = <State>(socket: NodeSocket<State>, connection: WebSocket, handlers: SocketHandlers<State>) => {
  const heard = () => {
    socket.heardAt = performance.now()
  }
  connection.on('message', (data, isBinary) => {
    heard()
    if (socket.closed) return
    if (isBinary) return socket.close(...closings.binary)
    // one Buffer: ws is left with its default binaryType
    const message = data as Buffer
    if (message.length > handlers.messageBytesMax) return socket.close(...closings.tooLarge)
    handlers.message(socket, message.toString())
  })
  connection.on('ping', heard)
  connection.on('pong', heard)
  connection.on('close', (code, reason) => socket.left(code, reason.toString()))
  // a broken frame: ws closes the connection, and 'close' follows
  connection.on('error', () => {})
}

class NodeSocket<State> implements Socket<State> {
  readonly state: State
  readonly address: string
  readonly connection: WebSocket
  readonly topics = new Set<string>()
  heardAt = performance.now()
  closed = false
  readonly #room: Room<State>
  readonly #stream: Duplex
  #isCorked = false

  constructor(
    room: Room<State>,
    { connection, stream }: { connection: WebSocket; stream: Duplex },
    { state, address }: { state: State; address: string },
  ) {
    this.#room = room
    this.#stream = stream
    this.connection = connection
    this.state = state
    this.address = address
  }

  send(text: string): boolean {
    return this.write(textFrame(text))
  }

  sendMany(texts: readonly string[]): boolean {
    for (const text of texts) if (!this.send(text)) return false
    return !this.closed
  }

  /** Joins what one turn sends into one write; a reader that is too far behind is cut off. */
  write(frame: Buffer): boolean {
    if (this.closed) return false
    if (this.buffered() > this.#room.handlers.backpressureBytesMax) {
      this.end(...closings.slow)
      return false
    }
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#stream.cork()
      setImmediate(() => this.#uncork())
    }
    this.#stream.write(frame)
    return true
  }

  #uncork() {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#stream.uncork()
  }

  subscribe(topic: string) {
    if (this.closed) return
    this.topics.add(topic)
    const members = this.#room.topics.get(topic)
    if (members) members.add(this)
    else this.#room.topics.set(topic, new Set([this]))
  }

  unsubscribe(topic: string) {
    if (this.topics.delete(topic)) this.#room.remove(topic, this)
  }

  buffered() {
    return this.closed ? 0 : this.#stream.writableLength
  }

  close(code: number, reason: string) {
    if (this.closed) return
    this.#uncork()
    this.connection.close(code, reason)
    this.left(code, reason)
  }

  /** Without a close frame. */
  end(code: number, reason: string) {
    this.connection.terminate()
    this.left(code, reason)
  }

  left(code: number, reason: string) {
    if (this.closed) return
    this.closed = true
    this.#room.leave(this)
    this.#room.handlers.close(this, code, reason)
  }
}
