// How many requests the provider takes of each operation, by the machine's clock: load has nothing to do with a moved one.

export type Limits = {
  /** May one more run now? Asking uses it up. */
  take(operation: string): boolean
}

/** A second's worth, at least one, may come at once; 0 takes any number. */
export const requestLimits = (perSecond: number, now: () => number = Date.now): Limits => {
  const most = Math.max(1, perSecond)
  const buckets = new Map<string, { left: number; at: number }>()
  return {
    take: (operation) => {
      if (perSecond === 0) return true
      const at = now()
      const { left, at: before } = buckets.get(operation) ?? { left: most, at }
      const full = Math.min(most, left + ((at - before) / 1000) * perSecond)
      buckets.set(operation, { left: full < 1 ? full : full - 1, at })
      return full >= 1
    },
  }
}
