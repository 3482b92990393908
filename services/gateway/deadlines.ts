// One timer for any number of deadlines, to the second: 100,000 sockets need no timer each.

/** What has a deadline carries it. 0: none. */
export type Due = { dueSecond: number }

export type Deadlines<T extends Due> = {
  /** Replaces the deadline the item had; epoch ms. */
  set(item: T, atMs: number): void
  clear(item: T): void
  stop(): void
}

const TICK_MS = 500

export const deadlines = <T extends Due>(due: (item: T) => void): Deadlines<T> => {
  const seconds = new Map<number, Set<T>>()
  let next = Math.floor(Date.now() / 1000)

  const clear = (item: T) => {
    const items = seconds.get(item.dueSecond)
    items?.delete(item)
    if (items?.size === 0) seconds.delete(item.dueSecond)
    item.dueSecond = 0
  }
  const tick = () => {
    const now = Math.floor(Date.now() / 1000)
    for (; next <= now; next++) {
      for (const item of seconds.get(next) ?? []) {
        clear(item)
        due(item)
      }
    }
  }
  const timer = setInterval(tick, TICK_MS)
  timer.unref()
  return {
    set: (item, atMs) => {
      clear(item)
      item.dueSecond = Math.max(next, Math.ceil(atMs / 1000))
      const items = seconds.get(item.dueSecond)
      if (items) items.add(item)
      else seconds.set(item.dueSecond, new Set([item]))
    },
    clear,
    stop: () => clearInterval(timer),
  }
}
