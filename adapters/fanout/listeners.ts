// Who in this process listens to notices of which subject, and who watches the coming and going of users.

import type { AdapterContext } from '../index.ts'

export type Heard = (data: unknown) => void

export type Listeners = {
  /** Returns the function that stops listening. */
  add(subject: string, heard: Heard): () => void
  /** Gives the notice, decoded for each listener anew, to all of a subject. */
  hear(subject: string, text: string): void
  clear(): void
}

/** `changed` hears the first and the last interest in a subject. */
export const listeners = (
  log: Pick<AdapterContext['log'], 'error'>,
  changed: (subject: string, listened: boolean) => void = () => {},
): Listeners => {
  const bySubject = new Map<string, Set<{ heard: Heard }>>()

  const remove = (subject: string, one: { heard: Heard }): void => {
    const all = bySubject.get(subject)
    if (!all?.delete(one) || all.size > 0) return
    bySubject.delete(subject)
    changed(subject, false)
  }

  return {
    add: (subject, heard) => {
      // an identity of its own, so that one function given twice hears twice
      const one = { heard }
      const all = bySubject.get(subject)
      if (all) all.add(one)
      else {
        bySubject.set(subject, new Set([one]))
        changed(subject, true)
      }
      return () => remove(subject, one)
    },
    hear: (subject, text) => {
      for (const { heard } of bySubject.get(subject) ?? []) {
        try {
          heard(JSON.parse(text))
        } catch (error) {
          log.error('fanout: a listener threw', subject, error)
        }
      }
    },
    clear: () => {
      for (const [subject, all] of bySubject) for (const one of all) remove(subject, one)
    },
  }
}

export type Watcher = (userIds: Iterable<string>) => void

export type Watchers = {
  /** Returns the function that stops watching. */
  add(heard: Watcher): () => void
  hear(userIds: Iterable<string>): void
}

export const watchers = (log: Pick<AdapterContext['log'], 'error'>): Watchers => {
  const all = new Set<{ heard: Watcher }>()
  return {
    add: (heard) => {
      // an identity of its own, so that one function given twice hears twice
      const one = { heard }
      all.add(one)
      return () => void all.delete(one)
    },
    hear: (userIds) => {
      for (const { heard } of all) {
        try {
          heard(userIds)
        } catch (error) {
          log.error('fanout: a watcher threw', error)
        }
      }
    },
  }
}
