import test from 'ava'
import WebSocket from 'ws'
import { freePort, hasNats, startNats } from '../../adapters/fanout/nats-server.ts'
import { eventually } from '../../test/node.ts'
import { refuse } from '../errors.ts'
import { chat } from '../chat/contract.ts'
import { COME_BACK_SECONDS_MAX } from './door.ts'
import { announcement } from '../announcement/contract.ts'
import { gig } from '../gig/contract.ts'
import { order } from '../order/contract.ts'
import {
  accounts,
  actorOf,
  connect,
  LISTENERS,
  person,
  startGateway,
  type Handlers,
  type People,
  type SocketFrame as Frame,
} from './testing.ts'

/** What an upgrade that is refused is told. */
const refusalOf = (url: string): Promise<{ status: number; retryAfter: number }> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['gigwire.v1'])
    socket.on('error', () => {})
    socket.on('open', () => reject(new Error('was let in')))
    socket.on('unexpected-response', (_, { statusCode = 0, headers }) => {
      resolve({ status: statusCode, retryAfter: Number(headers['retry-after']) })
      socket.terminate()
    })
  })

const setup = async (
  listener: string,
  { handlers = {}, env = {} }: { handlers?: Handlers; env?: Record<string, string> } = {},
) => {
  const people: People = new Map()
  const told = { seq: 0, events: [] as { seq: number; data: unknown }[] }
  for (const id of ['usr_a', 'usr_b', 'usr_c']) person(people, id)
  const gateway = await startGateway({
    env: { LISTENER: listener, ...env },
    services: [
      accounts(people),
      actorOf(chat, {
        send: ({ params, caller }) => ({ seq: 1, sender: caller?.id, asked: params }),
        peers: ({ params }) => ({ peers: (params as { users: string[] }).users.filter((id) => id !== 'usr_hidden') }),
        history: ({ params }) => ({ messages: [params], hasMore: false }),
        ...handlers,
      }),
      actorOf(order, {
        get: ({ caller, params }) => {
          if (caller?.id === 'usr_a') return params
          throw refuse('not_found')
        },
        tail: () => ({ seq: 0, events: [] }),
      }),
      actorOf(gig, { tail: () => ({ seq: 7, events: [] }) }),
      actorOf(announcement, { tail: () => told }),
    ],
  })
  const token = await gateway.tokenOf('usr_a')
  return {
    ...gateway,
    people,
    told,
    token,
    fanout: await gateway.open('fanout'),
    join: (userId: string) => gateway.tokenOf(userId).then((one) => connect(gateway.socketUrl, { token: one })),
  }
}

for (const listener of LISTENERS) {
  test(`${listener}: a socket signs in with its first frame or on the upgrade, and its operations reach chat`, async (t) => {
    const { socketUrl, stop, token } = await setup(listener)
    t.teardown(stop)
    const first = await connect(socketUrl)
    t.is(first.socket.protocol, 'gigwire.v1')
    t.like(await first.ask({ id: 1, op: 'auth', token }), { id: 1, ok: true, user: { id: 'usr_a' } })
    t.deepEqual(await first.ask({ id: 'two', op: 'send', conversation: 'cnv_1', clientId: 'c', text: 'hi' }), {
      id: 'two',
      ok: true,
      message: { seq: 1, sender: 'usr_a', asked: { id: 'cnv_1', clientId: 'c', text: 'hi' } },
    })
    t.like(await first.ask({ id: 3, op: 'history', conversation: 'cnv_1', after: 2, limit: 5 }), {
      messages: [{ id: 'cnv_1', after: 2, limit: 5 }],
      hasMore: false,
    })
    const second = await connect(socketUrl, { token })
    t.like(await second.ask({ id: 1, op: 'send', conversation: 'cnv_1', clientId: 'c', text: 'hi' }), { ok: true })
    t.like(await second.ask({ id: 2, op: 'ping' }), { id: 2, ok: true })
  })

  test(`${listener}: a bad frame closes, a bad operation answers an error and the connection lives`, async (t) => {
    const { socketUrl, stop, token } = await setup(listener)
    t.teardown(stop)
    const one = await connect(socketUrl, { token })
    t.like(await one.ask({ id: 1, op: 'dance' }), { error: { code: 'validation_failed' } })
    t.like(await one.ask({ id: 2, op: 'send', conversation: 'cnv_1', text: 'no clientId' }), {
      error: { code: 'validation_failed', message: 'clientId: is required' },
    })
    t.like(await one.ask({ id: 3, op: 'ping', extra: 1 }), { error: { message: 'extra: is not a known field' } })
    one.send({ op: 'ping' })
    await eventually(
      () => one.frames.find(({ id }) => id === null),
      (frame) => frame?.error?.code === 'validation_failed',
    )
    t.like(await one.ask({ id: 4, op: 'ping' }), { ok: true })
    one.socket.send('not json')
    t.is(await one.closed(), 4400)
    const large = await connect(socketUrl, { token })
    large.socket.send(JSON.stringify({ id: 1, op: 'ping', pad: 'x'.repeat(64 * 1024) }))
    t.is(await large.closed(), 4400)
    const binary = await connect(socketUrl, { token })
    binary.socket.send(Buffer.from('{"id":1,"op":"ping"}'), { binary: true })
    t.is(await binary.closed(), 4400)
  })

  test(`${listener}: every connection of a member hears what is said to the member, and nobody else does`, async (t) => {
    const { stop, fanout, join } = await setup(listener)
    t.teardown(stop)
    const [a1, a2, b, c] = [await join('usr_a'), await join('usr_a'), await join('usr_b'), await join('usr_c')]
    for (const one of [a1, a2, b, c]) await one.ask({ id: 0, op: 'presence', users: [] })
    fanout.toUsers(['usr_a', 'usr_b'], JSON.stringify({ ev: 'message', data: { seq: 1 } }))
    for (const one of [a1, a2, b]) t.deepEqual((await one.heard('message'))!.data, { seq: 1 })
    await c.ask({ id: 1, op: 'ping' })
    t.is(c.frames.filter(({ ev }) => ev).length, 0)
    t.deepEqual((await c.ask({ id: 2, op: 'presence', users: ['usr_a', 'usr_b', 'usr_x'] })).online, ['usr_a', 'usr_b'])
    a1.socket.close()
    await a1.closed()
    t.deepEqual((await c.ask({ id: 3, op: 'presence', users: ['usr_a'] })).online, ['usr_a'])
    a2.socket.close()
    await a2.closed()
    await eventually(
      async () => (await c.ask({ id: Math.random(), op: 'presence', users: ['usr_a'] })).online,
      (online) => (online as string[]).length === 0,
    )
  })

  test(`${listener}: topics are heard while joined, an order's only by its parties`, async (t) => {
    const { stop, fanout, join } = await setup(listener)
    t.teardown(stop)
    const [a, b] = [await join('usr_a'), await join('usr_b')]
    t.like(await a.ask({ id: 1, op: 'subscribe', topic: 'order:ord_1' }), { ok: true, topic: 'order:ord_1' })
    t.like(await b.ask({ id: 1, op: 'subscribe', topic: 'order:ord_1' }), { error: { code: 'not_found' } })
    t.like(await b.ask({ id: 2, op: 'subscribe', topic: 'gig:gig_1' }), { ok: true })
    t.like(await b.ask({ id: 3, op: 'subscribe', topic: 'secrets' }), { error: { code: 'validation_failed' } })
    fanout.toTopic('order:ord_1', '{"ev":"order","data":1}')
    fanout.toTopic('gig:gig_1', '{"ev":"notification","data":2}')
    t.is((await a.heard('order'))!.data, 1)
    t.is((await b.heard('notification'))!.data, 2)
    t.like(await b.ask({ id: 4, op: 'unsubscribe', topic: 'gig:gig_1' }), { ok: true })
    fanout.toTopic('gig:gig_1', '{"ev":"notification","data":3}')
    await b.ask({ id: 5, op: 'ping' })
    t.deepEqual(
      b.frames.filter(({ ev }) => ev).map(({ data }) => data),
      [2],
    )
  })

  test(`${listener}: who joins while much is said has all of it, once and in order, whether it came before or after the answer`, async (t) => {
    const { stop, fanout, told, join } = await setup(listener)
    t.teardown(stop)
    const total = 300
    const say = () => {
      const seq = told.seq + 1
      const data = { n: seq }
      told.events.push({ seq, data })
      told.seq = seq
      fanout.toTopic('announcements', JSON.stringify({ ev: 'announcement', topic: 'announcements', seq, data }), seq)
    }
    const speaking = (async () => {
      while (told.seq < total) {
        for (let some = Math.ceil(Math.random() * 3); some > 0 && told.seq < total; some--) say()
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
      }
    })()
    const all = await Promise.all(Array.from({ length: 20 }, () => join('usr_a')))
    for (const one of all) {
      one.send({ id: 1, op: 'subscribe', topic: 'announcements', after: 0 })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
    }
    await speaking
    const seen = ({ frames }: (typeof all)[number]) =>
      frames.flatMap(({ id, missed, seq, recovered }) =>
        id === 1
          ? (recovered ? (missed as { seq: number }[]) : [{ seq: seq as number }]).map((one) => one.seq)
          : [seq as number],
      )
    for (const one of all) {
      await eventually(
        () => seen(one).at(-1),
        (last) => last === total,
      )
      const numbers = seen(one)
      t.deepEqual(
        numbers,
        Array.from({ length: numbers.length }, (_, at) => numbers[0]! + at),
      )
    }
    t.true(all.filter((one) => seen(one)[0] === 1).length > 0)
  })

  test(`${listener}: a token that is no good closes the socket after its answer; another account takes another socket`, async (t) => {
    const { socketUrl, stop, token, tokenOf } = await setup(listener)
    t.teardown(stop)
    const bad = await connect(socketUrl)
    t.like(await bad.ask({ id: 1, op: 'auth', token: 'nonsense' }), { error: { code: 'unauthenticated' } })
    t.is(await bad.closed(), 4401)
    const badUpgrade = await connect(socketUrl, { token: 'nonsense' })
    t.is(await badUpgrade.closed(), 4401)
    const one = await connect(socketUrl, { token })
    t.like(await one.ask({ id: 1, op: 'auth', token: await tokenOf('usr_b') }), { error: { code: 'forbidden' } })
    t.like(await one.ask({ id: 2, op: 'send', conversation: 'c', clientId: 'c', text: 'x' }), {
      message: { sender: 'usr_a' },
    })
  })

  test(`${listener}: a stopping gateway says so, with a time to come back, and closes with 1001`, async (t) => {
    const { stop, join } = await setup(listener)
    const one = await join('usr_a')
    await one.ask({ id: 1, op: 'ping' })
    await stop()
    t.is(await one.closed(), 1001)
    const { data } = (await one.heard('draining'))!
    t.true((data as { retryAfter: number }).retryAfter >= 0)
  })
}

test('who does not sign in is asked to, and shown out after a while', async (t) => {
  const { socketUrl, stop } = await setup('node')
  t.teardown(stop)
  const one = await connect(socketUrl)
  t.like(await one.ask({ id: 1, op: 'presence', users: [] }), { error: { code: 'unauthenticated' } })
  t.is(one.state.closed, null)
  t.is(await one.closed(), 4408)
})

test('a socket ends with its token unless it was refreshed, and with its account', async (t) => {
  const { socketUrl, stop, token, tokenOf, people, broker } = await setup('node')
  t.teardown(stop)
  const short = await tokenOf('usr_a', 2)
  const [ends, lives] = [await connect(socketUrl, { token: short }), await connect(socketUrl, { token: short })]
  t.like(await lives.ask({ id: 1, op: 'auth', token }), { ok: true })
  t.is(await ends.closed(), 4401)
  t.like(await lives.ask({ id: 2, op: 'presence', users: ['usr_a'] }), { online: ['usr_a'] })
  people.delete('usr_a')
  await broker.call('gateway.forget', { user: 'usr_a' })
  t.like(await lives.ask({ id: 3, op: 'presence', users: [] }), { error: { code: 'unauthenticated' } })
  t.is(await lives.closed(), 4401)
})

test('answers about one conversation come in the order asked, others need not wait', async (t) => {
  const { stop, join } = await setup('node', {
    handlers: {
      send: async ({ params }) => {
        const { text } = params as { text: string }
        if (text === 'slow') await new Promise((resolve) => setTimeout(resolve, 200))
        return { text }
      },
    },
  })
  t.teardown(stop)
  const one = await join('usr_a')
  const say = (id: number, conversation: string, text: string) =>
    one.send({ id, op: 'send', conversation, clientId: String(id), text })
  say(1, 'cnv_1', 'slow')
  say(2, 'cnv_1', 'fast')
  one.send({ id: 3, op: 'history', conversation: 'cnv_1', nonsense: 1 })
  say(4, 'cnv_2', 'fast')
  await eventually(
    () => one.frames.length,
    (count) => count === 4,
  )
  const ids = one.frames.map(({ id }) => id)
  t.deepEqual(
    ids.filter((id) => id === 1 || id === 2),
    [1, 2],
  )
  t.true(ids.indexOf(4) < ids.indexOf(1))
})

test('messages over the budget are refused with a time to retry, and flooding closes', async (t) => {
  const { stop, join } = await setup('node', { env: { RATE_LIMITS: 'messages=0.01/3' } })
  t.teardown(stop)
  const one = await join('usr_a')
  const answers: Frame[] = []
  for (let id = 1; id <= 5; id++)
    answers.push(await one.ask({ id, op: 'send', conversation: 'c', clientId: String(id), text: 'x' }))
  t.deepEqual(
    answers.map(({ ok, error }) => ok ?? error!.code),
    [true, true, true, 'rate_limited', 'rate_limited'],
  )
  t.true(answers[4]!.error!.retryAfter! >= 1)
  for (let id = 10; id < 60; id++) one.send({ id, op: 'ping' })
  t.is(await one.closed(), 4429)
})

test('more operations at once than a connection may have are answered, not dropped', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { stop, join } = await setup('node', {
    handlers: {
      send: async () => {
        await gate.promise
        return {}
      },
    },
  })
  t.teardown(stop)
  const one = await join('usr_a')
  for (let id = 0; id < 300; id++) one.send({ id, op: 'send', conversation: `c${id}`, clientId: 'c', text: 'x' })
  const refused = await eventually(
    () => one.frames.filter(({ error }) => error?.code === 'overloaded'),
    (found) => found.length === 300 - 256,
  )
  t.true(refused.every(({ error }) => error!.retryAfter! >= 1))
  gate.resolve()
  await eventually(
    () => one.frames.length,
    (count) => count === 300,
  )
})

test('one account has so many connections here and no more', async (t) => {
  const { stop, join, tokenOf } = await setup('node')
  t.teardown(stop)
  const all = await Promise.all(Array.from({ length: 51 }, () => join('usr_a')))
  const refused = await eventually(
    () => all.filter(({ frames }) => frames.some(({ error }) => error?.code === 'overloaded')),
    (found) => found.length > 0,
  )
  t.is(refused.length, 1)
  all.find((one) => one !== refused[0])!.socket.close()
  const again = await eventually(async () => {
    const answer = await refused[0]!.ask({ id: Math.random(), op: 'auth', token: await tokenOf('usr_a') })
    return answer.ok
  }, Boolean)
  t.true(again)
})

test('topics of one connection are bounded', async (t) => {
  const { stop, join } = await setup('node')
  t.teardown(stop)
  const one = await join('usr_a')
  for (let n = 0; n < 101; n++) one.send({ id: n, op: 'subscribe', topic: `gig:gig_${n}` })
  const refused = await eventually(() => one.frames.find(({ error }) => error), Boolean)
  t.like(refused, { id: 100, error: { code: 'overloaded' } })
})

test('a crowd is let in at the pace of its budget; who waits is sent away to different moments', async (t) => {
  const { stop, socketUrl, join, opsBase } = await setup('node', { env: { RATE_LIMITS: 'accepts=0.001/5' } })
  t.teardown(stop)
  await Promise.all(Array.from({ length: 5 }, () => join('usr_a')))
  const refused = await Promise.all(Array.from({ length: 40 }, () => refusalOf(socketUrl)))
  t.deepEqual([...new Set(refused.map(({ status }) => status))], [503])
  const seconds = new Set(refused.map(({ retryAfter }) => retryAfter))
  t.true(seconds.size > 3 && [...seconds].every((one) => one >= 1 && one <= COME_BACK_SECONDS_MAX), [...seconds].join())
  const metrics = await (await fetch(`${opsBase}/metrics`)).text()
  t.true(metrics.includes('gigwire_ws_accepts_total 5\n'))
  t.true(metrics.includes('gigwire_ws_refusals_total{reason="crowd"} 40\n'))
})

test('a stopping gateway closes in slices, and whoever still waits for an answer gets it first', async (t) => {
  const gate = Promise.withResolvers<void>()
  const { stop, join, tokenOf, socketUrl } = await setup('node', {
    env: { RATE_LIMITS: 'accepts=100000/100000' },
    handlers: {
      send: async () => {
        await gate.promise
        return {}
      },
    },
  })
  const waits = await join('usr_a')
  const answer = waits.ask({ id: 1, op: 'send', conversation: 'c', clientId: 'c', text: 'x' })
  const token = await tokenOf('usr_b')
  const crowd = await Promise.all(Array.from({ length: 45 }, () => connect(socketUrl, { token })))
  const stopped = stop()
  for (const one of crowd) {
    t.is(await one.closed(), 1001)
    const { data } = (await one.heard('draining'))! as { data: { retryAfter: number } }
    t.true(data.retryAfter >= 0 && data.retryAfter <= 1)
  }
  t.is(waits.state.closed, null)
  await t.throwsAsync(connect(socketUrl, { token }))
  gate.resolve()
  t.like(await answer, { ok: true })
  t.is(await waits.closed(), 1001)
  await stopped
})

;(hasNats ? test : test.skip)(
  'where frames may have been lost between nodes, every socket is told to ask for what it missed',
  async (t) => {
    const port = await freePort()
    const nats = await startNats(t, port)
    const { stop, join, fanout } = await setup('node', { env: { NATS_URL: `nats://127.0.0.1:${port}` } })
    const [one, other] = [await join('usr_a'), await join('usr_b')]
    for (const socket of [one, other]) await socket.ask({ id: 1, op: 'presence', users: [] })
    t.is(one.frames.filter(({ ev }) => ev === 'missed').length, 0)
    nats.kill('SIGKILL')
    await eventually(fanout.state, (state) => state === 'down')
    await startNats(t, port)
    // Before the server goes: a node that leaves says so.
    t.teardown(stop)
    for (const socket of [one, other]) t.deepEqual((await socket.heard('missed'))!.data, {})
  },
)

test('an unknown subprotocol is refused at the door, none is taken for ours', async (t) => {
  const { stop, socketUrl, token } = await setup('node')
  t.teardown(stop)
  await t.throwsAsync(connect(socketUrl, { protocols: ['other.v9'] }), { message: /400/ })
  const plain = await connect(socketUrl, { protocols: [], token })
  t.like(await plain.ask({ id: 1, op: 'ping' }), { ok: true })
})

test('an actor that fails tells a socket nothing of why', async (t) => {
  const { stop, join } = await setup('node', {
    handlers: {
      send: () => {
        throw new Error('password of the database')
      },
    },
  })
  t.teardown(stop)
  const one = await join('usr_a')
  const answer = await one.ask({ id: 1, op: 'send', conversation: 'c', clientId: 'c', text: 'x' })
  t.is(answer.error!.code, 'internal')
  t.false(JSON.stringify(answer).includes('database'))
  t.like(await one.ask({ id: 2, op: 'ping' }), { ok: true })
})
