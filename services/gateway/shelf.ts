// Where prepared answers lie: found by key, by address, dropped by tag. Bounded by count and by bytes, with what an answer
// costs beside its own bytes counted in.

export type Kept = { bytes: Uint8Array; tags: readonly string[]; wanted: { key: string } }
export type ShelfLimits = {
  entriesMax: number
  bytesMax: number
  /** A larger answer is made anew every time. */
  answerBytesMax: number
  /** Spellings of addresses remembered, and their letters. */
  addressesMax: number
  addressLettersMax: number
}

export type Shelf<A extends Kept> = {
  /** By address, as one was remembered. */
  at(url: string): A | null | undefined
  of(key: string): A | null | undefined
  put(answer: A): void
  /** From now on this address finds what is kept under the key. */
  remember(url: string, key: string): void
  drop(key: string): void
  /** Those that carry the tag. */
  tagged(tag: string): Iterable<A>
  clear(): void
  size(): { entries: number; bytes: number; addresses: number; letters: number }
}

/** What an answer costs beside its bytes and key: objects, headers, its place in maps. And what each of its tags costs. */
export const ENTRY_BYTES = 1024
export const TAG_BYTES = 128
/** A longer address is not remembered: what it asks for is found by key. */
const ADDRESS_LETTERS_MAX = 2048

/** Empty once its answer was dropped, so that an address that points here keeps no bytes alive. */
type Slot<A> = { answer: A | null }

export const shelf = <A extends Kept>(limits: ShelfLimits): Shelf<A> => {
  const addresses = new Map<string, Slot<A>>()
  const slots = new Map<string, Slot<A>>()
  const byTag = new Map<string, Set<string>>()
  let bytes = 0
  let letters = 0

  const drop = (key: string) => {
    const slot = slots.get(key)
    if (!slot?.answer) return
    bytes -= costOf(slot.answer)
    for (const tag of slot.answer.tags) {
      const keys = byTag.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) byTag.delete(tag)
    }
    slot.answer = null
    slots.delete(key)
  }

  const put = (answer: A) => {
    const { key } = answer.wanted
    // The slot stays, so that the addresses that point to it find the new answer.
    const slot = slots.get(key) ?? { answer: null }
    drop(key)
    if (answer.bytes.length > limits.answerBytesMax) return
    slot.answer = answer
    slots.set(key, slot)
    bytes += costOf(answer)
    for (const tag of answer.tags) {
      const keys = byTag.get(tag)
      if (keys) keys.add(key)
      else byTag.set(tag, new Set([key]))
    }
    if (isFull()) makeRoom()
  }

  const isFull = () => slots.size > limits.entriesMax || bytes > limits.bytesMax

  /** In order of making: what is asked for is made again every few seconds, so the oldest is the least used. */
  const makeRoom = () => {
    for (const oldest of slots.keys()) {
      drop(oldest)
      if (!isFull()) return
    }
  }

  const remember = (url: string, key: string) => {
    const slot = slots.get(key)
    if (!slot || url.length > ADDRESS_LETTERS_MAX) return
    if (!addresses.has(url)) letters += url.length
    addresses.set(url, slot)
    for (const oldest of addresses.keys()) {
      if (addresses.size <= limits.addressesMax && letters <= limits.addressLettersMax) break
      addresses.delete(oldest)
      letters -= oldest.length
    }
  }

  return {
    at: (url) => addresses.get(url)?.answer,
    of: (key) => slots.get(key)?.answer,
    put,
    remember,
    drop,
    tagged: (tag) => {
      const keys = byTag.get(tag)
      return keys ? [...keys].flatMap((key) => slots.get(key)?.answer ?? []) : NOTHING
    },
    clear: () => {
      for (const key of slots.keys()) drop(key)
      addresses.clear()
      letters = 0
    },
    size: () => ({ entries: slots.size, bytes, addresses: addresses.size, letters }),
  }
}

const NOTHING: readonly never[] = []

const costOf = ({ bytes, tags, wanted: { key } }: Kept): number =>
  bytes.length + 2 * key.length + ENTRY_BYTES + tags.length * TAG_BYTES
