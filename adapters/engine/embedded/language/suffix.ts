// Rules that replace the end of a word.

export type Rule = readonly [suffix: string, by: string]
/** By the last letter of the suffix, so that most are not even looked at. */
export type Rules = ReadonlyMap<string, readonly Rule[]>

export const rulesOf = (rules: readonly Rule[]): Rules => Map.groupBy(rules, ([suffix]) => suffix.at(-1)!)

/** The first rule whose suffix the word has; it is used if the suffix starts at `from` or later. */
export const rewrite = (word: string, rules: Rules, from: number): string => {
  for (const [suffix, by] of rules.get(word.at(-1)!) ?? []) {
    if (!word.endsWith(suffix)) continue
    const kept = word.length - suffix.length
    return kept >= from ? word.slice(0, kept) + by : word
  }
  return word
}
