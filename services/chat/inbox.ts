// Whose conversations: one row per member, with the read mark and when it last moved. The order of the list is a projection
// of the messages, written a moment later and all at once; the read mark is the row's own truth and only moves forward.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'

export type InboxRow = Doc & { user: string; conversation: string; lastAt: number; readSeq: number }
export const inbox = collection<InboxRow>('inbox', { byUser: { keys: ['user', 'lastAt'] }, byConversation: { keys: ['conversation', 'user'] } })
/** Blocker and blocked. */
export type Block = Doc & { blocker: string; blocked: string; at: number }
export const blocks = collection<Block>('blocks', { byBlocker: { keys: ['blocker', 'at'] } })

const TOUCH_EVERY_MS = 200
/** Rows waiting to be touched; past it the oldest waits for its next message. */
const TOUCHED_MAX = 50_000
const BATCH = 500
const CHANGE_TRIES = 8

export const rowId = (conversation: string, user: string): string => `${conversation}-${user}`

/** Changes a row until nobody else changed it in between; answers the row as it is then, null where there is none. */
export const changeRow = async (documents: Documents, id: string, change: (row: InboxRow) => InboxRow | null): Promise<InboxRow | null> => {
  for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
    const row = await documents.get(inbox, id)
    const next = row && change(row)
    if (!row || !next) return row
    const written = { ...next, version: row.version + 1 }
    if ((await documents.replace(inbox, written, row.version)).ok) return written
  }
  throw new Error(`inbox row ${id} is being changed too often`)
}

export type Toucher = {
  /** The conversation moved at this time, for these members. */
  touch(conversation: string, members: readonly string[], at: number): void
  flush(): Promise<void>
  stop(): Promise<void>
}

export const toucher = (documents: Documents, warn: (...args: unknown[]) => void): Toucher => {
  const waiting = new Map<string, number>()
  let flushing: Promise<void> = Promise.resolve()

  const flush = () => (flushing = flushing.then(write).catch((error) => warn('the inbox could not be touched:', error)))

  const write = async () => {
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, BATCH)
      for (const [id] of batch) waiting.delete(id)
      const rows = await documents.getMany(inbox, batch.map(([id]) => id))
      const moved = rows.flatMap((row, at) => (row && row.lastAt < batch[at]![1] ? [{ doc: { ...row, lastAt: batch[at]![1], version: row.version + 1 }, ifVersion: row.version }] : []))
      const outcomes = moved.length > 0 ? await documents.replaceMany(inbox, moved) : []
      // Somebody moved a read mark meanwhile: look again.
      outcomes.forEach((outcome, at) => !outcome.ok && waiting.set(moved[at]!.doc.id, moved[at]!.doc.lastAt))
    }
  }

  const timer = setInterval(() => waiting.size > 0 && void flush(), TOUCH_EVERY_MS)
  timer.unref()
  return {
    touch: (conversation, members, at) => {
      for (const member of members) waiting.set(rowId(conversation, member), at)
      if (waiting.size > TOUCHED_MAX) waiting.delete(waiting.keys().next().value!)
    },
    flush,
    stop: async () => {
      clearInterval(timer)
      await flush()
    },
  }
}
