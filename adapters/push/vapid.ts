// RFC 8292: who sends is proved to the push service by a token that is signed for its origin.
import { createECDH, createPrivateKey, sign, type KeyObject } from 'node:crypto'

/** Both base64url: the point of 65 bytes, the number of 32. */
export type VapidKeys = { publicKey: string; privateKey: string }

/** Push services take tokens of up to 24 hours. */
const TTL_SECONDS = 12 * 3600
/** A token is used again while it has this long to go. */
const FRESH_SECONDS = 3600
const ORIGINS_MAX = 100

export const newVapidKeys = (): VapidKeys => {
  const pair = createECDH('prime256v1')
  const publicKey = pair.generateKeys().toString('base64url')
  // A number may begin with zeros, which the curve leaves out.
  const number = pair.getPrivateKey()
  const privateKey = Buffer.concat([Buffer.alloc(32 - number.length), number]).toString('base64url')
  return { publicKey, privateKey }
}

/** Null unless the two belong together. */
export const vapidKeyOf = ({ publicKey, privateKey }: VapidKeys): KeyObject | null => {
  try {
    const pair = createECDH('prime256v1')
    pair.setPrivateKey(Buffer.from(privateKey, 'base64url'))
    const point = pair.getPublicKey()
    if (!point.equals(Buffer.from(publicKey, 'base64url'))) return null
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((one) => one.toString('base64url'))
    return createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', d: privateKey, x: x!, y: y! } })
  } catch {
    return null
  }
}

export type Signer = (origin: string, nowSeconds: number) => string

/** Answers the Authorization header for an origin. */
export const vapidSigner = (keys: VapidKeys, key: KeyObject, subject: string): Signer => {
  const tokens = new Map<string, { token: string; until: number }>()
  return (origin, nowSeconds) => {
    const known = tokens.get(origin)
    if (known && known.until - nowSeconds > FRESH_SECONDS) return headerOf(known.token, keys.publicKey)
    const until = nowSeconds + TTL_SECONDS
    const token = signed(key, { aud: origin, exp: until, sub: subject })
    tokens.delete(origin)
    tokens.set(origin, { token, until })
    if (tokens.size > ORIGINS_MAX) tokens.delete(tokens.keys().next().value!)
    return headerOf(token, keys.publicKey)
  }
}

const headerOf = (token: string, publicKey: string): string => `vapid t=${token}, k=${publicKey}`

const signed = (key: KeyObject, claims: object): string => {
  const text = [{ typ: 'JWT', alg: 'ES256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
