// What is known not to be there, for a moment: by the tag that would end it, so that a gig that is published is there at
// once. Its own small bound: whoever asks for things that do not exist drives no answer out.

export type Absent = {
  /** What was said of it, while that holds. */
  find(tag: string): string | undefined
  keep(tag: string, detail: string): void
  end(tag: string): void
  clear(): void
  size(): number
}

export const ABSENT_MS = 2000
export const ABSENT_MAX = 5000
/** Longer ones are no ids of ours. */
const TAG_LETTERS_MAX = 100

export const absent = (now: () => number): Absent => {
  const known = new Map<string, { detail: string; until: number }>()
  return {
    find: (tag) => {
      const found = known.get(tag)
      return found && now() < found.until ? found.detail : undefined
    },
    keep: (tag, detail) => {
      if (tag.length > TAG_LETTERS_MAX) return
      known.delete(tag)
      known.set(tag, { detail, until: now() + ABSENT_MS })
      if (known.size > ABSENT_MAX) known.delete(known.keys().next().value!)
    },
    end: (tag) => void known.delete(tag),
    clear: () => known.clear(),
    size: () => known.size,
  }
}
