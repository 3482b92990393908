// Saves within a second or so of a change, one save at a time; a failed save is tried again, at growing distances.
import type { Collection } from './collection.ts'
import type { Merger } from './merging.ts'
import { saveCollection } from './store.ts'

const SAVE_AFTER_MS = 700
const RETRY_AFTER_MS_MAX = 30_000

export type Saver = {
  /** There may be something new to save. */
  note(): void
  /** Resolves when all changes so far are on disk, rejects when that failed. */
  flush(): Promise<null>
}

type SaverContext = { dir: string; collection: Collection; merger: Merger; warn: (text: string) => void }

export function createSaver({ dir, collection, merger, warn }: SaverContext): Saver {
  let savedRevision = collection.revision
  let running: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let waitMs = SAVE_AFTER_MS

  async function save() {
    merger.gather()
    const revision = collection.revision
    await saveCollection(dir, collection)
    savedRevision = revision
    waitMs = SAVE_AFTER_MS
  }

  async function saveOnce() {
    if (running) return running
    running = save().finally(() => {
      running = null
    })
    return running
  }

  function note() {
    if (timer || savedRevision === collection.revision) return
    timer = setTimeout(() => {
      timer = null
      saveOnce()
        .catch((error) => {
          warn(`search index: not saved: ${error instanceof Error ? error.message : error}`)
          waitMs = Math.min(RETRY_AFTER_MS_MAX, waitMs * 2)
        })
        .then(note)
    }, waitMs)
  }

  return {
    note,
    async flush() {
      const wanted = collection.revision
      while (savedRevision < wanted) await saveOnce()
      return null
    },
  }
}
