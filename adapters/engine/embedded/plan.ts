// What a query's text asks for: its words, each with every posting list that answers it, in every part.
import type { Part } from './collection.ts'
import { guessed, type Guess } from './guess.ts'
import { isLiving, matchText, WEIGHT_UNIT, type Run, type Scratches } from './match.ts'
import { posting } from './segment.ts'
import { formsOf } from './stems.ts'
import type { Synonyms } from './synonyms.ts'
import { find, prefixRange } from './table.ts'
import { isIdeograph, replaceWords, tellingWords } from './text.ts'

/** One word (or phrase) of the query, with its runs per part, and the words that it was looked for by. */
export type Slot = { word: string; runs: Run[][]; postings: number; words: Set<string>; start: string | null }
export type Plan = { slots: Slot[]; corrected?: string }

export const QUERY_WORDS_MAX = 12
/** Other words (forms, synonyms, corrections) that one query may be looked for by. */
export const EXPANSIONS_MAX = 128
/** Unknown words of one query that are corrected; each costs a walk through all words. */
export const GUESSED_WORDS_MAX = 4
/** Other forms of one word, the most used first. */
const FORMS_MAX = 16

const PREFIX_SHARE = 0.7
const FORM_SHARE = 0.8
const SYNONYM_SHARE = 0.9
const JOINED_SHARE = 0.9
const SECOND_GUESS_SHARE = 0.7

export type PlanContext = { parts: readonly Part[]; synonyms: Synonyms; scratches: Scratches }
type Planning = PlanContext & { expansionsLeft: number; guessesLeft: number }

export function planText(context: PlanContext, text: string): Plan {
  const planning: Planning = { ...context, expansionsLeft: EXPANSIONS_MAX, guessesLeft: GUESSED_WORDS_MAX }
  const words = tellingWords(text)
  // The word at the very end may be half typed.
  const open = /[\p{L}\p{N}\p{M}+#]$/u.test(text) ? words.length - 1 : -1
  const replaced = new Map<string, string>()
  const slots = new Map<string, Slot>()
  for (let at = 0; at < words.length && slots.size < QUERY_WORDS_MAX; at++) {
    const phrase = phraseSlot(planning, words, at)
    if (phrase) {
      slots.set(phrase.slot.word, phrase.slot)
      at += phrase.length - 1
      continue
    }
    const word = words[at]!
    if (slots.has(word)) continue
    const typed: Typed = { word, prefix: at === open || isIdeograph(word), joined: joinedWords(words, at) }
    for (const slot of wordSlots(planning, typed, replaced)) slots.set(slot.word, slot)
  }
  const all = [...slots.values()].slice(0, QUERY_WORDS_MAX)
  return replaced.size > 0 ? { slots: all, corrected: replaceWords(text, replaced) } : { slots: all }
}

type Typed = { word: string; prefix: boolean; joined: readonly string[] }

/** Gigs may write as one word what the query writes as two. */
function joinedWords(words: readonly string[], at: number): string[] {
  const before = words[at - 1]
  const after = words[at + 1]
  return [before === undefined ? '' : before + words[at]!, after === undefined ? '' : words[at]! + after].filter(
    (word) => word !== '' && !isIdeograph(words[at]!),
  )
}

function wordSlots(planning: Planning, typed: Typed, replaced: Map<string, string>): Slot[] {
  const slot = typedSlot(planning, typed)
  if (isAnswered(planning.parts, slot) || planning.guessesLeft === 0) return [slot]
  planning.guessesLeft -= 1
  const guess = guessed(planning.parts, typed.word, typed.prefix)
  if (!guess) return [slot]
  replaced.set(typed.word, guess.split ? guess.words.join(' ') : guess.words[0]!)
  return guess.split
    ? guess.words.map((word) => typedSlot(planning, { word, prefix: false, joined: [] }))
    : [guessedSlot(planning, typed.word, guess)]
}

const emptySlot = ({ parts }: PlanContext, word: string): Slot => {
  return { word, runs: parts.map(() => []), postings: 0, words: new Set(), start: null }
}

function typedSlot(planning: Planning, { word, prefix, joined }: Typed): Slot {
  const slot = emptySlot(planning, word)
  addWord(planning, slot, { text: word, share: 1 })
  addForms(planning, slot, { word, share: FORM_SHARE })
  addOthers(planning, slot, planning.synonyms.ofWord(word))
  for (const one of joined) addWord(planning, slot, { text: one, share: JOINED_SHARE })
  if (prefix) addLonger(planning, slot, word)
  return slot
}

function guessedSlot(planning: Planning, word: string, guess: Guess): Slot {
  const slot = emptySlot(planning, word)
  guess.words.forEach((text, rank) => {
    const share = rank === 0 ? 1 : SECOND_GUESS_SHARE
    addWord(planning, slot, { text, share })
    addForms(planning, slot, { word: text, share: share * FORM_SHARE })
  })
  return slot
}

type Wanted = { text: string; share: number; languages?: number }

/** Counts against the budget unless nobody uses the word. */
function addWord(planning: Planning, slot: Slot, { text, share, languages = 0 }: Wanted) {
  if (planning.expansionsLeft === 0 && text !== slot.word) return
  let isUsed = false
  planning.parts.forEach((part, at) => {
    const { terms, columns } = part.segment
    const term = find(terms, text)
    if (term < 0) return
    isUsed = true
    add(slot, at, {
      from: columns.postingStarts[term]!,
      to: columns.postingStarts[term + 1]!,
      share,
      languages,
      list: null,
    })
  })
  if (!isUsed) return
  slot.words.add(text)
  if (text !== slot.word) planning.expansionsLeft -= 1
}

function add(slot: Slot, part: number, run: Run) {
  slot.runs[part]!.push(run)
  slot.postings += run.to - run.from
}

function addForms(planning: Planning, slot: Slot, { word, share }: { word: string; share: number }) {
  const forms = new Map<string, { languages: number; gigs: number }>()
  for (const { segment } of planning.parts) {
    for (const { text, languages, gigs } of formsOf(segment, word)) {
      forms.set(text, { languages, gigs: gigs + (forms.get(text)?.gigs ?? 0) })
    }
  }
  const used = [...forms].sort((left, right) => right[1].gigs - left[1].gigs || (left[0] < right[0] ? -1 : 1))
  for (const [text, { languages }] of used.slice(0, FORMS_MAX)) addWord(planning, slot, { text, share, languages })
}

/** The other members of a word's or phrase's group. */
function addOthers(planning: Planning, slot: Slot, others: readonly (readonly string[])[]) {
  for (const words of others) {
    if (words.length > 1) {
      addTogether(planning, slot, { words, share: SYNONYM_SHARE })
      continue
    }
    addWord(planning, slot, { text: words[0]!, share: SYNONYM_SHARE })
    addForms(planning, slot, { word: words[0]!, share: SYNONYM_SHARE * FORM_SHARE })
  }
}

/** Gigs that have all of several words, as one posting list made for this query. */
function addTogether(planning: Planning, slot: Slot, { words, share }: { words: readonly string[]; share: number }) {
  if (planning.expansionsLeft < words.length) return
  const each = words.map((word) => {
    const one = emptySlot(planning, word)
    addWord(planning, one, { text: word, share: 1 })
    addForms(planning, one, { word, share: FORM_SHARE })
    return one
  })
  planning.parts.forEach((part, at) => {
    const scratch = planning.scratches.for(part.segment.gigs)
    const weighed = each.map(({ runs }) => ({ runs: runs[at]!, weight: WEIGHT_UNIT }))
    const count = matchText(part, weighed, scratch)
    if (count === 0) return
    const list = new Uint32Array(count)
    for (let place = 0; place < count; place++) {
      const gig = scratch.gigs[place]!
      const impact = Math.max(1, Math.round(scratch.text[gig]! / (WEIGHT_UNIT * words.length)))
      list[place] = posting(gig, impact, false)
    }
    add(slot, at, { from: 0, to: count, share, languages: 0, list })
    for (const one of each) for (const word of one.words) slot.words.add(word)
  })
}

/** Words that a synonym group knows as one thing; taken one by one when no gig has it, so that typos are looked at. */
function phraseSlot(planning: Planning, words: readonly string[], at: number): { slot: Slot; length: number } | null {
  const length = planning.synonyms.phraseAt(words, at)
  if (length === 0) return null
  const phrase = words.slice(at, at + length)
  const slot = emptySlot(planning, phrase.join(' '))
  addTogether(planning, slot, { words: phrase, share: 1 })
  addOthers(planning, slot, planning.synonyms.ofPhrase(phrase))
  return isAnswered(planning.parts, slot) ? { slot, length } : null
}

/** The terms that only start with the word. */
function addLonger(planning: Planning, slot: Slot, word: string) {
  planning.parts.forEach((part, at) => {
    const {
      terms,
      columns: { postingStarts },
    } = part.segment
    const { from, to } = prefixRange(terms, word)
    const first = find(terms, word) >= 0 ? from + 1 : from
    if (first >= to) return
    slot.start = word
    add(slot, at, {
      from: postingStarts[first]!,
      to: postingStarts[to]!,
      share: PREFIX_SHARE,
      languages: 0,
      list: null,
    })
  })
}

function isAnswered(parts: readonly Part[], slot: Slot): boolean {
  return slot.runs.some((runs, at) => runs.some((run) => isLiving(parts[at]!, run)))
}
