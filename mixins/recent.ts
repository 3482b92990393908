// A bounded map that forgets what was not used lately. Two generations: a full young one becomes the old one, and what is
// asked of the old one is young again. Cheaper than moving an entry at every use, and as hard to flush.
export type Recent<V> = {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  size(): number
}

/** Holds at most `entriesMax`, and at least the latest half of that. */
export const recent = <V>(entriesMax: number): Recent<V> => {
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  const set = (key: string, value: V) => {
    young.set(key, value)
    if (young.size * 2 < entriesMax) return
    old = young
    young = new Map()
  }
  return {
    set,
    get: (key) => {
      const found = young.get(key)
      if (found !== undefined) return found
      const aged = old.get(key)
      if (aged !== undefined) set(key, aged)
      return aged
    },
    delete: (key) => {
      young.delete(key)
      old.delete(key)
    },
    size: () => young.size + old.size,
  }
}
