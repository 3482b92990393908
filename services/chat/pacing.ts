// What is told often and may be missed: who is typing, who has read how far. At most one of a kind per person and
// conversation in a while; under pressure it is the first to go. A read mark only moves forward, so the latest says it all.
import { recent } from '../../mixins/recent.ts'
import type { Chat } from './parts.ts'

/** Somebody who goes on typing in a conversation is told of once in this time. */
export const TYPING_EVERY_MS = 2000
/** A member's read mark is told once in this time: the first at once, then the latest. */
export const READ_EVERY_MS = 250
/** People and conversations whose last telling is remembered, per kind. */
const REMEMBERED_MAX = 20_000
/** Read marks waiting to be told; one more is dropped, the next mark tells what it would have. */
export const MARKS_WAITING_MAX = 10_000
/** Turns waiting on this node past which typing is dropped and read marks wait. */
export const PRESSURE_TURNS = 2000

export type Pacing = {
  typing(conversation: string, user: string, hearers: readonly string[]): void
  read(conversation: string, user: string, seq: number, hearers: readonly string[]): void
  stop(): void
}
type Mark = { hearers: readonly string[]; data: { conversation: string; user: string; seq: number } }

export const pacing = (tell: Chat['tell'], turnsWaiting: () => number): Pacing => {
  const typed = recent<number>(REMEMBERED_MAX)
  const marked = recent<number>(REMEMBERED_MAX)
  const waiting = new Map<string, Mark>()
  let timer: NodeJS.Timeout | undefined
  const isPressed = () => turnsWaiting() > PRESSURE_TURNS
  const isDue = (at: number | undefined, everyMs: number) => at === undefined || performance.now() - at >= everyMs

  const typing: Pacing['typing'] = (conversation, user, hearers) => {
    const key = `${conversation}-${user}`
    if (isPressed() || !isDue(typed.get(key), TYPING_EVERY_MS)) return
    typed.set(key, performance.now())
    tell(hearers, 'typing', { conversation, user })
  }

  const read: Pacing['read'] = (conversation, user, seq, hearers) => {
    const key = `${conversation}-${user}`
    const mark = { hearers, data: { conversation, user, seq } }
    if (!isPressed() && !waiting.has(key) && isDue(marked.get(key), READ_EVERY_MS)) return tellMark(key, mark)
    if (waiting.has(key) || waiting.size < MARKS_WAITING_MAX) waiting.set(key, mark)
    timer ??= setTimeout(tellWaiting, READ_EVERY_MS).unref()
  }

  const tellWaiting = () => {
    timer = undefined
    if (isPressed()) {
      timer = setTimeout(tellWaiting, READ_EVERY_MS).unref()
      return
    }
    for (const [key, mark] of waiting) tellMark(key, mark)
    waiting.clear()
  }

  const tellMark = (key: string, { hearers, data }: Mark) => {
    marked.set(key, performance.now())
    tell(hearers, 'read', data)
  }

  return {
    typing,
    read,
    stop: () => {
      clearTimeout(timer)
      for (const [key, mark] of waiting) tellMark(key, mark)
      waiting.clear()
    },
  }
}
