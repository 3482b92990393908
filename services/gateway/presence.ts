// Who is there, for those who look: a connection names people, is told who of them is connected anywhere, and for a while
// hears when that changes. Changes are gathered and told once a second at most; who goes and comes back within the grace
// was never away, so that half a market that reconnects is no news. Everything here may be dropped: it is asked again.
import type { Fanout } from '../../adapters/fanout/index.ts'
import { refuse } from '../errors.ts'
import type { Connection } from './connection.ts'
import { deadlines } from './deadlines.ts'

export type Presence = {
  /** Replaces what this connection looked at. Answers who of these is connected, and until when changes are told (epoch ms). */
  look(one: Connection, userIds: readonly string[]): { online: string[]; until: number }
  /** Looks no more. */
  remove(one: Connection): void
  /** One blocked the other: whoever was blocked sees no more of who did it. */
  blocked(blocker: string, blocked: string): void
  /** How many are looked at, counted once per looker. */
  watched(): number
  stop(): void
}
export type PresenceParts = {
  fanout: Pick<Fanout, 'held' | 'onHeld'>
  /** Hears of every frame told. */
  told: () => void
  pace?: Partial<Pace>
}
export type Pace = {
  /** Changes are told this often at most. */
  everyMs: number
  /** Who is back within this was never away. */
  graceMs: number
  /** Changes are told for this long after a question. */
  lookMs: number
}
export const PACE: Pace = { everyMs: 1000, graceMs: 5000, lookMs: 600_000 }

/** People one connection looks at. */
export const WATCHED_PER_CONNECTION_MAX = 200
/** Over all connections of a gateway; past it a question is refused as overloaded. */
export const WATCHED_MAX = 500_000
/** Frames told in one go; the rest waits for the next. */
export const FRAMES_AT_ONCE_MAX = 5000
/** A socket with more queued than this has more important things to read. */
export const BUFFERED_MAX = 64 * 1024

/** What one connection was told, by person. */
type Watch = { one: Connection; users: Map<string, boolean>; dueSecond: number }
type Change = { user: string; online: boolean }

export const presence = ({ fanout, told, pace }: PresenceParts): Presence => {
  const { everyMs, graceMs, lookMs } = { ...PACE, ...pace }
  const byUser = new Map<string, Set<Watch>>()
  /** Who may have come or gone, and when last. */
  const touched = new Map<string, number>()
  let count = 0

  const end = (watch: Watch) => {
    due.clear(watch)
    watch.one.watch = null
    count -= watch.users.size
    for (const user of watch.users.keys()) unwatch(user, watch)
  }
  const unwatch = (user: string, watch: Watch) => {
    const watches = byUser.get(user)
    if (watches?.delete(watch) && watches.size === 0) byUser.delete(user)
  }
  const due = deadlines<Watch>(end)

  const stopHearing = fanout.onHeld((userIds) => {
    if (byUser.size === 0) return
    const now = performance.now()
    for (const userId of userIds) if (byUser.has(userId)) touched.set(userId, now)
  })

  const tell = () => {
    const changes = changesOf()
    let frames = 0
    for (const [watch, changed] of changes) {
      const { socket } = watch.one
      if (frames >= FRAMES_AT_ONCE_MAX || !socket || socket.buffered() > BUFFERED_MAX) later(changed)
      else if (socket.send(presenceFrame(changed))) {
        frames += 1
        told()
        for (const { user, online } of changed) watch.users.set(user, online)
      }
    }
  }

  /** What each looker has not been told yet of those who were touched. */
  const changesOf = (): Map<Watch, Change[]> => {
    const changes = new Map<Watch, Change[]>()
    const online = new Set(fanout.held([...touched.keys()]))
    const settled = performance.now() - graceMs
    for (const [user, at] of touched) {
      const isOnline = online.has(user)
      if (!isOnline && at > settled && byUser.has(user)) continue
      touched.delete(user)
      for (const watch of byUser.get(user) ?? []) {
        if (watch.users.get(user) === isOnline) continue
        const known = changes.get(watch)
        if (known) known.push({ user, online: isOnline })
        else changes.set(watch, [{ user, online: isOnline }])
      }
    }
    return changes
  }

  /** Looked at again next time, as it is then; who went has had the grace. */
  const later = (changed: readonly Change[]) => {
    for (const { user } of changed) if (!touched.has(user)) touched.set(user, -Infinity)
  }

  const timer = setInterval(() => touched.size > 0 && tell(), everyMs)
  timer.unref()

  return {
    look: (one, userIds) => {
      if (one.watch) end(one.watch as Watch)
      const asked = [...new Set(userIds)]
      if (count + asked.length > WATCHED_MAX)
        throw refuse('overloaded', 'too many are looked at here', { retryAfterSeconds: 10 })
      const online = fanout.held(asked)
      const until = Date.now() + lookMs
      if (asked.length === 0) return { online, until }
      const isOnline = new Set(online)
      const watch: Watch = { one, users: new Map(asked.map((user) => [user, isOnline.has(user)])), dueSecond: 0 }
      one.watch = watch
      count += asked.length
      for (const user of asked) {
        const watches = byUser.get(user)
        if (watches) watches.add(watch)
        else byUser.set(user, new Set([watch]))
      }
      due.set(watch, until)
      return { online, until }
    },
    remove: (one) => {
      if (one.watch) end(one.watch as Watch)
    },
    blocked: (blocker, blocked) => {
      for (const watch of byUser.get(blocker) ?? []) {
        if (watch.one.verified?.userId !== blocked) continue
        watch.users.delete(blocker)
        count -= 1
        unwatch(blocker, watch)
      }
    },
    watched: () => count,
    stop: () => {
      clearInterval(timer)
      due.stop()
      stopHearing()
    },
  }
}

/** The first change stands by itself for whoever reads no list. */
const presenceFrame = (changes: readonly Change[]): string =>
  JSON.stringify({ ev: 'presence', data: { ...changes[0], changes } })
