// Access tokens: short-lived proof of who signed in, checked without asking anybody. One algorithm, one audience, one issuer.
// Tokens live on the machine's clock: moving the platform's does not end sessions.
import { createSecretKey, type KeyObject } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'

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

export const signAccess = (
  secret: string,
  { userId, sessionId }: Pick<Verified, 'userId' | 'sessionId'>,
  ttlSeconds: number,
  nowMs: number,
): Promise<string> => {
  const issuedAt = Math.floor(nowMs / 1000)
  return new SignJWT({ sid: sessionId, typ: TYPE })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(userId)
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ttlSeconds)
    .sign(keyOf(secret))
}

/** Null for anything that is not a token of ours, still good at `nowMs`. */
export const verifyAccess = async (secret: string, token: string, nowMs: number): Promise<Verified | null> => {
  if (token.length > TOKEN_LENGTH_MAX) return null
  try {
    const { payload } = await jwtVerify(token, keyOf(secret), {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      requiredClaims: ['sub', 'sid', 'exp'],
      currentDate: new Date(nowMs),
    })
    const { sub, sid, exp, typ } = payload
    if (typ !== TYPE || typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number') return null
    return { userId: sub, sessionId: sid, expiresAt: exp * 1000 }
  } catch {
    return null
  }
}

const keyOf = (secret: string): KeyObject => createSecretKey(Buffer.from(secret, 'utf8'))
