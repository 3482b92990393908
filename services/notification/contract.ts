// Notifications: what a person is told outside the conversation, in the app always, by letter and to the browser if wanted.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, page, Time } from '../shapes.ts'

/** Notifications kept per person; the oldest go. */
export const NOTIFICATIONS_MAX = 500
/** Browsers one person may subscribe; the oldest goes. */
export const SUBSCRIPTIONS_MAX = 10
/** Ended dispatches kept per person to be looked at; the oldest go. */
export const DISPATCHES_MAX = 100

export const Kind = Type.Union([
  Type.Literal('message'),
  Type.Literal('order'),
  Type.Literal('gig'),
  Type.Literal('review'),
  Type.Literal('payout'),
  Type.Literal('search'),
  /** What the market decided about the person, what they made, or what they reported. */
  Type.Literal('account'),
])
export type Kind = Static<typeof Kind>
/** Ways out of the app. */
export const Way = Type.Union([Type.Literal('email'), Type.Literal('push')])
export type Way = Static<typeof Way>
export const KINDS: readonly Kind[] = ['message', 'order', 'gig', 'review', 'payout', 'search', 'account']
export const WAYS: readonly Way[] = ['email', 'push']
const Rhythm = Type.Union([Type.Literal('off'), Type.Literal('instant'), Type.Literal('hourly'), Type.Literal('daily')])

export const Notification = Type.Object(
  {
    id: Id,
    kind: Kind,
    title: Type.String(),
    text: Type.Optional(Type.String()),
    about: Type.Object({ type: Type.String(), id: Id }),
    data: Type.Record(Type.String(), Type.Unknown()),
    createdAt: Time,
    /** When it last said something new: messages of one conversation are one notification while unread. */
    updatedAt: Time,
    readAt: Type.Union([Time, Type.Null()]),
  },
  { $id: 'Notification' },
)
export type Notification = Static<typeof Notification>

const Wanted = closed({ email: Type.Boolean(), push: Type.Boolean() })
const Clock = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$' })
export const Settings = Type.Object(
  {
    kinds: Type.Object(
      {
        message: Wanted,
        order: Wanted,
        gig: Wanted,
        review: Wanted,
        payout: Wanted,
        /** New gigs for a saved search. Left out, it is wanted. */
        search: Type.Optional(Wanted),
        /** Decisions of moderators. Left out, it is wanted. */
        account: Type.Optional(Wanted),
      },
      { additionalProperties: false },
    ),
    /** How often letters come: one by one, or what is new since the last hour or day in one. */
    email: Rhythm,
    /** Between these times of day nothing leaves the app; from 22:00 to 07:00 goes over midnight. */
    quiet: Type.Union([Type.Null(), closed({ from: Clock, to: Clock })]),
    /** An IANA name or an offset like +02:00: where quiet hours and the day of a digest are. */
    timeZone: Type.String({ minLength: 1, maxLength: 64 }),
  },
  { $id: 'NotificationSettings', additionalProperties: false },
)
export type Settings = Static<typeof Settings>

const PushSubscription = {
  endpoint: Type.String({ minLength: 1, maxLength: 2000 }),
  keys: closed({
    p256dh: Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9_-]+$' }),
    auth: Type.String({ minLength: 1, maxLength: 30, pattern: '^[A-Za-z0-9_-]+$' }),
  }),
}

const Status = Type.Union([
  Type.Literal('pending'),
  Type.Literal('sent'),
  Type.Literal('failed'),
  Type.Literal('skipped'),
])
export type DispatchStatus = Static<typeof Status>
const Dispatch = Type.Object({
  id: Id,
  user: Id,
  way: Way,
  status: Status,
  notifications: Type.Array(Id),
  tries: Type.Integer(),
  reason: Type.Union([Type.String(), Type.Null()]),
  createdAt: Time,
  /** When it is tried next; null when it has ended. */
  dueAt: Type.Union([Time, Type.Null()]),
  endedAt: Type.Union([Time, Type.Null()]),
})
export type Dispatch = Static<typeof Dispatch>

const Token = Type.String({ minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9_.-]+$' })
const Unsubscribing = Type.Object({ kind: Type.String({ description: 'A kind, or all.' }), email: Type.Boolean() })

export const notification = contract({
  name: 'notification',
  timers: true,
  actions: {
    list: {
      rest: 'GET /v1/notifications',
      auth: 'user',
      summary: 'The own notifications, the latest first, and how many are unread over all pages.',
      result: Type.Object({ ...listOf(Notification).properties, unread: Type.Integer() }),
      params: closed({ ...page, unread: Type.Optional(Type.Boolean()) }),
    },
    read: {
      rest: 'POST /v1/notifications/read',
      auth: 'user',
      summary: 'Marks as read: some by id, all, or all that were last updated up to a time. Say one of the three.',
      result: Type.Object({ read: Type.Integer(), unread: Type.Integer() }),
      params: closed({
        ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: 100 })),
        all: Type.Optional(Type.Literal(true)),
        upTo: Type.Optional(Type.String({ minLength: 1, maxLength: 40 })),
      }),
    },
    settings: {
      rest: 'GET /v1/me/notification-settings',
      auth: 'user',
      result: Settings,
      summary: 'What the person wants to be told, and how.',
      params: closed({}),
    },
    change: {
      rest: 'PUT /v1/me/notification-settings',
      auth: 'user',
      result: Settings,
      summary: 'Replaces the settings; a part that is left out is as if nobody had ever set it.',
      params: closed({
        kinds: Type.Optional(Type.Partial(Settings.properties.kinds, { additionalProperties: false })),
        email: Type.Optional(Settings.properties.email),
        quiet: Type.Optional(Settings.properties.quiet),
        timeZone: Type.Optional(Settings.properties.timeZone),
      }),
    },
    pushKey: {
      rest: 'GET /v1/push-key',
      auth: 'none',
      result: Type.Object({ publicKey: Type.String() }),
      summary: 'The key browsers subscribe with (`applicationServerKey`); 404 where web push is not set up.',
      params: closed({}),
    },
    subscribe: {
      rest: 'POST /v1/me/push-subscriptions',
      auth: 'user',
      status: 201,
      result: Type.Object({ id: Id }),
      summary: "Adds a browser, as its `PushSubscription` says it; the same browser is one, whoever's it was before.",
      params: closed(PushSubscription),
    },
    unsubscribePush: {
      rest: 'DELETE /v1/me/push-subscriptions',
      auth: 'user',
      result: Type.Object({ removed: Type.Boolean() }),
      summary: 'Forgets the own browser with this endpoint.',
      params: closed({ endpoint: PushSubscription.endpoint }),
    },
    unsubscribing: {
      rest: 'GET /v1/notifications/unsubscribe/:token',
      auth: 'none',
      result: Unsubscribing,
      summary:
        "What a letter's link is about, and whether such letters still come. Changes nothing: programs follow links.",
      params: closed({ token: Token }),
    },
    unsubscribe: {
      rest: 'POST /v1/notifications/unsubscribe/:token',
      auth: 'none',
      result: Unsubscribing,
      summary: 'Ends letters of this kind: no sign-in, any body (RFC 8058 one-click).',
      rawBody: { bytesMax: 4096 },
      params: closed({ token: Token, body: Type.String() }),
    },
    dispatches: {
      rest: 'GET /v1/admin/notification-dispatches',
      auth: 'admin',
      result: listOf(Dispatch),
      summary: 'Letters and pushes by status, the latest first; failed ones are what nobody will try again by itself.',
      params: closed({ status: Type.Optional(Status), ...page }),
    },
    retry: {
      rest: 'POST /v1/admin/notification-dispatches/:id/retry',
      auth: 'admin',
      key: 'id',
      result: Dispatch,
      errors: ['invalid_transition'],
      summary: 'Tries a failed dispatch again from the beginning.',
      params: closed({ id: Id }),
    },
    forget: {
      auth: 'internal',
      summary: 'Forgets everything about a person: erasure.',
      result: Type.Object({ removed: Type.Integer() }),
      params: closed({ user: Id }),
    },
  },
  events: {
    /** A dispatch's own timer: it is to be sent, or looked after. */
    'notification.due': Type.Object({ dispatch: Id }),
  },
  hears: [
    'order.moved',
    'gig.moderated',
    'moderation.decided',
    'review.written',
    'review.published',
    'payment.payout.paid',
    'payment.payout.failed',
    'payment.payee.changed',
    'discovery.matched',
    'notification.due',
  ],
})
