// Which gigs of a part have the query's words, and how well.
// Whole numbers only, so that a gig's score never depends on the order of work.
import type { Part } from './collection.ts'
import { IMPACT_MAX } from './segment.ts'

/**
 * Postings of neighbouring terms, the share of the full weight that a gig gets for them, and of which languages the
 * gig's text must be one (bits; zero is any). `list` has the postings where they are not the segment's own.
 */
export type Run = { from: number; to: number; share: number; languages: number; list: Uint32Array | null }
/** A query word in one part, with its weight: the rarer the word, the heavier. A gig counts with its best run. */
export type WeighedRuns = { runs: readonly Run[]; weight: number }

/** Room for one search at a time, kept between searches. */
export type Scratch = {
  /** The gigs at hand. */
  gigs: Uint32Array
  /** By gig number: text score, its last word's best, and the last word seen. */
  text: Uint32Array
  best: Uint32Array
  stage: Uint8Array
  /** By gig number: which of the words it has, as bits. */
  words: Uint16Array
  /** By place in `gigs`: which filters it fails. */
  fails: Uint16Array
  /** Those of the gigs at hand that pass every filter, and those that one facet counts. */
  hits: Uint32Array
  chosen: Uint32Array
  /** By place in `hits`: its first sort key. */
  keys: Float64Array
}
export type Scratches = { for(gigs: number): Scratch }

export const WEIGHT_UNIT = 64

export function createScratch(): Scratches {
  let room = allocate(0)
  return { for: (gigs) => (room.text.length >= gigs ? room : (room = allocate(Math.ceil(gigs * 1.25)))) }
}

/** How much a word tells, from how many of all gigs have it. */
export function wordWeight(postings: number, gigs: number): number {
  const having = Math.min(postings, gigs)
  return Math.max(1, Math.round(WEIGHT_UNIT * Math.log(1 + (gigs - having + 0.5) / (having + 0.5))))
}

export function everyGig(part: Part, scratch: Scratch): number {
  const { gigs } = scratch
  const { dead } = part
  let count = 0
  for (let gig = 0; gig < dead.length; gig++) if (dead[gig] === 0) gigs[count++] = gig
  return count
}

/** Fills scratch.gigs with the living gigs that have all words, and scratch.text with their scores; answers how many. */
export function matchText(part: Part, words: readonly WeighedRuns[], scratch: Scratch): number {
  const rarestFirst = [...words].sort((left, right) => runLength(left) - runLength(right))
  if (rarestFirst.length === 0 || runLength(rarestFirst[0]!) === 0) return 0
  const seen = firstWord(part, rarestFirst[0]!, scratch)
  for (let done = 1; done < rarestFirst.length; done++) nextWord(part, rarestFirst[done]!, { done, scratch })
  const { gigs, stage } = scratch
  let count = 0
  for (let at = 0; at < seen; at++) {
    const gig = gigs[at]!
    if (stage[gig] === rarestFirst.length) gigs[count++] = gig
    stage[gig] = 0
  }
  return count
}

function firstWord(part: Part, word: WeighedRuns, { gigs, stage, text, best }: Scratch): number {
  const { postings, tongues } = part.segment.columns
  const { dead } = part
  let count = 0
  for (const run of word.runs) {
    const factor = factorOf(word, run)
    const list = run.list ?? postings
    const { languages } = run
    for (let at = run.from; at < run.to; at++) {
      const gig = list[at]! >>> 8
      if (languages !== 0 && (tongues[gig]! & languages) === 0) continue
      const score = factor * (list[at]! & IMPACT_MAX)
      if (stage[gig] === 0) {
        if (dead[gig] === 1) continue
        stage[gig] = 1
        gigs[count++] = gig
        text[gig] = best[gig] = score
      } else if (score > best[gig]!) text[gig] = best[gig] = score
    }
  }
  return count
}

/** Only gigs that had every word before count on. */
function nextWord(part: Part, word: WeighedRuns, { done, scratch }: { done: number; scratch: Scratch }) {
  const { stage, text, best } = scratch
  const { postings, tongues } = part.segment.columns
  for (const run of word.runs) {
    const factor = factorOf(word, run)
    const list = run.list ?? postings
    const { languages } = run
    for (let at = run.from; at < run.to; at++) {
      const gig = list[at]! >>> 8
      if (stage[gig]! < done) continue
      if (languages !== 0 && (tongues[gig]! & languages) === 0) continue
      const score = factor * (list[at]! & IMPACT_MAX)
      if (stage[gig] === done) {
        stage[gig] = done + 1
        text[gig]! += score
        best[gig] = score
      } else if (score > best[gig]!) {
        text[gig]! += score - best[gig]!
        best[gig] = score
      }
    }
  }
}

/** Fills scratch.gigs with the living gigs that have any of the words, and scratch.words with which. */
export function matchAny(part: Part, all: readonly (readonly Run[])[], scratch: Scratch): number {
  const { gigs, stage, words } = scratch
  const { postings, tongues } = part.segment.columns
  let count = 0
  all.forEach((runs, at) => {
    for (const { from, to, list: own, languages } of runs) {
      const list = own ?? postings
      for (let place = from; place < to; place++) {
        const gig = list[place]! >>> 8
        if (languages !== 0 && (tongues[gig]! & languages) === 0) continue
        if (stage[gig] === 0) {
          if (part.dead[gig] === 1) continue
          stage[gig] = 1
          gigs[count++] = gig
          words[gig] = 0
        }
        words[gig]! |= 1 << at
      }
    }
  })
  for (let at = 0; at < count; at++) stage[gigs[at]!] = 0
  return count
}

/** Whether a gig that is still there is in the run. */
export function isLiving(part: Part, { from, to, list, languages }: Run): boolean {
  const { postings, tongues } = part.segment.columns
  if (part.living === part.segment.gigs && languages === 0) return to > from
  const all = list ?? postings
  for (let at = from; at < to; at++) {
    const gig = all[at]! >>> 8
    if (part.dead[gig] === 0 && (languages === 0 || (tongues[gig]! & languages) !== 0)) return true
  }
  return false
}

const factorOf = (word: WeighedRuns, run: Run) => Math.max(1, Math.round(word.weight * run.share))
const runLength = (word: WeighedRuns) => word.runs.reduce((sum, run) => sum + run.to - run.from, 0)

function allocate(gigs: number): Scratch {
  return {
    gigs: new Uint32Array(gigs),
    text: new Uint32Array(gigs),
    best: new Uint32Array(gigs),
    stage: new Uint8Array(gigs),
    words: new Uint16Array(gigs),
    fails: new Uint16Array(gigs),
    hits: new Uint32Array(gigs),
    chosen: new Uint32Array(gigs),
    keys: new Float64Array(gigs),
  }
}
