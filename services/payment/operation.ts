// A durable operation: the one call to the provider it is at, kept before it is made and after it is answered. Whatever
// dies in between, the same call is made again under the same key. Pure.
import type { ActorDoc, Said } from '../../mixins/actor.ts'
import type { Standing } from './contract.ts'
import { verdictOn, type ErrorKind } from './retry.ts'

/** Calls an operation may make. Those that only look are safe without a key. */
export type CallName =
  | 'create'
  | 'confirm'
  | 'cancel'
  | 'look'
  | 'refund'
  | 'transfer'
  | 'payout'
  | 'reverse'
  | 'account'
  | 'evidence'
  | 'accept'

export type ProviderCall = {
  name: CallName
  /** Numbers the keys: a new attempt is a new key. */
  attempt: number
  key: string
  /** under_way: sent or about to be. waiting: surely not run. unknown: may have run. settled: answered for good. */
  state: 'under_way' | 'waiting' | 'unknown' | 'settled'
  /** When the key was first used, platform epoch ms. */
  keyFirstUsedAt: number
  /** Failures of one class in a row. */
  tries: number
  lastError: { kind: ErrorKind; code: string; message: string } | null
  /** Nobody else makes it before this, unless the process that does has died. */
  notBefore: number
  /** The instanceId of the process that made it last. */
  by: string
  /** The next one takes a new key. */
  renew?: true
  /** An earlier sending may have run; a later "too many requests" does not tell that it did not. */
  inDoubt?: true
}

export type Operation = ActorDoc & {
  kind: string
  call: ProviderCall | null
  /** Attempts used up, by call. */
  attempts: Partial<Record<CallName, number>>
  createdAt: number
  /** Only people can free it: our request was wrong. */
  stuck: { code: string; message: string; at: number } | null
  /** How it stands with the provider, and since when; kept by every turn. */
  standing?: Standing | null
  standingAt?: number | null
}
export type Step<D> = { next: D; say: Said[] }

/** The longest a call may be under way before it is taken up again. Longer than the adapter's own deadline. */
export const UNDER_WAY_MS = 30_000

export const newOperation = (id: string, kind: string, now: number): Operation => ({
  id,
  version: 0,
  outbox: [],
  kind,
  call: null,
  attempts: {},
  createdAt: now,
  stuck: null,
  wakeAt: now + UNDER_WAY_MS,
})

type Free = { now: number; eager: boolean; isRunning(instanceId: string): boolean }
/** May the call be made now? `eager` does not wait for a retry's pause; what a dead process had under way nobody waits for. */
export const isFree = ({ call, stuck }: Operation, name: CallName, { now, eager, isRunning }: Free): boolean => {
  if (stuck) return false
  if (!call || call.state === 'settled' || call.notBefore <= now) return true
  if (call.state === 'under_way') return !isRunning(call.by)
  return call.name !== name || eager
}

/** The operation with the call kept as under way. Taken up again, it has the key it had. */
export const begun = <D extends Operation>(
  doc: D,
  name: CallName,
  { now, by }: { now: number; by: string },
): D & { call: ProviderCall } => {
  const before = doc.call?.name === name && doc.call.state !== 'settled' ? doc.call : null
  const same = before && !before.renew
  const attempt = same ? before.attempt : (doc.attempts[name] ?? 0) + 1
  const call: ProviderCall = {
    name,
    attempt,
    key: `${doc.id}:${name}:${attempt}`,
    state: 'under_way',
    keyFirstUsedAt: same ? before.keyFirstUsedAt : now,
    tries: same ? before.tries : 0,
    lastError: before?.lastError ?? null,
    notBefore: now + UNDER_WAY_MS,
    by,
    ...(mayHaveRun(before, name) && { inDoubt: true as const }),
  }
  return { ...doc, call, attempts: { ...doc.attempts, [name]: attempt }, wakeAt: call.notBefore }
}

/** Did an earlier sending of this call possibly run? Then what it made is looked for first. */
export const mayHaveRun = (before: ProviderCall | null, name: CallName): boolean =>
  before?.name === name && before.state !== 'settled' && (before.inDoubt === true || before.state !== 'waiting')

export const settledCall = <D extends Operation>(doc: D): D => ({
  ...doc,
  call: doc.call && { ...doc.call, state: 'settled', renew: undefined },
})

export type Failure = { kind: ErrorKind; code: string; message: string }
export type Failed<D> = { action: 'retry'; next: D } | { action: 'give_up'; next: D } | { action: 'stop'; next: D }

/** The operation after a failed call: to be made again, given up, or stopped. */
export const failedCall = <D extends Operation>(doc: D, failure: Failure, now: number, chance: number): Failed<D> => {
  const call = doc.call!
  const tries = call.lastError?.kind === failure.kind ? call.tries + 1 : 1
  const verdict = verdictOn(failure.kind, { tries, attempts: call.attempt, ageMs: now - call.keyFirstUsedAt, chance })
  const { inDoubt, ...sent } = call
  const noted: ProviderCall = {
    ...sent,
    tries,
    lastError: failure,
    ...(inDoubt && failure.kind === 'rate' && { inDoubt }),
  }
  if (verdict.action === 'give_up') return { action: 'give_up', next: settledCall({ ...doc, call: noted }) }
  if (verdict.action === 'stop') {
    const { code, message } = failure
    return {
      action: 'stop',
      next: { ...settledCall({ ...doc, call: noted }), stuck: { code, message, at: now }, wakeAt: null },
    }
  }
  const notBefore = now + verdict.afterMs
  const retried: ProviderCall = {
    ...noted,
    state: verdict.state,
    notBefore,
    ...(verdict.action === 'renew' && { renew: true as const }),
  }
  return { action: 'retry', next: { ...doc, call: retried, wakeAt: notBefore } }
}
