// A case: one thing that people or rules found something about, whatever happens to it over time. It waits, is decided, and
// waits again when there is something new. Pure.
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import {
  CLAIM_MS,
  HISTORY_MAX,
  REPORTERS_MAX,
  REPORTS_SHOWN_MAX,
  type Case,
  type Target,
  type TargetType,
  type Verdict,
} from './contract.ts'

export type Facts = Record<string, unknown>
export type Decided = {
  decision: Verdict
  reason: string
  by: string
  at: number
  /** What was found then. */ found: string[]
}
type Reported = { by: string; reason: string; text?: string; at: number }
/** Keyed by an id that follows from the target's. */
export type CaseDoc = ActorDoc & {
  target: Target
  owner: string
  conversation?: string
  status: 'waiting' | 'decided'
  /** What the rules found. */
  reasons: string[]
  outcome: 'flag' | 'mask' | 'hold' | null
  /** Not to be seen until it is decided: a gig's version, 0 for a message; null: it is not held. */
  held: number | null
  /** As it was when it began to wait; null: to be looked up. */
  facts: Facts | null
  openedAt: number
  /** Of this time that it waits: the latest reports, and all who reported. */
  reports: Reported[]
  reporters: string[]
  claim: { by: string; until: number } | null
  history: Decided[]
  /** How often it was decided. */
  round: number
  /** Events that were heard, newest last. */
  heard: string[]
  /** For the indexes: only what waits has a rank, only what was decided a date. */
  rank: number | null
  waitingType: TargetType | null
  decidedAt: number | null
  decidedType: TargetType | null
}
export const cases = actorCollection<CaseDoc>('moderation_cases', {
  byRank: { keys: ['rank'] },
  byTypeRank: { keys: ['waitingType', 'rank'] },
  byDecided: { keys: ['decidedAt'] },
  byTypeDecided: { keys: ['decidedType', 'decidedAt'] },
  byOwner: { keys: ['owner', 'openedAt'] },
})

const HOUR_MS = 3_600_000
const HELD_CREDIT_MS = 24 * HOUR_MS
/** Deliveries repeat within minutes, never after this many others. */
const HEARD_MAX = 50

export type Subject = {
  id: string
  target: Target
  owner: string
  conversation?: string | undefined
  facts: Facts | null
}
export type Turn<R = CaseDoc> = Decision<CaseDoc, R>

/** The same person again changes nothing while it waits. */
export const reported = (known: CaseDoc | null, subject: Subject, report: Reported): Turn => {
  const before = waitingAgain(known, subject, report.at)
  if (before.reporters.includes(report.by)) return { result: before }
  const next = ranked({
    ...before,
    facts: before.facts ?? subject.facts,
    reports: [...before.reports, report].slice(-REPORTS_SHOWN_MAX),
    reporters: [...before.reporters, report.by].slice(0, REPORTERS_MAX),
  })
  return { next, result: next }
}

export type Finding = {
  event: string
  at: number
  reasons: readonly string[]
  outcome: CaseDoc['outcome']
  held: number | null
}
/** Rules found something, or hold it; an event heard twice changes nothing. */
export const found = (
  known: CaseDoc | null,
  subject: Subject,
  { event, at, reasons, outcome, held }: Finding,
): Turn => {
  if (known?.heard.includes(event)) return { result: known }
  const before = waitingAgain(known, subject, at)
  const next = ranked({
    ...before,
    facts: subject.facts ?? before.facts,
    reasons: [...new Set([...before.reasons, ...reasons])],
    outcome: outcome ?? before.outcome,
    held: held ?? before.held,
    heard: [...before.heard, event].slice(-HEARD_MAX),
  })
  return { next, result: next }
}

/** What it waited for was taken back or changed, and the rules are sure now; people's reports still wait. */
export const settledByRules = (known: CaseDoc | null, event: string): Turn<undefined> => {
  if (!known || known.held === null || known.heard.includes(event)) return { result: undefined }
  const freed = { ...known, held: null, reasons: [], heard: [...known.heard, event].slice(-HEARD_MAX) }
  const next = freed.reporters.length > 0 ? ranked(freed) : ranked({ ...freed, status: 'decided', claim: null })
  return { next, result: undefined }
}

const waitingAgain = (
  known: CaseDoc | null,
  { id, target, owner, conversation, facts }: Subject,
  at: number,
): CaseDoc => {
  if (known?.status === 'waiting') return known
  return {
    ...(known ?? { id, version: 0, outbox: [], history: [], round: 0, heard: [], decidedAt: null, decidedType: null }),
    target,
    owner,
    ...(conversation !== undefined && { conversation }),
    status: 'waiting',
    reasons: [],
    outcome: null,
    held: null,
    facts,
    openedAt: at,
    reports: [],
    reporters: [],
    claim: null,
    rank: null,
    waitingType: null,
  }
}

/** Each reporter counts as an hour it has waited, what nobody sees meanwhile as a day. */
const ranked = (one: CaseDoc): CaseDoc =>
  one.status === 'decided'
    ? { ...one, rank: null, waitingType: null }
    : {
        ...one,
        rank: one.openedAt - one.reporters.length * HOUR_MS - (one.held === null ? 0 : HELD_CREDIT_MS),
        waitingType: one.target.type,
      }

export const claimed = (known: CaseDoc | null, by: string, now: number): Turn => {
  const waiting = mustWait(known)
  refuseIfClaimed(waiting, by, now)
  const next = { ...waiting, claim: { by, until: now + CLAIM_MS } }
  return { next, result: next }
}

export type Deciding = { verdict: Verdict; reason: string; by: string }
/** Said with the decision: it is carried out from there, however often the process falls. */
export const decided = (known: CaseDoc | null, { verdict, reason, by }: Deciding, now: number): Turn => {
  const last = known?.history.at(-1)
  if (known?.status === 'decided' && last?.decision === verdict) return { result: known }
  const waiting = mustWait(known)
  if (waiting.owner === by) throw refuse('forbidden', 'nobody decides about what is their own')
  refuseIfClaimed(waiting, by, now)
  const { id, target, owner, conversation, held, reporters, reasons } = waiting
  const decision: Decided = { decision: verdict, reason, by, at: now, found: reasons }
  const next = ranked({
    ...waiting,
    status: 'decided',
    held: null,
    claim: null,
    history: [...waiting.history, decision].slice(-HISTORY_MAX),
    round: waiting.round + 1,
    decidedAt: now,
    decidedType: target.type,
  })
  const data = { case: id, target, owner, verdict, reason, by, held, reporters, ...(conversation && { conversation }) }
  return { next, say: [{ name: 'moderation.decided', data }], result: next }
}

const mustWait = (known: CaseDoc | null): CaseDoc => {
  if (!known) throw refuse('not_found', 'there is no such case')
  if (known.status === 'decided')
    throw refuse('invalid_transition', `it was decided: ${known.history.at(-1)?.decision ?? 'by the rules'}`)
  return known
}

const refuseIfClaimed = ({ claim }: CaseDoc, by: string, now: number): void => {
  if (claim && claim.by !== by && claim.until > now)
    throw refuse('conflict', `${claim.by} is looking at it until ${iso(claim.until)}`)
}

/** A person approved it although the rules found this: they need not be asked about the same again. */
export const isCleared = (known: CaseDoc | null, doubts: readonly string[]): boolean => {
  const last = known?.history.at(-1)
  return last?.decision === 'approve' && doubts.every((doubt) => last.found.includes(doubt))
}
/** A person rejected it: what comes after is looked at by one, too. */
export const isDistrusted = (known: CaseDoc | null): boolean => {
  const last = known?.history.at(-1)
  return last !== undefined && last.decision !== 'approve'
}

export const unsaid = (known: CaseDoc | null, user: string): Turn<undefined> => {
  if (!known?.reports.some(({ by, text }) => by === user && text !== undefined)) return { result: undefined }
  const reports = known.reports.map(({ text, ...report }) =>
    report.by === user || text === undefined ? report : { ...report, text },
  )
  return { next: { ...known, reports }, result: undefined }
}

type Owner = { username: string; displayName: string } | null | undefined
export const publicCase = (one: CaseDoc, owner: Owner, now: number, facts: Facts | null = one.facts): Case => {
  const last = one.history.at(-1)
  return {
    id: one.id,
    target: one.target,
    status: one.status,
    owner: { id: one.owner, username: owner?.username ?? '', displayName: owner?.displayName ?? '' },
    reasons: one.reasons,
    ...(one.outcome && { outcome: one.outcome }),
    held: one.held !== null,
    reporters: one.reporters.length,
    reports: one.reports.map(({ at, ...report }) => ({ ...report, at: iso(at) })),
    snapshot: facts,
    openedAt: iso(one.openedAt),
    claim: one.claim && one.claim.until > now ? { by: one.claim.by, until: iso(one.claim.until) } : null,
    decision: one.status === 'decided' && last ? publicDecision(last) : null,
    history: one.history.map(publicDecision).reverse(),
  }
}
const publicDecision = ({ decision, reason, by, at }: Decided) => ({ decision, reason, by, at: iso(at) })
