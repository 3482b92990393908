// The chain: every entry's hash covers all it says and the hash before it, so nothing can be changed, added or taken out
// behind it unnoticed. Pure.
import { hash as digest } from 'node:crypto'
import type { LedgerEntry, Posting } from './contract.ts'

/** Where a chain stands: the last entry's number and hash. */
export type Position = { seq: number; hash: string }
export const BEGINNING: Position = { seq: 0, hash: '' }

/** Postings as the entries that follow a position. */
export const chained = (after: Position, postings: readonly Posting[]): LedgerEntry[] => {
  let { seq, hash } = after
  return postings.map((posting) => {
    seq += 1
    hash = hashOf(hash, seq, posting)
    return { ...posting, seq, hash }
  })
}

export const hashOf = (before: string, seq: number, posting: Posting): string =>
  digest('sha256', canonical(before, seq, posting))

/** One text for one meaning: fixed order of fields, names sorted, no optional parts. */
const canonical = (before: string, seq: number, { id, kind, at, about, legs, guard = [] }: Posting): string => {
  const sortedAbout = Object.keys(about)
    .sort()
    .map((name) => [name, about[name]])
  return JSON.stringify([
    before,
    seq,
    id,
    kind,
    at,
    sortedAbout,
    legs.map(({ account, amount, currency }) => [account, amount, currency]),
    guard,
  ])
}

/** Where entries stop following a position, said for people; null when they all do. */
export const brokenLink = (after: Position, entries: readonly LedgerEntry[]): string | null => {
  let { seq, hash } = after
  for (const entry of entries) {
    seq += 1
    if (entry.seq !== seq) return `entry ${seq} is missing, ${entry.seq} is in its place`
    hash = hashOf(hash, seq, entry)
    if (entry.hash !== hash) return `entry ${seq} (${entry.id}) is not what it was when it was entered`
  }
  return null
}
