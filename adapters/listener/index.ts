// What the gateway stands on: one HTTP and WebSocket listener. Two products (uws.ts, node.ts) pass one suite, hostile
// framing included, and answer alike; the gateway never knows which one it has.

/** Asked by name; a request is seldom asked for more than three. */
export type RequestHeaders = Pick<ReadonlyMap<string, string>, 'get' | 'has'>

export type Request = {
  /** Upper case. */
  method: string
  /** Path only, still percent-encoded, always starting with '/'. */
  path: string
  /** Raw query without '?', '' when none. */
  query: string
  /** Names in lower case. A repeated header is joined with ', ' (set-cookie never occurs in requests). */
  headers: RequestHeaders
  /** The peer's address in text form, IPv4-mapped IPv6 shown as IPv4. Forwarded addresses are believed only from trusted proxies. */
  address: string
  /**
   * The whole body. Rejects with ListenerError 'body_too_large' past max, 'aborted' when the client left, 'body_timeout'.
   * Call at most once, synchronously within the handler or after awaiting; without it the body is discarded.
   */
  body(bytesMax: number): Promise<Uint8Array>
  /** Aborted when the client leaves before the answer is out. */
  signal: AbortSignal
}

export type Response = {
  status: number
  /**
   * Names as they go out. Content-Length and Date are the listener's. Headers that are sent many times are best frozen
   * (Object.freeze, pairs never changed): they are then checked and joined once.
   */
  headers: readonly (readonly [string, string])[]
  /** What this answer alone carries, after `headers`: so that frozen ones can be shared by many answers. */
  own?: readonly (readonly [string, string])[]
  /** Bytes or text (sent as UTF-8). Empty for 204 and 304. */
  body: string | Uint8Array
}

/** Answers a request: at once (hot path, no promise) or later. A throw or rejection becomes a bare 500. */
export type Handler = (request: Request) => Response | Promise<Response>

export interface Socket<State = unknown> {
  /** Free for the owner; typed by the listener's caller. */
  readonly state: State
  readonly address: string
  /** Queues one text frame. False once the socket is closed or was closed for being too slow. */
  send(text: string): boolean
  /** Several frames in one write. */
  sendMany(texts: readonly string[]): boolean
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Bytes queued and not yet taken by the kernel. */
  buffered(): number
  /** Sends a close frame and closes. Idempotent. */
  close(code: number, reason: string): void
  readonly closed: boolean
}

export type SocketHandlers<State> = {
  /** Path of the upgrade, for example '/v1/realtime'. */
  path: string
  /** Decides synchronously from the request: a state accepts, a Response refuses. `protocol` is echoed as Sec-WebSocket-Protocol. */
  upgrade(request: Request, offered: readonly string[]): { state: State; protocol?: string } | Response
  open(socket: Socket<State>): void
  /** One text message. Binary messages are refused by the listener with close 4400. */
  message(socket: Socket<State>, text: string): void
  /** Queued bytes fell to 0 after having been > 0. */
  drain?(socket: Socket<State>): void
  close(socket: Socket<State>, code: number, reason: string): void
  /** Largest message; a larger one closes with 4400. */
  messageBytesMax: number
  /** Queued bytes past which the socket is closed as too slow (4413, or 1006 where the full socket can't take the frame). */
  backpressureBytesMax: number
  /** No frame or pong from the client for this long closes the socket. The listener pings by itself. */
  idleTimeoutMs: number
}

export type ListenerOptions = {
  host: string
  /** 0 picks a free port. */
  port: number
  /** CIDRs or addresses of proxies whose X-Forwarded-For is believed; empty believes nobody. */
  trustProxy: readonly string[]
  /** A request not answered by then gets a bare 503 with Retry-After. */
  requestTimeoutMs: number
  /** The body must be in by then, else 408. */
  bodyTimeoutMs: number
  /** Requests with a body that wait for their answer at once; past it new ones get a bare 503 with Retry-After at once. */
  requestsMax: number
  /** The same of requests without a body, which hold next to nothing; as many again as `requestsMax` unless given. */
  bodylessMax?: number
  /** Other processes may listen on the same port too, and the system spreads connections; else a taken port is an error. */
  sharePort?: boolean
}

export interface Listener {
  readonly port: number
  /** To every socket that subscribed, encoded once. Returns at once. */
  publish(topic: string, text: string): void
  /** Subscribers of a topic here. */
  subscribers(topic: string): number
  /** Stops accepting; open connections go on. */
  pause(): void
  /** Ends everything that is left. */
  close(): Promise<void>
}

/** A product: opens a listener. Rejects when the port is taken (code EADDRINUSE), with a clear message. */
export type OpenListener = <State>(
  options: ListenerOptions,
  handler: Handler,
  sockets: SocketHandlers<State> | null,
) => Promise<Listener>

export class ListenerError extends Error {
  readonly code: 'body_too_large' | 'body_timeout' | 'aborted'
  constructor(code: ListenerError['code'], message: string) {
    super(message)
    this.name = 'ListenerError'
    this.code = code
  }
}
