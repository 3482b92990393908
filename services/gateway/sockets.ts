// Sockets: connections are accepted, their frames run as operations, and what the actors say is handed to everybody it
// concerns who is connected here. Nothing waits for a socket; one that reads too slowly is closed by the listener.
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Listener, Request, Response, Socket, SocketHandlers } from '../../adapters/listener/index.ts'
import type { Node } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { answerInOrder, connection, isFlooding, OPS_UNDER_WAY_MAX, type Connection } from './connection.ts'
import { deadlines } from './deadlines.ts'
import { CLOSE, errorFrame, FRAME_BYTES_MAX, okFrame, parseFrame, type Frame } from './frames.ts'
import { requestIds } from './headers.ts'
import { addressKey, type Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import { operations } from './operations.ts'
import { people } from './people.ts'
import { problemResponse } from './problem.ts'
import { bearer, type Session } from './session.ts'

export type Sockets = {
  handlers: SocketHandlers<Connection>
  attach(listener: Listener): void
  /** Tells everybody to come back later, spread out. */
  drain(): void
  /** Closes what is left. */
  stop(): Promise<void>
  underWay(): number
}
export type SocketParts = { node: Node; fanout: Fanout; session: Session; limits: Limits; meters: Meters; path: string }

export const SUBPROTOCOL = 'gigwire.v1'
const AUTH_WITHIN_MS = 10_000
const BACKPRESSURE_BYTES_MAX = 1024 * 1024
const IDLE_MS = 60_000
/** Reconnects a second that a drained gateway asks its clients for. */
const RECONNECTS_PER_SECOND = 1000
const CLOSING_MS = 1000

export const sockets = ({ node, fanout, session, limits, meters, path }: SocketParts): Sockets => {
  const idOf = requestIds()
  const open = new Set<Connection>()
  let listener: Listener | null = null
  let draining = false
  let underWay = 0

  const attachment = fanout.attach({
    users: (userIds, frame) => {
      let count = 0
      for (const id of userIds) for (const one of connected.of(id) ?? []) if (one.socket?.send(frame)) count++
      meters.deliveries.add(count)
    },
    topic: (topic, frame) => {
      if (!listener) return
      meters.deliveries.add(listener.subscribers(topic))
      listener.publish(topic, frame)
    },
  })
  const connected = people(attachment)
  const due = deadlines<Connection>((one) =>
    one.verified
      ? one.socket?.close(CLOSE.unauthenticated, 'the access token expired')
      : one.socket?.close(CLOSE.noAuth, 'no authentication in time'),
  )
  const ops = operations({ node, session, limits, people: connected, due })

  const upgrade = (
    request: Request,
    offered: readonly string[],
  ): { state: Connection; protocol?: string } | Response => {
    const requestId = idOf(request)
    const refused = refusalOf(request, offered)
    if (refused) return problemResponse(refused, { requestId, log: node.log, headers: [['X-Request-Id', requestId]] })
    const state = connection(requestId, bearer(request.headers.get('authorization') ?? ''))
    return offered.length > 0 ? { state, protocol: SUBPROTOCOL } : { state }
  }

  const refusalOf = (request: Request, offered: readonly string[]): Error | null => {
    if (draining) return refuse('unavailable', 'this node is stopping', { retryAfterSeconds: 1 })
    const bucket = limits.address.take(addressKey(request.address))
    if (bucket.refused)
      return refuse('rate_limited', 'too many connections at once', {
        retryAfterSeconds: limits.address.retryAfterSeconds(bucket),
      })
    return offered.length > 0 && !offered.includes(SUBPROTOCOL)
      ? refuse('validation_failed', `the subprotocol is ${SUBPROTOCOL}`)
      : null
  }

  const opened = (socket: Socket<Connection>) => {
    const one = socket.state
    one.socket = socket
    open.add(one)
    meters.sockets.set(open.size)
    due.set(one, Date.now() + AUTH_WITHIN_MS)
    const { token } = one
    one.token = null
    if (!token) return
    one.authenticating = ops.authenticate(one, token).catch((error) => void socket.send(errorFrame(null, error)))
  }

  const message = (socket: Socket<Connection>, text: string) => {
    const one = socket.state
    if (isFlooding(one, limits.messages.budget)) return socket.close(CLOSE.flooding, 'flooding')
    const frame = parseFrame(text)
    if (!frame) return socket.close(CLOSE.badFrame, 'not a JSON object')
    if ('error' in frame) return void socket.send(errorFrame(frame.id, frame.error))
    meters.frame(frame.op).add()
    if (one.underWay >= OPS_UNDER_WAY_MAX)
      return shed(one, frame, refuse('overloaded', 'too many operations are under way', { retryAfterSeconds: 1 }))
    answerInOrder(one, frame.fields.conversation, answerTo(one, frame))
  }

  const shed = (one: Connection, frame: Frame, error: Error) => {
    meters.shed('socket_operations').add()
    answerInOrder(one, frame.fields.conversation, Promise.resolve(errorFrame(frame.id, error)))
  }

  const answerTo = async (one: Connection, frame: Frame): Promise<string> => {
    one.underWay += 1
    underWay += 1
    try {
      return okFrame(frame.id, await ops.run(one, frame))
    } catch (error) {
      return errorFrame(frame.id, told(error, one, frame))
    } finally {
      one.underWay -= 1
      underWay -= 1
    }
  }

  const told = (error: unknown, one: Connection, { op }: Frame): unknown => {
    const { type } = (error ?? {}) as { type?: string }
    if (type === 'rate_limited') meters.shed(`socket_${op}`).add()
    if (type === undefined) node.log.error(`operation ${op} of ${one.requestId} failed:`, error)
    return error
  }

  const closed = (socket: Socket<Connection>, code: number) => {
    const one = socket.state
    open.delete(one)
    connected.remove(one)
    due.clear(one)
    meters.sockets.set(open.size)
    meters.closed(code).add()
    if (code === CLOSE.tooSlow) meters.backpressureCloses.add()
  }

  return {
    handlers: {
      path,
      upgrade,
      open: opened,
      message,
      close: closed,
      messageBytesMax: FRAME_BYTES_MAX,
      backpressureBytesMax: BACKPRESSURE_BYTES_MAX,
      idleTimeoutMs: IDLE_MS,
    },
    attach: (opening) => {
      listener = opening
    },
    underWay: () => underWay,
    drain: () => {
      draining = true
      const spreadSeconds = Math.max(1, open.size / RECONNECTS_PER_SECOND)
      for (const { socket } of open)
        socket?.send(
          JSON.stringify({ ev: 'draining', data: { retryAfter: Math.round(Math.random() * spreadSeconds * 10) / 10 } }),
        )
    },
    stop: async () => {
      due.stop()
      for (const { socket } of open) socket?.close(CLOSE.draining, 'draining')
      const until = Date.now() + CLOSING_MS
      while (open.size > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
      await attachment.detach()
    },
  }
}
