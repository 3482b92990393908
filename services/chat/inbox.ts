// Whose conversations: one row per member, with the read mark and when it last moved. The order of the list is a projection
// of the messages, written a moment later and all at once; the read mark is the row's own truth and only moves forward.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { recent, type Recent } from '../../mixins/recent.ts'
import { refuse } from '../errors.ts'
import { dueAfterHearing } from './unseen.ts'

export type InboxRow = Doc & {
  user: string
  conversation: string
  lastAt: number
  readSeq: number
  /** When the owner is to be told of what they have not read; see unseen.ts. */
  dueAt?: number | null
  /** The last seq they were told of outside the conversation; 0 once it is read. */
  noticed?: number
}
export const inbox = collection<InboxRow>('inbox', { byUser: { keys: ['user', 'lastAt'] }, byDue: { keys: ['dueAt'] } })
/** Blocker and blocked. */
export type Block = Doc & { blocker: string; blocked: string; at: number }
export const blocks = collection<Block>('blocks', { byBlocker: { keys: ['blocker', 'at'] } })

/** The list as it is asked for is written at once; this is for who asks on another node. */
const TOUCH_EVERY_MS = 1000
/** More rows than these wait longer, since most of them will be touched again before they are written. */
const FEW = 200
const TOUCH_MANY_EVERY_MS = 5000
/** As many rows waiting are written without waiting for the time. */
const TOUCH_AT = 50_000
/** Rows remembered as they were written last, so that touching one again needs no read. */
const ROWS_MAX = 50_000
/** Rows waiting to be touched; what comes past it is found again in the messages. */
export const TOUCHED_MAX = 100_000
const BATCH = 500
const CHANGE_TRIES = 8

export const rowId = (conversation: string, user: string): string => `${conversation}-${user}`

/** Changes a row until nobody else changed it in between; answers the row as it is then, null where there is none. */
export const changeRow = async (
  documents: Documents,
  id: string,
  change: (row: InboxRow) => InboxRow | null,
): Promise<InboxRow | null> => {
  for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
    const row = await documents.get(inbox, id)
    const next = row && change(row)
    if (!row || !next) return row
    const written = { ...next, version: row.version + 1 }
    if ((await documents.replace(inbox, written, row.version)).ok) return written
  }
  throw refuse('overloaded', 'this conversation is being changed too often', { retryAfterSeconds: 1 })
}

export type Toucher = {
  /** The conversation moved at this time, for these members; all but the sender heard something. */
  touch(conversation: string, members: readonly string[], at: number, sender?: string): void
  /** Writes what waits; answers whether all of it was written. */
  flush(): Promise<boolean>
  /** Whether rows were turned away since this was last asked. */
  overflowed(): boolean
  stop(): Promise<boolean>
}

type Touch = { at: number; hasHeard: boolean }

export const toucher = (documents: Documents, warn: (...args: unknown[]) => void): Toucher => {
  const waiting = new Map<string, Touch>()
  const rows = recent<InboxRow>(ROWS_MAX)
  let flushing: Promise<unknown> = Promise.resolve()
  let turnedAway = false

  const wait = (id: string, { at, hasHeard }: Touch) => {
    const known = waiting.get(id)
    if (!known && waiting.size >= TOUCHED_MAX) turnedAway = true
    else if (!known) waiting.set(id, { at, hasHeard })
    else waiting.set(id, { at: Math.max(known.at, at), hasHeard: known.hasHeard || hasHeard })
  }

  let isFlushing = false
  let flushedAt = 0
  const flush = (): Promise<boolean> => {
    isFlushing = true
    flushedAt = performance.now()
    const flushed = flushing.then(write).then(
      () => true,
      (error: unknown) => {
        warn('the inbox could not be touched:', error)
        return false
      },
    )
    flushing = flushed
    void flushed.then(() => (isFlushing = flushing !== flushed))
    return flushed
  }

  const write = async () => {
    while (waiting.size > 0) {
      const batch = firstOf(waiting, BATCH)
      for (const [id] of batch) waiting.delete(id)
      try {
        // Somebody moved a read mark meanwhile: look again.
        for (const [id, touch] of await touchRows(documents, rows, batch)) wait(id, touch)
      } catch (error) {
        for (const [id, touch] of batch) wait(id, touch)
        throw error
      }
    }
  }

  const isTime = () => waiting.size > 0 && (waiting.size <= FEW || performance.now() - flushedAt >= TOUCH_MANY_EVERY_MS)
  const timer = setInterval(() => isTime() && void flush(), TOUCH_EVERY_MS)
  timer.unref()
  return {
    touch: (conversation, members, at, from) => {
      for (const member of members) wait(rowId(conversation, member), { at, hasHeard: member !== from })
      if (waiting.size >= TOUCH_AT && !isFlushing) void flush()
    },
    flush,
    overflowed: () => {
      const was = turnedAway
      turnedAway = false
      return was
    },
    stop: () => {
      clearInterval(timer)
      return flush()
    },
  }
}

const firstOf = <T>(some: Iterable<T>, count: number): T[] => {
  const first: T[] = []
  for (const one of some) if (first.push(one) >= count) break
  return first
}

/** One write for a batch; answers those that somebody else changed in between. */
const touchRows = async (
  documents: Documents,
  rows: Recent<InboxRow>,
  batch: readonly (readonly [id: string, touch: Touch])[],
): Promise<[string, Touch][]> => {
  // A remembered row may not know that its owner was told meanwhile: where no write would show that, it is read again.
  const isUnsure = (row: InboxRow, { at, hasHeard }: Touch) => hasHeard && row.lastAt >= at
  const unknown = batch.flatMap(([id, touch]) => {
    const row = rows.get(id)
    return !row || isUnsure(row, touch) ? [id] : []
  })
  const found = unknown.length > 0 ? await documents.getMany(inbox, unknown) : []
  for (const row of found) if (row) rows.set(row.id, row)
  const moved = batch.flatMap(([id, touch]) => {
    const row = rows.get(id)
    const doc = row && touched(row, touch)
    return doc ? [{ doc: { ...doc, version: row.version + 1 }, ifVersion: row.version, touch }] : []
  })
  for (const { doc } of moved) rows.delete(doc.id)
  const outcomes = moved.length > 0 ? await documents.replaceMany(inbox, moved) : []
  return moved.flatMap(({ doc, touch }, index): [string, Touch][] => {
    if (!outcomes[index]!.ok) return [[doc.id, touch]]
    rows.set(doc.id, doc)
    return []
  })
}

/** Null when nothing changes. Whoever heard something waits to be told, also when a later touch came first. */
const touched = (row: InboxRow, { at, hasHeard }: Touch): InboxRow | null => {
  const isNews = hasHeard && (row.dueAt ?? null) === null
  if (row.lastAt >= at && !isNews) return null
  return { ...row, lastAt: Math.max(row.lastAt, at), ...(isNews && { dueAt: dueAfterHearing(row, at) }) }
}
