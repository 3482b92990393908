// Unread messages become notifications: pulled from chat when they are due, one per conversation while it is unread. Chat
// is told last, so that whatever stops in between is pulled again and comes to the same.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Here } from '../../mixins/service.ts'
import type { Unseen } from '../chat/contract.ts'
import type { Plan } from './planning.ts'
import { ofMessages } from './notices.ts'
import { asRead, noted, notifications, trim, type NotificationDoc } from './notifications.ts'

/** How often it is looked for, and how many batches one look takes before others have their turn. */
export const LOOK_MS = 1000
export const BATCH = 200
const BATCHES_MAX = 500

export type MessageParts = {
  here: Here
  documents: Documents
  plan: Plan
  /** Told of what is new once it is stored. */
  stored: (docs: readonly NotificationDoc[]) => void
}
export type Messages = { look(): Promise<number>; start(): void; stop(): Promise<void> }

export const messageNotices = (parts: MessageParts): Messages => {
  const { here } = parts
  let looking: Promise<number> | null = null
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  /** Everything due now; answers for how many conversations somebody was told. */
  const lookAll = async (): Promise<number> => {
    let told = 0
    for (let batch = 0; batch < BATCHES_MAX && !stopped; batch++) {
      const { data, hasMore } = await here.call('chat.unseen', { limit: BATCH })
      const done = data.length > 0 ? await tell(parts, data) : []
      // The longest a batch can be is what chat takes back at once.
      if (done.length > 0) told += (await here.call('chat.noticed', { rows: done })).done
      // What moved meanwhile is still due: at the next look.
      if (!hasMore || done.length < data.length) return told
    }
    return told
  }

  const look = (): Promise<number> => (looking ??= lookAll().finally(() => (looking = null)))
  const isOurs = () => {
    const owner = here.placement.owner('notification', 'messages')
    return (owner === null || owner === here.id) && here.placement.nodes('chat').length > 0
  }

  return {
    look,
    start: () => {
      const tick = () => isOurs() && void look().catch((error) => here.log.warn('looking for unread messages:', error))
      timer = setInterval(tick, LOOK_MS)
      timer.unref()
    },
    stop: async () => {
      stopped = true
      clearInterval(timer)
      await looking?.catch(() => undefined)
    },
  }
}

type Done = { conversation: string; user: string; version: number; seq: number }
type Change = { doc: NotificationDoc; ifVersion: number }

/** Stores what these rows come to and answers those that are done with. */
const tell = async (parts: MessageParts, rows: readonly Unseen[]): Promise<Done[]> => {
  const { here, documents, plan, stored } = parts
  const names = await namesOf(here, rows)
  const now = here.clock.now()
  const fates = await Promise.all(rows.map((row) => fateOf(parts, row, names.get(row.from) ?? 'somebody', now)))
  const fresh = fates.flatMap(({ insert }) => (insert ? [insert] : []))
  const changes = fates.flatMap(({ replace }) => replace)
  const inserted = fresh.length > 0 ? await documents.insertMany(notifications, fresh) : []
  const replaced = changes.length > 0 ? await documents.replaceMany(notifications, changes) : []
  // Whatever lost its write to somebody else is looked at again.
  const lost = new Set(changes.filter((_, at) => !replaced[at]!.ok).map(({ doc }) => doc.id))
  fresh.forEach(({ id }, at) => !inserted[at]!.ok && lost.add(id))
  const kept = fates.filter((fate) => !idsOf(fate).some((id) => lost.has(id)))
  stored(kept.flatMap(({ insert, replace }) => [...(insert ? [insert] : []), ...news(replace)]))
  await plan(kept.flatMap(({ unread }) => (unread ? [unread] : [])))
  await trim(
    documents,
    kept.flatMap(({ insert }) => (insert ? [insert.user] : [])),
  )
  return kept.map(({ row: { conversation, user, version, count, lastSeq } }) => ({
    conversation,
    user,
    version,
    seq: count > 0 ? lastSeq : 0,
  }))
}

const news = (changes: readonly Change[]) => changes.map(({ doc }) => doc).filter(({ readAt }) => readAt === null)
const idsOf = ({ insert, replace }: Fate) => [...(insert ? [insert.id] : []), ...replace.map(({ doc }) => doc.id)]

const namesOf = async (here: Here, rows: readonly Unseen[]): Promise<Map<string, string>> => {
  const ids = [...new Set(rows.map(({ from }) => from))]
  const cards = await here.call('account.cards', { ids })
  return new Map(ids.flatMap((id, at) => (cards[at] ? [[id, cards[at].displayName]] : [])))
}

type Fate = {
  row: Unseen
  insert: NotificationDoc | null
  replace: Change[]
  /** What is unread of it then, changed or not: whoever is to be sent it. */
  unread: NotificationDoc | null
}

/** What a row comes to: what was read of it ends; what is unread is one notification, made or added to. */
const fateOf = async ({ here, documents }: MessageParts, row: Unseen, name: string, now: number): Promise<Fate> => {
  const openOf = `${row.user}/${row.conversation}`
  const { docs } = await documents.find(notifications, { index: 'byOpen', equals: { openOf }, limit: 1 })
  const open = docs[0] ?? null
  const isRead = open !== null && (row.count === 0 || Number(open.data.lastSeq) <= row.readSeq)
  const ending = isRead ? [{ doc: asRead(open, now), ifVersion: open.version }] : []
  if (row.count === 0) return { row, insert: null, replace: ending, unread: null }
  const id = here.newId('ntf', { id: `${openOf}/${row.readSeq}`, at: row.firstAt })
  const known = open && !isRead ? open : await documents.get(notifications, id)
  const wording = ofMessages(row.user, row.conversation, { id: row.from, name }, row.count)
  const data = { count: row.count, lastSeq: row.lastSeq, from: row.from, heard: row.heard }
  const made = noted(id, { ...wording, data }, now, openOf)
  if (!known) return { row, insert: made, replace: ending, unread: made }
  if (Number(known.data.heard) >= row.heard)
    return { row, insert: null, replace: ending, unread: known.readAt === null ? known : null }
  // Marked as read by hand, but the conversation is not: more of it is news again.
  const createdAt = known.readAt === null ? known.createdAt : now
  const added = { ...made, id: known.id, createdAt, version: known.version + 1 }
  return { row, insert: null, replace: [...ending, { doc: added, ifVersion: known.version }], unread: added }
}
