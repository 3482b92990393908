// The client: one link after the other, for as long as it is wanted; what was there before a break goes on after it.
import { jittered, long } from './backoff.ts'
import { ClientError } from './failure.ts'
import { follow } from './follow.ts'
import { GONE, link, type Answer, type Link } from './link.ts'
import { sends } from './sends.ts'
import { topics } from './topics.ts'
import type { Client, Events, Options, SocketClass, State } from './types.ts'
import type { Message, User } from './wire.ts'

/** A link that lived this long was a good one: the next wait is a short one again. */
const STABLE_MS = 10_000
/** No token is refreshed more often, whatever the clocks say. */
const REFRESH_MIN_MS = 1000
const TIMER_MAX_MS = 2 ** 31 - 1
/** The server said that what this client does is wrong: bad frames, flooding. */
const SENT_AWAY = [4400, 4429]
const UNAUTHENTICATED = 4401

type Why = Parameters<Options['token']>[0]
/** How a life of a link ended. */
type End = { code: number; retryAfter?: number }

export const connect = (options: Options): Client => {
  const { url, token, storage, account, pingMs = 25_000, answerMs = 15_000, sendMs = 5000 } = options
  const { WebSocket = globalThis.WebSocket as unknown as SocketClass } = options
  const backoff = { minMs: options.minDelayMs ?? 500, maxMs: options.maxDelayMs ?? 20_000 }
  if (storage && !account) throw new TypeError('storage needs account')

  const listeners = new Map<string, Set<(data: never) => void>>()
  let state: State = 'connecting'
  /** Authenticated. */
  let current: Link | undefined
  /** Not yet. */
  let coming: Link | undefined
  let wake: () => void = () => undefined
  let attempt = 0
  /** Tokens refused in a row. */
  let refusals = 0
  let comeBackAt = 0

  const tell = (ev: string, data: unknown) => {
    for (const heard of listeners.get(ev) ?? [])
      try {
        heard(data as never)
      } catch (error) {
        // The application's own mistake: told where it tells all others, and no message is lost by it.
        queueMicrotask(() => {
          throw error
        })
      }
  }
  const say = <E extends keyof Events>(event: E, data: Events[E]) => tell(event, data)
  const become = (next: State, more: Omit<Events['state'], 'state'> = {}) => {
    if (state === 'closed') return
    state = next
    say('state', { state, ...more })
  }
  /** Keeps no Node process alive. */
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => (setTimeout(resolve, ms) as { unref?(): void }).unref?.())
  const isConnected = () => current !== undefined
  const isClosed = () => state === 'closed'
  const ask = (op: string, fields?: object): Promise<Answer> =>
    current ? current.ask(op, fields) : Promise.reject(new ClientError('offline'))

  const conversations = follow({ say, ask, isConnected, sleep })
  const joined = topics({ tell, say, ask, isConnected, sleep })
  const outgoing = sends({
    say,
    link: () => current,
    came: conversations.came,
    sleep,
    backoff,
    storage,
    account,
  })

  const heard = (ev: string, data: unknown, frame: Answer) => {
    if (ev.startsWith('message')) conversations.came(data as Message, ev !== 'message')
    else if (frame.topic) joined.came(frame as never)
    else {
      if (ev === 'missed') resume()
      if (ev === 'draining') leaveIn((data as Events['draining']).retryAfter * 1000)
      tell(ev, data)
    }
  }

  /** Something may not have come: asks for all of it. */
  const resume = () => {
    conversations.syncAll()
    joined.joinAll()
  }

  /** The node stops: this client was given its own moment to come back. */
  const leaveIn = (ms: number) => {
    const one = current
    comeBackAt = Date.now() + ms
    void sleep(ms).then(() => one?.end(1001))
  }

  const tokenFor = async (why: Why): Promise<string> => {
    const given = await Promise.race([token(why), sleep(answerMs)])
    if (given) return given
    throw new ClientError('offline')
  }

  /** Proves who this is and, on the same link, again before that runs out. */
  const authenticate = async (one: Link, proof: string): Promise<void> => {
    const { user, expiresAt } = (await one.ask('auth', { token: proof })) as { user: User; expiresAt: string }
    if (account && user.id !== account) return close(new ClientError('forbidden', 'another account'))
    refusals = 0
    const leftMs = Date.parse(expiresAt) - Date.now()
    const inMs = Math.min(TIMER_MAX_MS, Math.max(REFRESH_MIN_MS, leftMs - Math.min(60_000, leftMs / 5)))
    const timer = setTimeout(() => refresh(one), inMs)
    void one.ended.then(() => clearTimeout(timer))
  }
  /** Where it fails, the server closes with 4401 in time, and a new link is made. */
  const refresh = (one: Link) =>
    tokenFor('expiring')
      .then((proof) => authenticate(one, proof))
      .catch(() => undefined)

  /** One link, from its token to its end. */
  const live = async (why: Why): Promise<End> => {
    let one: Link | undefined
    try {
      const proof = await tokenFor(why)
      if (isClosed()) return { code: GONE }
      one = coming = link({ url, WebSocket, answerMs, sendMs, heard })
      await one.opened
      await authenticate(one, proof)
    } catch (failure) {
      const { code, retryAfter } = (failure ?? {}) as ClientError
      one?.end(GONE)
      if (code === 'unauthenticated') return { code: UNAUTHENTICATED }
      return { code: one ? await one.ended : GONE, ...(retryAfter !== undefined && { retryAfter }) }
    }
    if (isClosed()) return { code: GONE }
    const since = Date.now()
    current = one
    become('connected')
    resume()
    outgoing.resume()
    const pinging = setInterval(() => void one.ask('ping').catch(() => undefined), pingMs)
    const code = await one.ended
    clearInterval(pinging)
    current = undefined
    if (Date.now() - since > STABLE_MS) attempt = 0
    return { code }
  }

  const run = async (): Promise<void> => {
    let why: Why = 'connect'
    while (!isClosed()) {
      become('connecting')
      const end = await live(why)
      why = end.code === UNAUTHENTICATED ? 'refused' : 'connect'
      if (why === 'refused' && ++refusals > 1) return close(new ClientError('unauthenticated'))
      const inMs = why === 'refused' && attempt++ === 0 ? 0 : waitAfter(end)
      become('waiting', { code: end.code, inMs })
      await woken(inMs)
    }
  }

  const waitAfter = ({ code, retryAfter = 0 }: End): number => {
    const laterMs = comeBackAt - Date.now()
    comeBackAt = 0
    if (laterMs > 0) return laterMs
    if (SENT_AWAY.includes(code)) return long(backoff, Math.random())
    return retryAfter * 1000 + jittered(attempt++, backoff, Math.random())
  }
  const woken = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const close = (error?: ClientError) => {
    if (state === 'closed') return
    become('closed', error && { error })
    coming?.end(1000)
    current = undefined
    outgoing.close()
    online.removeEventListener?.('online', wakeUp)
    wake()
  }

  // A browser says when the network is back; nobody else does.
  const online = globalThis as unknown as Partial<EventTarget>
  const wakeUp = () => wake()
  online.addEventListener?.('online', wakeUp)
  // Whoever connects can listen before anything is said.
  queueMicrotask(() => void run())

  return {
    get state() {
      return state
    },
    on: (event, heard) => {
      const all = listeners.get(event) ?? new Set()
      listeners.set(event, all.add(heard as never))
      return () => void all.delete(heard as never)
    },
    send: (conversation, text, more = {}) => outgoing.send(conversation, text, more),
    pending: outgoing.pending,
    open: (conversation, from = {}) => conversations.open(conversation, from),
    position: conversations.position,
    sync: conversations.syncAll,
    history: (conversation, range) => ask('history', { conversation, ...range }) as never,
    read: async (conversation, seq) => (await ask('read', { conversation, seq })).seq as number,
    typing: async (conversation) => void (await ask('typing', { conversation })),
    edit: async (conversation, message, text) =>
      (await ask('edit', { conversation, message, text })).message as Message,
    remove: async (conversation, message) => (await ask('delete', { conversation, message })).message as Message,
    presence: (users) => ask('presence', { users }) as never,
    subscribe: joined.add,
    unsubscribe: joined.remove,
    close: () => close(),
  }
}
