// Words within a few edits of a typed one: insert, drop, replace, or swap two neighbours, each counting one.
import type { Table } from './table.ts'

const ONE_EDIT_FROM = 4
const TWO_EDITS_FROM = 8

/** Short words and words with digits are taken as typed: one edit makes a different thing of them. */
export function editsAllowed(word: string): number {
  if (/\p{N}/u.test(word)) return 0
  if (word.length >= TWO_EDITS_FROM) return 2
  return word.length >= ONE_EDIT_FROM ? 1 : 0
}

/** With `prefix` a term that only starts like the word counts too. */
type Wanted = { word: string; edits: number; prefix: boolean }

/** Visits each near term with its distance. Walks the sorted terms as a tree: what shares a hopeless start is skipped. */
export function eachNearTerm(terms: Table, wanted: Wanted, visit: (term: number, distance: number) => void) {
  const walk = startWalk(wanted)
  let term = 0
  while (term < terms.size) {
    const start = terms.starts[term]!
    const length = terms.starts[term + 1]! - start
    let depth = sharedDepth(walk, terms.chars.subarray(start, start + length))
    while (depth < length && walk.alive[depth] === 1) {
      walk.path[depth] = terms.chars[start + depth]!
      nextRow(walk, depth + 1)
      depth += 1
    }
    walk.depth = depth
    if (walk.alive[depth] === 0) {
      term = skip(terms, term, depth)
      continue
    }
    const distance = wanted.prefix ? walk.nearest[depth]! : walk.rows[depth * walk.width + wanted.word.length]!
    if (distance <= wanted.edits) visit(term, distance)
    term += 1
  }
}

type Walk = {
  wanted: Wanted
  width: number
  /** Row d holds the distances between the first d characters of the path and each start of the word. */
  rows: Uint8Array
  /** Per depth: the smallest distance of any start of the path to the whole word. */
  nearest: Uint8Array
  /** Per depth: whether anything below can still be near enough. */
  alive: Uint8Array
  path: Uint16Array
  depth: number
}

const DEPTH_MAX = 255

function startWalk(wanted: Wanted): Walk {
  const width = wanted.word.length + 1
  const walk: Walk = {
    wanted,
    width,
    depth: 0,
    rows: new Uint8Array(width * (DEPTH_MAX + 1)),
    nearest: new Uint8Array(DEPTH_MAX + 1),
    alive: new Uint8Array(DEPTH_MAX + 1),
    path: new Uint16Array(DEPTH_MAX + 1),
  }
  for (let at = 0; at < width; at++) walk.rows[at] = at
  walk.nearest[0] = wanted.word.length
  walk.alive[0] = 1
  return walk
}

/** How much of the walked path the term shares. */
function sharedDepth(walk: Walk, chars: Uint16Array): number {
  const most = Math.min(walk.depth, chars.length)
  let depth = 0
  while (depth < most && walk.path[depth] === chars[depth]) depth++
  return depth
}

function nextRow(walk: Walk, depth: number) {
  const {
    rows,
    width,
    path,
    wanted: { word, edits, prefix },
  } = walk
  const row = depth * width
  const above = row - width
  const character = path[depth - 1]!
  rows[row] = depth
  let least = depth
  for (let at = 1; at < width; at++) {
    const same = word.charCodeAt(at - 1) === character
    let distance = rows[above + at - 1]! + (same ? 0 : 1)
    if (rows[above + at]! + 1 < distance) distance = rows[above + at]! + 1
    if (rows[row + at - 1]! + 1 < distance) distance = rows[row + at - 1]! + 1
    const swapped =
      depth > 1 && at > 1 && word.charCodeAt(at - 2) === character && word.charCodeAt(at - 1) === path[depth - 2]
    if (swapped && rows[above - width + at - 2]! + 1 < distance) distance = rows[above - width + at - 2]! + 1
    rows[row + at] = distance
    if (distance < least) least = distance
  }
  walk.nearest[depth] = Math.min(walk.nearest[depth - 1]!, rows[row + width - 1]!)
  walk.alive[depth] = least <= edits || (prefix && walk.nearest[depth]! <= edits) ? 1 : 0
}

/** The first later term that does not share this many characters: by doubling, then halving. */
function skip(terms: Table, term: number, depth: number): number {
  let step = 1
  let low = term
  while (low + step < terms.size && sameStart(terms, term, { other: low + step, depth })) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, terms.size)
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (sameStart(terms, term, { other: middle, depth })) low = middle
    else high = middle
  }
  return high
}

function sameStart(terms: Table, term: number, { other, depth }: { other: number; depth: number }): boolean {
  const start = terms.starts[term]!
  const otherStart = terms.starts[other]!
  if (terms.starts[other + 1]! - otherStart < depth) return false
  for (let at = 0; at < depth; at++) if (terms.chars[start + at] !== terms.chars[otherStart + at]) return false
  return true
}
