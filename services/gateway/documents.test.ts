import test from 'ava'
import type { Settings } from '../../mixins/node.ts'
import { ERRORS } from '../errors.ts'
import { asyncapi } from './asyncapi.ts'
import { OPS } from './frames.ts'
import { openapi } from './openapi.ts'
import { publicRoutes } from './routes.ts'
import { startGateway } from './testing.ts'

const settings: Settings = { sandbox: true, publicUrl: 'https://gigs.example', jwtSecret: '', payoutCron: '' }

/** Every $ref of a document leads somewhere in it. */
const danglingRefs = (document: object): string[] => {
  const dangling: string[] = []
  const resolve = (ref: string) =>
    ref
      .slice(2)
      .split('/')
      .reduce<unknown>(
        (at, part) => (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')],
        document,
      )
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { $ref } = value as { $ref?: unknown }
    if (typeof $ref === 'string' && resolve($ref) === undefined) dangling.push($ref)
    Object.values(value).forEach(walk)
  }
  walk(document)
  return dangling
}

type Operation = {
  operationId: string
  security: object[]
  parameters: { name: string; in: string }[]
  responses: Record<string, object>
  requestBody?: { content: Record<string, { schema: { properties: object; additionalProperties: boolean } }> }
}
type OpenApi = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

test('every public route is in the OpenAPI document, and nothing else of the actors', (t) => {
  const document = openapi(settings) as OpenApi
  t.is(document.openapi, '3.1.0')
  const documented = Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, { operationId }]) => `${verb.toUpperCase()} ${path} ${operationId}`),
  )
  const declared = publicRoutes().map(
    ({ method, path, name }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')} ${name}`,
  )
  t.deepEqual(documented.filter((one) => !one.includes('/media/{id}')).sort(), declared.sort())
  t.false(JSON.stringify(document).includes('account.who'))
  t.deepEqual(danglingRefs(document), [])
})

test('an operation says where each parameter goes, who may ask, and what can go wrong', (t) => {
  const { paths, components } = openapi(settings) as OpenApi
  const place = paths['/v1/orders']!.post!
  t.deepEqual(place.security, [{ bearer: [] }])
  t.true(place.parameters.some(({ name }) => name === 'Idempotency-Key'))
  t.deepEqual(Object.keys(place.requestBody!.content['application/json']!.schema.properties).sort(), [
    'extras',
    'gig',
    'package',
    'quantity',
  ])
  for (const status of [201, 400, 401, 409, 413, 415, 429, 500, 503]) t.truthy(place.responses[status], String(status))
  const pay = paths['/v1/orders/{id}/pay']!.post!
  t.deepEqual(
    pay.parameters.filter((one) => one.in === 'path').map(({ name }) => name),
    ['id'],
  )
  t.false('id' in pay.requestBody!.content['application/json']!.schema.properties)
  t.truthy(pay.responses[402])
  const search = paths['/v1/gigs']!.get!
  t.true(search.parameters.some((one) => one.name === 'q' && one.in === 'query'))
  t.truthy(search.responses[304])
  t.deepEqual(search.security, [])
  for (const name of ['Problem', 'Gig', 'Order', 'Message', 'User']) t.truthy(components.schemas[name], name)
})

test('routes of the sandbox are documented only there', (t) => {
  t.truthy((openapi(settings) as OpenApi).paths['/v1/sandbox/clock'])
  t.falsy((openapi({ ...settings, sandbox: false }) as OpenApi).paths['/v1/sandbox/clock'])
})

test('every operation and event of the socket is in the AsyncAPI document', (t) => {
  const document = asyncapi(settings) as {
    asyncapi: string
    operations: Record<string, object>
    components: { messages: Record<string, object> }
    servers: object
  }
  t.is(document.asyncapi, '3.1.0')
  t.deepEqual(Object.keys(document.operations).sort(), [...Object.keys(OPS), 'events'].sort())
  for (const ev of [
    'message',
    'message.edited',
    'message.deleted',
    'read',
    'typing',
    'presence',
    'order',
    'notification',
    'draining',
  ])
    t.truthy(document.components.messages[`ev.${ev}`], ev)
  t.deepEqual(document.servers, { here: { host: 'gigs.example', protocol: 'wss' } })
  t.deepEqual(danglingRefs(document), [])
})

test('documents are served with a tag, compressed for who asks, and the page runs no script', async (t) => {
  const { ask, stop } = await startGateway({})
  t.teardown(stop)
  for (const [path, type] of [
    ['/openapi.json', 'application/json'],
    ['/asyncapi.json', 'application/json'],
    ['/docs', 'text/html'],
  ] as const) {
    const answer = await ask('GET', path, { headers: { 'accept-encoding': 'gzip' } })
    t.is(answer.status, 200)
    t.is(answer.headers.get('content-encoding'), 'gzip')
    t.true(answer.headers.get('content-type')!.startsWith(type))
    t.true(Number(answer.headers.get('content-length')) < 30_000, path)
    const plain = await ask('GET', path, { headers: { 'accept-encoding': 'identity' } })
    t.is(plain.headers.get('content-encoding'), null)
    t.is(plain.text, answer.text)
    t.not(plain.headers.get('etag'), answer.headers.get('etag'))
    const same = await ask('GET', path, {
      headers: { 'accept-encoding': 'gzip', 'if-none-match': answer.headers.get('etag')! },
    })
    t.is(same.status, 304)
    t.is((await ask('POST', path)).status, 405)
  }
  const page = await ask('GET', '/docs')
  t.false(page.text.includes('<script'))
  t.regex(
    page.headers.get('content-security-policy')!,
    /default-src 'none'; style-src 'sha256-.+frame-ancestors 'none'/,
  )
  for (const code of Object.keys(ERRORS)) t.true(page.text.includes(`id="${code}"`), code)
})
