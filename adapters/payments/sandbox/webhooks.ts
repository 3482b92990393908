// Delivery of events: a durable queue, signed posts, retries with growing pauses until the other side says 2xx or the
// bound is met. Order is not kept, and an event may come twice: as with the real provider.
import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import type { Faults } from './faults.ts'
import type { Store } from './store.ts'

export const ATTEMPTS_MAX = 40
export const FIRST_PAUSE_MS = 250
export const PAUSE_MAX_MS = 60_000
export const IN_FLIGHT_MAX = 8
export const DELIVERY_TIMEOUT_MS = 10_000

type Delivery = { seq: number; event: string; attempt: number }
type Log = { warn(...args: unknown[]): void }

export type Webhooks = {
  /** Inside a commit: the event is delivered once the commit is on disk. */
  queue(eventId: string, type: string): void
  /** After a commit: looks for what is due. */
  wake(): void
  setUrl(url: string): void
  close(): Promise<void>
}

export const openWebhooks = (options: { store: Store; faults: Faults; secret: string; log: Log }): Webhooks => {
  const { store } = options
  let url = ''
  let closed = false
  let timer: NodeJS.Timeout | undefined
  const inFlight = new Map<number, Promise<void>>()
  // Known from an earlier run as well, so that what happens before the new address is known is still delivered.
  let wanted = store.setting('webhook', () => '') !== ''

  const wake = () => {
    clearTimeout(timer)
    if (closed || url === '') return
    const now = Date.now()
    for (const delivery of due(store, now, IN_FLIGHT_MAX + inFlight.size)) {
      if (inFlight.size >= IN_FLIGHT_MAX) break
      if (!inFlight.has(delivery.seq))
        inFlight.set(
          delivery.seq,
          deliver(delivery).finally(() => {
            inFlight.delete(delivery.seq)
            wake()
          }),
        )
    }
    const next = nextDueAt(store, now)
    if (next !== undefined) timer = setTimeout(wake, Math.min(next - now, PAUSE_MAX_MS))
    timer?.unref()
  }

  const deliver = async (delivery: Delivery): Promise<void> => {
    const event = store.get(delivery.event)
    const status = event ? await send(url, JSON.stringify(event.body), options.secret) : 200
    if (closed) return
    const failed = status < 200 || status > 299
    if (failed && delivery.attempt >= ATTEMPTS_MAX)
      options.log.warn(`sandbox webhook ${delivery.event} was refused ${ATTEMPTS_MAX} times and is dropped`)
    await store
      .commit(() => {
        if (failed && delivery.attempt < ATTEMPTS_MAX) retryLater(store, delivery)
        else store.run('DELETE FROM deliveries WHERE seq = ?', delivery.seq)
      })
      .catch((error: unknown) => options.log.warn('sandbox webhook state not kept; it will be sent again', error))
  }

  return {
    queue: (eventId, type) => {
      if (!wanted) return
      const add = (dueAt: number) =>
        store.run('INSERT INTO deliveries (event, attempt, due_at) VALUES (?, 1, ?)', eventId, dueAt)
      add(Date.now() + (options.faults.take(['webhook_delayed'], type)?.ms ?? 0))
      if (options.faults.take(['webhook_duplicated'], type)) add(Date.now())
    },
    wake,
    setUrl: (address) => {
      url = address
      wanted = address !== ''
      store.setSetting('webhook', wanted ? 'on' : '')
      wake()
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      await Promise.allSettled(inFlight.values())
    },
  }
}

const due = (store: Store, now: number, limit: number): Delivery[] =>
  store
    .rows('SELECT seq, event, attempt FROM deliveries WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?', now, limit)
    .map((row) => ({ seq: Number(row.seq), event: String(row.event), attempt: Number(row.attempt) }))

const nextDueAt = (store: Store, now: number): number | undefined => {
  const at = store.row('SELECT min(due_at) AS at FROM deliveries WHERE due_at > ?', now)?.at
  return at === null || at === undefined ? undefined : Number(at)
}

const retryLater = (store: Store, delivery: Delivery) => {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (delivery.attempt - 1), PAUSE_MAX_MS)
  store.run(
    'UPDATE deliveries SET attempt = attempt + 1, due_at = ? WHERE seq = ?',
    Date.now() + Math.round(pause * (0.5 + Math.random() / 2)),
    delivery.seq,
  )
}

/** Signed anew on each attempt, by the machine's clock: how fresh a post is does not depend on the platform's. */
export const signatureOf = (payload: string, secret: string, timestamp: number): string =>
  `t=${timestamp},v1=${createHmac('sha256', secret).update(`${timestamp}.${payload}`).digest('hex')}`

/** The status the other side answered, 0 when it didn't. */
const send = (url: string, payload: string, secret: string): Promise<number> =>
  new Promise((resolve) => {
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(payload),
      'stripe-signature': signatureOf(payload, secret, Math.floor(Date.now() / 1000)),
    }
    const post = request(url, { method: 'POST', headers, timeout: DELIVERY_TIMEOUT_MS, agent: false }, (answer) => {
      answer.resume()
      answer.on('close', () => resolve(answer.complete ? (answer.statusCode ?? 0) : 0))
    })
    post.on('timeout', () => post.destroy())
    post.on('error', () => resolve(0))
    post.end(payload)
  })
