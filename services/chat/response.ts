// How long people who are written to let others wait: the median over their last answers. Pure.
import type { ActorDoc, Decision } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'

/** Answers that count: the last so many, none of them older than this. */
export const ANSWERS_MAX = 50
export const ANSWERS_WITHIN_MS = 90 * 86_400_000

/** When somebody answered, platform epoch ms, and how long the other's first unanswered message had waited by then. */
export type Answer = { at: number; ms: number }
/** Keyed by the user. */
export type ResponseDoc = ActorDoc & { answers: Answer[]; minutes: number | null }
export const responses = actorCollection<ResponseDoc>('response_times')

/** How long the other has waited when this is said; null when nobody waits for it. */
export const waitedMs = (
  last: { sender: string; runAt: number } | null,
  said: { sender: string; sentAt: number },
): number | null => (!last || last.sender === said.sender ? null : Math.max(0, said.sentAt - last.runAt))

/** The answers that count once these have come too; says what is new of the median. */
export const responded = (
  state: ResponseDoc | null,
  user: string,
  answers: readonly Answer[],
  now: number,
): Decision<ResponseDoc, undefined> => {
  const before = state ?? { id: user, version: 0, outbox: [], answers: [], minutes: null }
  const counted = [...before.answers, ...answers]
    .filter(({ at }) => at > now - ANSWERS_WITHIN_MS)
    .sort((one, other) => one.at - other.at)
    .slice(-ANSWERS_MAX)
  const minutes = medianMinutes(counted)
  const last = counted.at(-1)
  return {
    // Who answers no more has no time to show for it in the end.
    next: { ...before, answers: counted, minutes, wakeAt: last ? last.at + ANSWERS_WITHIN_MS : null },
    say: minutes === before.minutes ? [] : [{ name: 'chat.responded', data: { user, minutes } }],
    result: undefined,
  }
}

/** Whole minutes, at least one; null before there is an answer. */
export const medianMinutes = (answers: readonly Answer[]): number | null => {
  if (answers.length === 0) return null
  const sorted = answers.map(({ ms }) => ms).sort((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return Math.max(1, Math.round(median / MINUTE_MS))
}
const MINUTE_MS = 60_000
