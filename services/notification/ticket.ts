// The signed link in a letter: whose letters, and which kind, one request ends. Good for as long as the letter is kept.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Kind } from './contract.ts'
import { isKind } from './preferences.ts'

export type Ticket = { user: string; kind: Kind | 'all' }

const MAC_BYTES = 16

export const ticketFor = (secret: string, { user, kind }: Ticket): string => {
  const said = `${user}.${kind}`
  return `${said}.${macOf(secret, said).toString('base64url')}`
}

/** Null for anything that is not a ticket of ours. */
export const ticketOf = (secret: string, token: string): Ticket | null => {
  const [user = '', kind = '', given = '', ...more] = token.split('.')
  if (more.length > 0 || (kind !== 'all' && !isKind(kind))) return null
  const [mac, expected] = [Buffer.from(given, 'base64url'), macOf(secret, `${user}.${kind}`)]
  return mac.length === expected.length && timingSafeEqual(mac, expected) ? { user, kind } : null
}

/** Its own key, so that no other use of the secret signs something that reads as a ticket. */
const macOf = (secret: string, said: string): Buffer =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', secret, '', 'gigwire unsubscribe', 32)))
    .update(said)
    .digest()
    .subarray(0, MAC_BYTES)
