// Accounts: who people are, how they prove it, what they may.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, Nothing, Role, text, Time } from '../shapes.ts'

export const User = Type.Object(
  { id: Id, username: Type.String(), displayName: Type.String(), roles: Type.Array(Role) },
  { $id: 'User' },
)
export type User = Static<typeof User>

export const Me = Type.Object({
  ...User.properties,
  email: Type.String(),
  languages: Type.Array(Type.String()),
  bio: Type.String(),
  memberSince: Time,
})
export type Me = Static<typeof Me>

export const Level = Type.Union([
  Type.Literal('new'),
  Type.Literal('level_one'),
  Type.Literal('level_two'),
  Type.Literal('top_rated'),
])
export type Level = Static<typeof Level>

export const Profile = Type.Object(
  {
    ...User.properties,
    bio: Type.String(),
    level: Level,
    /** Mean of shown reviews of this seller, 0 when there is none. */
    rating: Type.Number(),
    reviewCount: Type.Integer(),
    /** Median minutes in which a seller answers who writes to them: the last 50 answers within 90 days; null without one. */
    responseMinutes: Type.Union([Type.Integer(), Type.Null()]),
    languages: Type.Array(Type.String()),
    memberSince: Time,
    /** The person has left: there is nobody to talk to any more. */
    deleted: Type.Optional(Type.Literal(true)),
  },
  { $id: 'Profile' },
)
export type Profile = Static<typeof Profile>

export const Session = Type.Object(
  { user: User, accessToken: Type.String(), refreshToken: Type.String(), expiresIn: Type.Integer() },
  { $id: 'Session' },
)
export type Session = Static<typeof Session>

/** What changed who may do what: heard by the audit log, and by whoever shows what the person made. */
export const Secured = Type.Object({
  user: Id,
  username: Type.String(),
  change: Type.Union([
    Type.Literal('suspended'),
    Type.Literal('restored'),
    Type.Literal('roles'),
    Type.Literal('erased'),
  ]),
  /** Whose doing it was: a user's id, or `system`. */
  by: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
})
export type Secured = Static<typeof Secured>

/** A person as admins see them. */
export const Person = Type.Object(
  {
    ...User.properties,
    memberSince: Time,
    suspended: Type.Union([Type.Object({ at: Time, reason: Type.String() }), Type.Null()]),
  },
  { $id: 'Person' },
)
export type Person = Static<typeof Person>

/** How long after asking a gateway may go by what it was told of a caller. A change is answered within it, whatever a gateway does. */
export const CALLER_LEASE_MS = 3000
/** Callers one question names. */
export const WHO_MAX = 500

const Email = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$' })
const Password = Type.String({ minLength: 8, maxLength: 128 })
const Username = Type.String({ minLength: 3, maxLength: 30, pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$' })
const Languages = Type.Array(Type.String({ pattern: '^[a-z]{2}$' }), { maxItems: 20, uniqueItems: true })
const CallerShape = Type.Object({ id: Id, username: Type.String(), roles: Type.Array(Role), sessionId: Type.String() })

export const account = contract({
  name: 'account',
  actions: {
    register: {
      rest: 'POST /v1/auth/register',
      auth: 'none',
      limit: 'auth',
      status: 201,
      result: Session,
      errors: ['conflict'],
      summary: 'Makes an account and signs it in. 409 when the e-mail or username is taken.',
      params: closed({ email: Email, password: Password, username: Username, displayName: text(1, 80) }),
    },
    login: {
      rest: 'POST /v1/auth/login',
      auth: 'none',
      limit: 'auth',
      result: Session,
      summary: 'Signs in.',
      params: closed({
        email: Type.String({ minLength: 1, maxLength: 254 }),
        password: Type.String({ minLength: 1, maxLength: 128 }),
      }),
    },
    refresh: {
      rest: 'POST /v1/auth/refresh',
      auth: 'none',
      limit: 'auth',
      result: Session,
      summary: 'Trades a refresh token for a new pair. A used one seen again revokes its whole family.',
      params: closed({ refreshToken: text(1, 512) }),
    },
    logout: {
      rest: 'POST /v1/auth/logout',
      auth: 'none',
      limit: 'auth',
      status: 204,
      result: Nothing,
      summary: 'Ends the session of a refresh token. Always answers alike.',
      params: closed({ refreshToken: text(1, 512) }),
    },
    me: { rest: 'GET /v1/me', auth: 'user', result: Me, summary: 'The own account.', params: closed({}) },
    update: {
      rest: 'PATCH /v1/me',
      auth: 'user',
      result: Me,
      summary: 'Changes the own profile.',
      params: closed({
        displayName: Type.Optional(text(1, 80)),
        bio: Type.Optional(text(0, 2000)),
        languages: Type.Optional(Languages),
      }),
    },
    becomeSeller: {
      rest: 'POST /v1/me/seller',
      auth: 'user',
      summary:
        "Opts in to selling; answers the payment provider's onboarding link. True at the next request with the same token.",
      result: Type.Object({ user: User, onboardingUrl: Type.String() }),
      params: closed({ country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$' })) }),
    },
    profile: {
      rest: 'GET /v1/users/:username',
      auth: 'none',
      result: Profile,
      summary: 'A public profile.',
      publicRead: { maxAgeSeconds: 30, staleSeconds: 300 },
      params: closed({ username: text(1, 64) }),
    },
    person: {
      rest: 'GET /v1/admin/users/:id',
      auth: 'moderator',
      result: Person,
      summary: 'A person, with what the market did about them. By id or username.',
      params: closed({ id: text(1, 64) }),
    },
    suspend: {
      rest: 'POST /v1/admin/users/:id/suspend',
      auth: 'admin',
      key: 'id',
      result: Person,
      summary:
        'Takes a person out: no token of theirs is good at the next request, sockets close, signing in is refused, their live gigs are paused. Orders and money stay.',
      params: closed({ id: Id, reason: text(1, 2000) }),
    },
    restore: {
      rest: 'POST /v1/admin/users/:id/restore',
      auth: 'admin',
      key: 'id',
      result: Person,
      summary: 'Lets them sign in again. Their gigs stay paused until they publish them.',
      params: closed({ id: Id, reason: text(1, 2000) }),
    },
    staff: {
      rest: 'PUT /v1/admin/users/:id/roles',
      auth: 'admin',
      key: 'id',
      result: Person,
      summary: 'Makes somebody moderator or admin, or no longer: true at their next request with the same token.',
      params: closed({
        id: Id,
        roles: Type.Array(Type.Union([Type.Literal('moderator'), Type.Literal('admin')]), {
          maxItems: 2,
          uniqueItems: true,
        }),
      }),
    },
    takeOut: {
      auth: 'internal',
      key: 'id',
      result: Nothing,
      summary: 'Suspends a person because a moderator decided so. Asked again it changes nothing.',
      params: closed({ id: Id, reason: text(1, 2000), by: Type.String() }),
    },
    personal: {
      auth: 'internal',
      summary: 'What is known of a person, with where they are signed in: export.',
      result: Type.Object({
        ...Me.properties,
        level: Level,
        suspended: Person.properties.suspended,
        sessions: Type.Array(Type.Object({ id: Id, createdAt: Time, usedAt: Time })),
      }),
      params: closed({ user: Id }),
    },
    erase: {
      auth: 'internal',
      key: 'id',
      result: Nothing,
      summary:
        'Forgets who an account was: nobody can sign in, others see a deleted user. Asked again it changes nothing.',
      params: closed({ id: Id }),
    },
    who: {
      auth: 'internal',
      summary:
        'The callers behind verified tokens, as the accounts are now, in the order asked; null when the session or account is gone. A gateway may remember one for CALLER_LEASE_MS, unless it is asked to forget it.',
      result: Type.Array(Type.Union([CallerShape, Type.Null()])),
      params: closed({ sessions: Type.Array(closed({ userId: Id, sessionId: Id }), { maxItems: WHO_MAX }) }),
    },
    cards: {
      auth: 'internal',
      summary: 'What others show of sellers, in the order asked; null for unknown ones.',
      result: Type.Array(Type.Union([Profile, Type.Null()])),
      params: closed({ ids: Type.Array(Id, { maxItems: 1000 }) }),
    },
    contact: {
      auth: 'internal',
      summary: 'Where to write to a person.',
      result: Type.Union([Type.Object({ email: Type.String(), displayName: Type.String() }), Type.Null()]),
      params: closed({ id: Id }),
    },
    ensure: {
      auth: 'internal',
      summary:
        'Makes an account under a fixed id unless it exists: demo and seed data. An empty password cannot sign in.',
      result: User,
      params: closed({
        id: Id,
        email: Email,
        password: Type.String({ maxLength: 128 }),
        username: Username,
        displayName: text(1, 80),
        roles: Type.Array(Role),
        bio: Type.Optional(text(0, 2000)),
        languages: Type.Optional(Languages),
        level: Type.Optional(Level),
        createdAt: Type.Optional(Type.Integer()),
      }),
    },
  },
  events: {
    'account.changed': Type.Object({ id: Id, username: Type.String(), roles: Type.Array(Role) }),
    'account.secured': Secured,
  },
  hears: ['review.published', 'review.removed', 'chat.responded'],
})
