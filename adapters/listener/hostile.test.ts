import test from 'ava'
import { connect, exchange, opened, products, text, until } from './trial.ts'

const host = 'Host: a\r\n'
const post = (fields: string, body: string) => `POST / HTTP/1.1\r\n${host}${fields}\r\n${body}`
const get = (path = '/') => `GET ${path} HTTP/1.1\r\n${host}\r\n`
const chunked = '5\r\nabcde\r\n0\r\n\r\n'
const proxy = Buffer.from('0d0a0d0a000d0a515549540a2111000c080808087f00000100500050', 'hex').toString('latin1')

/** Each could be read in two ways, or not at all. */
const ambiguous: Readonly<Record<string, string>> = {
  'two differing lengths': post('Content-Length: 3\r\nContent-Length: 5\r\n', 'abcde'),
  'two equal lengths': post('Content-Length: 5\r\nContent-Length: 5\r\n', 'abcde'),
  'a list of lengths': post('Content-Length: 5, 5\r\n', 'abcde'),
  'an empty length': post('Content-Length: \r\n', ''),
  'an empty length before a real one': post('Content-Length: \r\nContent-Length: 5\r\n', 'abcde'),
  'a length with a sign': post('Content-Length: +5\r\n', 'abcde'),
  'a hexadecimal length': post('Content-Length: 0x5\r\n', 'abcde'),
  'a length past all numbers': post('Content-Length: 18446744073709551621\r\n', 'abcde'),
  'a space before the colon': post('Content-Length : 5\r\n', 'abcde'),
  'a length and an encoding': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', chunked),
  'an unknown encoding': post('Transfer-Encoding: xchunked\r\n', chunked),
  'an encoding before the chunks': post('Transfer-Encoding: gzip, chunked\r\n', chunked),
  'two encodings': post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', chunked),
  'chunked twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', chunked),
  'an empty encoding': post('Transfer-Encoding: \r\n', chunked),
  'no host': 'GET / HTTP/1.1\r\n\r\n',
  'an empty host': 'GET / HTTP/1.1\r\nHost: \r\n\r\n',
  'two hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'lines without CR': 'GET / HTTP/1.1\nHost: a\n\n',
  'one line without CR': `GET / HTTP/1.1\r\n${host}X: b\nY: c\r\n\r\n`,
  'a folded header': `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`,
  'a header name with a space': `GET / HTTP/1.1\r\n${host}X Y: a\r\n\r\n`,
  'a huge header': `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(70_000)}\r\n\r\n`,
  'very many headers': `GET / HTTP/1.1\r\n${host}${'X: 1\r\n'.repeat(150)}\r\n`,
  'a verb of control characters': `G\0T / HTTP/1.1\r\n${host}\r\n`,
  'a verb nobody knows': `FETCH / HTTP/1.1\r\n${host}\r\n`,
  'a verb in lower case': `get / HTTP/1.1\r\n${host}\r\n`,
  'a path without slash': `GET x HTTP/1.1\r\n${host}\r\n`,
  "another server's URL": `GET http://b/ HTTP/1.1\r\n${host}\r\n`,
  'an old protocol': `GET / HTTP/1.0\r\n${host}\r\n`,
  'a newer protocol': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a handshake of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
}

for (const [name, open] of products) {
  test(`${name}: whatever can be read in two ways is refused, and what follows it is not served`, async (t) => {
    const seen: string[] = []
    const handler = ({ path }: { path: string }) => {
      seen.push(path)
      return text('served')
    }
    const { port } = await opened(t, open, { handler })
    for (const [what, bytes] of Object.entries(ambiguous)) {
      const { statuses, isClosed } = await exchange(port, bytes)
      const isRefused =
        statuses.length === 0 ? isClosed || what.includes('TLS') : statuses.every((status) => status >= 400)
      t.true(isRefused, `${what}: ${JSON.stringify(statuses)}`)
    }
    t.deepEqual(seen, [])
    t.deepEqual((await exchange(port, get())).statuses, [200])
  })

  test(`${name}: a request that is refused takes the rest of its connection with it`, async (t) => {
    const { port } = await opened(t, open, {})
    for (const bytes of [
      ambiguous['two differing lengths'],
      ambiguous['an unknown encoding'],
      ambiguous['an empty host'],
    ]) {
      const { statuses, isClosed } = await exchange(port, bytes! + get('/smuggled'), () => false)
      t.deepEqual([statuses.filter((status) => status < 400), isClosed], [[], true])
    }
  })

  test(`${name}: nothing after a chunked body is served on the same connection`, async (t) => {
    const seen: string[] = []
    const { port } = await opened(t, open, {
      handler: async (request) => {
        seen.push(request.path)
        return text(String((await request.body(1_000)).length))
      },
    })
    const plain = await exchange(port, post('Transfer-Encoding: chunked\r\n', chunked), () => false)
    t.deepEqual([plain.statuses, plain.isClosed], [[200], true])
    // a chunk's extension that one reader takes for part of its size
    await exchange(port, post('Transfer-Encoding: chunked\r\n', `5;a=b\r\nabcde\r\n0\r\n\r\n${get('/smuggled')}`))
    t.deepEqual(seen, ['/', '/'])
  })

  test(`${name}: requests sent without waiting are answered in order or not at all`, async (t) => {
    const { port } = await opened(t, open, {
      handler: ({ path }) =>
        path === '/late'
          ? new Promise((resolve) => {
              setTimeout(resolve, 30, text(path))
            })
          : text(path),
    })
    const quick = await exchange(port, get('/1') + get('/2') + get('/3'), (all) => all.endsWith('/3'))
    t.deepEqual(quick.heard.match(/\/\d$|\/\d(?=HTTP)/g), ['/1', '/2', '/3'])
    const late = await exchange(port, get('/late') + get('/2'), (all) => all.endsWith('/2'))
    t.true(late.heard === '' ? late.isClosed : /\/late[^]*\/2$/.test(late.heard))
  })

  test(`${name}: a PROXY protocol prefix does not change the address`, async (t) => {
    const { port } = await opened(t, open, { handler: ({ address }) => text(address) })
    for (const prefix of [proxy, 'PROXY TCP4 8.8.8.8 127.0.0.1 1 1\r\n']) {
      const { heard, isClosed } = await exchange(port, prefix + get(), (all) => all.includes('127.0.0.1'))
      t.false(heard.includes('8.8.8.8'))
      t.true(heard.endsWith('127.0.0.1') || isClosed)
    }
  })

  test(`${name}: bytes that trickle in make the same request`, async (t) => {
    const { port } = await opened(t, open, {
      handler: async (request) => text(`${request.path} ${(await request.body(10)).length}`),
    })
    const tcp = connect(port)
    t.teardown(tcp.end)
    for (const byte of `POST /slow HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`) {
      tcp.send(byte)
      await new Promise(setImmediate)
    }
    t.true(await until(() => tcp.state.heard.endsWith('/slow 3')))
  })
}
