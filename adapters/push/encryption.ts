// RFC 8291: one record of aes128gcm (RFC 8188) that only the browser which subscribed can read. Pure.
import { createCipheriv, createECDH, hkdfSync, type ECDH } from 'node:crypto'

const CURVE = 'prime256v1'
const POINT_BYTES = 65
const AUTH_BYTES = 16
const TAG_BYTES = 16
const RECORD_BYTES = 4096
/** The last record's delimiter. */
const LAST = Uint8Array.of(2)

export type Recipient = { key: Buffer; auth: Buffer }
/** Made anew for every note. */
export type Secrets = { salt: Buffer; sender: ECDH }

/** The keys of a subscription as bytes; null for what are none. */
export const recipientOf = ({ p256dh, auth }: { p256dh: string; auth: string }): Recipient | null => {
  const recipient = { key: Buffer.from(p256dh, 'base64url'), auth: Buffer.from(auth, 'base64url') }
  const hasLengths =
    recipient.key.length === POINT_BYTES && recipient.key[0] === 4 && recipient.auth.length === AUTH_BYTES
  return hasLengths && isOnCurve(recipient.key) ? recipient : null
}

const isOnCurve = (key: Buffer): boolean => {
  try {
    freshSender().computeSecret(key)
    return true
  } catch {
    return false
  }
}

export const freshSender = (): ECDH => {
  const sender = createECDH(CURVE)
  sender.generateKeys()
  return sender
}

export const encrypted = (text: Buffer, { key, auth }: Recipient, { salt, sender }: Secrets): Buffer => {
  const own = sender.getPublicKey()
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), key, own])
  const secret = hkdf(sender.computeSecret(key), auth, info, 32)
  const contentKey = hkdf(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = hkdf(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
  const cipher = createCipheriv('aes-128-gcm', contentKey, nonce, { authTagLength: TAG_BYTES })
  const record = Buffer.concat([cipher.update(text), cipher.update(LAST), cipher.final(), cipher.getAuthTag()])
  return Buffer.concat([headerOf(salt, own), record])
}

const headerOf = (salt: Buffer, own: Buffer): Buffer => {
  const sizes = Buffer.alloc(5)
  sizes.writeUInt32BE(RECORD_BYTES, 0)
  sizes.writeUInt8(own.length, 4)
  return Buffer.concat([salt, sizes, own])
}

const hkdf = (secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length))
