// WebSockets on uWebSockets: native topics, no compression, and a socket object small enough to have 100,000 of.
import type { HttpRequest, HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js'
import type { Addon } from './addon.ts'
import { bare } from './answer.ts'
import { closings, hardMessageBytesMax } from './closing.ts'
import { fieldOf, protocolsOf, upgradeFaultOf } from './framing.ts'
import type { Response, Socket, SocketHandlers } from './index.ts'
import type { Exchanges } from './uws.ts'

type Data<State> = { owner: UwsSocket<State> }
type Native<State> = WebSocket<Data<State>>
type App = ReturnType<Addon['App']>
type Context<State> = { sockets: SocketHandlers<State> | null; exchange: Pick<Exchanges, 'accept' | 'finish'> }

/** Text queued in one socket before the turn ends; past it the socket is written at once. */
const turnCharactersMax = 65_536

export const uwsSockets = <State>(addon: Addon, app: App, { sockets, exchange }: Context<State>) => {
  const turn = createTurn<State>()
  if (sockets) app.ws<Data<State>>(sockets.path, behaviour(addon, sockets, { exchange, turn }))
  return {
    publish(topic: string, text: string) {
      // what was sent before is also received before
      turn.flush()
      app.publish(topic, text, false, false)
    },
  }
}

/** Sockets that were sent something in this turn of the loop: each is written once, at its end. */
const createTurn = <State>() => {
  let queued: UwsSocket<State>[] = []
  let scheduled = false
  const flush = () => {
    if (queued.length === 0) return
    const now = queued
    queued = []
    for (const socket of now) socket.flush()
  }
  return {
    flush,
    add(socket: UwsSocket<State>) {
      queued.push(socket)
      if (scheduled) return
      scheduled = true
      setImmediate(() => {
        scheduled = false
        flush()
      })
    },
  }
}

type Turn<State> = ReturnType<typeof createTurn<State>>

const behaviour = <State>(
  addon: Addon,
  sockets: SocketHandlers<State>,
  { exchange, turn }: { exchange: Pick<Exchanges, 'accept' | 'finish'>; turn: Turn<State> },
) => ({
  compression: addon.DISABLED,
  maxPayloadLength: hardMessageBytesMax(sockets.messageBytesMax),
  maxBackpressure: sockets.backpressureBytesMax,
  // without it a slow reader silently gets holes of thousands of messages
  closeOnBackpressureLimit: true,
  sendPingsAutomatically: true,
  idleTimeout: idleSeconds(sockets.idleTimeoutMs),

  upgrade(res: HttpResponse, req: HttpRequest, context: us_socket_context_t) {
    const request = exchange.accept(res, req)
    if (!request) return
    const { fields } = request
    const fault = upgradeFaultOf(fields)
    if (fault !== 0) return exchange.finish(request, bare(fault))
    let verdict: Response | { state: State; protocol?: string }
    try {
      verdict = sockets.upgrade(request, protocolsOf(fields))
    } catch {
      verdict = bare(500)
    }
    if (!('state' in verdict)) return exchange.finish(request, verdict)
    const owner = new UwsSocket(verdict.state, request.address, turn)
    request.end()
    res.upgrade<Data<State>>({ owner }, fieldOf(fields, 'sec-websocket-key'), verdict.protocol ?? '', '', context)
  },
  open(native: Native<State>) {
    const { owner } = native.getUserData()
    owner.native = native
    sockets.open(owner)
    owner.flush()
  },
  message(native: Native<State>, message: ArrayBuffer, isBinary: boolean) {
    const { owner } = native.getUserData()
    if (owner.closed) return
    if (isBinary) return owner.close(...closings.binary)
    if (message.byteLength > sockets.messageBytesMax) return owner.close(...closings.tooLarge)
    sockets.message(owner, Buffer.from(message).toString())
    // uWebSockets has the socket corked during this call
    owner.flush()
  },
  dropped(native: Native<State>) {
    native.getUserData().owner.isSlow = true
  },
  drain(native: Native<State>) {
    const { owner } = native.getUserData()
    if (!owner.closed && native.getBufferedAmount() === 0) sockets.drain?.(owner)
  },
  close(native: Native<State>, code: number, message: ArrayBuffer) {
    const { owner } = native.getUserData()
    owner.native = null
    if (owner.isSlow) sockets.close(owner, ...closings.slow)
    else sockets.close(owner, code, Buffer.from(message).toString())
  },
})

/** uWebSockets takes 8 to 960 seconds, and ends the process over anything else. */
const idleSeconds = (ms: number) => Math.min(960, Math.max(8, Math.round(ms / 1000)))

class UwsSocket<State> implements Socket<State> {
  readonly state: State
  readonly address: string
  readonly #turn: Turn<State>
  native: Native<State> | null = null
  /** Something could not be queued: uWebSockets is about to close it. */
  isSlow = false
  /** What the turn has queued: mostly one text, and no list is made for it. */
  #first: string | null = null
  #more: string[] | null = null
  #characters = 0

  constructor(state: State, address: string, turn: Turn<State>) {
    this.state = state
    this.address = address
    this.#turn = turn
  }

  get closed() {
    return this.native === null || this.isSlow
  }

  send(text: string): boolean {
    if (this.closed) return false
    if (this.#first === null) {
      this.#first = text
      this.#turn.add(this)
    } else (this.#more ??= []).push(text)
    this.#characters += text.length
    if (this.#characters > turnCharactersMax) this.flush()
    return !this.closed
  }

  sendMany(texts: readonly string[]): boolean {
    for (const text of texts) if (!this.send(text)) return false
    return !this.closed
  }

  /** Writes what the turn has queued. */
  flush() {
    const { native } = this
    const first = this.#first
    const more = this.#more
    if (first === null) return
    this.#first = null
    this.#more = null
    this.#characters = 0
    if (!native || this.isSlow) return
    if (more === null) native.send(first, false, false)
    else native.cork(() => this.#write(native, first, more))
  }

  #write(native: Native<State>, first: string, more: readonly string[]) {
    if (native.send(first, false, false) === dropped) return
    for (const text of more) if (this.isSlow || native.send(text, false, false) === dropped) return
  }

  subscribe(topic: string) {
    if (!this.closed) this.native?.subscribe(topic)
  }

  unsubscribe(topic: string) {
    if (!this.closed) this.native?.unsubscribe(topic)
  }

  buffered() {
    return (this.closed ? 0 : this.native!.getBufferedAmount()) + this.#characters
  }

  close(code: number, reason: string) {
    this.flush()
    if (!this.closed) this.native!.end(code, reason)
  }
}

const dropped = 2
