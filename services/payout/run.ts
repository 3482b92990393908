// One payout run: the sellers of a date, in batches. What a batch pays is written into the run before anybody is paid, under
// a token of whoever works on it: a worker that was away too long finds its token used up and writes nothing. From then on
// whoever carries the batch out does the same, so a run that dies is carried on where it was and pays nobody twice. Pure.
import type { ActorDoc, Decision, Said } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import type { Batch, Skip } from './batch.ts'
import { nextDue } from './cron.ts'
import { APPROVED_SLACK, APPROVERS, needsApproval, type Amounts } from './plan.ts'
import type { Covers } from './schedule.ts'
import { iso } from '../shapes.ts'

/**
 * estimating: what it may come to is being added up. awaiting_approval: it is too much to go without two people. planning:
 * sellers are being gone through. paying: payouts are on their way.
 */
export type RunStatus = 'estimating' | 'awaiting_approval' | 'planning' | 'paying' | 'done' | 'cancelled'
export type Lease = { owner: string; token: number; until: number }
export type Approval = { by: string; at: number }
export type RunDoc = ActorDoc & {
  date: string
  status: RunStatus
  covers: Covers
  /** An admin, or null: the schedule. */
  startedBy: string | null
  /** When it was due, and how many later ones were due before it began: what was missed is made up by one run. */
  dueAt: number | null
  missed: number
  lease: Lease | null
  /** The last one given out. */
  token: number
  /** Currencies left to go through, the first after seller `after`. */
  currencies: string[]
  after: string
  /** Batches claimed so far; those of this round are the ones after `roundFrom`. */
  batches: number
  roundFrom: number
  /** Claimed, not yet carried out. */
  batch: Batch | null
  /** By currency: claimed in this round; what it may come to; what it must not exceed. */
  claimed: Record<string, number>
  estimate: Record<string, number>
  ceiling: Record<string, number>
  approvals: Approval[]
  skipped: number
  reasons: Partial<Record<Skip['code'], number>>
  cancelled: { by: string; reason: string; at: number } | null
  createdAt: number
  finishedAt: number | null
  /** Looks at payouts on their way, each after a longer pause. */
  looks: number
}

export const payoutRuns = actorCollection<RunDoc>('payout_runs', {
  byDate: { keys: ['date'] },
  byStatus: { keys: ['status', 'date'] },
})

/** How long a worker may be away before another takes the run over. A dead one is not waited for. */
export const LEASE_MS = 15_000
/** How long a run may stand before it is taken up again. */
const TAKE_UP_MS = 5000
const LOOK_MS = 5000
const LOOK_MAX_MS = 3_600_000

const due = (id: string): Said => ({ name: 'payout.due', data: { key: id } })
export const isOver = ({ status }: RunDoc): boolean => status === 'done' || status === 'cancelled'

type Start = {
  id: string
  date: string
  currencies: readonly string[]
  covers: Covers
  by: string | null
  /** A finished one goes through the sellers once more: who was paid in it is not paid again. */
  again: boolean
  dueAt?: number
  missed?: number
}
/** Starts the run of a date; a run that exists is answered as it is. */
export const started = (state: RunDoc | null, asked: Start, now: number): Decision<RunDoc, RunDoc> => {
  const { id, date, currencies, covers, by, again, dueAt = null, missed = 0 } = asked
  if (state && !(again && isOver(state))) return { result: state }
  const batches = state?.batches ?? 0
  const round = {
    status: 'estimating' as const,
    covers,
    startedBy: by,
    lease: null,
    currencies: [...currencies],
    after: '',
    batches,
    roundFrom: batches,
    batch: null,
    claimed: {},
    estimate: {},
    ceiling: {},
    approvals: [],
    skipped: 0,
    reasons: {},
    cancelled: null,
    finishedAt: null,
    looks: 0,
    wakeAt: now + TAKE_UP_MS,
  }
  const next: RunDoc = state
    ? { ...state, ...round }
    : { id, version: 0, outbox: [], date, dueAt, missed, token: 0, createdAt: now, ...round }
  return { next, say: [due(id)], result: next }
}

type Worker = { owner: string; isRunning(owner: string): boolean }
/** The right to work on it, for a while: null while another worker has it. Every worker gets a token of its own. */
export const leased = (doc: RunDoc, { owner, isRunning }: Worker, now: number): Decision<RunDoc, Lease | null> => {
  const { lease } = doc
  if (doc.status !== 'estimating' && doc.status !== 'planning') return { result: null }
  if (lease && lease.until > now && lease.owner !== owner && isRunning(lease.owner)) return { result: null }
  const token = doc.token + 1
  const given = { owner, token, until: now + LEASE_MS }
  return { next: { ...doc, token, lease: given, wakeAt: now + TAKE_UP_MS }, result: given }
}

/** Does the token still stand for the right to work on it? */
export const isHeldBy = ({ lease }: RunDoc, token: number, now: number): boolean =>
  lease !== null && lease.token === token && lease.until > now
const renewed = (doc: RunDoc, now: number): Pick<RunDoc, 'lease' | 'wakeAt'> => ({
  lease: doc.lease && { ...doc.lease, until: now + LEASE_MS },
  wakeAt: now + TAKE_UP_MS,
})

/** What it may come to at most: below the limits it goes on, above them it waits for people. null: another one works on it. */
export const estimated = (
  doc: RunDoc,
  { token, totals, limits }: { token: number; totals: Record<string, number>; limits: Amounts },
  now: number,
): Decision<RunDoc, RunDoc | null> => {
  if (doc.status !== 'estimating' || !isHeldBy(doc, token, now)) return { result: null }
  const next: RunDoc = needsApproval(totals, limits)
    ? { ...doc, status: 'awaiting_approval', estimate: totals, approvals: [], lease: null, wakeAt: null }
    : { ...doc, status: 'planning', estimate: totals, ceiling: { ...limits }, ...renewed(doc, now) }
  return { next, result: next }
}

/** One more person says yes; with the last one it goes on, up to what was there and a little more. */
export const approved = (doc: RunDoc, by: string, now: number): Decision<RunDoc, RunDoc> => {
  if (doc.approvals.some((one) => one.by === by)) {
    if (doc.status === 'awaiting_approval') throw refuse('conflict', 'another person must approve it too')
    return { result: doc }
  }
  if (doc.status !== 'awaiting_approval') throw refuse('invalid_transition', 'it does not wait for approval')
  const approvals = [...doc.approvals, { by, at: now }]
  if (approvals.length < APPROVERS) {
    const next = { ...doc, approvals }
    return { next, result: next }
  }
  const next: RunDoc = { ...doc, approvals, status: 'planning', ceiling: upTo(doc.estimate), wakeAt: now }
  return { next, say: [due(doc.id)], result: next }
}
export const upTo = (totals: Amounts): Record<string, number> =>
  Object.fromEntries(Object.entries(totals).map(([of, total]) => [of, Math.ceil(total * (1 + APPROVED_SLACK))]))

/** Nobody else is claimed; what was claimed goes on. */
export const cancelled = (
  doc: RunDoc,
  { by, reason }: { by: string; reason: string },
  now: number,
): Decision<RunDoc, RunDoc> => {
  if (doc.status === 'cancelled') return { result: doc }
  if (doc.status === 'done' || doc.status === 'paying')
    throw refuse('invalid_transition', 'everybody in it is on the way already')
  if (doc.batch) throw refuse('unavailable', 'a batch is just being carried out', { retryAfterSeconds: 1 })
  const next: RunDoc = {
    ...doc,
    status: 'cancelled',
    cancelled: { by, reason, at: now },
    finishedAt: now,
    lease: null,
    wakeAt: null,
  }
  return { next, result: next }
}

/** The batch is to be carried out, by whoever comes. null: the token is used up, or another was first, and nobody is paid. */
export const claimed = (doc: RunDoc, token: number, batch: Batch, now: number): Decision<RunDoc, RunDoc | null> => {
  if (doc.status !== 'planning' || doc.batch || !isHeldBy(doc, token, now)) return { result: null }
  const { number, currency, after } = batch
  if (number !== doc.batches + 1 || doc.currencies[0] !== currency || doc.after !== after) return { result: null }
  const total = batch.claims.reduce((sum, { amount }) => sum + amount, doc.claimed[currency] ?? 0)
  if (total > (doc.ceiling[currency] ?? 0)) {
    // More has become available than was added up: it is added up again.
    const next: RunDoc = { ...doc, status: 'estimating', approvals: [], ...renewed(doc, now) }
    return { next, result: next }
  }
  const next: RunDoc = {
    ...doc,
    batch,
    batches: number,
    claimed: { ...doc.claimed, [currency]: total },
    ...renewed(doc, now),
  }
  return { next, result: next }
}

/** The checkpoint after a batch, with those who could not be paid after all; done twice it is done once. */
export const batchDone = (doc: RunDoc, { number, next: last, skips }: Batch, now: number): Decision<RunDoc, RunDoc> => {
  if (doc.batch?.number !== number) return { result: doc }
  const currencies = last === null ? doc.currencies.slice(1) : doc.currencies
  const reasons = { ...doc.reasons }
  for (const { code } of skips) reasons[code] = (reasons[code] ?? 0) + 1
  const kept = {
    ...doc,
    ...renewed(doc, now),
    batch: null,
    currencies,
    after: last ?? '',
    skipped: doc.skipped + skips.length,
    reasons,
  }
  const next: RunDoc = currencies.length > 0 ? kept : { ...kept, status: 'paying' }
  return { next, result: next }
}

/** The worker leaves it for now; the timer comes back to it after a pause. */
export const left = (doc: RunDoc, token: number, pauseMs: number, now: number): Decision<RunDoc, null> => {
  if (doc.lease?.token !== token) return { result: null }
  const next: RunDoc = { ...doc, lease: null, wakeAt: now + (doc.status === 'paying' ? LOOK_MS : pauseMs) }
  return { next, result: null }
}

export const finished = (doc: RunDoc, now: number): Decision<RunDoc, RunDoc> => {
  if (doc.status !== 'paying') return { result: doc }
  const next: RunDoc = { ...doc, status: 'done', finishedAt: now, lease: null, wakeAt: null }
  return { next, result: next }
}

export const wake = (doc: RunDoc, now: number): Decision<RunDoc, null> => {
  if (isOver(doc) || doc.status === 'awaiting_approval') return { next: { ...doc, wakeAt: null }, result: null }
  const pauseMs = doc.status === 'paying' ? Math.min(LOOK_MAX_MS, LOOK_MS * 2 ** doc.looks) : TAKE_UP_MS
  const looks = doc.status === 'paying' ? doc.looks + 1 : doc.looks
  return { next: { ...doc, looks, wakeAt: now + pauseMs }, say: [due(doc.id)], result: null }
}

/** When the next run is due: kept, so that a run missed in an outage is made up for, and a moved clock fires it. */
export type ScheduleDoc = ActorDoc & { cron: string }
export const payoutSchedules = actorCollection<ScheduleDoc>('payout_schedules')
export const SCHEDULE = 'main'

export const armed = (state: ScheduleDoc | null, cron: string, now: number): Decision<ScheduleDoc, null> => {
  if (state?.cron === cron) return { result: null }
  const before = state ?? { id: SCHEDULE, version: 0, outbox: [] }
  return { next: { ...before, cron, wakeAt: nextDue(cron, now) }, result: null }
}

/** Runs counted as missed in one outage. */
const MISSED_MAX = 1000
/** A due run is named by the date it was due on. What was missed in between is one run: it pays everybody all the same. */
export const scheduleWake = (doc: ScheduleDoc, now: number): Decision<ScheduleDoc, null> => {
  const dueAt = doc.wakeAt ?? now
  let missed = 0
  for (let at = nextDue(doc.cron, dueAt); at !== null && at <= now && missed < MISSED_MAX; at = nextDue(doc.cron, at))
    missed += 1
  const key = `date:${iso(dueAt).slice(0, 10)}`
  return {
    next: { ...doc, wakeAt: nextDue(doc.cron, now) },
    say: [{ name: 'payout.due', data: { key, dueAt, missed } }],
    result: null,
  }
}
