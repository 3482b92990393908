// Which gigs of a part have the query's words, and how well.
// Whole numbers only, so that a gig's score never depends on the order of work.
import type { Part } from './collection.ts'
import type { Run } from './plan.ts'
import { IMPACT_MAX } from './segment.ts'

export type Mode = 'all' | 'any'
/** A query word in one part, with its weight: the rarer the word, the heavier. */
export type WeighedRuns = { runs: Run[]; weight: number }

/** Room for one search at a time, kept between searches. */
export type Scratch = {
  /** The gigs at hand. */
  gigs: Uint32Array
  /** By gig number: text score, its last word's best, words had so far, and the last word seen. */
  text: Uint32Array
  best: Uint32Array
  words: Uint8Array
  stage: Uint8Array
  /** By place in `gigs`: which filters it fails. */
  fails: Uint16Array
  /** Those of the gigs at hand that pass every filter, and those that one facet counts. */
  hits: Uint32Array
  chosen: Uint32Array
  /** By place in `hits`: its first sort key. */
  keys: Float64Array
}

const WEIGHT_UNIT = 64

export function createScratch(): { for(gigs: number): Scratch } {
  let room = allocate(0)
  return { for: (gigs) => (room.text.length >= gigs ? room : (room = allocate(Math.ceil(gigs * 1.25)))) }
}

/** How much a word tells, from how many of all gigs have it. */
export function wordWeight(postings: number, gigs: number): number {
  const having = Math.min(postings, gigs)
  return Math.max(1, Math.round(WEIGHT_UNIT * Math.log(1 + (gigs - having + 0.5) / (having + 0.5))))
}

type Matching = { mode: Mode; scratch: Scratch }

/** Fills scratch.gigs with the living gigs that match, and scratch.text with their scores; answers how many. */
export function matchText(part: Part, words: readonly WeighedRuns[], { mode, scratch }: Matching): number {
  return mode === 'all' ? matchAll(part, words, scratch) : matchAny(part, words, scratch)
}

export function everyGig(part: Part, scratch: Scratch): number {
  const { gigs } = scratch
  const { dead } = part
  let count = 0
  for (let gig = 0; gig < dead.length; gig++) if (dead[gig] === 0) gigs[count++] = gig
  return count
}

function matchAll(part: Part, words: readonly WeighedRuns[], scratch: Scratch): number {
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
  const { postings } = part.segment.columns
  const { dead } = part
  let count = 0
  for (const run of word.runs) {
    const factor = factorOf(word, run)
    for (let at = run.from; at < run.to; at++) {
      const gig = postings[at]! >>> 8
      const score = factor * (postings[at]! & IMPACT_MAX)
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
  const { postings } = part.segment.columns
  for (const run of word.runs) {
    const factor = factorOf(word, run)
    for (let at = run.from; at < run.to; at++) {
      const gig = postings[at]! >>> 8
      if (stage[gig]! < done) continue
      const score = factor * (postings[at]! & IMPACT_MAX)
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

/** The more of the words a gig has, the more each counts. */
function matchAny(part: Part, all: readonly WeighedRuns[], scratch: Scratch): number {
  const { gigs, stage, text, best, words } = scratch
  const { postings } = part.segment.columns
  let count = 0
  all.forEach((word, at) => {
    const now = at + 1
    for (const run of word.runs) {
      const factor = factorOf(word, run)
      for (let place = run.from; place < run.to; place++) {
        const gig = postings[place]! >>> 8
        const score = factor * (postings[place]! & IMPACT_MAX)
        if (stage[gig] === now) {
          if (score <= best[gig]!) continue
          text[gig]! += score - best[gig]!
        } else {
          if (stage[gig] === 0) {
            if (part.dead[gig] === 1) continue
            gigs[count++] = gig
            text[gig] = 0
            words[gig] = 0
          }
          stage[gig] = now
          text[gig]! += score
          words[gig]! += 1
        }
        best[gig] = score
      }
    }
  })
  for (let at = 0; at < count; at++) {
    const gig = gigs[at]!
    stage[gig] = 0
    text[gig] = Math.round((text[gig]! * words[gig]!) / all.length)
  }
  return count
}

const factorOf = (word: WeighedRuns, run: Run) => Math.max(1, Math.round(word.weight * run.share))
const runLength = (word: WeighedRuns) => word.runs.reduce((sum, run) => sum + run.to - run.from, 0)

function allocate(gigs: number): Scratch {
  return {
    gigs: new Uint32Array(gigs),
    text: new Uint32Array(gigs),
    best: new Uint32Array(gigs),
    words: new Uint8Array(gigs),
    stage: new Uint8Array(gigs),
    fails: new Uint16Array(gigs),
    hits: new Uint32Array(gigs),
    chosen: new Uint32Array(gigs),
    keys: new Float64Array(gigs),
  }
}
