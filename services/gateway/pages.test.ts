import test from 'ava'
import type { Request } from '../../adapters/listener/index.ts'
import { media } from '../media/contract.ts'
import { insideApi } from './api.ts'
import { cookiesOf, pageResponse, type PageRequest, type PageResponse } from './pages.ts'
import { actorOf, LISTENERS, startGateway } from './testing.ts'

const request = (
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
): Request => ({
  method,
  path,
  query: 'q=a+b',
  headers: new Map(Object.entries({ ...headers, ...(body && { 'content-length': String(body.length) }) })),
  address: '192.0.2.1',
  body: async () => Buffer.from(body),
  signal: new AbortController().signal,
})
const context = { requestId: 'r', secure: false }
const showing = (page: PageResponse, seen: PageRequest[] = []) => ({
  handle: async (asked: PageRequest) => {
    seen.push(asked)
    return page
  },
})

test('a page gets the request in the words of pages', async (t) => {
  const seen: PageRequest[] = []
  const form = {
    'content-type': 'application/x-www-form-urlencoded',
    cookie: 'session=a=b; theme=dark; session=second',
  }
  await pageResponse(
    showing({ status: 303, headers: [], body: '' }, seen),
    request('POST', '/login', { headers: form, body: 'email=a%40b&p=1' }),
    context,
  )
  t.like(seen[0]!, { method: 'POST', path: '/login', address: '192.0.2.1', requestId: 'r' })
  t.is(seen[0]!.query.get('q'), 'a b')
  t.is(seen[0]!.form.get('email'), 'a@b')
  t.deepEqual({ ...seen[0]!.cookies }, { session: 'a=b', theme: 'dark' })
  await pageResponse(showing({ status: 200, headers: [], body: '' }, seen), request('HEAD', '/'), context)
  t.is(seen[1]!.method, 'GET')
  t.deepEqual({ ...cookiesOf(undefined) }, {})
})

test('a page without rules of its own gets strict ones, and is kept by nobody', async (t) => {
  const answer = await pageResponse(
    showing({ status: 200, headers: [['Content-Type', 'text/html']], body: '<p>' }),
    request('GET', '/'),
    context,
  )
  const headers = new Map(answer!.headers)
  t.regex(headers.get('Content-Security-Policy')!, /frame-ancestors 'none'/)
  t.is(headers.get('Cache-Control'), 'no-store')
  const own = await pageResponse(
    showing({
      status: 200,
      headers: [
        ['content-security-policy', 'x'],
        ['cache-control', 'private'],
      ],
      body: '',
    }),
    request('GET', '/'),
    context,
  )
  t.deepEqual(own!.headers, [
    ['content-security-policy', 'x'],
    ['cache-control', 'private'],
  ])
})

test('a public page has a tag and answers 304 to who has it', async (t) => {
  const pages = showing({ status: 200, headers: [['Cache-Control', 'public, max-age=5']], body: '<p>' })
  const first = await pageResponse(pages, request('GET', '/'), context)
  const etag = new Map(first!.headers).get('ETag')!
  const again = await pageResponse(pages, request('GET', '/', { headers: { 'if-none-match': etag } }), context)
  t.deepEqual([again!.status, again!.body], [304, ''])
})

test('pages ask the API as a client does, and prepared answers are read once', async (t) => {
  const asked: Request[] = []
  const bytes = Buffer.from('{"id":"gig_1"}')
  const api = insideApi({
    inside: async (one) => {
      asked.push(one)
      return { status: 200, headers: [['ETag', '"a"']], body: bytes }
    },
  })
  const [first, second] = [
    await api('GET', '/v1/gigs/gig_1?x=1'),
    await api('POST', '/v1/orders', { token: 't', body: { a: 1 }, idempotencyKey: 'k', address: '192.0.2.1' }),
  ]
  t.is(first.body, second.body)
  t.deepEqual(first.body, { id: 'gig_1' })
  t.is(first.headers.get('etag'), '"a"')
  t.like(asked[0]!, { method: 'GET', path: '/v1/gigs/gig_1', query: 'x=1', address: '' })
  const sent = ['authorization', 'idempotency-key', 'content-type', 'content-length', 'x-request-id']
  t.deepEqual(Object.fromEntries(sent.map((name) => [name, asked[1]!.headers.get(name)])), {
    authorization: 'Bearer t',
    'idempotency-key': 'k',
    'content-type': 'application/json',
    'content-length': '7',
    'x-request-id': undefined,
  })
  t.is(Buffer.from(await asked[1]!.body(100)).toString(), '{"a":1}')
  await t.throwsAsync(asked[1]!.body(3))
})

for (const listener of LISTENERS) {
  test(`${listener}: an image is served for ever, as nothing but an image`, async (t) => {
    const files: Record<string, { body: Buffer; type: string }> = {
      'abc.png': { body: Buffer.from([0x89, 0xff, 0]), type: 'image/png' },
      'page.html': { body: Buffer.from('<script>'), type: 'text/html' },
    }
    let read = 0
    const { base, ask, stop } = await startGateway({
      env: { LISTENER: listener },
      services: [
        actorOf(media, {
          read: ({ params }) => {
            read++
            const file = files[(params as { id: string }).id]
            return file ? { body: file.body.toString('base64'), type: file.type } : null
          },
        }),
      ],
    })
    t.teardown(stop)
    const image = await fetch(`${base}/media/abc.png`)
    t.deepEqual(Buffer.from(await image.arrayBuffer()), files['abc.png']!.body)
    t.is(image.headers.get('content-type'), 'image/png')
    t.is(image.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    t.is(image.headers.get('content-disposition'), 'inline; filename="abc.png"')
    t.is(image.headers.get('x-content-type-options'), 'nosniff')
    t.regex(image.headers.get('content-security-policy')!, /sandbox/)
    t.is((await ask('GET', '/media/abc.png', { headers: { 'if-none-match': image.headers.get('etag')! } })).status, 304)
    t.is(read, 1)
    const page = await ask('GET', '/media/page.html')
    t.is(page.headers.get('content-type'), 'application/octet-stream')
    t.regex(page.headers.get('content-disposition')!, /^attachment/)
    for (const path of ['/media/none.png', '/media/..%2fetc', '/media/', '/media/a%22b'])
      t.is((await ask('GET', path)).status, 404, path)
    t.is((await ask('POST', '/media/abc.png')).status, 405)
  })
}
