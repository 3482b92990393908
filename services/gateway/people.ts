// Who is connected here, by account; the fan-out is told of the first and the last connection of each.
import type { Attachment } from '../../adapters/fanout/index.ts'
import { refuse } from '../errors.ts'
import type { Connection } from './connection.ts'

export type People = {
  add(userId: string, one: Connection): void
  remove(one: Connection): void
  of(userId: string): Iterable<Connection>
  /** Hands a frame to every connection of a person; answers to how many. */
  send(userId: string, frame: string): number
  size(): number
}

export const CONNECTIONS_PER_USER_MAX = 50

export const people = (attachment: Pick<Attachment, 'hold' | 'release'>): People => {
  /** Most people have one connection: it stands for itself, so that 100,000 of them need no set each. */
  const users = new Map<string, Connection | Set<Connection>>()

  return {
    of: (userId) => {
      const known = users.get(userId)
      return known === undefined ? NOBODY : known instanceof Set ? known : [known]
    },
    send: (userId, frame) => {
      const known = users.get(userId)
      if (known === undefined) return 0
      if (!(known instanceof Set)) return known.socket?.send(frame) ? 1 : 0
      let count = 0
      for (const one of known) if (one.socket?.send(frame)) count++
      return count
    },
    size: () => users.size,
    add: (userId, one) => {
      const known = users.get(userId)
      if (known === undefined) {
        users.set(userId, one)
        attachment.hold(userId)
      } else if (!(known instanceof Set)) users.set(userId, new Set([known, one]))
      else if (known.size < CONNECTIONS_PER_USER_MAX) known.add(one)
      else
        throw refuse('overloaded', `one account has at most ${CONNECTIONS_PER_USER_MAX} connections here`, {
          retryAfterSeconds: 5,
        })
    },
    remove: (one) => {
      const userId = one.verified?.userId
      const known = userId === undefined ? undefined : users.get(userId)
      if (known === undefined) return
      if (known instanceof Set ? !known.delete(one) || known.size > 0 : known !== one) return
      users.delete(userId!)
      attachment.release(userId!)
    },
  }
}

const NOBODY: readonly Connection[] = []
