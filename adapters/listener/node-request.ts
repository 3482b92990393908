// A request as node:http gave it.
import type { IncomingMessage } from 'node:http'
import { addressText, type ClientAddress } from './address.ts'
import { type Body, createBody } from './body.ts'
import { bodyLengthOf, type Head, FieldHeaders } from './framing.ts'
import { ListenerError, type Request, type RequestHeaders } from './index.ts'

export type RequestSettings = { addressOf: ClientAddress; bodyTimeoutMs: number }

/** Node reads each byte as one character; what clients send is UTF-8. */
const asUtf8 = (text: string) => Buffer.from(text, 'latin1').toString()

export const headOf = (message: IncomingMessage): Head => {
  const { method = '', url = '', rawHeaders } = message
  const question = url.indexOf('?')
  return {
    method,
    path: asUtf8(question < 0 ? url : url.slice(0, question)),
    query: question < 0 ? '' : asUtf8(url.slice(question + 1)),
    fields: rawHeaders.map((text, n) => (n % 2 === 0 ? text.toLowerCase() : asUtf8(text))),
  }
}

export class NodeRequest implements Request {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly fields: readonly string[]
  readonly #message: IncomingMessage
  readonly #settings: RequestSettings
  #headers: RequestHeaders | null = null
  #address: string | null = null
  #controller: AbortController | null = null
  #body: Body | null = null
  #left: number
  #isOver = false

  constructor(head: Head, message: IncomingMessage, settings: RequestSettings) {
    this.method = head.method
    this.path = head.path
    this.query = head.query
    this.fields = head.fields
    this.#message = message
    this.#settings = settings
    this.#left = bodyLengthOf(head.fields)
  }

  get headers() {
    return (this.#headers ??= new FieldHeaders(this.fields))
  }

  get address() {
    if (this.#address !== null) return this.#address
    const peer = addressText(this.#message.socket.remoteAddress ?? '')
    return (this.#address = this.#settings.addressOf(peer, () => this.headers))
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

  /** Bytes of the body not yet in; Infinity for a chunked one, after which the connection is not used again. */
  bytesLeft() {
    return this.#left
  }

  abort() {
    this.end()
    this.#controller?.abort()
  }

  end() {
    this.#isOver = true
    this.#body?.fail('aborted')
  }

  /** Until somebody reads, Node itself holds the sender back. */
  #collect(): Body {
    const message = this.#message
    const body = createBody({
      announced: this.#left,
      timeoutMs: this.#settings.bodyTimeoutMs,
      pause: () => {},
      resume: () => {},
    })
    message.on('data', (chunk: Buffer) => {
      this.#left -= chunk.length
      body.push(chunk)
    })
    message.once('end', () => body.end())
    message.once('error', () => body.fail('aborted'))
    message.once('close', () => body.fail('aborted'))
    this.#body = body
    return body
  }
}
