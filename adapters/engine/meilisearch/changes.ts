// What a row of upserts and removals leaves to be written, given what is there. Pure: the rule of versions in one place.

export type Change<T> = { id: string; version: number; /** Null: removed. */ record: T | null }
/** Of a gig: the version that is there, and at which it was removed. */
export type Known = { living?: number; gone?: number }
export type Left<T> = { upserts: T[]; removals: { id: string; version: number; wasThere: boolean }[] }

/** An upsert must be newer than all that is known, a removal at least as new as what is there. */
export const leftToWrite = <T>(changes: readonly Change<T>[], known: ReadonlyMap<string, Known>): Left<T> => {
  const after = new Map<string, Known & { record?: T }>()
  const removed = new Set<string>()
  for (const { id, version, record } of changes) {
    const state = after.get(id) ?? { ...known.get(id) }
    after.set(id, state)
    if (record !== null) {
      if ((state.living ?? -Infinity) >= version || (state.gone ?? -Infinity) >= version) continue
      state.living = version
      state.record = record
      removed.delete(id)
    } else {
      if ((state.living ?? -Infinity) > version) continue
      delete state.living
      delete state.record
      if ((state.gone ?? -Infinity) < version || known.get(id)?.living !== undefined) removed.add(id)
      state.gone = Math.max(state.gone ?? -Infinity, version)
    }
  }
  return {
    upserts: [...after.values()].flatMap(({ record }) => (record === undefined ? [] : [record])),
    removals: [...removed].map((id) => {
      return { id, version: after.get(id)!.gone!, wasThere: known.get(id)?.living !== undefined }
    }),
  }
}
