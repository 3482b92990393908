// When a person is to be told of messages they have not read: a date on their inbox row, set when something is said to them
// and taken away when they read it. Derived from marks and numbers, so nothing is lost, only late. Pure.
import type { InboxRow } from './inbox.ts'

/** How long a message may wait for its reader before they are told elsewhere. */
export const GRACE_MS = 30_000

/** Something was said to the row's owner at that time; who waits already keeps the date. */
export const dueAfterHearing = ({ dueAt }: InboxRow, at: number): number => dueAt ?? at + GRACE_MS

/** Two nodes' clocks differ by less: a row that is due within it may be in the hands of whoever tells. */
const SKEW_MS = 5000

/**
 * The owner reads on to `reached`; `last` is the last message as far as is known, the row may know of a later one. Who was
 * told outside, or is being told while they read, is looked at again at once, so that it ends there too.
 */
export const afterReading = (
  row: InboxRow,
  { reached, last, now }: { reached: number; last: { seq: number; sentAt: number }; now: number },
): InboxRow => {
  const { readSeq, noticed = 0, dueAt = null, lastAt } = row
  const read = { ...row, readSeq: reached }
  if (noticed > readSeq) return { ...read, dueAt: now }
  if (dueAt !== null && dueAt <= now + SKEW_MS) return { ...read, dueAt: now, noticed: Math.max(noticed, 1) }
  return { ...read, dueAt: reached >= last.seq && lastAt <= last.sentAt ? null : dueAt }
}

/** Nothing to tell: all is read, or was told of, and nothing told of has been read since. */
export const isSettled = ({ noticed = 0, readSeq }: InboxRow, count: number, lastSeq: number): boolean =>
  noticed === 0 ? count === 0 : count > 0 && noticed > readSeq && lastSeq <= noticed

/** The owner was told of everything up to `seq`; 0 forgets that they ever were: all of it is read. */
export const afterNotice = (row: InboxRow, seq: number): InboxRow => ({ ...row, noticed: seq, dueAt: null })
