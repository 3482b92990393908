// OpenAPI 3.1, made from the contracts: what the gateway checks and what it says it checks are the same schema.
import type { Settings } from '../../mixins/node.ts'
import { DEFAULT_LIMITS } from '../../mixins/node.ts'
import { ERRORS, type ErrorCode } from '../errors.ts'
import { routesOf, type Route } from './routes.ts'
import { propertiesOf, schemas, type Json, type Schemas } from './schemas.ts'

/** Writes whose answer is 200 instead of 201 when the thing was there. */
const ALSO_200 = new Set(['chat.send', 'chat.open'])

export const openapi = (settings: Settings): Json => {
  const known = schemas()
  const paths: Record<string, Json> = { '/media/{id}': { get: MEDIA } }
  const { all } = routesOf(settings)
  for (const route of all) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, known) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Gigwire',
      version: '1',
      summary: 'Gigs, chat, orders and payouts.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: DESCRIPTION,
    },
    servers: [{ url: settings.publicUrl || '/' }],
    tags: [...new Set(all.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: PROBLEM, ...known.named },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      headers: HEADERS,
    },
  }
}

export const tagOf = ({ name }: Route): string => name.slice(0, name.indexOf('.'))

const DESCRIPTION = `Ids are opaque. Times are ISO 8601 UTC with milliseconds. Money is integer minor units and a lower-case currency code. Lists take \`limit\` and \`cursor\`.

Unknown fields of a body are refused, unknown query parameters ignored. Any POST of a signed-in account may carry an Idempotency-Key, kept for 24 hours: the same key and body give the same answer again with \`Idempotency-Replayed: true\`.

Default budgets: ${Object.entries(DEFAULT_LIMITS)
  .map(([name, { rate, burst }]) => `${name} ${Math.round(rate * 60)} a minute (burst ${burst})`)
  .join(', ')}. Sockets: see /asyncapi.json.`

const operation = (route: Route, known: Schemas): Json => {
  const { action, name } = route
  const described = [WHO[action.auth], action.publicRead && 'Public and cacheable: the same answer for everybody.']
    .filter(Boolean)
    .join(' ')
  return {
    operationId: name,
    tags: [tagOf(route)],
    summary: action.summary,
    ...(described && { description: described }),
    security: action.auth === 'none' ? [] : action.auth === 'optional' ? [{}, { bearer: [] }] : [{ bearer: [] }],
    parameters: parametersOf(route, known),
    ...requestBody(route, known),
    responses: { ...success(route, known), ...problems(route) },
  }
}

const WHO: Readonly<Record<string, string>> = {
  optional: 'A token is looked at if sent.',
  seller: 'For sellers.',
  moderator: 'For moderators.',
  admin: 'For admins.',
}

const parametersOf = ({ action, method, pathParams }: Route, known: Schemas): Json[] => {
  const all = propertiesOf(action.params)
  const inPath = all
    .filter(({ name }) => pathParams.includes(name))
    .map(({ name, schema }) => ({ name, in: 'path', required: true, schema: known.of(schema) }))
  const inQuery =
    method === 'GET' || method === 'DELETE'
      ? all
          .filter(({ name }) => !pathParams.includes(name))
          .map(({ name, schema, required }) => ({ name, in: 'query', required, schema: known.of(schema) }))
      : []
  const headers = method === 'POST' && !['none', 'optional'].includes(action.auth) ? [IDEMPOTENCY_KEY] : []
  return [...inPath, ...inQuery, ...headers, ...(action.publicRead ? [IF_NONE_MATCH] : [])]
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
}
const IF_NONE_MATCH = { name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } }

const requestBody = ({ action, method, pathParams }: Route, known: Schemas): Json => {
  if (method === 'GET' || method === 'DELETE') return {}
  if (action.rawBody)
    return {
      requestBody: {
        required: true,
        content: { 'application/octet-stream': {} },
        description: `Bytes, at most ${action.rawBody.bytesMax}.`,
      },
    }
  const fields = propertiesOf(action.params).filter(({ name }) => !pathParams.includes(name))
  if (fields.length === 0) return {}
  const required = fields.filter((field) => field.required).map(({ name }) => name)
  const schema = {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(fields.map((field) => [field.name, known.of(field.schema)])),
  }
  return { requestBody: { required: required.length > 0, content: { 'application/json': { schema } } } }
}

const success = ({ action, name }: Route, known: Schemas): Json => {
  const status = action.status ?? 200
  if (status === 204) return { 204: { description: 'Done.', headers: refsOf(COMMON) } }
  const headers = refsOf([...COMMON, ...(action.publicRead ? CACHEABLE : [])])
  const answer = {
    description: 'Done.',
    headers,
    content: { [action.html ? 'text/html' : 'application/json']: { schema: known.of(action.result) } },
  }
  return {
    [status]: answer,
    ...(ALSO_200.has(name) && { 200: { ...answer, description: 'It was there already.' } }),
    ...(action.publicRead && { 304: { description: 'If-None-Match names the current answer.', headers } }),
  }
}

/** One entry per status, naming the codes that come with it. */
const problems = ({ action, method, pathParams }: Route): Json => {
  const isWrite = method !== 'GET' && method !== 'DELETE'
  const takes = propertiesOf(action.params).length > pathParams.length
  const codes: ErrorCode[] = [
    ...(takes ? (['validation_failed'] as const) : []),
    ...(action.auth === 'none' ? [] : (['unauthenticated'] as const)),
    ...(['none', 'optional', 'user'].includes(action.auth) ? [] : (['forbidden'] as const)),
    ...(pathParams.length > 0 ? (['not_found'] as const) : []),
    ...(isWrite && takes ? (['body_too_large', 'unsupported_media_type'] as const) : []),
    ...(method === 'POST' && action.auth !== 'none' ? (['conflict', 'idempotency_key_reused'] as const) : []),
    ...((action.errors ?? []) as readonly ErrorCode[]),
    'rate_limited',
    'internal',
    'overloaded',
    'unavailable',
  ]
  const byStatus = Map.groupBy(new Set(codes), (code) => ERRORS[code][0])
  return Object.fromEntries([...byStatus].map(([status, of]) => [status, problem(status, of)]))
}

const problem = (status: number, codes: readonly ErrorCode[]): Json => ({
  description: codes.map((code) => `\`${code}\`: ${ERRORS[code][1]}`).join('. '),
  headers: refsOf(status === 429 || status === 503 ? [...COMMON, 'Retry-After'] : COMMON),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
})

const CACHEABLE = ['ETag', 'Cache-Control', 'Surrogate-Key', 'Cache-Tag', 'Age', 'Cache-Status']
const COMMON = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy']
const text = { schema: { type: 'string' } }
const HEADERS = {
  'X-Request-Id': { ...text, description: 'Echoed if sent and sane, made else.' },
  RateLimit: { ...text, description: 'What is left of the narrowest budget: "account";r=499;t=1' },
  'RateLimit-Policy': { ...text, description: 'That budget: "account";q=500;w=10' },
  ETag: { ...text, description: 'A strong tag of these bytes.' },
  'Cache-Control': text,
  'Surrogate-Key': {
    ...text,
    description: 'For shared caches: what the answer stands on, parted by spaces. A notice of change names the same.',
  },
  'Cache-Tag': { ...text, description: 'The same, parted by commas.' },
  Age: { schema: { type: 'integer' }, description: 'Seconds. Only on an answer past its time, see Cache-Status.' },
  'Cache-Status': {
    ...text,
    description:
      'Only on an answer past its time (RFC 9211): `gigwire; hit; ttl=-12; detail=stale`. It is served while a newer one is made, or stands in while none can be made.',
  },
  'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' },
}
const refsOf = (names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457. `code` is stable.',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', examples: Object.keys(ERRORS) },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

const MEDIA = {
  operationId: 'media.get',
  tags: ['media'],
  summary: 'A stored image, under an address that never changes.',
  security: [],
  parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
  responses: {
    200: { description: 'Its bytes.', content: { 'image/*': {} } },
    304: { description: 'If-None-Match names it.' },
    404: problem(404, ['not_found']),
  },
}
