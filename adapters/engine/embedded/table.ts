// A sorted list of distinct strings in two typed arrays, so that it can be shared between threads and dumped as it is.
// The order is that of `<` on JavaScript strings.

import type { Names } from './names.ts'

export type Table = {
  size: number
  chars: Uint16Array
  /** Where each string starts in `chars`, and the end of the last. */
  starts: Uint32Array
  /** Those already read by nameAt. */
  names: string[]
  /** Of tables of few values: them as words, once somebody asked. */
  plain: string[]
  /** Of values of facets: their numbers among those of all parts. */
  numbered: { names: Names; numbers: Uint32Array } | null
}

export const tableOf = (chars: Uint16Array, starts: Uint32Array): Table => {
  return { size: starts.length - 1, chars, starts, names: [], plain: [], numbered: null }
}

export function packStrings(sorted: readonly string[]): { chars: Uint16Array; starts: Uint32Array } {
  const starts = new Uint32Array(sorted.length + 1)
  let end = 0
  for (let at = 0; at < sorted.length; at++) starts[at + 1] = end += sorted[at]!.length
  const chars = new Uint16Array(end)
  for (let at = 0, to = 0; at < sorted.length; at++) {
    const text = sorted[at]!
    for (let from = 0; from < text.length; from++) chars[to++] = text.charCodeAt(from)
  }
  return { chars, starts }
}

export function stringAt({ chars, starts }: Table, at: number): string {
  let text = ''
  for (let from = starts[at]!, end = starts[at + 1]!; from < end; from++) text += String.fromCharCode(chars[from]!)
  return text
}

/** stringAt for tables of few values, each read once and kept. */
export function nameAt(table: Table, at: number): string {
  return (table.names[at] ??= stringAt(table, at))
}

/** Below zero when the entry sorts before the text. */
export function compareTo(table: Table, at: number, text: string): number {
  const start = table.starts[at]!
  const length = table.starts[at + 1]! - start
  const shared = Math.min(length, text.length)
  for (let step = 0; step < shared; step++) {
    const difference = table.chars[start + step]! - text.charCodeAt(step)
    if (difference !== 0) return difference
  }
  return length - text.length
}

/** The first entry that is not below the text. */
export function lowerBound(table: Table, text: string): number {
  let low = 0
  let high = table.size
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareTo(table, middle, text) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Minus one when the text is not in the table. */
export function find(table: Table, text: string): number {
  const at = lowerBound(table, text)
  return at < table.size && compareTo(table, at, text) === 0 ? at : -1
}

/** The entries `from` (inclusive) to `to` (exclusive) that start with the prefix. */
export function prefixRange(table: Table, prefix: string): { from: number; to: number } {
  const from = lowerBound(table, prefix)
  let low = from
  let high = table.size
  while (low < high) {
    const middle = (low + high) >>> 1
    if (startsWith(table, middle, prefix)) low = middle + 1
    else high = middle
  }
  return { from, to: low }
}

export type Entry = { table: Table; at: number }

export function compareEntries(left: Entry, right: Entry): number {
  const leftStart = left.table.starts[left.at]!
  const rightStart = right.table.starts[right.at]!
  const leftLength = left.table.starts[left.at + 1]! - leftStart
  const rightLength = right.table.starts[right.at + 1]! - rightStart
  const shared = Math.min(leftLength, rightLength)
  for (let step = 0; step < shared; step++) {
    const difference = left.table.chars[leftStart + step]! - right.table.chars[rightStart + step]!
    if (difference !== 0) return difference
  }
  return leftLength - rightLength
}

function startsWith(table: Table, at: number, prefix: string): boolean {
  const start = table.starts[at]!
  if (table.starts[at + 1]! - start < prefix.length) return false
  for (let step = 0; step < prefix.length; step++) {
    if (table.chars[start + step] !== prefix.charCodeAt(step)) return false
  }
  return true
}
