// One connection to NATS that is kept for ever: what is published while it is away is dropped and counted as missed, what is
// subscribed stays subscribed, and no amount of publishing grows memory without end.

import type { ConnectionOptions, NatsConnection, Subscription } from 'nats'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AdapterContext } from '../index.ts'

export type Heard = (payload: Buffer, reply: string) => void

export type Link = {
  up(): boolean
  /** False: dropped. Bytes handed over belong to the link. */
  publish(subject: string, payload: Uint8Array, reply?: string): boolean
  /** Returns the function that ends it. */
  subscribe(subject: string, heard: Heard): () => void
  close(): Promise<void>
}

export type LinkOptions = {
  url: string
  name: string
  log: AdapterContext['log']
  /** Called when the line is up (subscriptions are in place) and when it is down. */
  changed: (up: boolean) => void
}

/** Published, but not yet known to have reached the server. Beyond it, what is published is dropped. */
export const UNCONFIRMED_BYTES_MAX = 16 * 1024 * 1024
const CONFIRM_EVERY_BYTES = 512 * 1024
/** What a message costs beside its payload. */
const MESSAGE_BYTES = 64
/** How long opening waits for NATS before it goes on without. */
const OPEN_MS_MAX = 1_000
const RETRY_MS_MAX = 5_000

type Standing = { subject: string; heard: Heard; subscription?: Subscription }

export const natsLink = async (options: LinkOptions): Promise<Link> => {
  const { connect } = await import('nats')
  const { log } = options
  const how = connectionOptions(options)
  const standing = new Set<Standing>()
  const closing = new AbortController()
  let connection: NatsConnection | undefined
  let up = false
  let overflowing = false
  let unconfirmedBytes = 0
  let unaskedBytes = 0
  // which life of the line a confirmation belongs to
  let life = 0

  const change = (next: boolean): void => {
    if (up === next) return
    up = next
    life += 1
    unconfirmedBytes = 0
    unaskedBytes = 0
    overflowing = false
    if (up) log.info('fanout: nats is up')
    else if (!closing.signal.aborted) log.warn('fanout: nats is down, trying again for ever')
    options.changed(up)
  }

  const subscribeOn = (to: NatsConnection, one: Standing): void => {
    one.subscription = to.subscribe(one.subject, {
      callback: (error, message) => {
        if (error) return log.error('fanout: a subscription failed', one.subject, error.message)
        // an error in here would end the connection's reader
        try {
          one.heard(
            Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength),
            message.reply ?? '',
          )
        } catch (caught) {
          log.error('fanout: a message could not be read', one.subject, caught)
        }
      },
    })
  }

  const follow = async (to: NatsConnection): Promise<void> => {
    connection = to
    for (const one of standing) subscribeOn(to, one)
    change(true)
    void watch(to)
    await to.closed()
    change(false)
  }

  // the client never ends this stream, not even when it is closed: nothing may wait for it
  const watch = async (to: NatsConnection): Promise<void> => {
    for await (const { type } of to.status()) {
      if (connection !== to || to.isClosed()) return
      if (type === 'disconnect') change(false)
      else if (type === 'reconnect') change(true)
    }
  }

  // the client reconnects by itself; this goes on where it gives up: before the first success and after a refusal
  const keep = async (first: () => void): Promise<void> => {
    for (let retryMs = 100; !closing.signal.aborted; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
      try {
        const to = await connect(how)
        if (closing.signal.aborted) return await to.close()
        retryMs = 100
        const followed = follow(to)
        first()
        await followed
      } catch (error) {
        if (retryMs === 100)
          log.warn('fanout: nats can not be reached, trying again for ever', { reason: (error as Error).message })
      }
      await sleep(retryMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  }

  const confirm = (to: NatsConnection): void => {
    const [bytes, from] = [unaskedBytes, life]
    unaskedBytes = 0
    to.flush().then(
      () => {
        if (from !== life) return
        unconfirmedBytes -= bytes
        if (unconfirmedBytes < UNCONFIRMED_BYTES_MAX / 2) overflowing = false
      },
      () => {},
    )
  }

  const overflow = (): boolean => {
    if (!overflowing && unconfirmedBytes >= UNCONFIRMED_BYTES_MAX) {
      overflowing = true
      log.warn('fanout: nats does not keep up, dropping')
    }
    return overflowing
  }

  const publish: Link['publish'] = (subject, payload, reply) => {
    if (!up || !connection || overflow()) return false
    try {
      connection.publish(subject, payload, reply === undefined ? {} : { reply })
    } catch (error) {
      log.error('fanout: nats refused a message', subject, (error as Error).message)
      return false
    }
    unconfirmedBytes += payload.length + MESSAGE_BYTES
    unaskedBytes += payload.length + MESSAGE_BYTES
    if (unaskedBytes >= CONFIRM_EVERY_BYTES) confirm(connection)
    return true
  }

  let kept: Promise<void> = Promise.resolve()
  await new Promise<void>((resolve) => {
    const enough = setTimeout(resolve, OPEN_MS_MAX)
    kept = keep(() => {
      clearTimeout(enough)
      resolve()
    })
  })

  return {
    up: () => up,
    publish,
    subscribe: (subject, heard) => {
      const one: Standing = { subject, heard }
      standing.add(one)
      if (connection && !connection.isClosed()) subscribeOn(connection, one)
      return () => {
        standing.delete(one)
        one.subscription?.unsubscribe()
      }
    },
    close: async () => {
      closing.abort()
      standing.clear()
      // what was said last is still sent
      if (up) await connection?.flush().catch(() => {})
      if (!connection) return
      await connection.close()
      await kept
    },
  }
}

/** `nats://user:password@host:4222,host2:4222` or `tls://…`; a name without a password is a token. */
const connectionOptions = ({ url, name }: LinkOptions): ConnectionOptions => {
  const first = new URL(url.split(',')[0]!)
  const servers = url.split(',').map((part) => part.replace(/^[a-z]+:\/\//, '').replace(/^.*@/, ''))
  const [user, pass] = [decodeURIComponent(first.username), decodeURIComponent(first.password)]
  return {
    servers,
    name,
    noEcho: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    ignoreAuthErrorAbort: true,
    timeout: 5_000,
    pingInterval: 2_000,
    maxPingOut: 2,
    ...(user === '' ? {} : pass === '' ? { token: user } : { user, pass }),
    ...(first.protocol === 'tls:' ? { tls: {} } : {}),
  }
}
