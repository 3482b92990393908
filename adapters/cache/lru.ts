// Texts bounded by count and by bytes; the one not asked for the longest goes first.

export type Lru = {
  get(key: string): string | null
  /** Keeps text until `expiresAt` on the clock given. A text that alone exceeds the bounds is not kept, nor what it replaces. */
  set(key: string, text: string, expiresAt: number): void
  drop(key: string): void
  clear(): void
  entries(): number
  bytes(): number
}

export type LruBounds = { entriesMax: number; bytesMax: number; now: () => number }

/** What an entry costs beside its letters: map slot, entry object, string headers. */
const ENTRY_BYTES = 128

type Entry = { text: string; expiresAt: number; bytes: number }

export const lru = ({ entriesMax, bytesMax, now }: LruBounds): Lru => {
  const entries = new Map<string, Entry>()
  let bytes = 0

  const drop = (key: string): void => {
    const entry = entries.get(key)
    if (entry === undefined) return
    entries.delete(key)
    bytes -= entry.bytes
  }

  const makeRoom = (): void => {
    for (const oldest of entries.keys()) {
      if (entries.size <= entriesMax && bytes <= bytesMax) return
      drop(oldest)
    }
  }

  return {
    get: (key) => {
      const entry = entries.get(key)
      if (entry === undefined) return null
      entries.delete(key)
      if (entry.expiresAt > now()) {
        entries.set(key, entry)
        return entry.text
      }
      bytes -= entry.bytes
      return null
    },
    set: (key, text, expiresAt) => {
      drop(key)
      const entry = { text, expiresAt, bytes: ENTRY_BYTES + Buffer.byteLength(key) + Buffer.byteLength(text) }
      if (entry.bytes > bytesMax || !(expiresAt > now())) return
      entries.set(key, entry)
      bytes += entry.bytes
      makeRoom()
    },
    drop,
    clear: () => {
      entries.clear()
      bytes = 0
    },
    entries: () => entries.size,
    bytes: () => bytes,
  }
}
