// The notifications as they are kept: one list per person, the latest first, what is unread counted by its own index.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { iso } from '../shapes.ts'
import { NOTIFICATIONS_MAX, type Notification } from './contract.ts'
import type { Notice } from './notices.ts'

export type NotificationDoc = Doc &
  Notice & {
    createdAt: number
    /** When it last said something new: what the list is ordered by. */
    at: number
    readAt: number | null
    /** The user while it is unread. */
    unreadOf: string | null
    /** User and conversation while unread: what further messages are added to. */
    openOf: string | null
  }
export const notifications = collection<NotificationDoc>('notifications', {
  byUser: { keys: ['user', 'at'] },
  byUnread: { keys: ['unreadOf', 'at'] },
  byOpen: { keys: ['openOf'] },
})

export const noted = (id: string, notice: Notice, at: number, openOf: string | null = null): NotificationDoc => ({
  ...notice,
  id,
  version: 1,
  createdAt: at,
  at,
  readAt: null,
  unreadOf: notice.user,
  openOf,
})

export const asRead = (doc: NotificationDoc, now: number): NotificationDoc => ({
  ...doc,
  version: doc.version + 1,
  readAt: now,
  unreadOf: null,
  openOf: null,
})

export const publicNotification = (doc: NotificationDoc): Notification => ({
  id: doc.id,
  kind: doc.kind,
  title: doc.title,
  ...(doc.text !== undefined && { text: doc.text }),
  about: doc.about,
  data: doc.data,
  createdAt: iso(doc.createdAt),
  updatedAt: iso(doc.at),
  readAt: doc.readAt === null ? null : iso(doc.readAt),
})

export const unreadCount = (documents: Documents, user: string): Promise<number> =>
  documents.count(notifications, { index: 'byUnread', equals: { unreadOf: user } })

const READ_BATCH = 200
/** Losing a write to somebody who said something new: looked at again so often, else it stays unread. */
const READ_TRIES = 3

/** Marks what is unread among these; answers how many changed. */
export const readThese = async (
  documents: Documents,
  user: string,
  ids: readonly string[],
  now: number,
): Promise<number> => {
  let left = ids
  let changed = 0
  for (let attempt = 0; attempt < READ_TRIES && left.length > 0; attempt++) {
    const found = await documents.getMany(notifications, left)
    const unread = found.filter((doc) => doc !== null && doc.user === user && doc.readAt === null) as NotificationDoc[]
    if (unread.length === 0) break
    const outcomes = await documents.replaceMany(
      notifications,
      unread.map((doc) => ({ doc: asRead(doc, now), ifVersion: doc.version })),
    )
    changed += outcomes.filter(({ ok }) => ok).length
    left = unread.filter((_, at) => !outcomes[at]!.ok).map(({ id }) => id)
  }
  return changed
}

/** Marks all that were last updated up to a time. */
export const readUpTo = async (documents: Documents, user: string, upTo: number, now: number): Promise<number> => {
  let changed = 0
  for (let round = 0; round * READ_BATCH <= NOTIFICATIONS_MAX; round++) {
    const query = { index: 'byUnread', equals: { unreadOf: user }, to: upTo, limit: READ_BATCH }
    const { docs } = await documents.find(notifications, query)
    if (docs.length === 0) break
    changed += await readThese(
      documents,
      user,
      docs.map(({ id }) => id),
      now,
    )
  }
  return changed
}

/** Drops the oldest past the limit. */
export const trim = async (documents: Documents, users: Iterable<string>): Promise<void> => {
  for (const user of new Set(users)) {
    const over = (await documents.count(notifications, { index: 'byUser', equals: { user } })) - NOTIFICATIONS_MAX
    if (over <= 0) continue
    const { docs } = await documents.find(notifications, { index: 'byUser', equals: { user }, limit: over })
    for (const { id } of docs) await documents.remove(notifications, id)
  }
}
