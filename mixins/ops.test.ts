import test from 'ava'
import { ServiceBroker } from 'moleculer'
import { startNode } from '../test/node.ts'
import { opsOf, ORDER_HEADER } from './ops.ts'

test('a node without a gateway can be asked whether it is ready, too', async (t) => {
  const node = await startNode({ services: [] })
  const base = `http://127.0.0.1:${opsOf(node.broker).port}`
  const ready = await fetch(`${base}/health/ready`)
  t.is(ready.status, 200)
  t.like(await ready.json(), {
    status: 'ready',
    node: node.id,
    dependencies: { documents: 'up', services: { chat: 'down' } },
  })
  t.regex(await (await fetch(`${base}/metrics`)).text(), /^process_resident_memory_bytes \d+$/m)
  await node.stop()
  await t.throwsAsync(fetch(`${base}/health/live`))
})

test('a second node is told which port to change', async (t) => {
  const first = await startNode({ services: [] })
  t.teardown(first.stop)
  await t.throwsAsync(
    startNode({ services: [], env: { DATA_DIR: first.dataDir, OPS_PORT: String(opsOf(first.broker).port) } }),
    { message: /is taken.*OPS_PORT/ },
  )
})

test('a broker without a side door says what it lacks', (t) => {
  t.throws(() => opsOf(new ServiceBroker({ logger: false })), { message: /operators\(\)/ })
})

test('an order at the side door needs its header, and only what takes orders takes one', async (t) => {
  const node = await startNode({ services: [] })
  t.teardown(node.stop)
  const base = `http://127.0.0.1:${opsOf(node.broker).port}`
  const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const { status, headers: said } = await fetch(base + path, { method, headers })
    return [status, said.get('allow')]
  }
  t.deepEqual(await ask('POST', '/reindex'), [403, null])
  t.deepEqual(await ask('POST', '/reindex', { [ORDER_HEADER]: 'me' }), [202, null])
  t.deepEqual(await ask('GET', '/reindex'), [200, null])
  t.deepEqual(await ask('DELETE', '/reindex'), [405, 'GET, HEAD, POST'])
  t.deepEqual(await ask('POST', '/metrics', { [ORDER_HEADER]: 'me' }), [405, 'GET, HEAD'])
  t.deepEqual(await ask('POST', '/constructor', { [ORDER_HEADER]: 'me' }), [404, null])
})
