// The public API for our own pages: the same code as an outside request, without a socket between.
import type { Request } from '../../adapters/listener/index.ts'
import { ListenerError } from '../../adapters/listener/index.ts'
import type { Http } from './http.ts'
import type { Api, ApiOptions } from './pages.ts'

export const insideApi = (http: Pick<Http, 'inside'>): Api => {
  // Prepared answers are the same bytes again and again: parsed once.
  const parsed = new WeakMap<Uint8Array, unknown>()
  const bodyOf = (body: string | Uint8Array): unknown => {
    if (body.length === 0) return null
    if (typeof body === 'string') return JSON.parse(body)
    if (!parsed.has(body))
      parsed.set(body, JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8')))
    return parsed.get(body)
  }
  return async (method, target, options = {}) => {
    const { status, headers, own = [], body } = await http.inside(insideRequest(method, target, options))
    const all = [...headers, ...own]
    return { status, body: bodyOf(body), headers: new Map(all.map(([name, value]) => [name.toLowerCase(), value])) }
  }
}

const insideRequest = (
  method: string,
  target: string,
  { token, body, idempotencyKey, requestId, address = '' }: ApiOptions,
): Request => {
  const at = target.indexOf('?')
  const bytes = body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body))
  const headers = new Map<string, string>()
  if (token) headers.set('authorization', `Bearer ${token}`)
  if (idempotencyKey) headers.set('idempotency-key', idempotencyKey)
  if (requestId) headers.set('x-request-id', requestId)
  if (bytes.length > 0) headers.set('content-type', 'application/json').set('content-length', String(bytes.length))
  return {
    method,
    path: at < 0 ? target : target.slice(0, at),
    query: at < 0 ? '' : target.slice(at + 1),
    headers,
    address,
    body: async (bytesMax) => {
      if (bytes.length > bytesMax) throw new ListenerError('body_too_large', `the body has more than ${bytesMax} bytes`)
      return bytes
    },
    get signal() {
      return new AbortController().signal
    },
  }
}
