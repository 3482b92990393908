// What an admin changes about searching, without indexing again: one document, taken up by every node. Pure.
import { RANKING_USUAL } from '../../adapters/engine/index.ts'
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import type { SearchSettings, Tunable } from './contract.ts'

/** `changes` counts what people see changed; the store's own `version` also counts acknowledgements. */
export type SettingsDoc = ActorDoc & Tunable & { changes: number; changedAt: number; changedBy: string }
export const settingsDocs = actorCollection<SettingsDoc>('search_settings')
export const SETTINGS = 'settings'

export const changed = (
  doc: SettingsDoc | null,
  { version, ...tunable }: Tunable & { version?: number | undefined },
  by: string,
  now: number,
): Decision<SettingsDoc, SettingsDoc> => {
  const current = doc?.changes ?? 0
  if (version !== undefined && version !== current)
    throw refuse('conflict', `somebody has changed them since: they are at version ${current}`)
  const next: SettingsDoc = {
    ...(doc ?? { id: SETTINGS, version: 0, outbox: [] }),
    ...tunable,
    changes: current + 1,
    changedAt: now,
    changedBy: by,
  }
  return { next, say: [{ name: 'search.settings.changed', data: { version: next.changes } }], result: next }
}

export const tunableOf = (doc: SettingsDoc | null): Tunable => ({
  synonyms: doc?.synonyms ?? [],
  pins: doc?.pins ?? [],
  ranking: doc?.ranking ?? RANKING_USUAL,
})

export const publicSettings = (doc: SettingsDoc | null): SearchSettings => ({
  ...tunableOf(doc),
  version: doc?.changes ?? 0,
  changedAt: doc ? iso(doc.changedAt) : null,
  changedBy: doc?.changedBy ?? null,
})
