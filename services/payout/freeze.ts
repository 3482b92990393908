// The switch that stops money from leaving: for everybody, or for one seller. Key: the scope. Payments hear of it and hold
// what is on its way; runs wait, and what is asked for waits unreserved.
import type { Documents } from '../../adapters/documents/index.ts'
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { iso } from '../shapes.ts'
import type { Freeze } from './contract.ts'

export const ALL = 'all'
/** `since`: set while frozen. */
export type FreezeDoc = ActorDoc & { frozen: boolean; reason: string; by: string; at: number; since: number | null }
export const freezes = actorCollection<FreezeDoc>('payout_freezes', { bySince: { keys: ['since'] } })

type Switch = { scope: string; frozen: boolean; reason: string; by: string }
/** Switched twice is switched once; the first reason stays. */
export const switched = (
  doc: FreezeDoc | null,
  { scope, frozen, reason, by }: Switch,
  now: number,
): Decision<FreezeDoc, FreezeDoc> => {
  const before = doc ?? { id: scope, version: 0, outbox: [], frozen: false, reason: '', by: '', at: now, since: null }
  if (before.frozen === frozen) return { result: before }
  const next: FreezeDoc = { ...before, frozen, reason, by, at: now, since: frozen ? now : null }
  return {
    next,
    say: [{ name: 'payout.frozen', data: { scope, frozen, change: before.version + 1 } }],
    result: next,
  }
}

export const publicFreeze = ({ id, frozen, reason, by, at }: FreezeDoc): Freeze => ({
  ...(id !== ALL && { seller: id }),
  frozen,
  reason,
  by,
  at: iso(at),
})

/** Which of these scopes are frozen now; the one for everybody is asked for by name. */
export const frozenAmong = async (documents: Documents, scopes: readonly string[]): Promise<Set<string>> => {
  const found = await documents.getMany(freezes, scopes)
  return new Set(found.flatMap((doc) => (doc?.frozen ? [doc.id] : [])))
}
