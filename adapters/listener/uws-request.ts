// A request as uWebSockets gave it, kept after its own object is gone.
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import { type ClientAddress } from './address.ts'
import { type Body, createBody } from './body.ts'
import { bodyLengthOf, type Head, FieldHeaders } from './framing.ts'
import { ListenerError, type Request, type RequestHeaders } from './index.ts'

export type RequestSettings = {
  peerOf: (bytes: ArrayBuffer) => string
  addressOf: ClientAddress
  bodyTimeoutMs: number
}

/** Everything that has to be read before the callback returns. A method that the route tells need not be asked for. */
export const headOf = (req: HttpRequest, method = req.getCaseSensitiveMethod()): Head => {
  const fields: string[] = []
  req.forEach((name, value) => {
    fields.push(name, value)
  })
  return { method, path: req.getUrl(), query: req.getQuery() ?? '', fields }
}

/** A class, for what most handlers don't ask for is made only when asked: the map, the address, the signal. */
export class UwsRequest implements Request {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly fields: readonly string[]
  readonly res: HttpResponse
  readonly #settings: RequestSettings
  #headers: RequestHeaders | null = null
  #address: string | null = null
  #controller: AbortController | null = null
  #body: Body | null = null
  #left = 0
  #isOver = false

  constructor(head: Head, res: HttpResponse, settings: RequestSettings) {
    this.method = head.method
    this.path = head.path
    this.query = head.query
    this.fields = head.fields
    this.res = res
    this.#settings = settings
    this.#left = bodyLengthOf(head.fields)
  }

  get headers() {
    return (this.#headers ??= new FieldHeaders(this.fields))
  }

  get address() {
    if (this.#address !== null) return this.#address
    const { peerOf, addressOf } = this.#settings
    return (this.#address = addressOf(peerOf(this.res.getRemoteAddress()), () => this.headers))
  }

  get signal() {
    this.#controller ??= new AbortController()
    if (this.#isOver) this.#controller.abort()
    return this.#controller.signal
  }

  body(bytesMax: number): Promise<Uint8Array> {
    if (this.#body) return this.#body.read(bytesMax)
    if (this.#isOver) return Promise.reject(new ListenerError('aborted', 'the request is over'))
    if (this.#left === 0) return Promise.resolve(new Uint8Array())
    return this.#collect().read(bytesMax)
  }

  /** For an answer that comes later: takes what can only be had now. */
  keep() {
    void this.address
    if (this.#left > 0 && !this.#body) this.#collect()
  }

  /** Bytes of the body not yet in; Infinity for a chunked one, after which the connection is not used again:
   * uWebSockets misreads chunk extensions, and what follows such a body may not be what the client meant. */
  bytesLeft() {
    return this.#left
  }

  /** The client left, or its time was over. */
  abort() {
    this.end()
    this.#controller?.abort()
  }

  end() {
    this.#isOver = true
    this.#body?.fail('aborted')
  }

  #collect(): Body {
    const { res } = this
    let isPaused = false
    const body = createBody({
      announced: this.#left,
      timeoutMs: this.#settings.bodyTimeoutMs,
      pause: () => {
        if (isPaused || this.#isOver) return
        isPaused = true
        res.pause()
      },
      resume: () => {
        if (!isPaused || this.#isOver) return
        isPaused = false
        res.resume()
      },
    })
    res.onData((chunk, isLast) => {
      this.#left -= chunk.byteLength
      // the bytes are only lent
      body.push(new Uint8Array(chunk.slice(0)))
      if (isLast) body.end()
    })
    this.#body = body
    return body
  }
}
