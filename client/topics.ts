// The topics that are listened to: joined again at every connection, from the last event that was heard.
import { ClientError, isTemporary } from './failure.ts'
import type { Answer } from './link.ts'

/** The server takes no more from one connection. */
export const TOPICS_MAX = 100
/** Events that wait while a topic is being joined; one more makes it joined again. */
const HELD_MAX = 500

/** An event of a topic. Without a number nothing can be missed or doubled that anybody could tell. */
type Told = { ev: string; topic: string; seq?: number; data: unknown }
type Topic = { last: number | undefined; held: Told[] | null }
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

  const came = (frame: Told) => {
    const { ev, topic, seq, data } = frame
    const one = joined.get(topic)
    if (!one) return
    if (one.held) return void (one.held.length < HELD_MAX && one.held.push(frame))
    if (seq !== undefined && one.last !== undefined) {
      if (seq <= one.last) return
      if (seq > one.last + 1) return void join(topic, one)
      one.last = seq
    }
    tell(ev, data)
  }

  const join = async (topic: string, one: Topic): Promise<void> => {
    if (one.held) return
    one.held = []
    try {
      const after = one.last
      const answer = await ask('subscribe', { topic, ...(after !== undefined && { after }) })
      const { seq, missed = [], recovered } = answer as { seq?: number; missed?: Told[]; recovered?: boolean }
      const { held } = one
      one.held = null
      if (after !== undefined && recovered === false) {
        one.last = seq
        say('topic', { topic, missed: true })
      } else one.last ??= seq
      for (const frame of [...missed, ...held]) came({ ...frame, topic })
    } catch (failure) {
      const error = failure as ClientError
      one.held = null
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
      const one: Topic = { last: undefined, held: null }
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
