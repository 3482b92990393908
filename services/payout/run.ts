// One payout run: the sellers of a date, planned in pages with a checkpoint after each, so that a run that dies is carried
// on where it was and pays nobody twice. Pure.
import type { ActorDoc, Decision, Said } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import { iso } from '../shapes.ts'
import type { PayoutRun } from './contract.ts'
import { nextDue } from './cron.ts'

export type Skip = { seller: string; reason: string }
/** planning: sellers are being gone through. paying: payouts are on their way. */
export type RunDoc = ActorDoc & {
  date: string
  status: 'planning' | 'paying' | 'done'
  /** Currencies left to go through, the first after seller `after`. */
  currencies: string[]
  after: string
  skipped: number
  skips: Skip[]
  createdAt: number
  finishedAt: number | null
  /** Looks at payouts on their way, each after a longer pause. */
  looks: number
}

export const payoutRuns = actorCollection<RunDoc>('payout_runs', { byDate: { keys: ['date'] } })

/** Reasons kept of one run; the count goes on. */
export const SKIPS_MAX = 1000
/** How long a page may take before the run is taken up again. */
const TAKE_UP_MS = 60_000
const LOOK_MS = 5000
const LOOK_MAX_MS = 3_600_000

const due = (id: string): Said => ({ name: 'payout.due', data: { key: id } })

/**
 * Starts the run of a date; a run that exists is answered as it is. `again` has a finished one go through the sellers once
 * more, for money that became available since: who was paid in it is not paid again.
 */
export const started = (
  state: RunDoc | null,
  asked: { id: string; date: string; currencies: readonly string[]; again: boolean },
  now: number,
): Decision<RunDoc, RunDoc> => {
  const { id, date, currencies, again } = asked
  if (state && !(again && state.status === 'done')) return { result: state }
  const plan = {
    status: 'planning' as const,
    currencies: [...currencies],
    after: '',
    skipped: 0,
    skips: [],
    finishedAt: null,
    looks: 0,
    wakeAt: now + TAKE_UP_MS,
  }
  const next: RunDoc = state ? { ...state, ...plan } : { id, version: 0, outbox: [], date, createdAt: now, ...plan }
  return { next, say: [due(id)], result: next }
}

export type Page = { currency: string; after: string; next: string | null; skips: Skip[] }

/** The checkpoint after a page; a page gone through by somebody else before changes nothing. */
export const pageDone = (
  doc: RunDoc,
  { currency, after, next: last, skips }: Page,
  now: number,
): Decision<RunDoc, RunDoc> => {
  if (doc.status !== 'planning' || doc.currencies[0] !== currency || doc.after !== after) return { result: doc }
  const currencies = last === null ? doc.currencies.slice(1) : doc.currencies
  const kept = {
    ...doc,
    currencies,
    after: last ?? '',
    skipped: doc.skipped + skips.length,
    skips: [...doc.skips, ...skips].slice(0, SKIPS_MAX),
  }
  const next: RunDoc =
    currencies.length > 0 ? { ...kept, wakeAt: now + TAKE_UP_MS } : { ...kept, status: 'paying', wakeAt: now + LOOK_MS }
  return { next, result: next }
}

/** The worker leaves it for now: the timer carries on at once. */
export const paused = (doc: RunDoc, now: number): Decision<RunDoc, null> =>
  doc.status === 'planning' ? { next: { ...doc, wakeAt: now }, result: null } : { result: null }

export const finished = (doc: RunDoc, now: number): Decision<RunDoc, RunDoc> => {
  if (doc.status !== 'paying') return { result: doc }
  const next: RunDoc = { ...doc, status: 'done', finishedAt: now, wakeAt: null }
  return { next, result: next }
}

export const wake = (doc: RunDoc, now: number): Decision<RunDoc, null> => {
  if (doc.status === 'done') return { next: { ...doc, wakeAt: null }, result: null }
  const pauseMs = doc.status === 'planning' ? TAKE_UP_MS : Math.min(LOOK_MAX_MS, LOOK_MS * 2 ** doc.looks)
  return { next: { ...doc, looks: doc.looks + 1, wakeAt: now + pauseMs }, say: [due(doc.id)], result: null }
}

export type Counts = PayoutRun['counts']

export const publicRun = (
  { id, date, status, createdAt, finishedAt, skips }: RunDoc,
  counts: Counts,
  withSkips: boolean,
): PayoutRun => ({
  id,
  date,
  status: status === 'done' ? 'done' : 'running',
  counts,
  createdAt: iso(createdAt),
  ...(finishedAt !== null && { finishedAt: iso(finishedAt) }),
  ...(withSkips && { skips }),
})

/** When the next run is due: kept, so that a run missed in an outage is made up for, and a moved clock fires it. */
export type ScheduleDoc = ActorDoc & { cron: string }
export const payoutSchedules = actorCollection<ScheduleDoc>('payout_schedules')
export const SCHEDULE = 'main'

export const armed = (state: ScheduleDoc | null, cron: string, now: number): Decision<ScheduleDoc, null> => {
  if (state?.cron === cron) return { result: null }
  const before = state ?? { id: SCHEDULE, version: 0, outbox: [] }
  return { next: { ...before, cron, wakeAt: nextDue(cron, now) }, result: null }
}

/** A due run is named by the date it was due on. What was missed in between is one run: it pays everybody all the same. */
export const scheduleWake = (doc: ScheduleDoc, now: number): Decision<ScheduleDoc, null> => {
  const date = iso(doc.wakeAt ?? now).slice(0, 10)
  return {
    next: { ...doc, wakeAt: nextDue(doc.cron, now) },
    say: [{ name: 'payout.due', data: { key: `date:${date}` } }],
    result: null,
  }
}
