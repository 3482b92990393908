// Messages on their way out. In each conversation one is asked at a time, so that they are stored in the order given
// however often the link breaks; different conversations do not wait for each other.
import { jittered, type Backoff } from './backoff.ts'
import { ClientError, isTemporary } from './failure.ts'
import type { Link } from './link.ts'
import { outbox } from './outbox.ts'
import type { Events, Sending, StorageLike } from './types.ts'
import type { Message } from './wire.ts'

/** How often a message is tried that the server has an inner error with. */
const TRIES_MAX = 8

type Waiting = { promise: Promise<Message>; resolve: (message: Message) => void; reject: (error: Error) => void }
export type Sends = {
  send(conversation: string, text: string, more: { attachments?: string[]; clientId?: string }): Promise<Message>
  pending(): Sending[]
  /** There is a connection: goes on with everything that waits. */
  resume(): void
  close(): void
}
export type SendsParts = {
  say: <E extends keyof Events>(event: E, data: Events[E]) => void
  /** The link that may be asked now. */
  link: () => Link | undefined
  came: (message: Message) => void
  sleep: (ms: number) => Promise<void>
  backoff: Backoff
  storage: StorageLike | undefined
  account: string | undefined
}

export const sends = ({ say, link, came, sleep, backoff, storage, account }: SendsParts): Sends => {
  const box = outbox(storage, account)
  const waiting = new Map<Sending, Waiting>()
  const busy = new Set<string>()
  let nth = 0
  let isClosed = false

  const pump = async (conversation: string): Promise<void> => {
    if (busy.has(conversation)) return
    busy.add(conversation)
    let tries = 0
    for (let one, sending; (one = link()) && (sending = box.first(conversation));) {
      try {
        const { clientId, text, attachments } = sending
        const fields = { conversation, clientId, text, ...(attachments && { attachments }) }
        const { message } = (await one.ask('send', fields)) as { message: Message }
        tries = 0
        const asked = done(sending)
        came(message)
        say('sent', message)
        asked?.resolve(message)
      } catch (failure) {
        const error = failure as ClientError
        if (!isTemporary(error) || (++tries >= TRIES_MAX && error.code === 'internal')) {
          tries = 0
          const asked = done(sending)
          say('unsent', { ...sending, error })
          asked?.reject(error)
        } else if (one.isLive()) await sleep((error.retryAfter ?? 0) * 1000 + jittered(tries, backoff, Math.random()))
      }
    }
    busy.delete(conversation)
  }

  const done = (sending: Sending): Waiting | undefined => {
    const one = waiting.get(sending)
    waiting.delete(sending)
    box.remove(sending)
    return one
  }

  const wait = (sending: Sending): Promise<Message> => {
    const one = waiting.get(sending) ?? Promise.withResolvers<Message>()
    waiting.set(sending, one)
    return one.promise
  }

  return {
    send: async (conversation, text, { attachments, clientId = newId() }) => {
      if (isClosed) throw new ClientError('closed')
      const known = box.find(conversation, clientId)
      if (known) return wait(known)
      const at = Date.now()
      const sending = { conversation, clientId, text, ...(attachments && { attachments }), at, nth: nth++ }
      if (!box.add(sending)) throw new ClientError('queue_full')
      const promise = wait(sending)
      void pump(conversation)
      return promise
    },
    pending: box.all,
    resume: () => {
      for (const conversation of new Set(box.all().map((one) => one.conversation))) void pump(conversation)
    },
    close: () => {
      isClosed = true
      for (const { reject } of waiting.values()) reject(new ClientError('closed'))
      waiting.clear()
    },
  }
}

/** Unlike every other of the same sender in the same conversation. `crypto.randomUUID` is not there on plain http. */
const newId = (): string => `${Date.now()}-${Math.random()}`
