// The searches a person keeps: one document per person, a search in it per thing they wait for. Pure.
import { actorCollection, type ActorDoc, type Decision } from '../../mixins/actor.ts'
import { canonical } from '../../mixins/canonical.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import { SAVED_MAX, type Alert, type SavedQuery, type SavedSearch } from './contract.ts'

export type Saved = {
  id: string
  name: string
  query: SavedQuery
  alert: Alert
  createdAt: number
  /** Since when alerts are wanted: gigs listed before are no news. */
  wantedAt: number
  /** When it was last asked. */
  since: number
  /** When it is asked again; null when it tells nothing. */
  dueAt: number | null
  toldAt: number | null
  /** Gigs told of last, so that none is told of twice. */
  told: string[]
}
/** Keyed by the person. */
export type SavedDoc = ActorDoc & { searches: Saved[] }
export const savedSearches = actorCollection<SavedDoc>('discovery_saved')

const HOUR_MS = 3_600_000
const EVERY_MS: Readonly<Record<Exclude<Alert, 'off'>, number>> = { hourly: HOUR_MS, daily: 24 * HOUR_MS }
/** The index may be this far behind the gigs: so much of the time before is looked at again. */
export const OVERLAP_MS = 10 * 60_000
/** Gigs remembered as told; more than one look tells of, so that the overlap repeats nothing. */
export const TOLD_MAX = 400
/** An asking that nobody heard the end of is done again. */
export const TAKE_UP_MS = 5 * 60_000

export type Keeping = { id: string; name: string; query: SavedQuery; alert: Alert }

export const kept = (doc: SavedDoc | null, user: string, one: Keeping, now: number): Decision<SavedDoc, Saved> => {
  const searches = doc?.searches ?? []
  const same = searches.find(({ id, query }) => id === one.id || sameQuery(query, one.query))
  if (same) return { result: same }
  if (searches.length >= SAVED_MAX) throw refuse('conflict', `at most ${SAVED_MAX} searches can be kept`)
  const made: Saved = {
    ...one,
    createdAt: now,
    wantedAt: now,
    since: now,
    dueAt: dueAfter(one.alert, now),
    toldAt: null,
    told: [],
  }
  return { next: withSearches(doc, user, [made, ...searches]), result: made }
}

export const changed = (
  doc: SavedDoc | null,
  id: string,
  { name, alert }: { name?: string | undefined; alert?: Alert | undefined },
  now: number,
): Decision<SavedDoc, Saved> => {
  const before = found(doc, id)
  const after: Saved = {
    ...before,
    ...(name !== undefined && { name }),
    // Told again from now on: what came meanwhile was not wanted.
    ...(alert !== undefined &&
      alert !== before.alert && { alert, wantedAt: now, since: now, dueAt: dueAfter(alert, now) }),
  }
  return { next: replaced(doc!, after), result: after }
}

export const removed = (doc: SavedDoc | null, id: string): Decision<SavedDoc, boolean> => {
  if (!doc?.searches.some((one) => one.id === id)) throw noSearch()
  return {
    next: withSearches(
      doc,
      doc.id,
      doc.searches.filter((one) => one.id !== id),
    ),
    result: true,
  }
}

/** Every search whose time has come is asked once; when the next is due is known before any answer. */
export const wake = (doc: SavedDoc, now: number): Decision<SavedDoc, null> => {
  const due = doc.searches.filter(({ dueAt }) => dueAt !== null && dueAt <= now)
  const searches = doc.searches.map((one) => (due.includes(one) ? { ...one, dueAt: now + TAKE_UP_MS } : one))
  return {
    next: withSearches(doc, doc.id, searches),
    say: due.map(({ id }) => ({ name: 'discovery.due' as const, data: { user: doc.id, saved: id } })),
    result: null,
  }
}

export type Listed = { id: string; title: string; listedAt: number }
/** Gigs named in one alert. */
export const NAMED_MAX = 5

/** What was found at `askedAt`; only what is new is told, once. */
export const answered = (
  doc: SavedDoc | null,
  id: string,
  listed: readonly Listed[],
  askedAt: number,
): Decision<SavedDoc, number> => {
  const before = doc?.searches.find((one) => one.id === id)
  if (!doc || !before || before.alert === 'off') return { result: 0 }
  const from = Math.max(before.wantedAt, before.since - OVERLAP_MS)
  const fresh = listed.filter((gig) => gig.listedAt > from && !before.told.includes(gig.id))
  const after: Saved = {
    ...before,
    since: askedAt,
    dueAt: dueAfter(before.alert, askedAt),
    ...(fresh.length > 0 && { toldAt: askedAt }),
    told: [...before.told, ...fresh.map((gig) => gig.id)].slice(-TOLD_MAX),
  }
  const gigs = fresh.slice(0, NAMED_MAX).map((gig) => ({ id: gig.id, title: gig.title }))
  const data = { user: doc.id, saved: id, name: before.name, total: fresh.length, gigs }
  return {
    next: replaced(doc, after),
    say: fresh.length > 0 ? [{ name: 'discovery.matched', data }] : [],
    result: fresh.length,
  }
}

/** A search's name when none is given: what is asked, in its own words. */
export const nameOf = ({ q, ...filters }: SavedQuery): string =>
  [q?.trim(), ...Object.values(filters).map(String)].filter(Boolean).join(', ').slice(0, 100) || 'All gigs'

export const publicSaved = ({ id, name, query, alert, createdAt, toldAt }: Saved): SavedSearch => ({
  id,
  name,
  query,
  alert,
  createdAt: iso(createdAt),
  toldAt: toldAt === null ? null : iso(toldAt),
})

const dueAfter = (alert: Alert, now: number): number | null => (alert === 'off' ? null : now + EVERY_MS[alert])

const found = (doc: SavedDoc | null, id: string): Saved => {
  const one = doc?.searches.find((saved) => saved.id === id)
  if (!one) throw noSearch()
  return one
}
const noSearch = () => refuse('not_found', 'there is no such saved search')

const replaced = (doc: SavedDoc, after: Saved): SavedDoc =>
  withSearches(
    doc,
    doc.id,
    doc.searches.map((one) => (one.id === after.id ? after : one)),
  )

const withSearches = (doc: SavedDoc | null, user: string, searches: Saved[]): SavedDoc => {
  const due = searches.map(({ dueAt }) => dueAt).filter((at) => at !== null)
  return {
    ...(doc ?? { id: user, version: 0, outbox: [] }),
    searches,
    wakeAt: due.length > 0 ? Math.min(...due) : null,
  }
}

const sameQuery = (one: SavedQuery, other: SavedQuery): boolean => canonical(one) === canonical(other)
