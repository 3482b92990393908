import test from 'ava'
import { type Handler, ListenerError, type Request, type Response } from './index.ts'
import { connect, exchange, opened, products, statusesOf, text, until, wait } from './trial.ts'

const readBody =
  (bytesMax: number): Handler =>
  async (request) =>
    text(Buffer.from(await request.body(bytesMax)).toString())
const never = () => new Promise<Response>(() => {})
const post = (body: string | null, headers: Record<string, string> = {}) => ({ method: 'POST', body, headers })

for (const [name, open] of products) {
  test(`${name}: a handler sees the method, the path as it was written and the query`, async (t) => {
    const handler: Handler = ({ method, path, query }) => text(JSON.stringify([method, path, query]))
    const { url } = await opened(t, open, { handler })
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await fetch(`${url}/a%2Fb/%C3%A9?q=%20&r=1?2`, { method })
      t.deepEqual(await answer.json(), [method, '/a%2Fb/%C3%A9', 'q=%20&r=1?2'])
    }
    t.deepEqual(await (await fetch(url)).json(), ['GET', '/', ''])
  })

  test(`${name}: answers leave with their status, headers and UTF-8 text or bytes`, async (t) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
    const handler: Handler = ({ path }) =>
      path === '/bytes'
        ? { status: 200, headers: [], body: bytes }
        : text('grüße 🎁', 404, [
            ['X-One', '1'],
            ['X-Two', 'é'],
          ])
    const { url } = await opened(t, open, { handler })
    const answer = await fetch(url)
    t.is(answer.status, 404)
    t.is(await answer.text(), 'grüße 🎁')
    t.is(answer.headers.get('x-one'), '1')
    t.is(Buffer.from(answer.headers.get('x-two')!, 'latin1').toString(), 'é')
    t.truthy(answer.headers.get('date'))
    t.deepEqual(new Uint8Array(await (await fetch(`${url}/bytes`)).arrayBuffer()), bytes)
  })

  test(`${name}: request headers have lower-case names, and a repeated one is joined`, async (t) => {
    const handler: Handler = async ({ headers }) => {
      await wait(1)
      return text(
        JSON.stringify(['host', 'x-a', 'X-A', 'accept'].map((one) => [one, headers.get(one), headers.has(one)])),
      )
    }
    const { port } = await opened(t, open, { handler })
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nACCEPT: xÃ©x\r\nx-a:  2 \r\n\r\n'
    const { heard } = await exchange(port, head, (all) => all.endsWith(']'))
    const json = Buffer.from(heard.slice(heard.indexOf('[')), 'latin1').toString()
    t.deepEqual(JSON.parse(json), [
      ['host', 'a', true],
      ['x-a', '1, 2', true],
      ['X-A', null, false],
      ['accept', 'xéx', true],
    ])
  })

  test(`${name}: a body of no bytes and one of exactly the limit are read, one more byte is refused`, async (t) => {
    const { url } = await opened(t, open, { handler: readBody(1_000) })
    t.is(await (await fetch(url, post(null))).text(), '')
    t.is(await (await fetch(url, post(''))).text(), '')
    t.is(await (await fetch(url, post('ü'.repeat(500)))).text(), 'ü'.repeat(500))
    t.is((await fetch(url, post('x'.repeat(1_001)))).status, 413)
    t.is((await fetch(url, post('x'.repeat(3_000_000)))).status, 413)
    t.is(await (await fetch(url, post('after'))).text(), 'after')
  })

  test(`${name}: a handler can tell a body that is too large`, async (t) => {
    const handler: Handler = (request) =>
      request.body(10).then(
        () => text(''),
        (error: unknown) => text(error instanceof ListenerError ? error.code : 'other', 422),
      )
    const { url } = await opened(t, open, { handler })
    const answer = await fetch(url, post('x'.repeat(11)))
    t.deepEqual([answer.status, await answer.text()], [422, 'body_too_large'])
  })

  test(`${name}: a body asked for late is whole, also one that is larger than what is held`, async (t) => {
    const handler: Handler = async (request) => {
      await wait(50)
      return text(Buffer.from(await request.body(5_000_000)).toString())
    }
    const { url } = await opened(t, open, { handler })
    for (const bytes of [1, 70_000, 3_000_000]) {
      const body = Array.from({ length: bytes }, (_, n) => n % 10).join('')
      t.true((await (await fetch(url, post(body))).text()) === body)
    }
  })

  test(`${name}: a chunked body is read to its end and limited like any other`, async (t) => {
    const { port } = await opened(t, open, { handler: readBody(10) })
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const small = await exchange(port, `${head}3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n`, (all) => all.endsWith('abcdefg'))
    t.true(small.heard.endsWith('\r\n\r\nabcdefg'))
    t.deepEqual((await exchange(port, `${head}b\r\nabcdefghijk\r\n0\r\n\r\n`)).statuses, [413])
  })

  test(`${name}: a handler that asks for no body answers all the same, and the connection goes on`, async (t) => {
    const { port } = await opened(t, open, { handler: ({ path }) => text(path) })
    const two = 'POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcdeGET /two HTTP/1.1\r\nHost: a\r\n\r\n'
    const { heard, statuses } = await exchange(port, two, (all) => all.endsWith('/two'))
    t.deepEqual(statuses, [200, 200])
    t.true(heard.endsWith('/two'))
  })

  test(`${name}: HEAD says the length of the body and sends none`, async (t) => {
    const { port } = await opened(t, open, { handler: () => text('grüße') })
    const { heard } = await exchange(port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', () => false)
    t.regex(heard, /^HTTP\/1\.1 200 OK\r\n(?=[^]*Content-Length: 7\r\n)[^]*\r\n\r\n$/i)
  })

  test(`${name}: 204 and 304 have neither a body nor a length, and the connection goes on`, async (t) => {
    const handler: Handler = ({ path }) => text('', Number(path.slice(1)), [['ETag', '"1"']])
    const { port } = await opened(t, open, { handler })
    for (const status of [204, 304]) {
      const two = [status, 404].map((path) => `GET /${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('')
      const { heard } = await exchange(port, two, (all) => / 404 /.test(all))
      t.deepEqual(statusesOf(heard), [status, 404])
      t.false(heard.slice(0, heard.indexOf('\r\n\r\n')).toLowerCase().includes('content-length'))
    }
  })

  test(`${name}: a handler that throws or rejects becomes a 500 that says nothing`, async (t) => {
    const handler: Handler = ({ path }) => {
      if (path === '/throw') throw new Error('secret')
      if (path === '/header') return text('', 200, [['X', 'a\r\nSet-Cookie: b']])
      return Promise.reject(new Error('secret'))
    }
    const { url } = await opened(t, open, { handler })
    for (const path of ['/throw', '/reject', '/header']) {
      const answer = await fetch(url + path)
      t.deepEqual([answer.status, await answer.text(), answer.headers.get('set-cookie')], [500, '', null])
    }
  })

  test(`${name}: frozen headers are sent every time, and refused every time they break a line`, async (t) => {
    const good = Object.freeze([
      ['X-One', '1'],
      ['X-Two', '2'],
    ] as const)
    const bad = Object.freeze([
      ['X-One', '1'],
      ['X-Two', 'a\r\nSet-Cookie: b'],
    ] as const)
    const { url } = await opened(t, open, { handler: ({ path }) => text('', 200, path === '/bad' ? bad : good) })
    for (let n = 0; n < 2; n += 1) {
      const { headers } = await fetch(url)
      t.deepEqual([headers.get('x-one'), headers.get('x-two')], ['1', '2'])
      const refused = await fetch(`${url}/bad`)
      t.deepEqual([refused.status, refused.headers.get('set-cookie')], [500, null])
    }
  })

  test(`${name}: an answer's own headers follow the shared ones, and are refused where they break a line`, async (t) => {
    const headers = Object.freeze([['X-One', '1']] as const)
    const handler: Handler = ({ path }) => ({
      ...text('', 200, path === '/none' ? [] : headers),
      own: [['X-Own', path === '/bad' ? 'a\r\nSet-Cookie: b' : path]],
    })
    const { url } = await opened(t, open, { handler })
    for (const path of ['/a', '/b']) {
      const answer = await fetch(url + path)
      t.deepEqual([answer.headers.get('x-one'), answer.headers.get('x-own')], ['1', path])
    }
    t.is((await fetch(`${url}/none`)).headers.get('x-own'), '/none')
    const refused = await fetch(`${url}/bad`)
    t.deepEqual([refused.status, refused.headers.get('x-one'), refused.headers.get('set-cookie')], [500, null, null])
  })

  test(`${name}: a request that is never answered gets 503 with Retry-After, and its signal fires`, async (t) => {
    const signals: AbortSignal[] = []
    const handler: Handler = ({ signal }) => {
      signals.push(signal)
      return never()
    }
    const { url } = await opened(t, open, { handler, options: { requestTimeoutMs: 60 } })
    const answer = await fetch(url)
    t.deepEqual([answer.status, answer.headers.get('retry-after'), await answer.text()], [503, '1', ''])
    t.true(await until(() => signals[0]!.aborted))
  })

  test(`${name}: a body that does not come in time is 408 and ends the connection`, async (t) => {
    const { port } = await opened(t, open, { handler: readBody(100), options: { bodyTimeoutMs: 60 } })
    const { statuses, isClosed } = await exchange(
      port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab',
      () => false,
    )
    t.deepEqual([statuses, isClosed], [[408], true])
  })

  test(`${name}: a client that leaves fires the signal, fails its body and frees its place`, async (t) => {
    const codes: string[] = []
    const requests: Request[] = []
    const handler: Handler = (request) => {
      if (request.path === '/next') return text('next')
      requests.push(request)
      request.body(100).catch((error: ListenerError) => codes.push(error.code))
      return never()
    }
    const { port, url } = await opened(t, open, { handler, options: { requestsMax: 1 } })
    const tcp = connect(port)
    tcp.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab')
    t.true(await until(() => requests.length === 1))
    t.false(requests[0]!.signal.aborted)
    const next = () => fetch(`${url}/next`, { method: 'POST', body: 'x' })
    t.is((await next()).status, 503)
    tcp.end()
    t.true(await until(() => requests[0]!.signal.aborted && codes.length === 1))
    t.deepEqual(codes, ['aborted'])
    t.is(await (await next()).text(), 'next')
  })

  test(`${name}: past the bound of open requests a new one is refused at once`, async (t) => {
    const answers: ((answer: Response) => void)[] = []
    const handler: Handler = () =>
      new Promise((resolve) => {
        answers.push(resolve)
      })
    const { url } = await opened(t, open, { handler, options: { requestsMax: 2 } })
    const first = [fetch(url), fetch(url)]
    t.true(await until(() => answers.length === 2))
    const refused = await fetch(url)
    t.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
    for (const answer of answers) answer(text('late'))
    t.deepEqual(await Promise.all(first.map(async (answer) => (await answer).text())), ['late', 'late'])
  })

  test(`${name}: requests with and without a body do not take each other's places`, async (t) => {
    let asked = 0
    const handler: Handler = () => {
      asked += 1
      return never()
    }
    const { url } = await opened(t, open, { handler, options: { requestsMax: 1, bodylessMax: 2 } })
    const post = () => fetch(url, { method: 'POST', body: 'x' })
    const open_ = [fetch(url), fetch(url), post()]
    for (const one of open_) one.catch(() => undefined)
    t.true(await until(() => asked === 3))
    t.deepEqual([(await fetch(url)).status, (await post()).status], [503, 503])
  })

  test(`${name}: a paused listener takes nobody new and goes on serving who is there`, async (t) => {
    const { listener, port } = await opened(t, open, { handler: ({ path }) => text(path) })
    const old = connect(port)
    t.teardown(old.end)
    old.send('GET /one HTTP/1.1\r\nHost: a\r\n\r\n')
    t.true(await until(() => old.state.heard.endsWith('/one')))
    listener.pause()
    listener.pause()
    const late = connect(port)
    t.true(await until(() => late.state.isClosed))
    old.send('GET /two HTTP/1.1\r\nHost: a\r\n\r\n')
    t.true(await until(() => old.state.heard.endsWith('/two')))
  })

  test(`${name}: closing ends every connection and frees the port`, async (t) => {
    const { listener, port } = await opened(t, open, { handler: never })
    const idle = connect(port)
    const busy = connect(port)
    busy.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await wait(50)
    await Promise.all([listener.close(), listener.close()])
    t.true(await until(() => idle.state.isClosed && busy.state.isClosed))
    const again = await opened(t, open, { options: { port } })
    t.is(again.port, port)
  })

  test(`${name}: a port that is taken is a clear error`, async (t) => {
    const { port } = await opened(t, open, {})
    for (const [, other] of products) {
      await t.throwsAsync(opened(t, other, { options: { port } }), { code: 'EADDRINUSE' })
    }
  })

  test(`${name}: processes that agree to share a port can`, async (t) => {
    const { port } = await opened(t, open, { options: { sharePort: true } })
    await t.notThrowsAsync(opened(t, open, { options: { port, sharePort: true } }))
  })

  test(`${name}: a forwarded address is believed only from a trusted proxy, from the right`, async (t) => {
    const handler: Handler = ({ address }) => text(address)
    const forwarded = { 'X-Forwarded-For': '1.1.1.1, 2.2.2.2:443, 10.0.0.9' }
    const nobody = await opened(t, open, { handler })
    t.is(await (await fetch(nobody.url, { headers: forwarded })).text(), '127.0.0.1')
    const trusted = await opened(t, open, { handler, options: { trustProxy: ['127.0.0.1', '10.0.0.0/8'] } })
    t.is(await (await fetch(trusted.url, { headers: forwarded })).text(), '2.2.2.2')
    t.is(await (await fetch(trusted.url)).text(), '127.0.0.1')
    const late: Handler = async (request) => (await wait(1), handler(request))
    const other = await opened(t, open, { handler: late, options: { trustProxy: ['10.0.0.0/8'] } })
    t.is(await (await fetch(other.url, { headers: forwarded })).text(), '127.0.0.1')
  })

  test(`${name}: a proxy list that can't be read stops the start`, async (t) => {
    await t.throwsAsync(async () => opened(t, open, { options: { trustProxy: ['10.0.0.0/33'] } }), {
      message: /10\.0\.0\.0\/33/,
    })
  })
}
