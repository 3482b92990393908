// Words and phrases that answer each other, as an admin set them.
import { stemsOf, sharedForms } from './language/index.ts'
import { tellingWords } from './text.ts'

/** Words of one member; longer ones are passed over. */
export const SYNONYM_WORDS_MAX = 4
export const SYNONYM_GROUPS_MAX = 2000
export const SYNONYM_MEMBERS_MAX = 16

export type Synonyms = {
  /** The other members of the groups that the word, or another form of it, is in; each as its words. */
  ofWord(word: string): readonly (readonly string[])[]
  /** How many of the words from `at` on are a member of a group, the most there are; zero when none. */
  phraseAt(words: readonly string[], at: number): number
  ofPhrase(words: readonly string[]): readonly (readonly string[])[]
}

type Members = Map<string, string[][]>

export function readSynonyms(groups: readonly (readonly string[])[]): Synonyms {
  const byKey: Members = new Map()
  const byStem = new Map<string, Set<string>>()
  for (const group of groups.slice(0, SYNONYM_GROUPS_MAX)) {
    const members = group.slice(0, SYNONYM_MEMBERS_MAX).map(tellingWords)
    const usable = members.filter((words) => words.length > 0 && words.length <= SYNONYM_WORDS_MAX)
    for (const member of usable) addMember(byKey, member, usable)
  }
  for (const word of byKey.keys()) {
    for (const stem of word.includes(' ') ? [] : stemsOf(word)) {
      byStem.set(stem, (byStem.get(stem) ?? new Set()).add(word))
    }
  }
  return {
    ofWord(word) {
      const exact = byKey.get(word)
      if (exact) return exact
      const near = stemsOf(word).flatMap((stem) => [...(byStem.get(stem) ?? [])])
      const form = near.find((member) => sharedForms(word, member) !== 0)
      return form === undefined ? [] : [[form], ...byKey.get(form)!]
    },
    phraseAt(words, at) {
      for (let length = Math.min(SYNONYM_WORDS_MAX, words.length - at); length > 1; length--) {
        if (byKey.has(keyOf(words.slice(at, at + length)))) return length
      }
      return 0
    },
    ofPhrase: (words) => byKey.get(keyOf(words)) ?? [],
  }
}

function addMember(byKey: Members, member: string[], group: string[][]) {
  const known = byKey.get(keyOf(member)) ?? []
  const keys = new Set([keyOf(member), ...known.map(keyOf)])
  for (const other of group) {
    if (keys.has(keyOf(other))) continue
    keys.add(keyOf(other))
    known.push(other)
  }
  byKey.set(keyOf(member), known)
}

const keyOf = (words: readonly string[]) => words.join(' ')
