// What goes wrong at a provider, and that the caller can tell from the class alone what to do.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'ava'
import { realClock } from '../clock/index.ts'
import {
  ask,
  confirm,
  DAY_MS,
  directory,
  HOUR_MS,
  open,
  paid,
  payee,
  quiet,
  receiver,
  refusal,
  until,
  usd,
} from './fixture.ts'
import { openSandbox } from './sandbox.ts'
import { openStripe } from './stripe.ts'

test('an answer lost on the way is an unknown outcome, and the same key finds what happened', async (t) => {
  const { payments } = await open(t)
  payments.server.faults.add({ kind: 'answer_lost', on: 'payment_intents.create' })
  t.is((await refusal(ask(payments, 5_000))).kind, 'unknown')
  const payment = await ask(payments, 5_000)
  payments.server.faults.add({ kind: 'answer_lost', on: 'payment_intents.confirm' })
  t.is((await refusal(confirm(payments, payment.id, 'pm_card_visa', 'c'))).kind, 'unknown')
  t.is((await confirm(payments, payment.id, 'pm_card_visa', 'c')).status, 'succeeded')
  t.is((await payments.balanceTransactions({ limit: 10 })).data.length, 1)
})

test('too many requests: nothing happened, and the same key works later', async (t) => {
  const { payments } = await open(t)
  payments.server.faults.add({ kind: 'rate_limited', count: 2 })
  t.deepEqual(await refusal(ask(payments, 5_000)), { kind: 'rate', code: 'rate_limit' })
  t.is((await refusal(ask(payments, 5_000))).kind, 'rate')
  t.is((await ask(payments, 5_000)).status, 'requires_payment_method')
})

test('a provider with a limit refuses what comes beyond it, of that operation only', async (t) => {
  const { payments } = await open(t, { settings: { operationPerSecond: 0.001 } })
  const outcomes = await Promise.all(['a', 'b', 'c'].map((key) => refusal(ask(payments, 5_000, key))))
  t.deepEqual(outcomes.map(({ kind }) => kind).toSorted(), ['none', 'rate', 'rate'])
  t.deepEqual((await payments.balance()).available, { usd: 0 })
})

test('a key that is in use elsewhere is told so, and works afterwards', async (t) => {
  const { payments } = await open(t)
  payments.server.faults.add({ kind: 'key_in_use', on: 'payment_intents.create' })
  t.deepEqual(await refusal(ask(payments, 5_000)), { kind: 'in_use', code: 'idempotency_key_in_use' })
  t.is((await ask(payments, 5_000)).status, 'requires_payment_method')
})

test('a connection lost before anything ran is an unknown outcome, and the same key does it then', async (t) => {
  const { payments } = await open(t)
  const { id } = await ask(payments, 5_000)
  payments.server.faults.add({ kind: 'connection_lost', on: 'payment_intents.confirm', count: 2 })
  t.is((await refusal(confirm(payments, id, 'pm_card_visa', 'c'))).kind, 'unknown')
  t.is((await payments.retrievePayment(id)).status, 'requires_payment_method')
  payments.server.faults.clear()
  t.is((await confirm(payments, id, 'pm_card_visa', 'c')).status, 'succeeded')
})

test('a failing server leaves the outcome unknown, whether it ran or not', async (t) => {
  const { payments } = await open(t)
  const accountId = await payee(payments)
  await paid(payments, 10_000)
  const transfer = (key: string) =>
    payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: { op: key } }, key)
  payments.server.faults.add({ kind: 'error_not_executed', on: 'transfers.create' })
  t.is((await refusal(transfer('a'))).kind, 'unknown')
  t.is((await payments.findTransfers('g')).length, 0)
  t.is((await transfer('a')).metadata.op, 'a')
  payments.server.faults.add({ kind: 'error_executed', on: 'transfers.create' })
  t.is((await refusal(transfer('b'))).kind, 'unknown')
  t.is((await refusal(transfer('b'))).kind, 'unknown')
  t.deepEqual(
    (await payments.findTransfers('g')).map(({ metadata }) => metadata.op),
    ['b', 'a'],
  )
})

test("an answer that is not the provider's is never taken for success", async (t) => {
  const { payments } = await open(t)
  payments.server.faults.add({ kind: 'bad_gateway', count: 3 })
  t.is((await refusal(ask(payments, 5_000))).kind, 'unknown')
  t.is((await refusal(payments.balance())).kind, 'unknown')
  t.is((await refusal(payments.findTransfers('g'))).kind, 'unknown')
})

test('a provider that does not answer in time leaves the outcome unknown; meanwhile its key is in use', async (t) => {
  const { payments } = await open(t, { timeoutMs: 1_500 })
  await payments.balance()
  payments.server.faults.add({ kind: 'answer_delayed', ms: 60_000, on: 'payment_intents.create' })
  t.is((await refusal(ask(payments, 5_000))).kind, 'unknown')
  t.deepEqual(await refusal(ask(payments, 5_000)), { kind: 'in_use', code: 'idempotency_key_in_use' })
})

test('a wrong key of the platform is a mistake of ours', async (t) => {
  const { payments } = await open(t)
  const stranger = await openStripe({
    provider: 'sandbox',
    secretKey: 'sk_test_wrong',
    webhookSecret: 'x',
    host: '127.0.0.1',
    port: payments.server.port,
    protocol: 'http',
    log: quiet,
  })
  t.is((await refusal(stranger.balance())).kind, 'bug')
})

test('a provider that cannot be reached leaves the outcome unknown', async (t) => {
  const nobody = await openStripe({
    provider: 'stripe',
    secretKey: 'sk_test_1',
    webhookSecret: 'x',
    host: '127.0.0.1',
    port: 1,
    protocol: 'http',
    log: quiet,
  })
  t.is((await refusal(ask(nobody, 5_000))).kind, 'unknown')
})

test("a failed payout is back in the seller's balance, also after it was reported paid", async (t) => {
  const { payments, clock } = await open(t)
  const accountId = await payee(payments)
  await paid(payments, 10_000)
  await payments.transfer({ accountId, amount: usd(5_000), group: 'g', metadata: {} }, 't')
  payments.server.faults.add({ kind: 'payout_fails_before_paid' })
  const first = await payments.payout({ accountId, amount: usd(5_000), metadata: {} }, 'p1')
  clock.moveTo(HOUR_MS)
  const failed = await payments.retrievePayout(accountId, first.id)
  t.is(failed.status, 'failed')
  t.is(failed.failure?.code, 'account_closed')
  payments.server.faults.add({ kind: 'payout_fails_after_paid', ms: 3 * DAY_MS })
  const second = await payments.payout({ accountId, amount: usd(5_000), metadata: {} }, 'p2')
  clock.moveTo(2 * HOUR_MS)
  t.is((await payments.retrievePayout(accountId, second.id)).status, 'paid')
  t.deepEqual((await payments.balance(accountId)).available, { usd: 0 })
  clock.moveTo(4 * DAY_MS)
  t.is((await payments.retrievePayout(accountId, second.id)).status, 'failed')
  t.deepEqual((await payments.balance(accountId)).available, { usd: 5_000 })
})

test('a refund that fails later brings the money back to the platform', async (t) => {
  const { payments, clock } = await open(t)
  await paid(payments, 10_000, 'float')
  const { id } = await paid(payments, 10_000)
  const before = (await payments.balance()).available
  payments.server.faults.add({ kind: 'refund_fails_later', ms: DAY_MS })
  const refund = await payments.refund({ paymentId: id, amount: usd(10_000), metadata: {} }, 'r')
  t.is(refund.status, 'succeeded')
  clock.moveTo(DAY_MS + 1_000)
  t.is((await payments.retrieveRefund(refund.id)).status, 'failed')
  t.deepEqual((await payments.balance()).available, before)
  t.is((await payments.refund({ paymentId: id, amount: usd(10_000), metadata: {} }, 'r2')).status, 'succeeded')
})

test('faults are bounded, skip what they were told to skip, and end', async (t) => {
  const { payments } = await open(t)
  const { faults } = payments.server
  faults.add({ kind: 'rate_limited', on: 'balance.retrieve', skip: 1, count: 2 })
  const kinds = []
  for (let call = 0; call < 4; call += 1) kinds.push((await refusal(payments.balance())).kind)
  t.deepEqual(kinds, ['none', 'rate', 'rate', 'none'])
  t.is(faults.left(), 0)
  for (let index = 0; index < 1_000; index += 1) faults.add({ kind: 'rate_limited' })
  t.throws(() => faults.add({ kind: 'rate_limited' }), { message: /1000/ })
  faults.clear()
  t.is((await refusal(payments.balance())).kind, 'none')
})

const CHILD = `
  const [sandbox, clock, file, webhookUrl] = process.argv.slice(1)
  const { openSandboxServer } = await import(sandbox)
  const { realClock } = await import(clock)
  const server = await openSandboxServer({ file, clock: realClock(), log: console, webhookUrl })
  server.faults.add({ kind: 'answer_delayed', on: 'payment_intents.confirm', ms: 600000 })
  console.log(JSON.stringify({ port: server.port, secretKey: server.secretKey, webhookSecret: server.webhookSecret }))`

const startChild = async (file: string, webhookUrl: string) => {
  const modules = [new URL('./sandbox.ts', import.meta.url).href, new URL('../clock/index.ts', import.meta.url).href]
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, ...modules, file, webhookUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, ...(JSON.parse(line.toString()) as { port: number; secretKey: string; webhookSecret: string }) }
}

test('a provider killed between doing and answering did it once: the same key finds it after a restart', async (t) => {
  const file = join(directory(t), 'provider.sqlite')
  const hook = await receiver(t)
  const { child, port, secretKey, webhookSecret } = await startChild(file, hook.url)
  t.teardown(() => child.kill('SIGKILL'))
  const before = await openStripe({
    provider: 'sandbox',
    secretKey,
    webhookSecret,
    host: '127.0.0.1',
    port,
    protocol: 'http',
    log: quiet,
  })
  const asked = await ask(before, 5_000)
  const confirming = refusal(confirm(before, asked.id, 'pm_card_visa', 'c'))
  // The event says that it is on disk; the answer is still held back.
  t.true(await until(() => hook.received.length === 1))
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.is((await confirming).kind, 'unknown')

  const after = await openSandbox({ file, clock: realClock(), log: quiet })
  t.teardown(() => after.close())
  t.is(after.server.secretKey, secretKey)
  t.is(after.server.webhookSecret, webhookSecret)
  const payment = await confirm(after, asked.id, 'pm_card_visa', 'c')
  t.is(payment.status, 'succeeded')
  t.deepEqual(await after.retrievePayment(asked.id), payment)
  t.deepEqual(await ask(after, 5_000), asked)
  t.is((await after.balanceTransactions({ limit: 10 })).data.length, 1)
  t.deepEqual((await after.balance()).available, { usd: 4_825 })
})

test('two processes on one file: the second is refused at once', async (t) => {
  const { file } = await open(t)
  await t.throwsAsync(openSandbox({ file, clock: realClock(), log: quiet }), { message: /locked/ })
})
