// Notifications: what people are told outside a conversation. What others say durably is heard; unread messages are pulled.
// Stored first, then said to every device, then sent by letter or push as the person wishes. Key: a dispatch's id.
import type { Documents } from '../../adapters/documents/index.ts'
import { PushError } from '../../adapters/push/index.ts'
import { service, type Ctx, type Heard } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { notification as contract, type Settings } from './contract.ts'
import { again, dispatches, publicDispatch, wake, type DispatchDoc } from './dispatch.ts'
import { planner } from './planning.ts'
import { forgetPerson } from './erasure.ts'
import { messageNotices } from './messages.ts'
import {
  ofDecision,
  ofGig,
  ofOrder,
  ofPayee,
  ofPayout,
  ofSavedSearch,
  ofShownReview,
  ofWrittenReview,
  type Notice,
} from './notices.ts'
import {
  noted,
  notifications,
  publicNotification,
  readThese,
  readUpTo,
  trim,
  unreadCount,
  type NotificationDoc,
} from './notifications.ts'
import { post } from './post.ts'
import { DEFAULTS, preferences, settled, unsubscribed, wants } from './preferences.ts'
import { subscribe, subscriptions, unsubscribePush } from './subscriptions.ts'
import { ticketOf, type Ticket } from './ticket.ts'

export default service(contract, async (here) => {
  const [documents, fanout, mail, push] = await Promise.all([
    here.open('documents'),
    here.open('fanout'),
    here.open('mail'),
    here.open('push'),
  ])
  await documents.declare([notifications, preferences, subscriptions] as never)
  const book = await here.actor<DispatchDoc>({ of: dispatches, wake })
  const now = () => here.clock.now()
  const plan = planner({ here, documents, book, hasPush: push.publicKey !== null })
  const sending = post({ here, documents, mail, push, book })

  const stored = (docs: readonly NotificationDoc[]) => {
    for (const doc of docs)
      fanout.toUsers([doc.user], JSON.stringify({ ev: 'notification', data: publicNotification(doc) }))
  }
  const messages = messageNotices({ here, documents, plan, stored })

  /** Tells of an event once, however often it is heard: the same event makes the same notifications. */
  const tell = async ({ id: event, at }: { id: string; at: number }, notices: readonly Notice[]) => {
    const docs = notices.map((notice) => {
      const { user, kind, about } = notice
      return noted(here.newId('ntf', { id: `${user}/${kind}/${about.id}/${event}`, at }), notice, now())
    })
    if (docs.length === 0) return
    const outcomes = await documents.insertMany(notifications, docs)
    const fresh = docs.filter((_, index) => outcomes[index]!.ok)
    stored(fresh)
    // Heard again, perhaps because this ended half way: those that were there before count, too.
    const kept = await documents.getMany(
      notifications,
      docs.map(({ id }) => id),
    )
    await plan(kept.filter((doc) => doc !== null).filter(({ readAt }) => readAt === null))
    await trim(
      documents,
      fresh.map(({ user }) => user),
    )
  }
  const hears =
    <E extends string>(notices: (data: Heard<E>['data']) => Notice[]) =>
    (event: Heard<E>) =>
      tell(event, notices(event.data))

  return {
    actions: {
      list: async ({ caller: { id: user }, params: { limit = LIMIT_DEFAULT, cursor = null, unread } }) => {
        const which = unread ? { index: 'byUnread', equals: { unreadOf: user } } : { index: 'byUser', equals: { user } }
        const [{ docs, next }, count] = await Promise.all([
          documents.find(notifications, { ...which, order: 'desc', limit, cursor }),
          unreadCount(documents, user),
        ])
        return { data: docs.map(publicNotification), nextCursor: next, unread: count }
      },
      read: async (ctx) => {
        const read = await markRead(documents, ctx, now())
        return { read, unread: await unreadCount(documents, ctx.caller.id) }
      },
      settings: async ({ caller }) => {
        const kept = (await documents.get(preferences, caller.id))?.settings
        return kept ? settled(kept) : DEFAULTS
      },
      change: ({ caller, params }) => keep(documents, caller.id, () => settled(params)),
      pushKey: () => {
        if (push.publicKey === null) throw refuse('not_found', 'web push is not set up here')
        return { publicKey: push.publicKey }
      },
      subscribe: async ({ caller, params }) => {
        try {
          push.check(params)
        } catch (error) {
          if (!(error instanceof PushError)) throw error
          throw refuse('validation_failed', error.message, { errors: [{ path: 'endpoint', message: error.message }] })
        }
        return { id: await subscribe(documents, caller.id, params, now()) }
      },
      unsubscribePush: async ({ caller, params }) => ({
        removed: await unsubscribePush(documents, caller.id, params.endpoint),
      }),
      unsubscribing: async ({ params }) => {
        const ticket = ticketFrom(here.settings.jwtSecret, params.token)
        return standing(ticket, (await documents.get(preferences, ticket.user))?.settings ?? DEFAULTS)
      },
      unsubscribe: async ({ params }) => {
        const ticket = ticketFrom(here.settings.jwtSecret, params.token)
        return standing(ticket, await keep(documents, ticket.user, (before) => unsubscribed(before, ticket.kind)))
      },
      dispatches: async ({ params: { status = 'failed', limit = LIMIT_DEFAULT, cursor = null } }) => {
        const query = { index: 'byStatus', equals: { status }, order: 'desc' as const, limit, cursor }
        const { docs, next } = await documents.find(dispatches, query)
        return { data: docs.map(publicDispatch), nextCursor: next }
      },
      retry: async ({ params: { id }, deadlineAt }) => {
        const decide = (state: DispatchDoc | null, at: number) => {
          const next = again(state, at)
          return { next, result: next }
        }
        return publicDispatch(await book.turn(id, decide, { deadlineAt }))
      },
      forget: async ({ params: { user } }) => ({ removed: await forgetPerson(documents, user) }),
    },
    hears: {
      'order.moved': hears<'order.moved'>(ofOrder),
      'gig.moderated': hears<'gig.moderated'>(ofGig),
      'moderation.decided': hears<'moderation.decided'>(ofDecision),
      'review.written': hears<'review.written'>(ofWrittenReview),
      'review.published': hears<'review.published'>(ofShownReview),
      'payment.payout.paid': hears<'payment.payout.paid'>(ofPayout),
      'payment.payout.failed': hears<'payment.payout.failed'>(ofPayout),
      'payment.payee.changed': hears<'payment.payee.changed'>(ofPayee),
      'discovery.matched': hears<'discovery.matched'>(ofSavedSearch),
      // The record has a timer of its own: nobody waits for a mail server here.
      'notification.due': async ({ data }) => sending.take(data.dispatch),
    },
    started: async () => messages.start(),
    stopped: async () => {
      await messages.stop()
      await sending.stop()
    },
  }
})

type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>

const markRead = (documents: Documents, { caller, params }: Action<'read'>, now: number): Promise<number> => {
  const { ids, all, upTo } = params
  if ([ids, all, upTo].filter((one) => one !== undefined).length !== 1)
    throw refuse('validation_failed', 'say one of ids, all and upTo')
  if (ids) return readThese(documents, caller.id, [...new Set(ids)], now)
  const until = upTo === undefined ? now : Date.parse(upTo)
  if (Number.isNaN(until))
    throw refuse('validation_failed', 'upTo: is no time', { errors: [{ path: 'upTo', message: 'must be ISO 8601' }] })
  return readUpTo(documents, caller.id, until, now)
}

const KEEP_TRIES = 4
const keep = async (documents: Documents, id: string, next: (before: Settings) => Settings): Promise<Settings> => {
  for (let attempt = 0; attempt < KEEP_TRIES; attempt++) {
    const known = await documents.get(preferences, id)
    const settings = next(known?.settings ?? DEFAULTS)
    const doc = { id, version: (known?.version ?? 0) + 1, settings }
    const { ok } = known
      ? await documents.replace(preferences, doc, known.version)
      : await documents.insert(preferences, doc)
    if (ok) return settings
  }
  throw refuse('overloaded', 'these settings are being changed elsewhere', { retryAfterSeconds: 1 })
}

const ticketFrom = (secret: string, token: string): Ticket => {
  const ticket = ticketOf(secret, token)
  if (!ticket) throw refuse('not_found', 'that link is not one of ours')
  return ticket
}

const standing = ({ kind }: Ticket, settings: Settings) => ({
  kind,
  email: kind === 'all' ? settings.email !== 'off' : wants(settings, kind, 'email'),
})
