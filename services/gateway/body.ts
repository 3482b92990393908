// A request's parameters: path, then query (GET, DELETE) or body (else), as plain JSON for the action's own schema to check.
import type { TSchema } from 'typebox'
import type { Request } from '../../adapters/listener/index.ts'
import { refuse } from '../errors.ts'
import type { Route } from './routes.ts'

export type Params = Record<string, unknown>

export const BODY_BYTES_MAX = 256 * 1024
/** Objects and lists within each other; nothing of ours comes near it. */
export const DEPTH_MAX = 32

export const paramsOf = async (
  request: Request,
  { route, values }: { route: Route; values: readonly string[] },
): Promise<Params> => {
  const inPath = pathParams(route, values)
  const { action, method } = route
  if (method === 'GET' || method === 'DELETE') return { ...queryParams(request.query, route), ...inPath }
  const given = action.rawBody ? await rawParams(request, route) : await jsonParams(request)
  for (const name of route.pathParams) if (Object.hasOwn(given, name)) throw unknownField(name)
  return { ...given, ...inPath }
}

const unknownField = (name: string) =>
  refuse('validation_failed', `${name}: is not a known field`, {
    errors: [{ path: name, message: 'is not a known field' }],
  })

const pathParams = ({ pathParams: names }: Route, values: readonly string[]): Params =>
  Object.fromEntries(names.map((name, at) => [name, decoded(values[at]!)]))

/** A segment that is not well-formed names nothing. */
const decoded = (segment: string): string => {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw refuse('not_found')
  }
}

/** Known parameters only, the last of repeated ones, as the type the schema asks for. Unknown ones are ignored. */
export const queryParams = (query: string, { action, pathParams: inPath }: Route): Params => {
  if (query === '') return {}
  const params: Params = {}
  const { properties } = action.params as unknown as { properties: Record<string, TSchema> }
  for (const [name, value] of new URLSearchParams(query)) {
    const schema = Object.hasOwn(properties, name) && !inPath.includes(name) ? properties[name] : undefined
    if (!schema) continue
    // An empty field of a form that nobody filled in.
    if (value === '' && '~optional' in schema) delete params[name]
    else params[name] = coerced(value, schema)
  }
  return params
}

/** What cannot be read as the schema's type stays text, for the schema to refuse. */
const coerced = (value: string, schema: TSchema): unknown => {
  const { type } = schema as { type?: string }
  if (type === 'integer') return /^-?\d{1,15}$/.test(value) ? Number(value) : value
  if (type === 'number') return /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value
  if (type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  return value
}

const jsonParams = async (request: Request): Promise<Params> => {
  if (!hasBody(request)) return {}
  if (!isJson(request.headers.get('content-type'))) throw refuse('unsupported_media_type', 'send application/json')
  return parsed(await request.body(BODY_BYTES_MAX))
}

export const hasBody = ({ headers }: Request): boolean =>
  headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0

const isJson = (contentType = ''): boolean => {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  return (
    type === 'application/json' &&
    parameters.every((one) => !one.startsWith('charset=') || /^charset="?utf-8"?$/.test(one))
  )
}

const parsed = (bytes: Uint8Array): Params => {
  if (bytes.length === 0) return {}
  if (depthOf(bytes) > DEPTH_MAX) throw refuse('validation_failed', `body: is nested deeper than ${DEPTH_MAX}`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw refuse('validation_failed', 'body: is not JSON in UTF-8', {
      errors: [{ path: '', message: 'is not JSON in UTF-8' }],
    })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse('validation_failed', 'body: must be an object', {
      errors: [{ path: '', message: 'must be an object' }],
    })
  return value as Params
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Counted on the bytes, before anything recursive sees them. */
const depthOf = (bytes: Uint8Array): number => {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return deepest
}

/** What the bytes of an action are accepted as, if their type is said, and what else of the request its parameters take. */
const RAW: Readonly<Record<string, { accepts?: RegExp; signature?: string }>> = {
  'media.upload': { accepts: /^(image\/[a-z0-9.+-]+|application\/octet-stream)$/ },
  'payment.webhook': { signature: 'stripe-signature' },
}

const rawParams = async (request: Request, { name, action }: Route): Promise<Params> => {
  const { accepts, signature } = RAW[name] ?? {}
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase()
  if (accepts && type && !accepts.test(type))
    throw refuse('unsupported_media_type', 'send the bytes themselves, with their type')
  const signed = signature && request.headers.get(signature)
  if (signature && !signed) throw refuse('bad_signature', `${signature} is missing`)
  const bytes = await request.body(action.rawBody!.bytesMax)
  return {
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    ...(signed && { signature: signed }),
  }
}
