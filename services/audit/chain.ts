// The chain: every entry's hash covers all it says and the hash before it. Pure.
import { hash as digest } from 'node:crypto'
import { canonical } from '../../mixins/canonical.ts'
import { iso } from '../shapes.ts'
import { DATA_CHARS_MAX, type AuditDraft, type AuditEntry } from './contract.ts'

export type Head = { seq: number; hash: string }
export const BEGINNING: Head = { seq: 0, hash: '' }

export const chained = ({ seq, hash: previousHash }: Head, draft: AuditDraft, now: number): AuditEntry => {
  const entry = { seq: seq + 1, at: iso(now), ...draft, data: bounded(draft.data), previousHash }
  return { ...entry, hash: hashOf(entry) }
}

export const hashOf = ({ previousHash, seq, at, kind, actor, action, target, data }: Omit<AuditEntry, 'hash'>) =>
  digest('sha256', canonical([previousHash, seq, at, kind, actor, action, target, data]))

const TEXT_MAX = 500
/** As JSON keeps it; where that is too long, with long texts cut, and without it all where even that is too long. */
const bounded = (data: AuditDraft['data']): AuditDraft['data'] => {
  const plain = JSON.parse(JSON.stringify(data)) as AuditDraft['data']
  if (JSON.stringify(plain).length <= DATA_CHARS_MAX) return plain
  const cut = Object.fromEntries(
    Object.entries(plain).map(([name, value]) => [
      name,
      typeof value === 'string' ? [...value].slice(0, TEXT_MAX).join('') : value,
    ]),
  )
  const text = JSON.stringify(cut)
  return text.length <= DATA_CHARS_MAX ? { ...cut, cut: true } : { cut: true, digest: digest('sha256', text) }
}

/** Where entries stop following a head, said for people; null when they all do. */
export const brokenLink = (after: Head, entries: readonly AuditEntry[]): string | null => {
  let { seq, hash } = after
  for (const entry of entries) {
    seq += 1
    if (entry.seq !== seq) return `entry ${seq} is missing, ${entry.seq} is in its place`
    if (entry.previousHash !== hash) return `entry ${seq} does not follow the one before it`
    hash = hashOf(entry)
    if (entry.hash !== hash) return `entry ${seq} is not what it was when it was written`
  }
  return null
}
