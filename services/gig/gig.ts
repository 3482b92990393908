// A gig's document and how each move changes it. Pure: what it was, what was asked → what it is, what is said about it.
import { actorCollection, type ActorDoc, type Decision, type Said } from '../../mixins/actor.ts'
import type { Profile } from '../account/contract.ts'
import { refuse } from '../errors.ts'
import { contentWith, isComplete, refuseIncomplete, type DraftContent, type Given } from './content.ts'
import type { GigStatus } from './contract.ts'
import { MOVES, statusAfter } from './status.ts'
import { indexedOf } from './views.ts'

export type GigDoc = ActorDoc & {
  seller: string
  status: GigStatus
  content: DraftContent
  /** Why it was rejected. */
  reasons: string[]
  /** Counts the changes of what can be seen of it; the store's own `version` also counts what nobody sees. */
  revision: number
  /** The revision that moderation has before it. */
  submitted: number | null
  /** What it says now was approved: a paused gig comes back at once. */
  approved: boolean
  createdAt: number
  /** When it was first live; absent on gigs of before this was kept. */
  listedAt?: number
  ratingSum: number
  ratingCount: number
  orderCount: number
  /** People who keep it for later; absent until somebody does. */
  favoriteCount?: number
  /** Events already counted, newest last. */
  counted: string[]
  /** What the indexes go by: null leaves a gig out of them. */
  ownedBy: string | null
  liveSeller: string | null
  isLive: 1 | null
}

export const gigs = actorCollection<GigDoc>('gigs', {
  byOwner: { keys: ['ownedBy', 'createdAt'] },
  liveBySeller: { keys: ['liveSeller', 'createdAt'] },
  live: { keys: ['isLive'] },
})

/** Counted events remembered per gig. Deliveries repeat within minutes, never after this many others. */
export const COUNTED_MAX = 200

export type Turn = Decision<GigDoc, GigDoc>

export const drafted = (id: string, seller: string, given: Given, createdAt: number): GigDoc => ({
  id,
  version: 0,
  outbox: [],
  seller,
  status: 'draft',
  content: contentWith(null, given),
  reasons: [],
  revision: 1,
  submitted: null,
  approved: false,
  createdAt,
  ratingSum: 0,
  ratingCount: 0,
  orderCount: 0,
  counted: [],
  ownedBy: seller,
  liveSeller: null,
  isLive: null,
})

export const edited = (gig: GigDoc, given: Given, seller: Profile): Turn => {
  const content = contentWith(gig.content, given)
  if (JSON.stringify(content) === JSON.stringify(gig.content)) return { result: gig }
  const status = statusAfter(gig.status, 'edit')
  if (status === 'pending') refuseIncomplete(content)
  return said(gig, { content, status, approved: false }, seller)
}

export const published = (gig: GigDoc, seller: Profile): Turn => {
  const status = statusAfter(gig.status, 'publish')
  refuseIncomplete(gig.content)
  return said(gig, { status: gig.status === 'paused' && gig.approved ? 'live' : status }, seller)
}

export const moved = (gig: GigDoc, move: 'pause' | 'remove', seller: Profile): Turn =>
  said(gig, { status: statusAfter(gig.status, move) }, seller)

/** Out of sight because its seller is out. One that waits for moderation waits no longer. */
export const withdrawn = (gig: GigDoc, seller: Profile): Turn =>
  gig.status === 'live' || gig.status === 'pending' ? said(gig, { status: 'paused' }, seller) : { result: gig }

/** A decision about another text than the one that waits changes nothing. */
export const decided = (
  gig: GigDoc,
  { version, approved, reasons }: { version: number; approved: boolean; reasons: string[] },
  seller: Profile,
  now: number,
): Turn =>
  gig.status !== 'pending' || gig.submitted !== version
    ? { result: gig }
    : moderated(
        said(
          gig,
          {
            status: statusAfter('pending', approved ? 'approve' : 'reject'),
            approved,
            reasons: approved ? [] : reasons,
            ...(approved && gig.listedAt === undefined && { listedAt: now }),
          },
          seller,
        ),
      )

/** What nobody can see, and nobody could without its seller's and moderation's doing, stays as it is. */
export const takenDown = (gig: GigDoc, reasons: string[], seller: Profile): Turn =>
  MOVES.takeDown[gig.status] === undefined
    ? { result: gig }
    : moderated(said(gig, { status: statusAfter(gig.status, 'takeDown'), approved: false, reasons }, seller))

const moderated = ({ next, say = [], result }: Turn): Turn => {
  const { id, seller, content, approved, reasons } = result
  const data = { id, seller, title: content.title, approved, reasons }
  return { ...(next && { next }), say: [...say, { name: 'gig.moderated', data }], result }
}

export const rated = (gig: GigDoc, rating: number, eventId: string, seller: Profile): Turn =>
  counting(gig, { ratingSum: gig.ratingSum + rating, ratingCount: gig.ratingCount + 1 }, eventId, seller)

export const unrated = (gig: GigDoc, rating: number, eventId: string, seller: Profile): Turn =>
  // One that came with an imported gig may never have been counted.
  counting(
    gig,
    { ratingSum: Math.max(0, gig.ratingSum - rating), ratingCount: Math.max(0, gig.ratingCount - 1) },
    eventId,
    seller,
  )

export const ordered = (gig: GigDoc, eventId: string, seller: Profile): Turn =>
  counting(gig, { orderCount: gig.orderCount + 1 }, eventId, seller)

/** Told the whole count, so that it may be told twice. */
export const favored = (gig: GigDoc, count: number, seller: Profile): Turn =>
  (gig.favoriteCount ?? 0) === count ? { result: gig } : said(gig, { favoriteCount: count }, seller)

/** The same gig, told to the index again because something about its seller changed. */
export const retold = (gig: GigDoc, seller: Profile): Turn =>
  gig.status === 'live' ? said(gig, {}, seller) : { result: gig }

const counting = (gig: GigDoc, counts: Partial<GigDoc>, eventId: string, seller: Profile): Turn =>
  gig.counted.includes(eventId)
    ? { result: gig }
    : said(gig, { ...counts, counted: [...gig.counted, eventId].slice(-COUNTED_MAX) }, seller)

/** The changed gig with what the change says: to moderation when it waits anew, to the index when it is or was live. */
const said = (before: GigDoc, change: Partial<GigDoc>, seller: Profile): Turn => {
  const revision = before.revision + 1
  const status = change.status ?? before.status
  const waits = status === 'pending' && (change.content !== undefined || before.status !== 'pending')
  const next = marked({ ...before, ...change, revision, submitted: waits ? revision : before.submitted })
  return { next, say: [...submission(next, waits), ...visibleChange(before, next, seller)], result: next }
}

export const marked = (gig: GigDoc): GigDoc => ({
  ...gig,
  ownedBy: gig.status === 'deleted' ? null : gig.seller,
  liveSeller: gig.status === 'live' ? gig.seller : null,
  isLive: gig.status === 'live' ? 1 : null,
})

const submission = ({ id, revision, seller, content }: GigDoc, waits: boolean): Said[] =>
  waits && isComplete(content) ? [{ name: 'gig.submitted', data: { id, version: revision, seller, content } }] : []

const visibleChange = (before: GigDoc, after: GigDoc, seller: Profile): Said[] => {
  if (before.status !== 'live' && after.status !== 'live') return []
  const indexed = after.status === 'live' ? indexedOf(after, seller) : null
  return [
    {
      name: 'gig.changed',
      data: { id: after.id, version: after.revision, status: after.status, category: after.content.category, indexed },
    },
  ]
}

/** The gig if it is this person's to change; another's is as good as none. */
export const ownGig = (gig: GigDoc | null, owner: string): GigDoc => {
  // What everybody may see is no secret: only changing it is forbidden. The rest does not exist for others.
  if (gig?.status === 'live' && gig.seller !== owner) throw refuse('forbidden', 'only its seller changes a gig')
  if (!gig || gig.seller !== owner || gig.status === 'deleted') throw noGig()
  return gig
}

export const isVisible = (gig: GigDoc | null, viewer: string | undefined): gig is GigDoc =>
  gig !== null && (gig.status === 'live' || (gig.status !== 'deleted' && gig.seller === viewer))

export const noGig = () => refuse('not_found', 'there is no such gig')
