// A user's document, and what each reader sees of it. Pure.
import { actorCollection, type ActorDoc } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import { iso, type Role } from '../shapes.ts'
import type { Level, Me, Person, Profile, User } from './contract.ts'

export type UserDoc = ActorDoc & {
  email: string
  /** Trimmed and lower case: what may exist once. */
  emailKey: string
  username: string
  usernameKey: string
  displayName: string
  roles: Role[]
  bio: string
  languages: string[]
  level: Level
  /** argon2id in PHC form; empty: nobody can sign in. */
  password: string
  createdAt: number
  /** The market took them out; absent: it did not. */
  suspended?: { at: number; reason: string }
  /** The person has left, and this is what stays. */
  erasedAt?: number
  ratingSum: number
  ratingCount: number
  responseMinutes?: number | null
  /** Events already counted, newest last. */
  counted: string[]
}

/** Unique by their keys; a conflict names the field that is taken. */
export const users = actorCollection<UserDoc>('users', {
  email: { keys: ['emailKey'], unique: true },
  username: { keys: ['usernameKey'], unique: true },
})

/** Counted events remembered per person. Deliveries repeat within minutes, never after this many others. */
export const COUNTED_MAX = 200

export type NewUser = Pick<UserDoc, 'id' | 'email' | 'username' | 'displayName' | 'password' | 'createdAt'> &
  Partial<Pick<UserDoc, 'roles' | 'bio' | 'languages' | 'level'>>

export const newUser = ({ id, email, username, displayName, password, createdAt, ...more }: NewUser): UserDoc => ({
  id,
  version: 0,
  outbox: [],
  email: email.trim(),
  emailKey: emailKeyOf(email),
  username,
  usernameKey: usernameKeyOf(username),
  displayName: plainText('displayName', displayName),
  password,
  createdAt,
  roles: [...new Set<Role>(['buyer', ...(more.roles ?? [])])],
  bio: plainText('bio', more.bio ?? '', 0),
  languages: more.languages ?? [],
  level: more.level ?? 'new',
  ratingSum: 0,
  ratingCount: 0,
  counted: [],
})

export const emailKeyOf = (email: string): string => email.trim().toLowerCase()
export const usernameKeyOf = (username: string): string => username.toLowerCase()

// Control characters but tab and line breaks, and the invisible ones that turn text around.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNWANTED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const LINE_BREAKS = /[\t\r\n]/

/** Trimmed; refused when it carries control characters or nothing is left. A bio has lines, a name has one. */
export const plainText = (path: string, given: string, lengthMin = 1): string => {
  const text = given.trim()
  if (UNWANTED.test(text) || (path !== 'bio' && LINE_BREAKS.test(text)))
    throw invalid(path, 'contains control characters')
  if (text.length < lengthMin) throw invalid(path, 'is empty')
  return text
}
const invalid = (path: string, message: string) =>
  refuse('validation_failed', `${path}: ${message}`, { errors: [{ path, message }] })

export type UserChange = { displayName?: string; bio?: string; languages?: string[] }
export const changed = (user: UserDoc, { displayName, bio, languages }: UserChange): UserDoc => ({
  ...user,
  ...(displayName !== undefined && { displayName: plainText('displayName', displayName) }),
  ...(bio !== undefined && { bio: plainText('bio', bio, 0) }),
  ...(languages !== undefined && { languages }),
})

export const withRole = (user: UserDoc, role: Role): UserDoc =>
  user.roles.includes(role) ? user : { ...user, roles: [...user.roles, role] }

/** Null when the event was counted before. */
export const rated = (user: UserDoc, rating: number, eventId: string): UserDoc | null =>
  counting(user, { rating, count: 1 }, eventId)

/** A review of them was taken away. */
export const unrated = (user: UserDoc, rating: number, eventId: string): UserDoc | null =>
  counting(user, { rating: -rating, count: -1 }, eventId)

const counting = (user: UserDoc, by: { rating: number; count: number }, eventId: string): UserDoc | null =>
  user.counted.includes(eventId)
    ? null
    : {
        ...user,
        // One that came with imported gigs was never counted here.
        ratingSum: Math.max(0, user.ratingSum + by.rating),
        ratingCount: Math.max(0, user.ratingCount + by.count),
        counted: [...user.counted, eventId].slice(-COUNTED_MAX),
      }

/** Null when it says nothing new. */
export const responding = (user: UserDoc, minutes: number | null): UserDoc | null =>
  (user.responseMinutes ?? null) === minutes ? null : { ...user, responseMinutes: minutes }

export const userOf = ({ id, username, displayName, roles }: UserDoc): User => ({ id, username, displayName, roles })

export const personOf = (user: UserDoc): Person => ({
  ...userOf(user),
  memberSince: iso(user.createdAt),
  suspended: user.suspended ? { at: iso(user.suspended.at), reason: user.suspended.reason } : null,
})

export const meOf = (user: UserDoc): Me => ({
  ...userOf(user),
  email: user.email,
  languages: user.languages,
  bio: user.bio,
  memberSince: iso(user.createdAt),
})

export const profileOf = (user: UserDoc): Profile => ({
  ...userOf(user),
  bio: user.bio,
  level: user.level,
  rating: user.ratingCount === 0 ? 0 : Math.round((user.ratingSum / user.ratingCount) * 100) / 100,
  reviewCount: user.ratingCount,
  responseMinutes: user.roles.includes('seller') ? (user.responseMinutes ?? null) : null,
  languages: user.languages,
  memberSince: iso(user.createdAt),
  ...(user.erasedAt !== undefined && { deleted: true as const }),
})
