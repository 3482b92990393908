import test from 'ava'
import { ServiceBroker } from 'moleculer'
import { startNode } from '../test/node.ts'
import { opsOf } from './ops.ts'

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
