// What ended lately, so that an answer under way can tell whether it was overtaken, and how often each thing that answers
// are chosen from has changed. Both bounded by construction.

export type Endings = {
  /** Where we are: what ends from now on comes after it. */
  now(): number
  end(tag: string): void
  endAll(): void
  /** Whether one of these has ended since; true also where that was too long ago to know. */
  since(then: number, tags: readonly string[]): boolean
}

/** Tags remembered to have ended. */
export const ENDED_MAX = 10_000

export const endings = (endedMax = ENDED_MAX): Endings => {
  const ended = new Map<string, number>()
  let count = 0
  /** What ended before it is forgotten. */
  let floor = 0
  return {
    now: () => count,
    end: (tag) => {
      ended.delete(tag)
      ended.set(tag, ++count)
      if (ended.size <= endedMax) return
      const [oldest, at] = ended.entries().next().value!
      ended.delete(oldest)
      floor = at
    },
    endAll: () => {
      ended.clear()
      floor = ++count
    },
    since: (then, tags) => then < floor || tags.some((tag) => (ended.get(tag) ?? 0) > then),
  }
}

export type Generations = {
  move(name: string): void
  /** Where these stand now: keep it, and ask `areBehind` with it. */
  of(names: readonly string[]): Stand
  isBehind(stand: Stand): boolean
}
/** Slots and the numbers they had. */
export type Stand = readonly number[]

/** Names share so many numbers: clients name categories, and who meets another in one slot is only made again more often. */
export const GENERATION_SLOTS = 4096

export const generations = (): Generations => {
  const numbers = new Uint32Array(GENERATION_SLOTS)
  return {
    move: (name) => {
      numbers[slotOf(name)]! += 1
    },
    of: (names) => names.flatMap((name) => [slotOf(name), numbers[slotOf(name)]!]),
    isBehind: (stand) => {
      for (let n = 0; n < stand.length; n += 2) if (numbers[stand[n]!] !== stand[n + 1]) return true
      return false
    },
  }
}

/** FNV-1a. */
const slotOf = (name: string): number => {
  let hash = 0x811c9dc5
  for (let n = 0; n < name.length; n += 1) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193)
  return (hash >>> 0) % GENERATION_SLOTS
}
