// Webhooks: who is believed, and that what happened is told until it was heard.
import test from 'ava'
import { ask, confirm, HOUR_MS, open, paid, payee, quiet, receiver, refusal, until, usd } from './fixture.ts'
import type { ProviderEvent } from './index.ts'
import { signatureOf } from './sandbox/webhooks.ts'
import { openStripe } from './stripe.ts'

const seconds = () => Math.floor(Date.now() / 1000)
const payload = JSON.stringify({
  id: 'evt_1',
  object: 'event',
  type: 'payout.paid',
  created: 1_700_000_000,
  account: 'acct_1',
  data: { object: { id: 'po_1', object: 'payout', metadata: { op: 'item-1' } } },
})

test('a webhook with a good signature is believed', async (t) => {
  const { payments } = await open(t)
  const verify = (at: number) =>
    payments.verifyWebhook(Buffer.from(payload), signatureOf(payload, payments.server.webhookSecret, at))
  const event: ProviderEvent = await verify(seconds())
  t.deepEqual(event, {
    id: 'evt_1',
    type: 'payout.paid',
    createdAt: 1_700_000_000_000,
    account: 'acct_1',
    objectId: 'po_1',
    objectType: 'payout',
    metadata: { op: 'item-1' },
  })
  t.is((await verify(seconds() + 30)).id, 'evt_1')
})

test('a webhook that is tampered with, forged, old or from the future is refused', async (t) => {
  const { payments } = await open(t)
  const secret = payments.server.webhookSecret
  const verify = (body: string, signature: string) => refusal(payments.verifyWebhook(Buffer.from(body), signature))
  const refused = { kind: 'bad_signature', code: 'bad_signature' }
  t.deepEqual(await verify(payload.replace('po_1', 'po_2'), signatureOf(payload, secret, seconds())), refused)
  t.deepEqual(await verify(payload, signatureOf(payload, 'whsec_other', seconds())), refused)
  t.deepEqual(await verify(payload, signatureOf(payload, secret, seconds() - 400)), refused)
  t.deepEqual(await verify(payload, signatureOf(payload, secret, seconds() + 90)), refused)
  t.deepEqual(await verify(payload, `${signatureOf(payload, secret, seconds() + 90)},t=${seconds()}`), refused)
  t.deepEqual(await verify(payload, ''), refused)
})

test("the platform's endpoint and the connected accounts' have a secret each, and both are believed", async (t) => {
  const { payments } = await open(t)
  const { port, secretKey } = payments.server
  const both = await openStripe({
    provider: 'sandbox',
    host: '127.0.0.1',
    port,
    protocol: 'http',
    secretKey,
    webhookSecret: 'whsec_own, whsec_connect,',
    log: quiet,
  })
  const verify = (secret: string) =>
    both.verifyWebhook(Buffer.from(payload), signatureOf(payload, secret, seconds())).then(({ id }) => id)
  t.is(await verify('whsec_own'), 'evt_1')
  t.is(await verify('whsec_connect'), 'evt_1')
  t.is((await refusal(verify('whsec_own, whsec_connect,'))).kind, 'bad_signature')
  t.is((await refusal(verify(''))).kind, 'bad_signature')
})

test('each change of state is told once, signed, with the object it is about', async (t) => {
  const hook = await receiver(t)
  const { payments, clock } = await open(t, { webhookUrl: hook.url })
  const accountId = await payee(payments)
  const { id } = await ask(payments, 10_000)
  await confirm(payments, id, 'pm_card_chargeDeclined', 'c1')
  await confirm(payments, id, 'pm_card_threeDSecure2Required', 'c2')
  await confirm(payments, id, 'pm_card_visa', 'c3')
  await payments.refund({ paymentId: id, amount: usd(1_000), metadata: { op: 'r' } }, 'r')
  const transfer = await payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: {} }, 't')
  await payments.reverseTransfer(transfer.id, { amount: usd(100), metadata: {} }, 'v')
  await payments.payout({ accountId, amount: usd(900), metadata: {} }, 'p')
  clock.moveTo(HOUR_MS)
  await payments.tick()
  const canceled = await ask(payments, 5_000, 'other')
  await payments.cancelPayment(canceled.id, 'x')
  const expected = [
    'account.updated',
    'capability.updated',
    'charge.refunded',
    'payment_intent.canceled',
    'payment_intent.payment_failed',
    'payment_intent.requires_action',
    'payment_intent.succeeded',
    'payout.created',
    'payout.paid',
    'payout.updated',
    'refund.created',
    'transfer.created',
    'transfer.reversed',
  ]
  t.true(await until(() => hook.received.length >= expected.length))
  t.deepEqual(hook.types().toSorted(), expected)
  const events = await Promise.all(hook.received.map(({ body, signature }) => payments.verifyWebhook(body, signature)))
  t.deepEqual(events.find(({ type }) => type === 'refund.created')?.metadata, { op: 'r' })
  t.is(events.find(({ type }) => type === 'payout.paid')?.account, accountId)
  t.is(events.find(({ type }) => type === 'payment_intent.succeeded')?.objectId, id)
  const listed = await payments.listEvents({ since: 0, limit: 100 })
  const platform = events.filter(({ account }) => account === undefined)
  t.deepEqual(listed.data.map((event) => event.id).toSorted(), platform.map((event) => event.id).toSorted())
})

test('a webhook is sent again until it is answered well', async (t) => {
  const hook = await receiver(t, (count) => (count < 3 ? 500 : 200))
  const { payments } = await open(t, { webhookUrl: hook.url })
  await paid(payments, 10_000)
  t.true(await until(() => hook.received.length === 3))
  t.deepEqual(new Set(hook.types()), new Set(['payment_intent.succeeded']))
})

test('what happened while nobody listened is told when somebody does', async (t) => {
  const hook = await receiver(t)
  const { payments } = await open(t, { webhookUrl: 'http://127.0.0.1:1/nobody' })
  await paid(payments, 10_000)
  payments.server.setWebhookUrl(hook.url)
  t.true(await until(() => hook.received.length === 1))
})

test('on request a webhook comes twice, and a delayed one is overtaken', async (t) => {
  const hook = await receiver(t)
  const { payments } = await open(t, { webhookUrl: hook.url })
  payments.server.faults.add({ kind: 'webhook_duplicated', on: 'payment_intent.succeeded' })
  payments.server.faults.add({ kind: 'webhook_delayed', on: 'refund.created', ms: 700 })
  const { id } = await paid(payments, 10_000)
  await payments.refund({ paymentId: id, amount: usd(1_000), metadata: {} }, 'r')
  t.true(await until(() => hook.received.length === 4))
  t.deepEqual(hook.types().filter((type) => type === 'payment_intent.succeeded').length, 2)
  t.is(hook.types().at(-1), 'refund.created')
  const ids = hook.received.map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id)
  t.is(new Set(ids).size, 3)
})
