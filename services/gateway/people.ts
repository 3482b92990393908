// Who is connected here, by account and by topic; the fan-out is told of the first and the last of each.
import type { Attachment } from '../../adapters/fanout/index.ts'
import { refuse } from '../errors.ts'
import type { Connection } from './connection.ts'

export type People = {
  add(userId: string, one: Connection): void
  join(topic: string, one: Connection): void
  leave(topic: string, one: Connection): void
  /** Everything this connection held. */
  remove(one: Connection): void
  of(userId: string): ReadonlySet<Connection> | undefined
}

export const CONNECTIONS_PER_USER_MAX = 50

export const people = (attachment: Attachment): People => {
  const users = new Map<string, Set<Connection>>()
  const joined = new Map<string, number>()

  const leave = (topic: string, one: Connection) => {
    if (!one.topics?.delete(topic)) return
    const left = joined.get(topic)! - 1
    if (left > 0) return void joined.set(topic, left)
    joined.delete(topic)
    attachment.leave(topic)
  }

  return {
    of: (userId) => users.get(userId),
    add: (userId, one) => {
      const known = users.get(userId)
      if (known && known.size >= CONNECTIONS_PER_USER_MAX)
        throw refuse('overloaded', `one account has at most ${CONNECTIONS_PER_USER_MAX} connections here`, {
          retryAfterSeconds: 5,
        })
      if (known) return void known.add(one)
      users.set(userId, new Set([one]))
      attachment.hold(userId)
    },
    join: (topic, one) => {
      const topics = (one.topics ??= new Set())
      if (topics.has(topic)) return
      topics.add(topic)
      const count = joined.get(topic) ?? 0
      joined.set(topic, count + 1)
      if (count === 0) attachment.join(topic)
    },
    leave,
    remove: (one) => {
      for (const topic of one.topics ?? []) leave(topic, one)
      const userId = one.verified?.userId
      const known = userId === undefined ? undefined : users.get(userId)
      if (!known?.delete(one) || known.size > 0) return
      users.delete(userId!)
      attachment.release(userId!)
    },
  }
}
