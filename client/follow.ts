// The conversations that are followed: what comes is told in order, what is missing is asked for until nothing is.
import { arrivals, type Arrivals } from './arrivals.ts'
import type { ClientError } from './failure.ts'
import type { Answer } from './link.ts'
import type { Events, Position } from './types.ts'
import type { Conversations, Message } from './wire.ts'

/** Conversations one sync frame names; the server takes no more. */
export const SYNC_MAX = 100
/** A conversation nobody opened is followed from its first message where it has no more than these; else from now on. */
export const WHOLE_MAX = 200
/** The quietest makes room for one more. */
export const FOLLOWED_MAX = 10_000
const PAUSE_MS = 1000

export type Follow = {
  open(conversation: string, from: Partial<Position>): void
  position(conversation: string): Position | undefined
  /** A message that came by itself or as the answer to a send, or a change of one that came by itself. */
  came(message: Message, isChange?: boolean): void
  syncAll(): void
}
export type FollowParts = {
  say: <E extends keyof Events>(event: E, data: Events[E]) => void
  /** Rejects while there is no connection. */
  ask: (op: string, fields: object) => Promise<Answer>
  isConnected: () => boolean
  sleep: (ms: number) => Promise<void>
}

export const follow = ({ say, ask, isConnected, sleep }: FollowParts): Follow => {
  /** The quietest first. */
  const followed = new Map<string, Arrivals>()
  const behind = new Set<string>()
  let catchingUp = false

  const start = (conversation: string, from: Partial<Position>): Arrivals => {
    const one = arrivals(from)
    followed.delete(conversation)
    if (followed.size >= FOLLOWED_MAX) lose(followed.keys().next().value!)
    followed.set(conversation, one)
    return one
  }
  const lose = (conversation: string) => {
    const position = followed.get(conversation)!.position()
    followed.delete(conversation)
    behind.delete(conversation)
    say('lost', { conversation, position })
  }
  /** Listeners may open conversations: who is followed is looked up again each time. */
  const found = ({ conversation, seq }: Message): Arrivals => {
    if (!followed.has(conversation)) {
      const from = seq > WHOLE_MAX ? seq - 1 : 0
      start(conversation, { seq: from })
      say('conversation', { conversation, from })
    }
    return followed.get(conversation)!
  }
  const tell = (conversation: string, one: Arrivals) => {
    for (let message; followed.get(conversation) === one && (message = one.next());) say('message', message)
  }

  const amend = (one: Arrivals, message: Message, isLive: boolean) => {
    if (one.change(message, isLive)) tellChange(message)
  }
  const tellChange = (message: Message) => say(message.deleted ? 'message.deleted' : 'message.edited', message)

  const came = (message: Message, isChange = false) => {
    const { conversation } = message
    if (isChange && !followed.has(conversation)) return tellChange(message)
    const one = found(message)
    const wasBehind = one.isBehind()
    followed.delete(conversation)
    followed.set(conversation, one)
    if (isChange) amend(one, message, true)
    else one.put(message)
    tell(conversation, one)
    if (!one.isBehind() || followed.get(conversation) !== one) return
    if (!wasBehind) say('gap', { conversation, after: one.position() })
    wanted(conversation)
  }

  const wanted = (conversation: string) => {
    behind.add(conversation)
    void catchUp()
  }

  const catchUp = async () => {
    if (catchingUp) return
    catchingUp = true
    while (behind.size > 0 && isConnected()) {
      const asked = [...behind].slice(0, SYNC_MAX).map((id) => [id, followed.get(id)!] as const)
      const at = (what: keyof Position) => Object.fromEntries(asked.map(([id, one]) => [id, one.position()[what]]))
      const pause = await ask('sync', { conversations: at('seq'), changes: at('change') })
        .then(({ conversations }) => closed(asked, conversations as Conversations))
        .catch(({ retryAfter }: ClientError) => (retryAfter ? retryAfter * 1000 : PAUSE_MS))
      if (pause && isConnected()) await sleep(pause)
    }
    catchingUp = false
  }

  /** What an answer closed; ms to wait before asking for the rest. */
  const closed = (asked: readonly (readonly [string, Arrivals])[], conversations: Conversations): number => {
    let progress = false
    for (const [id, one] of asked) {
      if (followed.get(id) !== one) continue
      const missed = conversations[id]
      if (!missed) {
        lose(id)
        progress = true
        continue
      }
      const before = one.position()
      // As they were before the messages: what changed meanwhile is known of these by its version.
      for (const message of missed.changed!) {
        if (followed.get(id) === one) amend(one, message, false)
      }
      for (const message of missed.messages) {
        one.put(message)
        tell(id, one)
      }
      tell(id, one)
      one.know(missed.lastSeq, !missed.hasMore)
      const after = one.position()
      progress ||= after.seq > before.seq || after.change > before.change
      if (one.isBehind() || missed.hasMore) continue
      progress = true
      if (followed.get(id) === one) behind.delete(id)
    }
    return progress ? 0 : PAUSE_MS
  }

  return {
    open: (conversation, from) => {
      start(conversation, from)
      wanted(conversation)
    },
    position: (conversation) => followed.get(conversation)?.position(),
    came,
    syncAll: () => {
      for (const id of followed.keys()) behind.add(id)
      void catchUp()
    },
  }
}
