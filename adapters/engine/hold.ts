// One folder, one holder: the embedded engine's files belong to one engine, in one process. The hold is a lock of the
// operating system's on a file beside them, so that a process that dies, however it dies, holds nothing any more.
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export class HeldError extends Error {}

/** A holder that is just ending is waited for this long. */
export const HELD_WAIT_MS = 3000
const LOOK_EVERY_MS = 100

/** Opens what lives in the folder once nobody else has it; whoever comes too late gets a HeldError. Given back by `close`. */
export const held = async <T extends { close(): Promise<void> }>(
  dir: string,
  open: () => Promise<T>,
  waitMs: number = HELD_WAIT_MS,
): Promise<T> => {
  const release = await hold(dir, Date.now() + waitMs)
  const opened = await open().catch((error: unknown) => {
    release()
    throw error
  })
  return { ...opened, close: () => opened.close().finally(release) }
}

const hold = async (dir: string, until: number): Promise<() => void> => {
  mkdirSync(dir, { recursive: true })
  for (;;) {
    const release = holdNow(dir)
    if (release) return release
    if (Date.now() >= until)
      throw new HeldError(`${dir} is in use${holderOf(dir)}: it belongs to one process at a time`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** SQLite locks its file alike on every system; an open exclusive transaction that writes nothing is just that lock. */
const holdNow = (dir: string): (() => void) | null => {
  const lock = new DatabaseSync(join(dir, LOCK))
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const { errcode = 0 } = error as { errcode?: number }
    if (errcode === SQLITE_BUSY) return null
    // Damaged, and so held by nobody. It is emptied where it is: removed, it could be held twice.
    if (![SQLITE_NOTADB, SQLITE_CORRUPT].includes(errcode & 0xff)) throw error
    truncateSync(join(dir, LOCK))
    return holdNow(dir)
  }
  writeFileSync(join(dir, HOLDER), String(process.pid))
  return () => lock.close()
}
const LOCK = 'holder.lock'
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** Only for the message: the lock, not this, says whether there is a holder. */
const HOLDER = 'holder.pid'
const holderOf = (dir: string): string => {
  try {
    return ` by process ${Number(readFileSync(join(dir, HOLDER), 'utf8'))}`
  } catch {
    return ''
  }
}
