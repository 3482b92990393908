// Where pages meet the API: a storefront gets requests outside /v1 and asks the API as any client would, in process.
// What it may rely on is here; the storefront itself lives in storefront/.
import type { Request, Response } from '../../adapters/listener/index.ts'
import type { Settings } from '../../mixins/node.ts'
import { etagOf, isUnchanged } from './conditional.ts'
import { hasBody } from './body.ts'
import { refuse } from '../errors.ts'
import { CSP_PAGE, NO_STORE, type Header } from './headers.ts'

export type PageRequest = {
  /** GET or POST; HEAD arrives as GET. */
  method: string
  /** Percent-encoded, starting with '/'. */
  path: string
  query: URLSearchParams
  /** A header by its lower-case name. */
  headers(name: string): string | undefined
  cookies: Readonly<Record<string, string>>
  /** Fields of a posted form; empty for GET. */
  form: URLSearchParams
  /** Whom the request came from; hand it on to `api` so that the budgets of auth routes count. */
  address: string
  requestId: string
  /** The page came over https (as far as the gateway can know): cookies should be Secure. */
  secure: boolean
}
export type PageResponse = {
  status: number
  /** Names as they go out; Set-Cookie may occur several times. */
  headers: readonly (readonly [string, string])[]
  body: string | Uint8Array
}
/** null: no such page. */
export type Pages = { handle(request: PageRequest): Promise<PageResponse | null> }

export type ApiOptions = {
  token?: string
  body?: unknown
  idempotencyKey?: string
  requestId?: string
  address?: string
}
/** `body` is the parsed JSON, null when there is none. Do not change it: answers may be shared. */
export type ApiAnswer = { status: number; body: unknown; headers: ReadonlyMap<string, string> }
/** The public API in process: the same code as an outside request, without its address and account budgets. */
export type Api = (method: string, pathWithQuery: string, options?: ApiOptions) => Promise<ApiAnswer>
export type Storefront = (api: Api, settings?: Settings) => Pages

export const FORM_BYTES_MAX = 64 * 1024
const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Answers from the pages, or undefined when they have none for this path. */
export const pageResponse = async (
  pages: Pages,
  request: Request,
  { requestId, secure }: { requestId: string; secure: boolean },
): Promise<Response | undefined> => {
  const page = await pages.handle({
    method: request.method === 'HEAD' ? 'GET' : request.method,
    path: request.path,
    query: new URLSearchParams(request.query),
    headers: (name) => request.headers.get(name),
    cookies: cookiesOf(request.headers.get('cookie')),
    form: await formOf(request),
    address: request.address,
    requestId,
    secure,
  })
  return page ? guarded(page, request.headers.get('if-none-match')) : undefined
}

const formOf = async (request: Request): Promise<URLSearchParams> => {
  if (request.method !== 'POST' || !hasBody(request)) return new URLSearchParams()
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (type !== FORM_TYPE) throw refuse('unsupported_media_type', `send ${FORM_TYPE}`)
  return new URLSearchParams(Buffer.from(await request.body(FORM_BYTES_MAX)).toString('utf8'))
}

const COOKIES_MAX = 50
export const cookiesOf = (header: string | undefined): Readonly<Record<string, string>> => {
  const cookies: Record<string, string> = Object.create(null) as Record<string, string>
  for (const pair of (header ?? '').split(/[;,] */, COOKIES_MAX)) {
    const at = pair.indexOf('=')
    if (at > 0) cookies[pair.slice(0, at).trim()] ??= pair.slice(at + 1).trim()
  }
  return cookies
}

/** A page that names no policy gets the strict ones; one that may be shared gets a tag. */
const guarded = ({ status, headers, body }: PageResponse, ifNoneMatch: string | undefined): Response => {
  const value = (name: string) => headers.find(([known]) => known.toLowerCase() === name)?.[1]
  const added: Header[] = []
  if (!value('content-security-policy')) added.push(CSP_PAGE)
  const caching = value('cache-control')
  if (!caching) added.push(NO_STORE)
  if (status !== 200 || !caching?.startsWith('public')) return { status, headers: [...headers, ...added], body }
  const etag = value('etag') ?? etagOf(body)
  if (!value('etag')) added.push(['ETag', etag])
  return isUnchanged(ifNoneMatch, etag)
    ? { status: 304, headers: [...headers, ...added], body: '' }
    : { status, headers: [...headers, ...added], body }
}
