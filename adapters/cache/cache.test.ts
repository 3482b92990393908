import test, { type ExecutionContext } from 'ava'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CACHE_BUDGET_MS, CACHE_VALUE_BYTES_MAX, type Cache } from './index.ts'
import { memoryCache, memoryHub } from './memory.ts'
import { NEAR_VALUE_BYTES_MAX, OWED_MAX, redisCache } from './redis.ts'

const REDIS_BINARY = '/usr/bin/redis-server'
const hasRedis = existsSync(REDIS_BINARY)
const quiet = { info: () => {}, warn: () => {}, error: () => {} }

const until = async (true_: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(10)) if (await true_()) return
  throw new Error('did not become true in time')
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const startRedis = async (t: ExecutionContext, port: number): Promise<ChildProcess> => {
  const arguments_ = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--daemonize',
    'no',
  ]
  const server = spawn(REDIS_BINARY, arguments_, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.teardown(() => server.kill('SIGKILL'))
  let said = ''
  server.stdout.on('data', (text) => (said += text))
  await until(() => said.includes('Ready to accept connections'))
  return server
}

/** A line to a server that can go dead: what is sent arrives nowhere, and nobody is told. */
const startLine = async (t: ExecutionContext, targetPort: number) => {
  let dead = false
  const ends = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from)
      from
        .on('data', (bytes) => dead || to.write(bytes))
        .on('error', () => {})
        .on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const cut = (): void => ends.forEach((end) => end.destroy())
  t.teardown(() => {
    cut()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, die: () => (dead = true), live: () => (dead = false), cut }
}

/** With a budget that a busy machine keeps, so that a miss means a miss. */
const PATIENT_MS = 2_000

const opened = async (t: ExecutionContext, port: number, budgetMs = PATIENT_MS): Promise<Cache> => {
  const cache = await redisCache({ url: `redis://127.0.0.1:${port}`, log: quiet, prefix: 'test:', budgetMs })
  t.teardown(() => cache.close())
  return cache
}

type Open = (t: ExecutionContext) => Promise<Cache>
type OpenPair = (t: ExecutionContext) => Promise<[Cache, Cache]>
const pairs: Record<string, OpenPair> = {
  memory: async () => {
    const hub = memoryHub()
    return [memoryCache({ hub }), memoryCache({ hub })]
  },
}
if (hasRedis) {
  pairs['redis'] = async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    return [await opened(t, port), await opened(t, port)]
  }
}
const products: Record<string, Open> = { memory: async () => memoryCache() }
if (hasRedis) {
  products['redis'] = async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    return opened(t, port)
  }
}
if (process.env['TEST_REDIS_URL']) {
  products['redis by URL'] = async (t) => {
    const cache = await redisCache({
      url: process.env['TEST_REDIS_URL']!,
      log: quiet,
      prefix: `test:${Math.random()}:`,
      budgetMs: PATIENT_MS,
    })
    t.teardown(() => cache.close())
    return cache
  }
}

for (const [name, open] of Object.entries(products)) {
  test(`${name}: what was kept is answered until it is dropped`, async (t) => {
    const cache = await open(t)
    t.is(cache.state(), 'up')
    t.is(await cache.get('gig'), null)
    await cache.set('gig', 'ein Löwe: 🦁', 60_000)
    t.is(await cache.get('gig'), 'ein Löwe: 🦁')
    t.is(await cache.get('gig'), 'ein Löwe: 🦁')
    await cache.set('gig', 'newer', 60_000)
    t.is(await cache.get('gig'), 'newer')
    await cache.drop('gig')
    t.is(await cache.get('gig'), null)
    await cache.set('empty', '', 60_000)
    t.is(await cache.get('empty'), '')
  })

  test(`${name}: nothing outlives its time, even when it is read all the while`, async (t) => {
    const cache = await open(t)
    await cache.set('kept', 'long', 600_000)
    await cache.set('gig', 'text', 400)
    await until(async () => (await cache.get('gig')) === null)
    t.is(await cache.get('kept'), 'long')
    await cache.set('gig', 'text', 0)
    t.is(await cache.get('gig'), null)
    await cache.set('gig', 'text', Number.NaN)
    t.is(await cache.get('gig'), null)
  })

  test(`${name}: a value too large to keep also ends the older one`, async (t) => {
    const cache = await open(t)
    await cache.set('page', 'older', 60_000)
    await cache.set('page', 'x'.repeat(CACHE_VALUE_BYTES_MAX), 60_000)
    t.is((await cache.get('page'))?.length, CACHE_VALUE_BYTES_MAX)
    await cache.set('page', 'ö'.repeat(CACHE_VALUE_BYTES_MAX / 2 + 1), 60_000)
    t.is(await cache.get('page'), null)
  })

  test(`${name}: a closed cache answers nothing and fails nobody`, async (t) => {
    const cache = await open(t)
    await cache.set('gig', 'text', 60_000)
    await cache.close()
    if (name !== 'memory') await t.notThrowsAsync(cache.set('gig', 'later', 60_000))
    t.is(await cache.get('gig'), null)
  })
}

for (const [name, openPair] of Object.entries(pairs)) {
  test(`${name}: a generation is the same for all who ask until somebody ends it, and never that again`, async (t) => {
    const [one, other] = await openPair(t)
    t.true(one.shared)
    const first = await one.generations(['design', 'writing'])
    t.is(new Set(first).size, 2)
    t.deepEqual(await other.generations(['design', 'writing']), first)
    t.deepEqual(await one.generations([]), [])
    await other.end(['design', 'never asked for'])
    await until(async () => (await one.generations(['design']))?.[0] !== first![0])
    const second = await one.generations(['design', 'writing'])
    t.is(second![1], first![1])
    t.deepEqual(await other.generations(['design', 'writing']), second)
    await one.endAll()
    await until(async () => {
      const third = await other.generations(['design', 'writing'])
      return third![0] !== second![0] && third![1] !== second![1]
    })
    t.deepEqual(await one.generations(['design']), await other.generations(['design']))
    await one.end([])
  })

  test(`${name}: whoever asked for a generation hears that another has ended it, and nothing of their own doing`, async (t) => {
    const [one, other] = await openPair(t)
    const heard: string[] = []
    const own: string[] = []
    const stop = one.onEnded((ended) => heard.push(ended))
    other.onEnded((ended) => own.push(ended))
    await one.generations(['design', 'gig:1'])
    await other.generations(['design', 'gig:1'])
    await other.end(['gig:1'])
    await until(() => heard.length > 0)
    t.deepEqual(heard, ['gig:1'])
    stop()
    await one.generations(['design'])
    await other.end(['design'])
    await until(async () => (await one.generations(['design'])) !== null)
    t.deepEqual([heard, own], [['gig:1'], []])
  })
}

test('memory: a cache that nobody shares says so', (t) => {
  t.false(memoryCache().shared)
})

test('memory: the entry not asked for the longest makes room, by count and by bytes', async (t) => {
  const few = memoryCache({ entriesMax: 2 })
  await few.set('a', '1', 60_000)
  await few.set('b', '2', 60_000)
  await few.get('a')
  await few.set('c', '3', 60_000)
  t.deepEqual([await few.get('a'), await few.get('b'), await few.get('c')], ['1', null, '3'])

  const small = memoryCache({ bytesMax: 10_000 })
  for (let n = 0; n < 100; n++) await small.set(`k${n}`, 'x'.repeat(1_000), 60_000)
  const kept = await Promise.all(Array.from({ length: 100 }, (_, n) => small.get(`k${n}`)))
  t.deepEqual(
    kept.flatMap((text, n) => (text === null ? [] : [n])),
    [92, 93, 94, 95, 96, 97, 98, 99],
  )
})

if (hasRedis) {
  test('redis: what one node changes, another soon reads, though it holds a copy', async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    const [one, other] = [await opened(t, port), await opened(t, port)]
    for (let n = 0; n < 200; n++) {
      await one.set('gig', `v${n}`, 60_000)
      await until(async () => (await other.get('gig')) === `v${n}`)
      t.is(await other.get('gig'), `v${n}`)
    }
    await one.drop('gig')
    await until(async () => (await other.get('gig')) === null)
    const large = 'x'.repeat(NEAR_VALUE_BYTES_MAX + 1)
    await one.set('page', large, 60_000)
    t.is(await other.get('page'), large)
    t.is(await other.get('page'), large)
  })

  test('redis: a copy near by costs no question', async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    const line = await startLine(t, port)
    const cache = await opened(t, line.port)
    await cache.set('gig', 'text', 60_000)
    t.is(await cache.get('gig'), 'text')
    line.die()
    t.is(await cache.get('gig'), 'text')
  })

  test('redis: a dead line costs some budgets once, then nothing, and heals with what changed meanwhile', async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    const line = await startLine(t, port)
    const [cache, other] = [await opened(t, line.port, 300), await opened(t, port)]
    await cache.set('gig', 'old', 600_000)
    await cache.set('dropped', 'old', 600_000)
    await until(async () => {
      await cache.set('far', 'old', 600_000)
      return (await cache.get('far')) === 'old'
    })
    line.die()

    for (let n = 0; n < 5; n++) t.is(await cache.get(`unseen ${n}`), null)
    t.is(cache.state(), 'down')
    t.is(await cache.get('far'), null, 'a copy that nobody keeps coherent is not given')
    await cache.set('gig', 'new', 600_000)
    await cache.drop('dropped')
    await other.set('far', 'new', 600_000)
    // 20,000 budgets of 300 ms would be 6,000 seconds; the deadline of the test is far below
    for (let n = 0; n < 20_000; n++) if ((await cache.get(`unseen ${n}`)) !== null) t.fail()

    line.live()
    line.cut()
    await until(() => cache.state() === 'up')
    await until(async () => (await other.get('dropped')) === null && (await other.get('gig')) === null)
    t.deepEqual([await cache.get('gig'), await cache.get('dropped')], [null, null])
    await until(async () => (await cache.get('far')) === 'new')
  })

  test('redis: what is ended while the line is dead is ended before anything is asked again', async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    const line = await startLine(t, port)
    const [cache, other] = [await opened(t, line.port, 300), await opened(t, port)]
    const before = (await other.generations(['gig:1', 'gig:2']))!
    t.deepEqual(await cache.generations(['gig:1', 'gig:2']), before)
    line.die()
    await until(async () => {
      await cache.end(['gig:1'])
      return cache.state() === 'down'
    })
    t.is(await cache.generations(['gig:1']), null)
    line.live()
    line.cut()
    await until(() => cache.state() === 'up')
    const after = (await cache.generations(['gig:1', 'gig:2']))!
    t.not(after[0], before[0])
    t.is(after[1], before[1])
    t.deepEqual(await other.generations(['gig:1', 'gig:2']), after)
  })

  test('redis: more endings than can be remembered while it is away end everything', async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    const line = await startLine(t, port)
    const [cache, other] = [await opened(t, line.port, 300), await opened(t, port)]
    const before = (await other.generations(['untouched']))!
    line.die()
    await until(async () => {
      await cache.end(Array.from({ length: OWED_MAX + 1 }, (_, n) => `gig:${n}`))
      return cache.state() === 'down'
    })
    line.live()
    line.cut()
    await until(() => cache.state() === 'up')
    await until(async () => (await other.generations(['untouched']))![0] !== before[0])
    t.pass()
  })

  test('redis: a stalled server is found out without traffic and taken back when it goes on', async (t) => {
    const port = await freePort()
    const server = await startRedis(t, port)
    const cache = await opened(t, port)
    await cache.set('gig', 'text', 600_000)
    server.kill('SIGSTOP')
    await until(() => cache.state() === 'down')
    t.is(await cache.get('gig'), null)
    server.kill('SIGCONT')
    await until(() => cache.state() === 'up')
    t.is(await cache.get('gig'), 'text')
  })

  test('redis: a start without a server serves, and uses it when it comes, goes and comes again', async (t) => {
    const port = await freePort()
    const cache = await opened(t, port)
    t.is(cache.state(), 'down')
    t.is(await cache.get('gig'), null)
    await cache.set('gig', 'text', 60_000)
    for (let round = 0; round < 2; round++) {
      const server = await startRedis(t, port)
      await until(() => cache.state() === 'up')
      await cache.set('gig', `text ${round}`, 60_000)
      t.is(await cache.get('gig'), `text ${round}`)
      server.kill('SIGKILL')
      await until(() => cache.state() === 'down')
      t.is(await cache.get('gig'), null)
    }
  })

  test('redis: five thousand readers of one key ask one question', async (t) => {
    const port = await freePort()
    await startRedis(t, port)
    const line = await startLine(t, port)
    const cache = await opened(t, line.port)
    await cache.set('gig', 'text', 60_000)
    const answers = await Promise.all(Array.from({ length: 5_000 }, () => cache.get('gig')))
    t.true(answers.every((answer) => answer === 'text'))
  })
}

test('redis: a server that accepts and never answers is down from the start, and closing does not wait for it', async (t) => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const cache = await opened(t, (silent.address() as AddressInfo).port, CACHE_BUDGET_MS)
  t.is(cache.state(), 'down')
  for (let n = 0; n < 1_000; n++) t.is(await cache.get(`k${n}`), null)
  await cache.set('gig', 'text', 60_000)
  await cache.close()
  sockets.forEach((socket) => socket.destroy())
  await new Promise((resolve) => silent.close(resolve))
})
