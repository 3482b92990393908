// What a person is handed out: each part is what the person could read by asking for it, page after page, so nothing comes
// along that is not theirs to see. Bounded in records, size and time; what does not fit is named.
import type { Actions } from '../contract.ts'
import { isRefused } from '../errors.ts'
import { LIMIT_MAX, iso } from '../shapes.ts'
import { EXPORT_CHARS_MAX, EXPORT_MS_MAX, EXPORT_RECORDS_MAX, type Export } from './contract.ts'

/** Asks as the person. */
export type Ask = <K extends keyof Actions & string>(
  name: K,
  params: Actions[K]['params'],
) => Promise<Actions[K]['result']>
type Pages = (cursor: string | undefined) => Promise<{ data: readonly unknown[]; nextCursor: string | null }>
export type Bounds = { recordsMax: number; charsMax: number; msMax: number }
export const BOUNDS: Bounds = { recordsMax: EXPORT_RECORDS_MAX, charsMax: EXPORT_CHARS_MAX, msMax: EXPORT_MS_MAX }

type Budget = { chars: number; readonly until: number }

export const exported = async (ask: Ask, user: string, now: number, bounds: Bounds = BOUNDS): Promise<Export> => {
  const truncated = new Set<string>()
  const budget: Budget = { chars: bounds.charsMax, until: Date.now() + bounds.msMax }

  const all = async (part: string, pages: Pages): Promise<unknown[]> => {
    const records: unknown[] = []
    for (let cursor: string | undefined; ;) {
      if (records.length >= bounds.recordsMax || budget.chars <= 0 || Date.now() > budget.until) {
        truncated.add(part)
        return records
      }
      const { data, nextCursor } = await pages(cursor)
      for (const record of data) {
        budget.chars -= JSON.stringify(record).length
        records.push(record)
      }
      if (nextCursor === null) return records
      cursor = nextCursor
    }
  }
  const listed = (part: string, page: (asked: { limit: number; cursor?: string }) => ReturnType<Pages>) =>
    all(part, (cursor) => page({ limit: LIMIT_MAX, ...(cursor !== undefined && { cursor }) }))

  const { sessions, ...account } = await ask('account.personal', { user })
  return {
    exportedAt: iso(now),
    account,
    sessions,
    balance: await ask('payout.balance', {}),
    notificationSettings: await ask('notification.settings', {}),
    gigs: await listed('gigs', (asked) => ask('gig.mine', asked)).catch(unlessForbidden),
    orders: await listed('orders', async (asked) => {
      const { data, nextCursor } = await ask('order.list', asked)
      return { data: await inOrder(data, (one) => withTimeline(ask, one)), nextCursor }
    }),
    reviews: await listed('reviews', async (asked) => {
      const { data, nextCursor } = await ask('order.list', asked)
      const written = await ask('review.written', { user, orders: data.map(({ id }) => id) })
      return { data: written, nextCursor }
    }),
    transactions: await listed('transactions', (asked) => ask('payout.transactions', asked)),
    payouts: await listed('payouts', (asked) => ask('payout.list', asked)),
    favorites: await listed('favorites', (asked) => ask('favorite.list', asked)),
    touchedGigs: (await ask('recommendation.touched', { user })).data,
    savedSearches: (await ask('discovery.saved', {})).data,
    reports: await listed('reports', (asked) => ask('moderation.reportsOf', { user, ...asked })),
    notifications: await listed('notifications', (asked) => ask('notification.list', asked)),
    blocked: await listed('blocked', (asked) => ask('chat.blocked', asked)),
    conversations: await listed('conversations', async (asked) => {
      const { data, nextCursor } = await ask('chat.list', asked)
      const told = await inOrder(data, async ({ lastMessage: _lastMessage, unread: _unread, ...conversation }) => ({
        ...conversation,
        messages: await listed('messages', (more) => ask('chat.messages', { id: conversation.id, ...more })),
      }))
      return { data: told, nextCursor }
    }),
    truncated: [...truncated],
  }
}

const withTimeline = async (
  ask: Ask,
  { allowedActions: _allowed, payment: _payment, ...order }: Actions['order.get']['result'],
) => ({
  ...order,
  events: (await ask('order.events', { id: order.id })).data,
})

/** One after the other: an export gives way to whoever waits. */
const inOrder = async <T, R>(all: readonly T[], each: (one: T) => Promise<R>): Promise<R[]> => {
  const done: R[] = []
  for (const one of all) done.push(await each(one))
  return done
}

/** Only sellers have gigs. */
const unlessForbidden = (error: unknown): unknown[] => {
  if (isRefused(error, 'forbidden')) return []
  throw error
}
