// What a socket's operations do: the caller is made sure of, the budgets are asked, the actor is called, the answer is said.
import type { Meta, Node } from '../../mixins/node.ts'
import type { Verified } from '../../mixins/token.ts'
import { refuse } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import { callOwner, DEADLINE_MS } from './calls.ts'
import type { Connection } from './connection.ts'
import { TOPICS_MAX } from './connection.ts'
import type { Deadlines } from './deadlines.ts'
import { CLOSE, OPS, type Frame, type Op } from './frames.ts'
import { spend, type Limits } from './limits.ts'
import type { People } from './people.ts'
import type { Session } from './session.ts'

export type OperationParts = {
  node: Node
  session: Session
  limits: Limits
  people: People
  due: Deadlines<Connection>
}
export type Operations = {
  run(one: Connection, frame: Frame): Promise<object>
  authenticate(one: Connection, token: string): Promise<object>
}

export const operations = ({ node, session, limits, people, due }: OperationParts): Operations => {
  const metaOf = (one: Connection): Meta => ({ requestId: one.requestId, deadlineAt: Date.now() + DEADLINE_MS })

  const authenticate = async (one: Connection, token: string): Promise<object> => {
    const verified = session.verify(token)
    const caller = verified && (await session.who(verified))
    if (!verified || !caller) throw expired(one)
    if (!one.socket || one.socket.closed) throw refuse('unauthenticated', 'the socket is closed')
    if (one.verified && one.verified.userId !== verified.userId)
      throw refuse('forbidden', 'another account takes another connection')
    if (!one.verified) people.add(verified.userId, one)
    one.verified = verified
    due.set(one, verified.expiresAt)
    return {
      user: { id: caller.id, username: caller.username, roles: caller.roles },
      expiresAt: new Date(verified.expiresAt).toISOString(),
    }
  }

  const run = async (one: Connection, { op, fields }: Frame): Promise<object> => {
    if (op === 'ping') return {}
    if (op === 'auth') return await (one.authenticating = authenticate(one, fields.token as string))
    if (one.authenticating) await one.authenticating.catch(() => undefined)
    if (!one.verified) throw refuse('unauthenticated', 'authenticate first')
    const { budget, asks } = OPS[op] as Op
    if (budget !== 'none') spend(limits[budget], one.verified.userId)
    const caller = await current(one, one.verified)
    if (!asks) return own[op as keyof typeof own](one, fields as never, caller)
    return asks.out((await callOwner(node, asks.action, asks.in(fields), { ...metaOf(one), caller })) as never)
  }

  /** The account as it is now. */
  const current = async (one: Connection, verified: Verified): Promise<Caller> => {
    if (verified.expiresAt <= Date.now()) throw expired(one)
    const caller = await session.who(verified)
    if (!caller) throw expired(one)
    return caller
  }

  /** The error goes out first, then the socket closes. */
  const expired = (one: Connection): Error => {
    setImmediate(() => one.socket?.close(CLOSE.unauthenticated, 'unauthenticated'))
    return refuse('unauthenticated', 'the access token is not valid any more')
  }

  const own = {
    presence: (_: Connection, { users }: { users: string[] }) => ({ online: users.filter((id) => people.of(id)) }),
    subscribe: async (one: Connection, { topic }: { topic: string }, caller: Caller) => {
      if ((one.topics?.size ?? 0) >= TOPICS_MAX)
        throw refuse('overloaded', `one connection has at most ${TOPICS_MAX} topics`, { retryAfterSeconds: 1 })
      // Whoever may not see the order is told what anybody is told: there is no such thing.
      if (topic.startsWith('order:'))
        await callOwner(node, 'order.get', { id: topic.slice('order:'.length) }, { ...metaOf(one), caller })
      if (!one.socket || one.socket.closed) return {}
      people.join(topic, one)
      one.socket.subscribe(topic)
      return { topic }
    },
    unsubscribe: (one: Connection, { topic }: { topic: string }) => {
      one.socket?.unsubscribe(topic)
      people.leave(topic, one)
      return { topic }
    },
  }

  return { run, authenticate }
}
