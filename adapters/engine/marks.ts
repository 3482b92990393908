// Where in a text the words stand that answered a query: for showing them. The same splitting into words as the index's.
import { fold, isIdeograph, wordPlaces } from './embedded/text.ts'
import type { Matched } from './index.ts'

/** From inclusive, to exclusive, in UTF-16 units of the text as it is. */
export type Mark = [from: number, to: number]

/** Marks of one text, and characters of it that are looked at. */
export const MARKS_MAX = 50
export const MARKED_CHARS_MAX = 5000

export const marksOf = (all: string, { words, starts }: Matched): Mark[] => {
  const text = all.slice(0, MARKED_CHARS_MAX)
  const whole = new Set(words)
  const marks: Mark[] = []
  for (const { from, to, word, isRun } of wordPlaces(text)) {
    if (marks.length === MARKS_MAX) break
    if (isRun) marks.push(...marksInRun(text, { from, to }, whole, starts))
    else if (whole.has(word)) marks.push([from, to])
    else {
      const start = starts.find((one) => word.startsWith(one))
      if (start !== undefined) marks.push([from, Math.min(to, from + startLength(text.slice(from, to), start))])
    }
  }
  return joined(marks).slice(0, MARKS_MAX)
}

/** How much of a written word the folded start stands for: `stra` of Straße is four, `strass` five. */
const startLength = (written: string, start: string): number => {
  for (let length = 1; length < written.length; length++)
    if (fold(written.slice(0, length)).length >= start.length) return length
  return written.length
}

/** A run without spaces is compared at every character: the index knows it as pairs. */
const marksInRun = (
  text: string,
  { from, to }: { from: number; to: number },
  words: ReadonlySet<string>,
  starts: readonly string[],
): Mark[] => {
  const wanted = [...words, ...starts].filter(isIdeograph)
  const marks: Mark[] = []
  for (let at = from; at < to; at++) {
    const length = Math.max(
      0,
      ...wanted
        .filter((one) => fold(text.slice(at, at + one.length)) === one && at + one.length <= to)
        .map((one) => one.length),
    )
    if (length > 0) marks.push([at, at + length])
  }
  return marks
}

/** Overlapping marks become one. */
const joined = (marks: readonly Mark[]): Mark[] => {
  const out: Mark[] = []
  for (const [from, to] of marks) {
    const last = out.at(-1)
    if (last && from < last[1]) last[1] = Math.max(last[1], to)
    else out.push([from, to])
  }
  return out
}
