// Keeps how fast people answer, off the way of a send: answers wait in memory and are written a moment later, one document
// per person, only so many in a round. A crash loses the answers of that moment and no more; a median can do without.
import type { Actor } from '../../mixins/actor.ts'
import { inParallel } from '../../mixins/timers.ts'
import { ANSWERS_MAX, responded, type Answer, type ResponseDoc } from './response.ts'

/** People whose answers wait to be written; further ones are not counted until there is room. */
export const ANSWERERS_WAITING_MAX = 10_000
const WRITE_EVERY_MS = 2000
/** People written in one round: at most a hundred writes a second, however much is said. */
export const ANSWERERS_PER_ROUND = 200
const WRITES_AT_ONCE = 8

export type Responding = {
  /** Costs no read and no write. */
  answered(user: string, answer: Answer): void
  stop(): Promise<void>
}

export const responding = (book: Actor<ResponseDoc>, warn: (...args: unknown[]) => void): Responding => {
  const waiting = new Map<string, Answer[]>()
  let writing: Promise<void> = Promise.resolve()

  const write = async () => {
    const round = [...waiting].slice(0, ANSWERERS_PER_ROUND)
    for (const [user] of round) waiting.delete(user)
    await inParallel(round, WRITES_AT_ONCE, async ([user, answers]) => {
      await book
        .turn(user, (state, now) => responded(state, user, answers, now))
        .catch((error: unknown) => warn(`the answers of ${user} are not counted:`, error))
    })
  }
  const round = () => (writing = writing.then(write))

  const timer = setInterval(() => waiting.size > 0 && void round(), WRITE_EVERY_MS)
  timer.unref()
  return {
    answered: (user, answer) => {
      const known = waiting.get(user)
      if (known) known.splice(0, Math.max(0, known.push(answer) - ANSWERS_MAX))
      else if (waiting.size < ANSWERERS_WAITING_MAX) waiting.set(user, [answer])
    },
    stop: async () => {
      clearInterval(timer)
      await writing
      while (waiting.size > 0) await round()
    },
  }
}
