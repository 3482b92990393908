// Sockets: connections are accepted, their frames run as operations, and what the actors say is handed to everybody it
// concerns who is connected here. Nothing waits for a socket; one that reads too slowly is closed by the listener.
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Listener, Socket, SocketHandlers } from '../../adapters/listener/index.ts'
import type { Node } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { answerInOrder, isFlooding, OPS_UNDER_WAY_MAX, type Answer, type Connection } from './connection.ts'
import { deadlines } from './deadlines.ts'
import { delivery } from './delivery.ts'
import { door } from './door.ts'
import { CLOSE, errorFrame, FRAME_BYTES_MAX, parseFrame, type Frame } from './frames.ts'
import { inSlices, leave, MISSED_FRAME, RECONNECTS_PER_SECOND, type Slices } from './leaving.ts'
import type { Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import { operations } from './operations.ts'
import { presence, type Pace } from './presence.ts'
import type { Session } from './session.ts'
import { sources } from './sources.ts'

export type Sockets = {
  handlers: SocketHandlers<Connection>
  attach(listener: Listener): void
  /** Lets nobody in, tells everybody to come back later, spread out, and closes them in slices. */
  drain(): void
  /** Closes what is left. */
  stop(): Promise<void>
  /** Operations not answered, and sockets not closed yet by a drain. */
  underWay(): number
  /** An account changed: its sockets whose session is over are closed. */
  recheck(userId: string): void
  /** What the operator's page measures. */
  size(): { users: number; operations: number; topics: number; letters: number; watched: number }
}
export type SocketParts = {
  node: Node
  fanout: Fanout
  session: Session
  limits: Limits
  meters: Meters
  path: string
  pace?: Partial<Pace>
}

export const AUTH_WITHIN_MS = 10_000
const BACKPRESSURE_BYTES_MAX = 1024 * 1024
const IDLE_MS = 240_000
const CLOSING_MS = 1000

export const sockets = ({ node, fanout, session, limits, meters, path, pace }: SocketParts): Sockets => {
  const open = new Set<Connection>()
  let closing: Slices | null = null
  let telling: Slices | null = null
  let underWay = 0

  const entrance = door({ log: node.log, limits, meters })
  const here = delivery({ fanout, meters, now: () => node.clock.now(), ask: sources(node) })
  const watching = presence({ fanout, told: () => meters.presenceFrames.add(), ...(pace && { pace }) })
  const due = deadlines<Connection>((one) =>
    one.verified
      ? one.socket?.close(CLOSE.unauthenticated, 'the access token expired')
      : one.socket?.close(CLOSE.noAuth, 'no authentication in time'),
  )
  const { people, topics } = here
  const ops = operations({ node, session, limits, people, topics, presence: watching, due, meters })

  const stopHearing = [
    fanout.onMissed(() => {
      topics.missed()
      telling?.stop()
      telling = inSlices(open, RECONNECTS_PER_SECOND, ({ socket, verified }) => verified && socket?.send(MISSED_FRAME))
    }),
    fanout.onNodes('chat.blocked', (said) => {
      const { blocker, blocked } = said as { blocker: string; blocked: string }
      watching.blocked(blocker, blocked)
    }),
  ]

  const opened = (socket: Socket<Connection>) => {
    const one = socket.state
    one.socket = socket
    open.add(one)
    meters.sockets.set(open.size)
    due.set(one, Date.now() + AUTH_WITHIN_MS)
    const { token } = one
    one.token = null
    if (token) ops.authenticateLater(one, token)
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
    answerInOrder(
      one,
      frame.fields.conversation,
      Promise.resolve(() => errorFrame(frame.id, error)),
    )
  }

  const answerTo = async (one: Connection, frame: Frame): Promise<Answer> => {
    one.underWay += 1
    underWay += 1
    try {
      return await ops.run(one, frame)
    } catch (error) {
      const text = errorFrame(frame.id, told(error, one, frame))
      return () => text
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
    people.remove(one)
    topics.remove(one)
    watching.remove(one)
    due.clear(one)
    meters.sockets.set(open.size)
    meters.closed(code).add()
    if (code === CLOSE.tooSlow) meters.backpressureCloses.add()
  }

  return {
    handlers: {
      path,
      upgrade: entrance.upgrade,
      open: opened,
      message,
      close: closed,
      messageBytesMax: FRAME_BYTES_MAX,
      backpressureBytesMax: BACKPRESSURE_BYTES_MAX,
      idleTimeoutMs: IDLE_MS,
    },
    attach: here.attach,
    recheck: (userId) => {
      for (const one of people.of(userId)) ops.recheck(one)
    },
    underWay: () => underWay + (closing?.left() ?? 0),
    size: () => ({ users: people.size(), operations: underWay, watched: watching.watched(), ...topics.size() }),
    drain: () => {
      entrance.shut()
      telling?.stop()
      closing = leave(open)
    },
    stop: async () => {
      closing?.stop()
      due.stop()
      for (const { socket } of open) socket?.close(CLOSE.draining, 'draining')
      const until = Date.now() + CLOSING_MS
      while (open.size > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10))
      for (const stop of stopHearing) stop()
      watching.stop()
      await here.detach()
    },
  }
}
