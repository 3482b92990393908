// Web push over HTTPS (RFC 8030): encrypted for one browser, signed for one push service. Nothing follows a redirect, no
// answer is read further than its status, and every note has a deadline.
import { randomBytes } from 'node:crypto'
import { request, type Agent } from 'node:https'
import type { LookupFunction } from 'node:net'
import { endpointOf, NOT_PUBLIC, publicLookup } from './address.ts'
import { encrypted, freshSender, recipientOf } from './encryption.ts'
import {
  ENDPOINT_LENGTH_MAX,
  NOTE_BYTES_MAX,
  type Push,
  PushError,
  type PushNote,
  type PushSubscription,
  type PushTrouble,
} from './index.ts'
import { vapidKeyOf, vapidSigner, type VapidKeys } from './vapid.ts'

export type WebPushOptions = {
  keys: VapidKeys
  /** How the push service reaches who runs this market: mailto: or https:. */
  subject: string
  /** For one note, from the look-up to the status. */
  sendMsMax?: number
  /** How names are looked up; whatever it answers must be public. */
  lookup?: LookupFunction
  /** Opens the connections, for example through a proxy of one's own, which then decides where they lead. */
  agent?: Agent
}

/** Notes under way at one time; beyond that the answer is: later. */
export const SENDING_MAX = 50
const SEND_MS_MAX = 10_000
const TOPIC = /^[A-Za-z0-9_-]{1,32}$/
/** The longest wait a push service may ask for. */
const RETRY_AFTER_MAX = 86_400

export const webPush = ({ keys, subject, sendMsMax = SEND_MS_MAX, lookup, agent }: WebPushOptions): Push => {
  const key = vapidKeyOf(keys)
  if (!key) throw new TypeError('the VAPID keys are no pair')
  const authorization = vapidSigner(keys, key, subject)
  const closing = new AbortController()
  const sending = new Set<Promise<unknown>>()
  const looking = publicLookup(lookup)

  const checked = ({ endpoint, keys: theirs }: PushSubscription) => {
    const url = endpoint.length <= ENDPOINT_LENGTH_MAX ? endpointOf(endpoint) : null
    if (!url) throw new PushError('the endpoint is not a public https address', 'never')
    const recipient = recipientOf(theirs)
    if (!recipient) throw new PushError('the keys are not those of a browser', 'never')
    return { url, recipient }
  }

  const posted = (to: PushSubscription, { body, ttlSeconds, topic }: PushNote): Promise<Answered> => {
    const { url, recipient } = checked(to)
    const text = Buffer.from(body)
    if (text.length > NOTE_BYTES_MAX) throw new PushError('the note is too large', 'never')
    if (topic !== undefined && !TOPIC.test(topic)) throw new PushError('that is no topic', 'never')
    const bytes = encrypted(text, recipient, { salt: randomBytes(16), sender: freshSender() })
    const headers = {
      Authorization: authorization(url.origin, Math.floor(Date.now() / 1000)),
      'Content-Encoding': 'aes128gcm',
      'Content-Type': 'application/octet-stream',
      'Content-Length': bytes.length,
      TTL: Math.max(0, Math.floor(ttlSeconds)),
      ...(topic !== undefined && { Topic: topic }),
    }
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(sendMsMax)])
    return new Promise((resolve, reject) => {
      const asking = request(url, { method: 'POST', headers, signal, lookup: looking, ...(agent && { agent }) })
      asking.on('response', (answer) => {
        resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] })
        answer.destroy()
      })
      asking.on('error', reject)
      asking.end(bytes)
    })
  }

  const send = async (to: PushSubscription, note: PushNote): Promise<void> => {
    const { status, retryAfter } = await posted(to, note).catch((error: unknown) => {
      throw error instanceof PushError ? error : unreached(error as NodeJS.ErrnoException)
    })
    const trouble = troubleOf(status)
    if (trouble) throw new PushError(`the push service answered ${status}`, trouble, secondsOf(retryAfter))
  }

  return {
    publicKey: keys.publicKey,
    check: (subscription) => void checked(subscription),
    send: async (to, note) => {
      if (closing.signal.aborted) throw new PushError('push is closed', 'later')
      if (sending.size >= SENDING_MAX) throw new PushError('too many notes under way', 'later')
      const sent = send(to, note)
      sending.add(sent)
      await sent.finally(() => sending.delete(sent))
    },
    close: async () => {
      closing.abort()
      await Promise.allSettled(sending)
    },
  }
}

type Answered = { status: number; retryAfter: string | undefined }

const unreached = ({ code, message }: NodeJS.ErrnoException): PushError =>
  new PushError(`the push service was not reached: ${message}`, code === NOT_PUBLIC ? 'never' : 'later')

/** What an answer means for the subscription. A refused key or size is ours to mend, and no reason to try again at once. */
const troubleOf = (status: number): PushTrouble | null => {
  if (status >= 200 && status < 300) return null
  if (status === 404 || status === 410) return 'gone'
  return status === 429 || status === 408 || status >= 500 ? 'later' : 'never'
}

/** Seconds only: a date is another clock's. */
const secondsOf = (retryAfter: string | undefined): number | undefined =>
  retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter) ? Math.min(RETRY_AFTER_MAX, Number(retryAfter)) : undefined
