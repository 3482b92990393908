// Groups of words that answer each other, as Meilisearch wants them: each member with the others.
import { queryWords } from '../embedded/text.ts'
import type { Synonyms } from './setup.ts'

export const synonymsOf = (groups: readonly (readonly string[])[]): Synonyms => {
  const all = new Map<string, Set<string>>()
  for (const group of groups) {
    const members = [...new Set(group.map((member) => queryWords(member).join(' ')))].filter(Boolean)
    for (const member of members) {
      const others = all.get(member) ?? new Set<string>()
      for (const other of members) if (other !== member) others.add(other)
      all.set(member, others)
    }
  }
  return Object.fromEntries([...all].map(([member, others]) => [member, [...others]]))
}
