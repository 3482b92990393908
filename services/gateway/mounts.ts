// What is served beside the actions: media, generated documents, and pages for everything outside the API.
import type { Response } from '../../adapters/listener/index.ts'
import type { Node } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import { isUnchanged } from './conditional.ts'
import type { Documented } from './documented.ts'
import { CSP_SANDBOX, SECURITY, type Header } from './headers.ts'
import type { Hot, Prepared } from './hot.ts'
import type { Exchange } from './http.ts'
import type { Limits } from './limits.ts'
import type { Meters } from './meters.ts'
import { pageResponse, type Pages } from './pages.ts'
import { allowed } from './routes.ts'

/** undefined: nothing is there. */
export type Mounts = { answer(exchange: Exchange): Promise<Response | undefined> }
export type MountParts = { node: Node; hot: Hot; limits: Limits; documented: Documented; pages: Pages; meters: Meters }

export const REALTIME_PATH = '/v1/realtime'
const MEDIA_PREFIX = '/media/'
const MEDIA_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/
/** Content-addressed: the bytes under an address never change. Prepared ones are looked at again after an hour. */
const MEDIA_CACHING: Header = ['Cache-Control', 'public, max-age=31536000, immutable']
const MEDIA_FRESH_SECONDS = 3600
const IMAGE = /^image\/(png|jpeg|webp|avif|gif)$/

export const mounts = (parts: MountParts): Mounts => ({
  answer: async (exchange) => {
    const { path } = exchange.request
    if (path.startsWith(MEDIA_PREFIX)) return media(parts, exchange)
    if (path === REALTIME_PATH) return upgradeRequired(exchange)
    const document = parts.documented.find(path)
    if (document) {
      exchange.label = path
      onlyFor(exchange, ['GET'])
      return document(exchange)
    }
    if (path === '/v1' || path.startsWith('/v1/')) return undefined
    return page(parts, exchange)
  },
})

const media = async ({ node, hot, limits, meters }: MountParts, exchange: Exchange): Promise<Response | undefined> => {
  exchange.label = '/media/:id'
  onlyFor(exchange, ['GET'])
  const { request, requestId } = exchange
  const id = request.path.slice(MEDIA_PREFIX.length)
  if (!MEDIA_ID.test(id)) return undefined
  const kept = await hot.get(request.path, {
    key: `media ${id}`,
    tags: [],
    generations: [],
    maxAgeSeconds: MEDIA_FRESH_SECONDS,
    staleSeconds: MEDIA_FRESH_SECONDS,
    served: meters.answered(exchange.label, 200),
    make: async () => {
      const found = await node.call('media.read', { id }, { meta: { requestId } })
      if (!found) throw refuse('not_found')
      return {
        bytes: Buffer.from(found.body, 'base64'),
        headers: [...mediaHeaders(id, found.type), limits.address.policy],
      }
    },
  })
  return conditional(kept, exchange)
}

/** Bytes that somebody uploaded: shown only as an image, never run, never framed. */
const mediaHeaders = (id: string, type: string): Header[] => [
  ['Content-Type', IMAGE.test(type) ? type : 'application/octet-stream'],
  ['Content-Disposition', `${IMAGE.test(type) ? 'inline' : 'attachment'}; filename="${id}"`],
  MEDIA_CACHING,
  CSP_SANDBOX,
  ['Cross-Origin-Resource-Policy', 'cross-origin'],
  ...SECURITY,
]

const conditional = ({ bytes, etag, headers: made }: Prepared, { request, headers }: Exchange): Response => {
  const all = [...made, ...headers.filter(([name]) => name === 'X-Request-Id' || name === 'RateLimit')]
  return isUnchanged(request.headers.get('if-none-match'), etag)
    ? { status: 304, headers: all, body: '' }
    : { status: 200, headers: all, body: bytes }
}

const upgradeRequired = ({ headers, requestId }: Exchange): Response => ({
  status: 426,
  headers: [['Content-Type', 'application/problem+json; charset=utf-8'], ['Upgrade', 'websocket'], ...headers],
  body: JSON.stringify({
    type: '/docs#upgrade_required',
    title: 'This route is a WebSocket',
    status: 426,
    detail: 'connect with the subprotocol gigwire.v1',
    code: 'upgrade_required',
    requestId,
  }),
})

const page = async ({ node, pages }: MountParts, exchange: Exchange): Promise<Response | undefined> => {
  exchange.label = 'page'
  onlyFor(exchange, ['GET', 'POST'])
  const secure = node.settings.publicUrl.startsWith('https:')
  const answer = await pageResponse(pages, exchange.request, { requestId: exchange.requestId, secure })
  return answer && { ...answer, headers: [...answer.headers, ...exchange.headers] }
}

const onlyFor = ({ request, headers }: Exchange, methods: readonly string[]) => {
  if (methods.includes(request.method === 'HEAD' ? 'GET' : request.method)) return
  headers.push(['Allow', allowed(methods)])
  throw refuse('method_not_allowed', `${request.path} takes ${allowed(methods)}`)
}
