// Access tokens: short-lived proof of who signed in, checked without asking anybody. One algorithm, one audience, one issuer.
// They are JWTs that any library reads; made and checked here with Node's own HMAC, at once instead of by way of a promise
// and a thread, because a gateway checks one for each of 100,000 sockets that come back together.
// Tokens live on the machine's clock: moving the platform's does not end sessions.
import { createHmac, timingSafeEqual } from 'node:crypto'

export type Verified = {
  userId: string
  sessionId: string
  /** Machine epoch ms. */
  expiresAt: number
}

/** No token of ours is longer; a longer one is not looked at. */
export const TOKEN_LENGTH_MAX = 2048
const ISSUER = 'gigwire'
const AUDIENCE = 'gigwire'
const TYPE = 'access'
/** The only header that is taken, letter by letter: a token does not choose how it is checked. */
const HEAD = encoded({ alg: 'HS256', typ: 'JWT' })

export const signAccess = (
  secret: string,
  { userId, sessionId }: Pick<Verified, 'userId' | 'sessionId'>,
  ttlSeconds: number,
  nowMs: number,
): string => {
  const iat = Math.floor(nowMs / 1000)
  const claims = {
    sid: sessionId,
    typ: TYPE,
    sub: userId,
    iss: ISSUER,
    aud: AUDIENCE,
    iat,
    exp: iat + ttlSeconds,
  }
  const signed = `${HEAD}.${encoded(claims)}`
  return `${signed}.${signatureOf(secret, signed)}`
}

/** Null for anything that is not a token of ours, still good at `nowMs`. */
export const verifyAccess = (secret: string, token: string, nowMs: number): Verified | null => {
  const end = token.lastIndexOf('.')
  if (token.length > TOKEN_LENGTH_MAX || end < HEAD.length || !token.startsWith(`${HEAD}.`)) return null
  // Nothing of what it says is read before the signature was found to be ours.
  if (!isSame(token.slice(end + 1), signatureOf(secret, token.slice(0, end)))) return null
  const { sub, sid, exp, nbf, typ, iss, aud } = claimsOf(token.slice(HEAD.length + 1, end))
  const seconds = nowMs / 1000
  if (typ !== TYPE || iss !== ISSUER || aud !== AUDIENCE) return null
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') return null
  if (exp <= seconds || (nbf !== undefined && !(typeof nbf === 'number' && nbf <= seconds))) return null
  return { userId: sub, sessionId: sid, expiresAt: exp * 1000 }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const signatureOf = (secret: string, signed: string): string =>
  createHmac('sha256', secret).update(signed).digest('base64url')

/** As text, so that one signature has one spelling; in a time that does not tell how much of it was right. */
const isSame = (given: string, right: string): boolean => {
  const [one, other] = [Buffer.from(given), Buffer.from(right)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const claimsOf = (payload: string): Record<string, unknown> => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
