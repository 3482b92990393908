// Searches that many made and that found something: what is suggested before anything better is known. Counts fade, so
// that yesterday's rush does not stay for ever.

/** Texts counted at once; the least used half goes when there are more. */
export const POPULAR_MAX = 2000
/** Asked less often than this, a text is its author's business and shown to nobody. */
export const POPULAR_COUNT_MIN = 5
const FADE_EVERY = 10_000
const LENGTH_MIN = 2
const LENGTH_MAX = 60

export type Popular = {
  count(text: string): void
  /** Most asked first, those that start with what was typed. */
  like(typed: string, most: number): string[]
}

export const popular = (): Popular => {
  const counts = new Map<string, number>()
  let counted = 0
  return {
    count: (text) => {
      const plain = plainOf(text)
      if (plain.length < LENGTH_MIN || plain.length > LENGTH_MAX) return
      counts.set(plain, (counts.get(plain) ?? 0) + 1)
      if (++counted % FADE_EVERY === 0) fade(counts)
      if (counts.size > POPULAR_MAX) dropLeast(counts)
    },
    like: (typed, most) => {
      const start = plainOf(typed)
      return [...counts]
        .filter(([text, count]) => count >= POPULAR_COUNT_MIN && text.startsWith(start))
        .sort(([, one], [, other]) => other - one)
        .slice(0, most)
        .map(([text]) => text)
    },
  }
}

const plainOf = (text: string) => text.trim().toLowerCase().replace(/\s+/g, ' ')

const fade = (counts: Map<string, number>) => {
  for (const [text, count] of counts) {
    if (count < 2) counts.delete(text)
    else counts.set(text, Math.floor(count / 2))
  }
}

const dropLeast = (counts: Map<string, number>) => {
  const least = [...counts].sort(([, one], [, other]) => one - other).slice(0, Math.floor(counts.size / 2))
  for (const [text] of least) counts.delete(text)
}
