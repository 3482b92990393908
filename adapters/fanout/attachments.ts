// Who in this process holds which users and has joined which topics, counted, and the delivery to them.

import type { AdapterContext } from '../index.ts'
import type { Attachment, Receiver } from './index.ts'

/** Hears the first and the last interest of all attachments together. */
export type InterestWatcher = {
  user?(userId: string, held: boolean): void
  topic?(topic: string, joined: boolean): void
  /** How many receivers are attached now. */
  attached?(count: number): void
}

export type Attachments = {
  attach(receiver: Receiver): Attachment
  toUsers(userIds: readonly string[], frame: string): void
  toTopic(topic: string, frame: string, seq: number): void
  holds(userId: string): boolean
  userIds(): Iterable<string>
  userCount(): number
}

/** Of so many names, looking back is cheaper than a set. */
const FEW = 8

type Interest = Map<string, Map<Receiver, number>>

export const attachments = (log: Pick<AdapterContext['log'], 'error'>, watcher: InterestWatcher = {}): Attachments => {
  const users: Interest = new Map()
  const topics: Interest = new Map()
  const receivers = new Set<Receiver>()

  // a receiver promises not to throw; if one does, neither the sender nor the other receivers suffer
  const deliver = (send: () => void): void => {
    try {
      send()
    } catch (error) {
      log.error('fanout: a receiver threw', error)
    }
  }

  const toUsers = (userIds: readonly string[], frame: string): void => {
    // Most processes have one gateway, and most frames are for two people: nothing is made that is not needed.
    const [only] = receivers.size === 1 ? receivers : []
    if (only) {
      const distinct = userIds.length <= FEW ? userIds : [...new Set(userIds)]
      const held = distinct.filter((userId, at) => users.has(userId) && (at >= FEW || distinct.indexOf(userId) === at))
      return held.length > 0 ? deliver(() => only.users(held, frame)) : undefined
    }
    for (const [receiver, held] of heldBy(users, userIds)) deliver(() => receiver.users(held, frame))
  }

  const toTopic = (topic: string, frame: string, seq: number): void => {
    const joined = topics.get(topic)
    if (joined) for (const receiver of joined.keys()) deliver(() => receiver.topic(topic, frame, seq))
  }

  const attach = (given: Receiver): Attachment => {
    // an identity of its own, so that one receiver attached twice is two
    const receiver: Receiver = {
      users: (ids, frame) => given.users(ids, frame),
      topic: (topic, frame, seq) => given.topic(topic, frame, seq),
    }
    const mine = { users: new Set<string>(), topics: new Set<string>() }
    receivers.add(receiver)
    watcher.attached?.(receivers.size)

    const change = (kind: 'users' | 'topics', key: string, by: 1 | -1): void => {
      if (!receivers.has(receiver)) return
      const interest = kind === 'users' ? users : topics
      const before = interest.has(key)
      const count = counted(interest, key, receiver, by)
      if (count > 0) mine[kind].add(key)
      else mine[kind].delete(key)
      if (interest.has(key) === before) return
      if (kind === 'users') watcher.user?.(key, !before)
      else watcher.topic?.(key, !before)
    }

    return {
      hold: (userId) => change('users', userId, 1),
      release: (userId) => change('users', userId, -1),
      join: (topic) => change('topics', topic, 1),
      leave: (topic) => change('topics', topic, -1),
      detach: async () => {
        for (const userId of mine.users) while (mine.users.has(userId)) change('users', userId, -1)
        for (const topic of mine.topics) while (mine.topics.has(topic)) change('topics', topic, -1)
        if (receivers.delete(receiver)) watcher.attached?.(receivers.size)
      },
    }
  }

  return {
    attach,
    toUsers,
    toTopic,
    holds: (userId) => users.has(userId),
    userIds: () => users.keys(),
    userCount: () => users.size,
  }
}

/** Counts one up or down, never below nothing, and answers the count. A key nobody has is not kept. */
const counted = (interest: Interest, key: string, receiver: Receiver, by: 1 | -1): number => {
  const holders = interest.get(key) ?? new Map<Receiver, number>()
  const count = (holders.get(receiver) ?? 0) + by
  if (count > 0) interest.set(key, holders.set(receiver, count))
  else if (holders.delete(receiver) && holders.size === 0) interest.delete(key)
  return Math.max(count, 0)
}

const heldBy = (users: Interest, userIds: readonly string[]): Map<Receiver, string[]> => {
  const lists = new Map<Receiver, string[]>()
  for (const userId of new Set(userIds)) {
    for (const receiver of users.get(userId)?.keys() ?? []) {
      const list = lists.get(receiver)
      if (list) list.push(userId)
      else lists.set(receiver, [userId])
    }
  }
  return lists
}
