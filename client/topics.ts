// The topics that are listened to: joined again at every connection, from the last event that was heard.
import { ClientError, isTemporary } from './failure.ts'
import type { Answer } from './link.ts'

/** The server takes no more from one connection. */
export const TOPICS_MAX = 100
/** An event of a topic, numbered 1, 2, 3 … in it. */
type Told = { ev: string; topic: string; seq: number; data: unknown }
/** `heard`: the last event that came while it is being joined; null when it is not. */
type Topic = { last: number | undefined; heard: number | null }
export type Topics = {
  add(topic: string): void
  remove(topic: string): void
  /** A frame that came by itself. */
  came(frame: Told): void
  joinAll(): void
}
export type TopicsParts = {
  tell: (ev: string, data: unknown) => void
  say: (event: 'topic', data: { topic: string; missed?: true; error?: ClientError }) => void
  ask: (op: string, fields: object) => Promise<Answer>
  isConnected: () => boolean
  sleep: (ms: number) => Promise<void>
}

export const topics = ({ tell, say, ask, isConnected, sleep }: TopicsParts): Topics => {
  const joined = new Map<string, Topic>()

  const came = ({ ev, topic, seq, data }: Told) => {
    const one = joined.get(topic)
    if (!one) return
    // What came before the answer is part of it; what came right after it is asked for.
    if (one.heard !== null) return void (one.heard = seq)
    if (seq > one.last! + 1) void join(topic, one)
    if (seq !== one.last! + 1) return
    one.last = seq
    tell(ev, data)
  }

  const join = async (topic: string, one: Topic): Promise<void> => {
    if (one.heard !== null) return
    one.heard = 0
    try {
      const { last: after } = one
      const answer = await ask('subscribe', { topic, ...(after !== undefined && { after }) })
      const { seq, missed, recovered } = answer as { seq: number; missed: Told[]; recovered: boolean }
      const { heard } = one
      one.heard = null
      if (!recovered) say('topic', { topic, missed: true })
      if (!recovered || after === undefined) one.last = seq
      for (const frame of missed) came(frame)
      if (heard > one.last!) void join(topic, one)
    } catch (failure) {
      const error = failure as ClientError
      one.heard = null
      if (!isConnected() || joined.get(topic) !== one) return
      if (!isTemporary(error)) {
        joined.delete(topic)
        return say('topic', { topic, error })
      }
      await sleep((error.retryAfter ?? 1) * 1000)
      if (isConnected() && joined.get(topic) === one) return join(topic, one)
    }
  }

  return {
    add: (topic) => {
      if (joined.has(topic)) return
      if (joined.size >= TOPICS_MAX) throw new ClientError('overloaded')
      const one: Topic = { last: undefined, heard: null }
      joined.set(topic, one)
      if (isConnected()) void join(topic, one)
    },
    remove: (topic) => {
      if (joined.delete(topic) && isConnected()) ask('unsubscribe', { topic }).catch(() => undefined)
    },
    came,
    joinAll: () => {
      for (const [topic, one] of joined) void join(topic, one)
    },
  }
}
