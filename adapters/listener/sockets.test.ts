import { randomBytes } from 'node:crypto'
import test from 'ava'
import { WebSocket } from 'ws'
import { connect, opened, products, type Tcp, text, until, wait } from './trial.ts'

/** A well-behaved client: what it heard, and how it ended. */
const join = async (port: number, protocols: string[] = [], path = '/live') => {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols)
  const state = { heard: [] as string[], closed: null as [number, string] | null, status: 101 }
  client.on('message', (data: Buffer) => state.heard.push(data.toString()))
  client.on('error', () => {})
  client.on('unexpected-response', (_request, answer) => {
    state.status = answer.statusCode ?? 0
    client.terminate()
  })
  client.on('close', (code, reason) => {
    state.closed = [code, reason.toString()]
  })
  await until(() => client.readyState !== WebSocket.CONNECTING)
  return { client, state }
}

const upgrade =
  'GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'

/** A client that is on a socket and then does as the test likes. */
const joinRaw = async (port: number): Promise<Tcp> => {
  const tcp = connect(port)
  tcp.send(`${upgrade}\r\n`)
  await until(() => tcp.state.heard.includes('\r\n\r\n'))
  return tcp
}

type Frame = { code?: number; payload?: string | Buffer; isLast?: boolean; isMasked?: boolean }
const frame = ({ code = 1, payload = '', isLast = true, isMasked = true }: Frame) => {
  const bytes = Buffer.from(payload)
  const mask = isMasked ? randomBytes(4) : Buffer.alloc(0)
  const masked = bytes.map((byte, n) => byte ^ (isMasked ? mask[n % 4]! : 0))
  return Buffer.concat([Buffer.from([(isLast ? 0x80 : 0) | code, (isMasked ? 0x80 : 0) | bytes.length]), mask, masked])
}

for (const [name, open] of products) {
  test(`${name}: a client speaks and hears text, under the protocol it offered`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: {} })
    const { client, state } = await join(port, ['gigwire.v1', 'other'])
    t.is(client.protocol, 'gigwire.v1')
    const texts = ['hello', 'grüße 🎁', 'x'.repeat(130), 'y'.repeat(1_000), '']
    for (const message of texts) client.send(message)
    t.true(await until(() => state.heard.length === texts.length))
    t.deepEqual(state.heard, texts)
    t.deepEqual([known.length, known[0]!.address], [1, '127.0.0.1'])
    client.terminate()
  })

  test(`${name}: frames of every length arrive as they were sent`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: {} })
    const { client, state } = await join(port)
    const texts = [125, 126, 65_535, 65_536, 200_000].map((length) => 'é'.repeat(length / 2) + 'x'.repeat(length % 2))
    for (const message of texts) known[0]!.send(message)
    t.true(await until(() => state.heard.length === texts.length))
    t.true(state.heard.every((message, n) => message === texts[n]))
    client.terminate()
  })

  test(`${name}: an upgrade can be refused with an answer`, async (t) => {
    const refused = { upgrade: () => text('no', 403, [['X-Why', 'because']]) }
    const { port } = await opened(t, open, { sockets: refused })
    const tcp = connect(port)
    tcp.send(`${upgrade}\r\n`)
    t.true(await until(() => tcp.state.heard.endsWith('no')))
    t.regex(tcp.state.heard, /^HTTP\/1\.1 403 [^]*X-Why: because\r\n/)
    tcp.end()
  })

  test(`${name}: an upgrade that fails, or is none, is refused`, async (t) => {
    const throws = await opened(t, open, {
      sockets: {
        upgrade: () => {
          throw new Error('secret')
        },
      },
    })
    t.is((await join(throws.port)).state.status, 500)
    const { port, url } = await opened(t, open, { sockets: {}, handler: () => text('page', 404) })
    t.is((await join(port, [], '/elsewhere')).state.status, 404)
    t.is(await (await fetch(`${url}/live`)).text(), 'page')
    const broken = [
      ['Version: 13', 'Version: 8'],
      ['Host: a', 'Host: '],
      ['Host: a', 'Host: a\r\nContent-Length: 1\r\nContent-Length: 2'],
    ] as const
    for (const [from, to] of broken) {
      const tcp = connect(port)
      tcp.send(`${upgrade.replace(from, to)}\r\n`)
      t.true(await until(() => / 4\d\d /.test(tcp.state.heard)), to)
      tcp.end()
    }
  })

  test(`${name}: a binary message is refused with 4400`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: {} })
    const { client, state } = await join(port)
    client.send(Buffer.from('bytes'))
    t.true(await until(() => state.closed !== null && known[0]!.state.closed !== null))
    t.is(state.closed![0], 4400)
    t.deepEqual([known[0]!.state.heard, known[0]!.state.closed![0], known[0]!.closed], [[], 4400, true])
  })

  test(`${name}: the largest message is heard, a larger one is refused with 4400, a huge one ends the connection`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: { messageBytesMax: 100 } })
    for (const [length, code] of [
      [101, 4400],
      [390, 4400],
      [5_000, null],
    ] as const) {
      const { client, state } = await join(port)
      client.send('x'.repeat(100))
      t.true(await until(() => state.heard.length === 1))
      client.send('x'.repeat(length))
      t.true(await until(() => state.closed !== null))
      if (code) t.is(state.closed![0], code)
    }
    t.deepEqual(
      known.map((socket) => socket.state.heard.length),
      [1, 1, 1],
    )
  })

  test(`${name}: a message in fragments is one message`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: {} })
    const tcp = await joinRaw(port)
    tcp.send(frame({ payload: 'hel', isLast: false }))
    tcp.send(frame({ code: 0, payload: 'lo ', isLast: false }))
    tcp.send(frame({ code: 9, payload: 'ping' }))
    tcp.send(frame({ code: 0, payload: 'you' }))
    t.true(await until(() => tcp.state.heard.includes('hello you')))
    t.true(tcp.state.heard.includes('\x8a\x04ping'))
    t.deepEqual(known[0]!.state.heard, ['hello you'])
    tcp.end()
  })

  test(`${name}: a broken frame ends the connection and is heard by nobody`, async (t) => {
    const broken: Readonly<Record<string, Buffer>> = {
      'a reserved bit': frame({ code: 0x41, payload: 'abcd' }),
      'an unknown operation': frame({ code: 3, payload: 'abcd' }),
      'text that is not UTF-8': frame({ payload: Buffer.from([0xc3, 0x28]) }),
      'a continuation of nothing': frame({ code: 0, payload: 'abcd' }),
      'a ping in fragments': frame({ code: 9, isLast: false }),
      // uWebSockets takes the first bytes of the text for the mask; what comes out is not UTF-8
      'a frame without a mask': Buffer.concat(
        Array.from({ length: 20 }, () => frame({ payload: 'x\xf0\x80zabcd', isMasked: false })),
      ),
    }
    const { port, known } = await opened(t, open, { sockets: {} })
    for (const [what, bytes] of Object.entries(broken)) {
      const tcp = await joinRaw(port)
      tcp.send(bytes)
      t.true(await until(() => tcp.state.isClosed), what)
    }
    t.true(await until(() => known.every((socket) => socket.closed)))
    t.deepEqual(
      known.flatMap((socket) => socket.state.heard),
      [],
    )
  })

  test(`${name}: a close carries its code and reason both ways, once`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: {} })
    const byServer = await join(port)
    known[0]!.send('last words')
    known[0]!.close(4401, 'expired')
    known[0]!.close(4402, 'again')
    t.false(known[0]!.send('too late'))
    t.true(await until(() => byServer.state.closed !== null))
    t.deepEqual(byServer.state, { heard: ['last words'], closed: [4401, 'expired'], status: 101 })
    t.deepEqual(known[0]!.state.closed, [4401, 'expired'])
    const byClient = await join(port)
    byClient.client.close(4000, 'bye')
    t.true(await until(() => known[1]!.state.closed !== null && byClient.state.closed !== null))
    t.deepEqual([known[1]!.state.closed, known[1]!.closed], [[4000, 'bye'], true])
    const silent = await join(port)
    silent.client.terminate()
    t.true(await until(() => known[2]!.state.closed !== null))
    t.is(known[2]!.state.closed![0], 1006)
  })

  test(`${name}: a topic reaches its subscribers and nobody else`, async (t) => {
    const { listener, port, known } = await opened(t, open, { sockets: {} })
    const clients = await Promise.all(Array.from({ length: 4 }, () => join(port)))
    t.true(await until(() => known.length === 4))
    for (const socket of known.slice(0, 3)) socket.subscribe('room')
    known[0]!.subscribe('room')
    known[2]!.unsubscribe('room')
    t.deepEqual([listener.subscribers('room'), listener.subscribers('nowhere')], [2, 0])
    listener.publish('nowhere', 'nothing')
    listener.publish('room', 'grüße')
    for (const socket of known) socket.send('end')
    t.true(await until(() => clients.every(({ state }) => state.heard.includes('end'))))
    t.deepEqual(clients.map(({ state }) => state.heard.length).sort(), [1, 1, 2, 2])
    for (const { client } of clients) client.terminate()
    t.true(await until(() => listener.subscribers('room') === 0))
  })

  test(`${name}: what is sent, published and sent in bulk arrives in that order`, async (t) => {
    const { listener, port, known } = await opened(t, open, { sockets: {} })
    const { client, state } = await join(port)
    const [socket] = known
    socket!.subscribe('room')
    const expected: string[] = []
    for (let n = 0; n < 100; n += 1) {
      const bulk = [`${n}b`, `${n}c`, `${n}d`]
      socket!.send(`${n}a`)
      socket!.sendMany(bulk)
      listener.publish('room', `${n}e`)
      socket!.send(`${n}f`)
      expected.push(`${n}a`, ...bulk, `${n}e`, `${n}f`)
      if (n % 10 === 0) await wait(1)
    }
    t.true(await until(() => state.heard.length >= expected.length))
    t.deepEqual(state.heard, expected)
    client.terminate()
  })

  for (const way of ['send', 'publish'] as const) {
    test(`${name}: a reader that stops reading is closed, and what it got by ${way} has no hole`, async (t) => {
      const { listener, port, known } = await opened(t, open, { sockets: { backpressureBytesMax: 100_000 } })
      const tcp = await joinRaw(port)
      tcp.socket.pause()
      const [socket] = known
      socket!.subscribe('room')
      const filler = 'x'.repeat(2_000)
      let sent = 0
      for (; sent < 50_000 && !socket!.closed; sent += 1) {
        if (way === 'send') socket!.send(`${sent}:${filler}`)
        else listener.publish('room', `${sent}:${filler}`)
        if (sent % 20 === 0) await wait(0)
      }
      t.true(await until(() => socket!.state.closed !== null))
      t.deepEqual([socket!.state.closed![0], socket!.send('late'), listener.subscribers('room')], [4413, false, 0])
      tcp.socket.resume()
      t.true(await until(() => tcp.state.isClosed))
      const got = [...tcp.state.heard.matchAll(/(\d+):x/g)].map(([, n]) => Number(n))
      t.true(got.length > 0 && got.length < sent)
      t.true(got.every((n, index) => n === index))
    })
  }

  test(`${name}: the owner hears when a full socket is empty again`, async (t) => {
    let drained = 0
    const { port, known } = await opened(t, open, {
      sockets: {
        backpressureBytesMax: 50_000_000,
        drain: () => {
          drained += 1
        },
      },
    })
    const tcp = await joinRaw(port)
    tcp.socket.pause()
    const [socket] = known
    for (let n = 0; n < 200; n += 1) socket!.send('x'.repeat(50_000))
    await wait(20)
    t.true(socket!.buffered() > 0)
    t.is(drained, 0)
    tcp.socket.resume()
    t.true(await until(() => socket!.buffered() === 0 && drained > 0))
    tcp.end()
  })

  test(`${name}: a client that stays silent is closed, one that answers pings is not`, async (t) => {
    const { port, known } = await opened(t, open, { sockets: { idleTimeoutMs: 8_000 } })
    const silent = await joinRaw(port)
    const { client, state } = await join(port)
    t.true(await until(() => silent.state.isClosed, 40_000))
    t.true(await until(() => known[0]!.closed))
    t.is(known[0]!.state.closed![0], 1006)
    t.is(state.closed, null)
    client.send('still here')
    t.true(await until(() => state.heard.includes('still here')))
    client.terminate()
  })

  test(`${name}: a thousand sockets come and go and nothing of them is left`, async (t) => {
    const { listener, port, known } = await opened(t, open, { sockets: {} })
    for (let round = 0; round < 10; round += 1) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => joinRaw(port)))
      t.true(await until(() => known.length === (round + 1) * 100))
      for (const socket of known.slice(-100)) socket.subscribe('room')
      t.is(listener.subscribers('room'), 100)
      listener.publish('room', 'all')
      t.true(await until(() => clients.every(({ state }) => state.heard.endsWith('all'))))
      for (const tcp of clients) tcp.end()
      t.true(await until(() => known.every((socket) => socket.state.closed !== null)))
      t.is(listener.subscribers('room'), 0)
    }
  })

  test(`${name}: closing the listener ends its sockets, and using them later is harmless`, async (t) => {
    const { listener, port, known } = await opened(t, open, { sockets: {} })
    const { state } = await join(port)
    known[0]!.subscribe('room')
    known[0]!.send('on its way')
    await listener.close()
    t.true(await until(() => state.closed !== null && known[0]!.state.closed !== null))
    known[0]!.subscribe('room')
    known[0]!.unsubscribe('room')
    known[0]!.close(1001, '')
    listener.publish('room', 'late')
    listener.pause()
    t.deepEqual([known[0]!.send('late'), known[0]!.buffered(), listener.subscribers('room')], [false, 0, 0])
  })
}
