import test from 'ava'
import { eventually } from '../../test/node.ts'
import { gig } from '../gig/contract.ts'
import { accounts, actorOf, startGateway } from './testing.ts'

test('an operator sees that the node lives, is ready and on what it depends', async (t) => {
  const { opsBase, stop } = await startGateway({ services: [accounts(new Map())] })
  t.teardown(stop)
  t.is((await fetch(`${opsBase}/health/live`)).status, 200)
  const ready = await fetch(`${opsBase}/health/ready`)
  t.is(ready.status, 200)
  t.like(await ready.json(), {
    status: 'ready',
    dependencies: { documents: 'up', fanout: 'up', services: { account: 'up', order: 'down' } },
  })
  t.is((await fetch(`${opsBase}/elsewhere`)).status, 404)
  t.is((await fetch(`${opsBase}/metrics`, { method: 'POST' })).status, 405)
})

test("the operator's pages are not on the public port", async (t) => {
  const { ask, stop } = await startGateway({})
  t.teardown(stop)
  for (const path of ['/metrics', '/health/live', '/health/ready']) t.is((await ask('GET', path)).status, 404)
})

test('metrics count answers by declared route, prepared answers, refusals and actors', async (t) => {
  const { ask, opsBase, stop } = await startGateway({
    env: { RATE_LIMITS: 'address=0.001/5' },
    services: [actorOf(gig, { get: () => ({ status: 'live' }) })],
  })
  t.teardown(stop)
  for (let n = 0; n < 7; n++) await ask('GET', '/v1/gigs/gig_1')
  const text = await (await fetch(`${opsBase}/metrics`)).text()
  for (const line of [
    'gigwire_http_requests_total{route="/v1/gigs/:id",status="200"} 5',
    'gigwire_hot_answers_total{result="hit"} 4',
    'gigwire_hot_answers_total{result="miss"} 1',
    'gigwire_shed_total{reason="rate_limited"} 2',
    'gigwire_http_request_duration_seconds_count{route="/v1/gigs/:id"} 1',
    'gigwire_ws_connections 0',
  ])
    t.true(text.includes(`${line}\n`), line)
  for (const name of [
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'nodejs_eventloop_delay_p99_seconds',
  ])
    t.regex(text, new RegExp(`^${name} [\\d.e+-]+$`, 'm'))
})

test('a stopping gateway is not ready and lets a request under way end', async (t) => {
  const gate = Promise.withResolvers<void>()
  let asked = false
  const { ask, opsBase, stop } = await startGateway({
    services: [
      accounts(new Map(), { cards: () => [] }),
      actorOf(gig, {
        get: async ({ call }) => {
          asked = true
          await gate.promise
          // What is under way may still need others on its way.
          await call('account.cards', { ids: [] })
          return { status: 'live', title: 'in time' }
        },
      }),
    ],
  })
  const answer = ask('GET', '/v1/gigs/gig_1')
  await eventually(() => asked, Boolean)
  const stopped = stop()
  await eventually(
    async () => (await fetch(`${opsBase}/health/ready`)).status,
    (status) => status === 503,
  )
  t.like(await (await fetch(`${opsBase}/health/ready`)).json(), { status: 'draining' })
  await t.throwsAsync(ask('GET', '/v1/categories'))
  gate.resolve()
  t.like((await answer).json, { title: 'in time' })
  await stopped
  await t.throwsAsync(fetch(`${opsBase}/health/live`))
})
