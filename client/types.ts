// What an application sees of the client.
import type { ClientError } from './failure.ts'
import type { Announcement, GigEvent, Mark, Message, Notification, OrderEvent, Presence } from './wire.ts'

/** The part of WebSocket that is used; the browser's, Node's, Deno's and the package `ws` all have it. */
export type SocketLike = {
  send(text: string): void
  close(code?: number): void
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}
export type SocketClass = new (url: string, protocol: string) => SocketLike

/** The part of Web Storage that is used: `localStorage` fits. */
export type StorageLike = {
  readonly length: number
  key(at: number): string | null
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

export type Options = {
  /** For example `wss://market.example/v1/realtime`. */
  url: string
  /**
   * An access token. Asked at every connection (`connect`), shortly before the last one expires (`expiring`), and when the
   * server did not take it (`refused`: a remembered one will not do).
   */
  token: (why: 'connect' | 'expiring' | 'refused') => string | Promise<string>
  /** The runtime's own by default. */
  WebSocket?: SocketClass
  /** Keeps what is not sent yet over a reload. Needs `account`. */
  storage?: StorageLike
  /** The id of the user the storage is kept for: nobody sends what somebody else wrote on this machine. */
  account?: string
  /** The ceiling of the first wait before a reconnect, ms. 500 */
  minDelayMs?: number
  /** The ceiling of the longest, ms. 20,000 */
  maxDelayMs?: number
  /** How often a ping asks whether the link lives, ms. 25,000 */
  pingMs?: number
  /** A link on which an answer takes longer is dead, ms. 15,000 */
  answerMs?: number
  /** A link on which a message is not acknowledged for longer, ms: it is sent again on the next one. 5,000 */
  sendMs?: number
}

export type State = 'connecting' | 'connected' | 'waiting' | 'closed'

/** A message that waits for its acknowledgement. `at` is the time it was given, `nth` orders those of one millisecond. */
export type Sending = {
  conversation: string
  clientId: string
  text: string
  attachments?: string[]
  at: number
  nth: number
}

/**
 * Where a conversation stands: every message up to `seq` was told, and each as it is after every change up to `change`.
 */
export type Position = { seq: number; change: number }

export type Events = {
  /** In each conversation 1, 2, 3 … from where it was opened; the own ones too. Each as it is now. */
  message: Message
  /** A message that was told, or was there before the conversation was opened, is otherwise now. In order of `change`. */
  'message.edited': Message
  'message.deleted': Message
  read: Mark
  typing: { conversation: string; user: string }
  /** Of those who were asked for with `presence`. All that changed is in `changes`, the first of it beside it, too. */
  presence: Presence & { changes: Presence[] }
  order: OrderEvent
  notification: Notification
  /** Of topics. */
  gig: GigEvent
  announcement: Announcement
  /** The server may have lost something on its way here; the client has asked for it. */
  missed: object
  draining: { retryAfter: number }
  /** `closed` with an error: the token was refused twice, or is another account's. `inMs`: until the next try. */
  state: { state: State; code?: number; inMs?: number; error?: ClientError }
  /** A message or a change after `after` did not come by itself; what is ahead is held, and the rest fetched. */
  gap: { conversation: string; after: Position }
  /** A conversation that was not opened has a message. It is followed after `from`, unless it is opened elsewhere now. */
  conversation: { conversation: string; from: number }
  /** Not followed any more, from `position` on: not the user's, or the quietest where 10,000 are followed. */
  lost: { conversation: string; position: Position }
  /** A message that was given was acknowledged, in this life of the page or an earlier one. */
  sent: Message
  /** It never will be: the server's reason. */
  unsent: Sending & { error: ClientError }
  /** A topic could not be joined, or `missed` more of it than the server keeps: read anew what it is about. */
  topic: { topic: string; missed?: true; error?: ClientError }
}

export type Client = {
  readonly state: State
  on<E extends keyof Events>(event: E, heard: (data: Events[E]) => void): () => void
  /**
   * Resolves with the stored message, however many links that takes. Messages of one conversation are stored in the order
   * given. The same `clientId` is the same message. Refused with `queue_full` when 500 wait, with `closed` by `close()`.
   */
  send(conversation: string, text: string, more?: { attachments?: string[]; clientId?: string }): Promise<Message>
  /** Given, and not acknowledged yet. */
  pending(): Sending[]
  /**
   * Tells every message after `seq` (0) and every change after `change`: what is there already, then what comes. Without
   * `change`: what is changed from now on. Again: from there again.
   */
  open(conversation: string, from?: Partial<Position>): void
  /** Undefined where the conversation is not followed. */
  position(conversation: string): Position | undefined
  /** Asks what was missed, of all that is followed; done by itself after every connection and at every gap. */
  sync(): void
  history(
    conversation: string,
    range?: { after?: number; before?: number; limit?: number },
  ): Promise<{ messages: Message[]; hasMore: boolean; lastChange: number }>
  read(conversation: string, seq: number): Promise<number>
  typing(conversation: string): Promise<void>
  edit(conversation: string, message: string, text: string): Promise<Message>
  remove(conversation: string, message: string): Promise<Message>
  /** Who of these is connected, of those the user talks with. Their `presence` events come until `until`, on this link. */
  presence(users: string[]): Promise<{ online: string[]; until: string }>
  /** Joined as soon as there is a connection, and again at every one. At most 100. */
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  close(): void
}
