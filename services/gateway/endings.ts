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

/** Tags remembered to have ended: at most so many, and at least the latest half of that. */
export const ENDED_MAX = 10_000

export const endings = (endedMax = ENDED_MAX): Endings => {
  // Two halves, of which the older is dropped whole: taking the oldest out of a map one by one walks over all that went before.
  let young = new Map<string, number>()
  let old = new Map<string, number>()
  let count = 0
  /** What ended before it is forgotten. */
  let floor = 0
  const endedAt = (tag: string): number => young.get(tag) ?? old.get(tag) ?? 0
  return {
    now: () => count,
    end: (tag) => {
      young.set(tag, ++count)
      if (young.size * 2 < endedMax) return
      for (const at of old.values()) floor = Math.max(floor, at)
      old = young
      young = new Map()
    },
    endAll: () => {
      young.clear()
      old.clear()
      floor = ++count
    },
    since: (then, tags) => then < floor || tags.some((tag) => endedAt(tag) > then),
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
export const GENERATION_SLOTS = 65_536

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
