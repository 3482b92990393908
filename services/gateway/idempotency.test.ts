import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Doc } from '../../adapters/documents/index.ts'
import type { Command } from '../../mixins/node.ts'
import { eventually } from '../../test/node.ts'
import { order } from '../order/contract.ts'
import { refuse } from '../errors.ts'
import { idempotency, idempotent } from './idempotency.ts'
import { accounts, actorOf, person, startGateway, type People } from './testing.ts'

const setup = async (env: Record<string, string> = {}) => {
  const people: People = new Map()
  person(people, 'usr_1')
  person(people, 'usr_2')
  const state: { commands: Command[]; asked: number; gate: Promise<void>; fail: Error | null } = {
    commands: [],
    asked: 0,
    gate: Promise.resolve(),
    fail: null,
  }
  const handle = async ({ meta, params }: { meta: { command?: Command }; params: unknown }) => {
    const number = ++state.asked
    if (meta.command) state.commands.push(meta.command)
    await state.gate
    if (state.fail) throw state.fail
    return { id: `ord_${number}`, asked: params }
  }
  const gateway = await startGateway({
    env,
    services: [accounts(people), actorOf(order, { place: handle, pay: handle })],
  })
  const one = await gateway.tokenOf('usr_1')
  const place = (key: string, body: object = { gig: 'gig_1', package: 'basic' }, token = one) =>
    gateway.ask('POST', '/v1/orders', { token, body, headers: { 'idempotency-key': key } })
  return { ...gateway, state, one, two: await gateway.tokenOf('usr_2'), place }
}

test('the same key and body give the same answer again, done once', async (t) => {
  const { place, stop, state, two } = await setup()
  t.teardown(stop)
  const first = await place('key-1')
  const again = await place('key-1')
  t.is(first.status, 201)
  t.is(first.headers.get('idempotency-replayed'), null)
  t.deepEqual([again.status, again.text, again.headers.get('idempotency-replayed')], [201, first.text, 'true'])
  t.is(state.asked, 1)
  const otherOrder = await place('key-1', { package: 'basic', gig: 'gig_1' })
  t.is(otherOrder.headers.get('idempotency-replayed'), 'true')
  t.is((await place('key-2')).headers.get('idempotency-replayed'), null)
  t.is((await place('key-1', undefined, two)).headers.get('idempotency-replayed'), null)
  t.is(state.asked, 3)
  t.is(new Set(state.commands.map(({ id }) => id)).size, 3)
})

test('the same key with another body or for another order is refused', async (t) => {
  const { place, ask, stop, state, one } = await setup()
  t.teardown(stop)
  await place('key-1')
  const other = await place('key-1', { gig: 'gig_2', package: 'basic' })
  t.like(other.json, { status: 409, code: 'idempotency_key_reused' })
  const pay = (id: string) =>
    ask('POST', `/v1/orders/${id}/pay`, {
      token: one,
      body: { paymentMethod: 'pm_card_visa' },
      headers: { 'idempotency-key': 'pay' },
    })
  t.is((await pay('ord_a')).status, 200)
  t.is((await pay('ord_b')).status, 409)
  t.is(state.asked, 2)
})

test('two at once with one key are done once and answered alike', async (t) => {
  const { place, stop, state } = await setup()
  t.teardown(stop)
  const { promise, resolve } = Promise.withResolvers<void>()
  state.gate = promise
  const asked = Array.from({ length: 5 }, () => place('key-1'))
  await eventually(
    () => state.asked,
    (count) => count === 1,
  )
  resolve()
  const answers = await Promise.all(asked)
  t.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1)
  t.is(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true').length, 4)
  t.is(state.asked, 1)
})

test('a refusal that took place is kept, one that says nothing was done frees the key', async (t) => {
  const { place, stop, state } = await setup()
  t.teardown(stop)
  state.fail = refuse('payment_declined')
  const declined = [await place('declined'), await place('declined')]
  t.deepEqual(
    declined.map(({ status, headers }) => [status, headers.get('idempotency-replayed')]),
    [
      [402, null],
      [402, 'true'],
    ],
  )
  t.is(declined[1]!.headers.get('content-type'), 'application/problem+json; charset=utf-8')
  state.fail = refuse('not_found')
  t.is((await place('freed')).status, 404)
  state.fail = null
  t.is((await place('freed', { gig: 'gig_2', package: 'basic' })).status, 201)
})

test('a command whose outcome is unknown is run again as the same command', async (t) => {
  const { place, stop, state } = await setup()
  t.teardown(stop)
  state.fail = new Error('lost on the way')
  t.is((await place('key-1')).status, 500)
  state.fail = null
  const again = await place('key-1')
  t.is(again.status, 201)
  t.is(again.headers.get('idempotency-replayed'), null)
  t.deepEqual(state.commands[0], state.commands[1])
  t.is((await place('key-1', { gig: 'gig_2', package: 'basic' })).status, 409)
})

test('an answer is had again after a restart', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-keys-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const before = await setup({ DATA_DIR: dataDir })
  const first = await before.place('key-1')
  await before.stop()
  const after = await setup({ DATA_DIR: dataDir })
  t.teardown(after.stop)
  const again = await after.place('key-1')
  t.deepEqual([again.text, again.headers.get('idempotency-replayed'), after.state.asked], [first.text, 'true', 0])
})

test('what a crashed gateway left running is taken over with the same command; what a living one runs is not', async (t) => {
  const { place, stop, state, open, instanceId } = await setup()
  t.teardown(stop)
  const documents = await open('documents')
  await place('key-1')
  type Keyed = Doc & { state: string; instanceId: string }
  const [stored] = (await documents.scan(idempotency)).docs as unknown as Keyed[]
  const left = { ...stored!, version: stored!.version + 1, state: 'running', instanceId: 'a-crashed-process' }
  t.deepEqual(await documents.replace(idempotency, left as never, stored!.version), { ok: true })
  const answers = await Promise.all([place('key-1'), place('key-1')])
  t.is(state.asked, 2)
  t.deepEqual(state.commands[0], state.commands[1])
  t.is(answers[0]!.text, answers[1]!.text)
  t.truthy(instanceId)
})

test('a key that is running on another living gateway is a conflict for now', async (t) => {
  const { open, stop, ...node } = await setup()
  t.teardown(stop)
  const documents = await open('documents')
  const registry = { getNodeList: () => [{ instanceID: 'one' }, { instanceID: 'two' }] }
  const on = (instanceId: string) => idempotent({ ...node, open, instanceId, broker: { registry } } as never, documents)
  const [one, two] = [await on('one'), await on('two')]
  t.teardown(() => {
    one.stop()
    two.stop()
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  const asked = { userId: 'usr_1', action: 'order.place', key: 'k', params: {} }
  let started = false
  const running = one.run(asked, async () => {
    started = true
    await promise
    return { status: 201, body: '{}' }
  })
  await eventually(() => started, Boolean)
  await t.throwsAsync(
    two.run(asked, async () => ({ status: 201, body: '{}' })),
    { message: /still running/ },
  )
  resolve()
  t.deepEqual(await running, { status: 201, body: '{}' })
  t.deepEqual(await two.run(asked, async () => ({ status: 500, body: '' })), {
    status: 201,
    body: '{}',
    replayed: true,
  })
})

test('a key of unseemly form is refused; without an account there are no keys', async (t) => {
  const { place, ask, stop } = await setup()
  t.teardown(stop)
  t.is((await place('with space')).status, 400)
  t.is((await place('x'.repeat(256))).status, 400)
  t.is((await place('x'.repeat(255))).status, 201)
  t.is((await ask('POST', '/v1/orders', { body: {}, headers: { 'idempotency-key': 'k' } })).status, 401)
})

test('expired keys are forgotten, and may be used anew before they are', async (t) => {
  const { place, stop, open, state, ...node } = await setup()
  t.teardown(stop)
  const documents = await open('documents')
  const keys = await idempotent({ ...node, open } as never, documents)
  t.teardown(keys.stop)
  const age = async () => {
    for (const doc of (await documents.scan(idempotency)).docs)
      await documents.replace(idempotency, { ...doc, version: doc.version + 1, expiresAt: 1 }, doc.version)
  }
  await place('key-1')
  await place('key-2')
  await age()
  t.is((await place('key-1', { gig: 'gig_9', package: 'basic' })).status, 201)
  t.is(state.asked, 3)
  t.is(await keys.purge(), 1)
  t.is((await documents.scan(idempotency)).docs.length, 1)
})
