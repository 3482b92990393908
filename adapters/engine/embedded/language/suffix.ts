// Rules that replace the end of a word.

export type Rule = readonly [suffix: string, by: string]

/** The first rule whose suffix the word has; it is used if the suffix starts at `from` or later. */
export const rewrite = (word: string, rules: readonly Rule[], from: number): string => {
  for (const [suffix, by] of rules) {
    if (!word.endsWith(suffix)) continue
    const kept = word.length - suffix.length
    return kept >= from ? word.slice(0, kept) + by : word
  }
  return word
}
