// Who asks: a bearer token is verified once and remembered until it expires; the account behind it is asked at every
// request, so that a changed role or an ended session counts at the next one.
import type { Caller } from '../shapes.ts'
import type { Auth } from '../../mixins/contract.ts'
import type { Meta, Node } from '../../mixins/node.ts'
import { recent } from '../../mixins/recent.ts'
import { verifyAccess, type Verified } from '../../mixins/token.ts'
import { refuse } from '../errors.ts'

export type Session = {
  /** The caller behind an Authorization header; undefined where the route asks for none and none was sent. */
  caller(authorization: string | undefined, auth: Auth, meta: Meta): Promise<Caller | undefined>
  /** The token's claims, or null. */
  verify(token: string): Promise<Verified | null>
  /** The account and session as they are now, or null when one is gone. */
  who(verified: Verified, meta: Meta): Promise<Caller | null>
}

/** Verified tokens remembered; one forgotten costs one HMAC. */
export const TOKENS_MAX = 20_000

export const session = (node: Node): Session => {
  const known = recent<Verified>(TOKENS_MAX)

  const verify = async (token: string): Promise<Verified | null> => {
    const now = Date.now()
    const remembered = known.get(token)
    if (remembered && remembered.expiresAt > now) return remembered
    if (remembered) known.delete(token)
    const verified = verifyAccess(node.settings.jwtSecret, token, now)
    if (verified) known.set(token, verified)
    return verified
  }

  const who = ({ userId, sessionId }: Verified, meta: Meta): Promise<Caller | null> =>
    node.call('account.who', { userId, sessionId }, { meta })

  return {
    verify,
    who,
    caller: async (authorization, auth, meta) => {
      if (auth === 'none') return undefined
      if (authorization === undefined) {
        if (auth === 'optional') return undefined
        throw refuse('unauthenticated', 'send Authorization: Bearer <access token>')
      }
      const token = bearer(authorization)
      const verified = token ? await verify(token) : null
      const caller = verified && (await who(verified, meta))
      if (!caller) throw refuse('unauthenticated', 'the access token is not valid any more')
      return caller
    },
  }
}

export const bearer = (authorization: string): string | null =>
  /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1] ?? null
