// Web push: a short text to a browser, also while no page of ours is open. Sending is at least once and may be late.

/** What a browser gives who subscribed: where to send, and the keys only it can read with (base64url). */
export type PushSubscription = { endpoint: string; keys: { p256dh: string; auth: string } }
export type PushNote = {
  /** What the page's service worker gets, at most NOTE_BYTES_MAX. */
  body: string
  /** How long the push service keeps it for a browser that is away. */
  ttlSeconds: number
  /** 1 to 32 characters of base64url: a waiting note of the same topic is replaced. */
  topic?: string
}

export interface Push {
  /** What browsers subscribe with; null where web push is not set up. */
  readonly publicKey: string | null
  /** Refuses with a PushError what could never be sent to. */
  check(subscription: PushSubscription): void
  /** Resolves when the push service took it over; rejects with a PushError otherwise. */
  send(to: PushSubscription, note: PushNote): Promise<void>
  close(): Promise<void>
}

/** Room for the envelope of one record of 4,096 bytes, which is all a push service must take. */
export const NOTE_BYTES_MAX = 3900
export const ENDPOINT_LENGTH_MAX = 2000

/** gone: the subscription has ended, forget it. later: try again. never: this one cannot be sent. */
export type PushTrouble = 'gone' | 'later' | 'never'
export class PushError extends Error {
  readonly trouble: PushTrouble
  /** Seconds the push service asked to wait. */
  readonly retryAfterSeconds: number | undefined
  constructor(message: string, trouble: PushTrouble, retryAfterSeconds?: number) {
    super(message)
    this.name = 'PushError'
    this.trouble = trouble
    this.retryAfterSeconds = retryAfterSeconds
  }
}
