// How the official client reaches the server: connections that stay open and send at once. Through `fetch` every question
// waited some forty milliseconds for a delayed acknowledgement.
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'

/** An answer beyond this many bytes is not read on. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024
/** Requests on the wire at once; more wait for a connection. */
export const CONNECTIONS_MAX = 32

/** The server answered, but with a refusal; `code` as its documentation names it. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'Refused'
    this.status = status
    this.code = code
  }
}

export type Wire = { client: (...asked: Parameters<typeof fetch>) => Promise<unknown>; close(): void }

export const wire = (): Wire => {
  const options = { keepAlive: true, noDelay: true, maxSockets: CONNECTIONS_MAX }
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) }
  return {
    client: async (asked, { method = 'GET', headers, body, signal } = {}) => {
      const url = new URL(String(asked))
      const isSecure = url.protocol === 'https:'
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const request = (isSecure ? https : http).request(url, {
          agent: agents[isSecure ? 'https:' : 'http:'],
          method,
          headers: headersOf(headers, body),
          ...(signal && { signal }),
        })
        request.once('response', resolve)
        request.once('error', reject)
        request.end(typeof body === 'string' ? body : undefined)
      })
      return content(answer)
    },
    close: () => Object.values(agents).forEach((agent) => agent.destroy()),
  }
}

const headersOf = (headers: RequestInit['headers'], body: unknown): Record<string, string> => ({
  ...Object.fromEntries(new Headers(headers)),
  ...(typeof body === 'string' && { 'content-length': String(Buffer.byteLength(body)) }),
})

const content = async (answer: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new RangeError(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  const status = answer.statusCode ?? 0
  const text = Buffer.concat(chunks).toString()
  if (status >= 200 && status < 300) return text === '' ? undefined : JSON.parse(text)
  const { code, message } = refusalIn(text)
  throw new Refused(status, code, message)
}

/** What stands between may answer in its own way. */
const refusalIn = (text: string): { code: string; message: string } => {
  try {
    const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown }
    return { code: String(code ?? ''), message: String(message ?? '') }
  } catch {
    return { code: '', message: text.slice(0, 200) }
  }
}
