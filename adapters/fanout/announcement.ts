// What gateways tell senders about the users they hold. Each change has the next version, so that a sender which missed
// one notices it with the next change or beat, and asks for the whole list. Plain JSON on the wire.

export type Announcement =
  /** Still here, at this version, holding so many users. */
  | { kind: 'beat'; node: string; epoch: string; version: number; count: number }
  /** The change that leads from version - 1 to version. */
  | { kind: 'change'; node: string; epoch: string; version: number; on: string[]; off: string[] }
  /** One part of the whole list, in order and without a change in between; only for the sender that asked. */
  | { kind: 'list'; node: string; epoch: string; version: number; part: number; parts: number; userIds: string[] }
  /** Holds nobody any more. */
  | { kind: 'gone'; node: string; epoch: string }

/** Users named in one announcement; more go into several. */
export const USERS_PER_ANNOUNCEMENT = 4_000

export type Announcer = {
  /** A user is held now, or no more. Said at the end of the turn, together with the others of the turn. */
  changed(userId: string, held: boolean): void
  beat(): void
  /** The whole list, to one asker. */
  list(say: (part: Announcement) => void): void
  gone(): void
}

export type AnnouncerOptions = {
  node: string
  /** Different for each life of a node: versions of an earlier life mean nothing. */
  epoch: string
  userIds: () => Iterable<string>
  count: () => number
  say: (announcement: Announcement) => void
}

export const announcer = ({ node, epoch, userIds, count, say }: AnnouncerOptions): Announcer => {
  const pending = new Map<string, boolean>()
  let version = 0
  let scheduled: NodeJS.Immediate | undefined

  const flush = (): void => {
    clearImmediate(scheduled)
    scheduled = undefined
    for (const slice of slices([...pending])) {
      version += 1
      const named = (held: boolean): string[] => slice.filter(([, now]) => now === held).map(([userId]) => userId)
      say({ kind: 'change', node, epoch, version, on: named(true), off: named(false) })
    }
    pending.clear()
  }

  return {
    changed: (userId, held) => {
      pending.set(userId, held)
      scheduled ??= setImmediate(flush)
    },
    beat: () => {
      flush()
      say({ kind: 'beat', node, epoch, version, count: count() })
    },
    list: (sayTo) => {
      flush()
      const parts = slices([...userIds()])
      if (parts.length === 0) parts.push([])
      parts.forEach((part, at) =>
        sayTo({ kind: 'list', node, epoch, version, part: at, parts: parts.length, userIds: part }),
      )
    },
    gone: () => {
      flush()
      say({ kind: 'gone', node, epoch })
    },
  }
}

const slices = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / USERS_PER_ANNOUNCEMENT) }, (_, n) =>
    all.slice(n * USERS_PER_ANNOUNCEMENT, (n + 1) * USERS_PER_ANNOUNCEMENT),
  )
