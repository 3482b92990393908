// Who may: one rule, enforced in the service that acts, not only at the gateway. Closed is the default.
import { refuse } from '../services/errors.ts'
import type { Caller, Role } from '../services/shapes.ts'
import type { Auth } from './contract.ts'

const ROLE_NEEDED: Partial<Record<Auth, Role>> = { seller: 'seller', moderator: 'moderator', admin: 'admin' }

/** Returns when the caller may; throws unauthenticated or forbidden otherwise. Ownership is the actor's own question. */
export const authorize = (auth: Auth, caller: Caller | undefined): void => {
  if (auth === 'none' || auth === 'optional' || auth === 'internal') return
  if (!caller) throw refuse('unauthenticated')
  const role = ROLE_NEEDED[auth]
  if (role && !hasRole(caller, role)) throw refuse('forbidden', `that takes the role ${role}`)
}

/** An admin has every role but the seller's: selling needs an account at the payment provider. */
export const hasRole = (caller: Caller, role: Role): boolean =>
  caller.roles.includes(role) || (role === 'moderator' && caller.roles.includes('admin'))
