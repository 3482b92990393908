// Who asks: a bearer token is verified once and remembered until it expires; the account behind it is looked at at every
// request (callers.ts), so that a changed role or an ended session counts at the next one.
import type { Caller } from '../shapes.ts'
import type { Auth } from '../../mixins/contract.ts'
import type { Settings } from '../../mixins/node.ts'
import { recent } from '../../mixins/recent.ts'
import { verifyAccess, type Verified } from '../../mixins/token.ts'
import { refuse } from '../errors.ts'
import type { Callers } from './callers.ts'

export type Session = {
  /** The caller behind an Authorization header; undefined where the route asks for none and none was sent. */
  caller(authorization: string | undefined, auth: Auth): Promise<Caller | undefined>
  /** The token's claims, or null. Not remembered: a socket shows its token once. */
  verify(token: string): Verified | null
  /** The account and session as they are now, or null when one is gone. */
  who(verified: Verified): Caller | null | Promise<Caller | null>
}

/** Verified tokens remembered; one forgotten costs one HMAC. */
export const TOKENS_MAX = 20_000

export const session = ({ jwtSecret }: Settings, callers: Callers): Session => {
  const known = recent<Verified>(TOKENS_MAX)
  const verify = (token: string): Verified | null => verifyAccess(jwtSecret, token, Date.now())

  const remembered = (token: string): Verified | null => {
    const found = known.get(token)
    if (found && found.expiresAt > Date.now()) return found
    if (found) known.delete(token)
    const verified = verify(token)
    if (verified) known.set(token, verified)
    return verified
  }

  return {
    verify,
    who: callers.of,
    caller: async (authorization, auth) => {
      if (auth === 'none') return undefined
      if (authorization === undefined) {
        if (auth === 'optional') return undefined
        throw refuse('unauthenticated', 'send Authorization: Bearer <access token>')
      }
      const token = bearer(authorization)
      const verified = token ? remembered(token) : null
      const caller = verified && (await callers.of(verified))
      if (!caller) throw refuse('unauthenticated', 'the access token is not valid any more')
      return caller
    },
  }
}

export const bearer = (authorization: string): string | null =>
  /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1] ?? null
