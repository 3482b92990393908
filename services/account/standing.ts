// What the market does with an account: takes it out and lets it in again, makes it staff. Pure; each says what it changed,
// for the audit log and for whoever shows what the person made.
import type { Decision, Said } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import type { Caller, Role } from '../shapes.ts'
import type { Secured } from './contract.ts'
import { usernameKeyOf, type UserDoc } from './user.ts'

export type Turn = Decision<UserDoc, UserDoc>
export type By = { by: string; reason: string }

/** The same again changes nothing, whatever its reason. */
export const suspended = (user: UserDoc | null, { by, reason }: By, now: number): Turn => {
  const known = there(user)
  if (known.suspended) return { result: known }
  if (known.roles.includes('admin') && by !== SYSTEM)
    throw refuse('forbidden', 'an admin is suspended only after somebody took that role away')
  const next = { ...known, suspended: { at: now, reason } }
  return { next, say: [secured(next, 'suspended', by, { reason })], result: next }
}

export const restored = (user: UserDoc | null, { by, reason }: By): Turn => {
  const known = there(user)
  if (!known.suspended) return { result: known }
  const { suspended: _, ...next } = known
  return { next, say: [secured(next, 'restored', by, { reason })], result: next }
}

export type StaffRole = Extract<Role, 'moderator' | 'admin'>
/** The roles of staff as they shall be; what the person opted in to stays. */
export const staffed = (user: UserDoc | null, roles: readonly StaffRole[], by: Caller): Turn => {
  const known = there(user)
  if (known.id === by.id) throw refuse('forbidden', 'nobody changes their own roles')
  const own = known.roles.filter((role) => role !== 'moderator' && role !== 'admin')
  const after = [...own, ...new Set(roles)]
  if (after.length === known.roles.length && after.every((role) => known.roles.includes(role))) return { result: known }
  const next = { ...known, roles: after }
  const { id, username } = next
  return {
    next,
    say: [
      { name: 'account.changed', data: { id, username, roles: after } },
      secured(next, 'roles', by.id, { before: known.roles, after }),
    ],
    result: next,
  }
}

export const DELETED_NAME = 'Deleted user'
/** What is left is an id that others' records name: no name, no address, no way in. */
export const erased = (user: UserDoc | null, now: number): Turn => {
  const known = there(user)
  if (known.erasedAt !== undefined) return { result: known }
  const { suspended: _, responseMinutes: __, ...kept } = known
  const username = `deleted-${known.id.slice(-DELETED_TAIL)}`
  const next: UserDoc = {
    ...kept,
    email: '',
    emailKey: `erased:${known.id}`,
    username,
    usernameKey: usernameKeyOf(username),
    displayName: DELETED_NAME,
    bio: '',
    languages: [],
    roles: ['buyer'],
    password: '',
    erasedAt: now,
  }
  return { next, say: [secured(next, 'erased', known.id, {})], result: next }
}
const DELETED_TAIL = 16

/** The platform itself, where no person decided. */
export const SYSTEM = 'system'

export const secured = (
  { id: user, username }: Pick<UserDoc, 'id' | 'username'>,
  change: Secured['change'],
  by: string,
  data: Record<string, unknown>,
): Said => ({ name: 'account.secured', data: { user, username, change, by, data } })

const there = (user: UserDoc | null): UserDoc => {
  if (!user) throw refuse('not_found', 'there is no such user')
  return user
}
