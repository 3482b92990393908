// What a socket's operations do: the caller is made sure of, the budgets are asked, the actor is called, the answer is said.
import type { Meta, Node } from '../../mixins/node.ts'
import type { Verified } from '../../mixins/token.ts'
import { refuse } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import { callOwner, DEADLINE_MS } from './calls.ts'
import { TOPICS_MAX, type Answer, type Connection } from './connection.ts'
import type { Deadlines } from './deadlines.ts'
import {
  CLOSE,
  errorFrame,
  okFrame,
  okFrameWith,
  OPS,
  PRESENCE_USERS_PER_TOKEN,
  type Frame,
  type Op,
} from './frames.ts'
import { spend, type Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import { missing, type Positions } from './missing.ts'
import type { People } from './people.ts'
import type { Presence } from './presence.ts'
import type { Session } from './session.ts'
import type { Topics } from './topics.ts'

export type OperationParts = {
  node: Node
  session: Session
  limits: Limits
  people: People
  topics: Topics
  presence: Presence
  due: Deadlines<Connection>
  meters: Meters
}
export type Operations = {
  run(one: Connection, frame: Frame): Promise<Answer>
  /** With the token of the upgrade: nobody waits for an answer, only for a refusal. */
  authenticateLater(one: Connection, token: string): void
  /** Closes the socket if its session or account is gone; one that can't be looked up is asked at its next operation. */
  recheck(one: Connection): void
}

export const operations = (parts: OperationParts): Operations => {
  const { node, session, limits, people, topics, presence, due, meters } = parts
  const missed = missing(node)
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

  /** Operations that arrive meanwhile wait for it. */
  const authenticating = async <R>(one: Connection, work: Promise<R>): Promise<R> => {
    one.authenticating = work
    try {
      return await work
    } finally {
      if (one.authenticating === work) one.authenticating = null
    }
  }

  const run = async (one: Connection, frame: Frame): Promise<Answer> => {
    const { id, op, fields } = frame
    if (op === 'ping') return ok(id, {})
    if (op === 'auth') return ok(id, await authenticating(one, authenticate(one, fields.token as string)))
    if (one.authenticating) await one.authenticating.catch(() => undefined)
    if (!one.verified) throw refuse('unauthenticated', 'authenticate first')
    const { budget, asks } = OPS[op] as Op
    if (budget !== 'none') spend(limits[budget], one.verified.userId)
    const caller = await current(one, one.verified)
    if (!asks) return own[op as keyof typeof own](one, frame, caller)
    const began = op === 'send' ? performance.now() : 0
    const result = await callOwner(node, asks.action, asks.in(fields), { ...metaOf(one), caller })
    if (op === 'send') meters.sendToAck.observe((performance.now() - began) / 1000)
    return ok(id, asks.out(result as never))
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
    sync: async (one: Connection, { id, fields }: Frame, caller: Caller): Promise<Answer> => {
      const isThere = () => one.socket?.closed === false
      const { text, messages, hasMore } = await missed({
        asked: { user: caller.id, ...(fields as Positions) },
        isThere,
      })
      meters.resumed('sync', !hasMore).add()
      meters.replayed('sync').add(messages)
      return () => okFrameWith(id, {}, 'conversations', text)
    },
    presence: async (one: Connection, { id, fields }: Frame, caller: Caller): Promise<Answer> => {
      const { users } = fields as { users: string[] }
      for (let more = PRESENCE_USERS_PER_TOKEN; more < users.length; more += PRESENCE_USERS_PER_TOKEN)
        spend(limits.account, caller.id)
      // Whom one talks with, and who has not blocked one: of all others nothing is said, not even that they are away.
      const others = users.filter((user) => user !== caller.id)
      const { peers } =
        others.length > 0 ? await node.call('chat.peers', { user: caller.id, users: others }) : { peers: [] }
      const shown = new Set([...peers, caller.id])
      if (!one.socket || one.socket.closed) return ok(id, {})
      const { online, until } = presence.look(
        one,
        users.filter((user) => shown.has(user)),
      )
      return ok(id, { online, until: new Date(until).toISOString() })
    },
    subscribe: async (one: Connection, { id, fields }: Frame, caller: Caller): Promise<Answer> => {
      const { topic, after } = fields as { topic: string; after?: number }
      if (isFull(one, topic)) throw full()
      // Whoever may not see the order is told what anybody is told: there is no such thing.
      if (topic.startsWith('order:'))
        await callOwner(node, 'order.get', { id: topic.slice('order:'.length) }, { ...metaOf(one), caller })
      meters.topicRead[await topics.ready(topic)].add()
      return () => {
        // Others asked for at the same time may have come first.
        if (isFull(one, topic)) return errorFrame(id, full())
        const { seq, missed, recovered } = topics.join(topic, one.socket!, after)
        if (after !== undefined) {
          meters.resumed('subscribe', recovered).add()
          meters.replayed('subscribe').add(missed.length)
        }
        return okFrameWith(id, { topic, seq, recovered }, 'missed', `[${missed.join(',')}]`)
      }
    },
    unsubscribe: async (one: Connection, { id, fields }: Frame): Promise<Answer> => {
      const { topic } = fields as { topic: string }
      one.socket?.unsubscribe(topic)
      topics.leave(topic, one)
      return ok(id, { topic })
    },
  }

  return {
    run,
    recheck: (one) => {
      if (one.verified) current(one, one.verified).catch(() => undefined)
    },
    authenticateLater: (one, token) => {
      authenticating(one, authenticate(one, token)).catch((error) => void one.socket?.send(errorFrame(null, error)))
    },
  }
}

const isFull = ({ topics }: Connection, topic: string): boolean =>
  topics !== null && topics.size >= TOPICS_MAX && !topics.has(topic)
const full = () => refuse('overloaded', `one connection has at most ${TOPICS_MAX} topics`, { retryAfterSeconds: 1 })

const ok = (id: Frame['id'], answer: object): Answer => {
  const text = okFrame(id, answer)
  return () => text
}
