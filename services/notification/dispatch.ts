// One letter or push on its way, from the first notification in it to its end. A record before anything is sent, so that a
// crash makes it late and never lost. Pure.
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import type { Dispatch, DispatchStatus, Way } from './contract.ts'

export type DispatchDoc = ActorDoc & {
  user: string
  way: Way
  status: DispatchStatus
  /** What it tells of; a digest gathers more until it leaves. */
  notifications: string[]
  /** A push: browsers that have it already. */
  reached: string[]
  tries: number
  reason: string | null
  createdAt: number
  endedAt: number | null
  /** The user once it has ended. */
  endedOf: string | null
}
export const dispatches = actorCollection<DispatchDoc>('notification_dispatches', {
  byStatus: { keys: ['status', 'createdAt'] },
  byUser: { keys: ['user', 'createdAt'] },
  byEnded: { keys: ['endedOf', 'createdAt'] },
})

/** Tries before a dispatch has failed: with the pauses below, within about ten hours. */
export const TRIES_MAX = 8
const RETRY_MS = 60_000
const RETRY_MAX_MS = 4 * 3600_000
/** A try that nobody heard the end of is taken up again. */
export const TAKE_UP_MS = 5 * 60_000
/** Notifications one letter tells of; those past it are in the app only. */
export const GATHERED_MAX = 50

export const pending = (id: string, user: string, way: Way, notification: string, now: number, dueAt: number) =>
  ({
    id,
    version: 1,
    outbox: [],
    outboxAt: null,
    user,
    way,
    status: 'pending',
    notifications: [notification],
    reached: [],
    tries: 0,
    reason: null,
    createdAt: now,
    endedAt: null,
    endedOf: null,
    wakeAt: dueAt,
  }) satisfies DispatchDoc

/** One more in the same letter; null when it is in it, or the letter has left. */
export const gathered = (doc: DispatchDoc, notification: string): DispatchDoc | null =>
  doc.status !== 'pending' || doc.notifications.includes(notification) || doc.notifications.length >= GATHERED_MAX
    ? null
    : { ...doc, notifications: [...doc.notifications, notification] }

/** Its time has come: it is to be sent now, and looked after should nobody tell how that ended. */
export const wake = (doc: DispatchDoc, now: number): Decision<DispatchDoc, null> =>
  doc.status === 'pending'
    ? {
        next: { ...doc, wakeAt: now + TAKE_UP_MS },
        say: [{ name: 'notification.due', data: { dispatch: doc.id } }],
        result: null,
      }
    : { next: { ...doc, wakeAt: null }, result: null }

export type Outcome =
  | { end: 'sent' | 'skipped' | 'failed'; reason?: string }
  /** Not yet, and nobody's fault: quiet hours began. */
  | { end: 'wait'; until: number }
  | { end: 'retry'; reason: string; afterMs?: number | undefined; reached?: readonly string[] }

export const after = (doc: DispatchDoc, outcome: Outcome, now: number): DispatchDoc => {
  if (doc.status !== 'pending') return doc
  if (outcome.end === 'wait') return { ...doc, wakeAt: outcome.until }
  if (outcome.end !== 'retry') return ended(doc, outcome.end, outcome.reason ?? null, now)
  const tries = doc.tries + 1
  const tried = { ...doc, tries, reached: [...new Set([...doc.reached, ...(outcome.reached ?? [])])] }
  if (tries >= TRIES_MAX) return ended(tried, 'failed', outcome.reason, now)
  const pauseMs = Math.max(Math.min(RETRY_MAX_MS, RETRY_MS * 3 ** (tries - 1)), outcome.afterMs ?? 0)
  return { ...tried, reason: outcome.reason, wakeAt: now + pauseMs }
}

const ended = (doc: DispatchDoc, status: DispatchStatus, reason: string | null, now: number): DispatchDoc => ({
  ...doc,
  status,
  reason: reason && reason.slice(0, REASON_MAX),
  endedAt: now,
  endedOf: doc.user,
  wakeAt: null,
})
const REASON_MAX = 300

/** An operator asks for it: from the beginning, now. */
export const again = (doc: DispatchDoc | null, now: number): DispatchDoc => {
  if (!doc) throw refuse('not_found', 'there is no such dispatch')
  if (doc.status !== 'failed') throw refuse('invalid_transition', `the dispatch is ${doc.status}`)
  return { ...doc, status: 'pending', tries: 0, reason: null, endedAt: null, endedOf: null, wakeAt: now }
}

export const publicDispatch = (doc: DispatchDoc): Dispatch => ({
  id: doc.id,
  user: doc.user,
  way: doc.way,
  status: doc.status,
  notifications: doc.notifications,
  tries: doc.tries,
  reason: doc.reason,
  createdAt: iso(doc.createdAt),
  dueAt: doc.status === 'pending' && typeof doc.wakeAt === 'number' ? iso(doc.wakeAt) : null,
  endedAt: doc.endedAt === null ? null : iso(doc.endedAt),
})
