// What holds at every product behind the port: at the sandbox always, and, with TEST_STRIPE_SECRET_KEY (a key of test
// mode), at Stripe itself.
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { open, quiet, refusal, returnUrl, until, usd } from './fixture.ts'
import type { Payments } from './index.ts'
import { openStripe } from './stripe.ts'

const secretKey = process.env.TEST_STRIPE_SECRET_KEY ?? ''

const PRODUCTS: Record<string, (t: ExecutionContext) => Promise<Payments>> = {
  'the sandbox': async (t) => (await open(t)).payments,
  ...(secretKey.startsWith('sk_test_') && {
    "Stripe's test mode": () => openStripe({ provider: 'stripe', secretKey, webhookSecret: '', log: quiet }),
  }),
}

for (const [product, openProduct] of Object.entries(PRODUCTS)) {
  /** Keys are remembered for a day, so each test has its own. */
  const using = async (t: ExecutionContext) => {
    const payments = await openProduct(t)
    const run = randomUUID()
    const key = (name: string) => `${run}:${name}`
    const ask = (amount: number, name: string) =>
      payments.createPayment({ amount: usd(amount), metadata: { op: name }, description: 'A logo' }, key(name))
    const confirm = (id: string, paymentMethod: string, name: string) =>
      payments.confirmPayment(id, { paymentMethod, returnUrl }, key(name))
    const paidWith = async (paymentMethod: string, amount = 10_000) => {
      const { id } = await ask(amount, `ask ${paymentMethod}`)
      return confirm(id, paymentMethod, `confirm ${paymentMethod}`)
    }
    return { payments, key, ask, confirm, paidWith }
  }

  test(`${product}: a good card pays, with the fee and our metadata`, async (t) => {
    const { payments, ask, confirm } = await using(t)
    const asked = await ask(10_550, 'a')
    t.is(asked.status, 'requires_payment_method')
    t.true(asked.clientSecret.startsWith(`${asked.id}_secret_`))
    const payment = await confirm(asked.id, 'pm_card_visa', 'b')
    t.is(payment.status, 'succeeded')
    t.is(payment.fee?.currency, 'usd')
    t.true((payment.fee?.amount ?? 0) > 0)
    t.regex(payment.chargeId ?? '', /^ch_/)
    t.deepEqual(payment.metadata, { op: 'a' })
    t.deepEqual(await payments.retrievePayment(asked.id), payment)
  })

  test(`${product}: a declined card says why and leaves the payment payable with another`, async (t) => {
    const { ask, confirm } = await using(t)
    const { id } = await ask(5_000, 'a')
    const poor = await confirm(id, 'pm_card_visa_chargeDeclinedInsufficientFunds', 'b')
    t.is(poor.status, 'requires_payment_method')
    t.is(poor.declined?.code, 'insufficient_funds')
    t.is((await confirm(id, 'pm_card_visa_chargeDeclinedInsufficientFunds', 'b')).status, 'requires_payment_method')
    t.is((await confirm(id, 'pm_card_visa', 'c')).status, 'succeeded')
  })

  test(`${product}: a card that wants 3-D Secure sends its buyer to a page`, async (t) => {
    const { payments, key, ask, confirm } = await using(t)
    const { id } = await ask(5_000, 'a')
    const waiting = await confirm(id, 'pm_card_threeDSecure2Required', 'b')
    t.is(waiting.status, 'requires_action')
    t.regex(waiting.nextAction?.url ?? '', /^https?:/)
    t.is((await payments.cancelPayment(id, key('c'))).status, 'canceled')
    t.deepEqual(await refusal(confirm(id, 'pm_card_visa', 'd')), {
      kind: 'definitive',
      code: 'payment_intent_unexpected_state',
    })
  })

  test(`${product}: the same key happens once, and is refused for another request`, async (t) => {
    const { payments, key, ask } = await using(t)
    const first = await ask(5_000, 'a')
    t.is((await ask(5_000, 'a')).id, first.id)
    const other = payments.createPayment({ amount: usd(5_001), metadata: {}, description: 'x' }, key('a'))
    t.is((await refusal(other)).kind, 'bug')
  })

  test(`${product}: refunds take no more than what was paid`, async (t) => {
    const { payments, key, paidWith } = await using(t)
    await paidWith('pm_card_bypassPending', 50_000)
    const { id } = await paidWith('pm_card_visa')
    const refund = (amount: number, name: string) =>
      payments.refund({ paymentId: id, amount: usd(amount), metadata: { op: name } }, key(name))
    const part = await refund(3_000, 'r1')
    t.is(part.paymentId, id)
    t.is((await refusal(refund(7_001, 'r2'))).kind, 'definitive')
    await refund(7_000, 'r3')
    t.deepEqual(await refusal(refund(1, 'r4')), { kind: 'definitive', code: 'charge_already_refunded' })
    t.deepEqual((await payments.findRefunds(id)).map(({ amount }) => amount.amount).toSorted(), [3_000, 7_000])
  })

  test(`${product}: a card that disputes is disputed, and its payment not refunded`, async (t) => {
    const { payments, key, paidWith } = await using(t)
    const { id } = await paidWith('pm_card_createDispute')
    t.true(await until(async () => (await payments.findDisputes(id)).length === 1))
    const [dispute] = await payments.findDisputes(id)
    t.like(dispute, { paymentId: id, status: 'needs_response', amount: usd(10_000), inquiry: false, taken: 10_000 })
    t.true(dispute!.fees > 0)
    t.is((await refusal(payments.refund({ paymentId: id, amount: usd(1), metadata: {} }, key('r')))).kind, 'definitive')
    const lost = await payments.acceptDispute(dispute!.id, key('x'))
    t.is(lost.status, 'lost')
    t.is((await refusal(payments.acceptDispute(dispute!.id, key('y')))).kind, 'definitive')
  })

  test(`${product}: a seller is asked for bank details before money can be sent`, async (t) => {
    const { payments, key } = await using(t)
    const account = await payments.createAccount(
      { email: 'seller@example.test', country: 'US', metadata: { op: 'a' } },
      key('a'),
    )
    t.false(account.payoutsEnabled)
    t.true(account.requirements.includes('external_account'))
    t.regex(await payments.onboardingLink(account.id, { refresh: returnUrl, return: returnUrl }), /^https?:/)
    const sent = payments.transfer({ accountId: account.id, amount: usd(100), group: 'g', metadata: {} }, key('t'))
    t.is((await refusal(sent)).kind, 'definitive')
  })

  test(`${product}: what does not exist is refused for good, and what is badly asked is our mistake`, async (t) => {
    const { payments, ask } = await using(t)
    t.deepEqual(await refusal(payments.retrievePayment('pi_nobody')), { kind: 'definitive', code: 'resource_missing' })
    t.is((await refusal(payments.retrievePayout('acct_nobody', 'po_1'))).kind, 'definitive')
    t.is((await refusal(ask(10.5, 'a'))).kind, 'bug')
  })

  test(`${product}: what happened is in its events and its balance`, async (t) => {
    const { payments, paidWith } = await using(t)
    const since = Date.now() - 60_000
    const { id, chargeId } = await paidWith('pm_card_visa')
    const told = async () => (await payments.listEvents({ since, limit: 100 })).data
    const succeeded = (await told()).find((event) => event.objectId === id && event.type === 'payment_intent.succeeded')
    t.like(succeeded, { objectType: 'payment_intent', metadata: { op: 'ask pm_card_visa' } })
    const { data } = await payments.balanceTransactions({ limit: 10, sourceId: chargeId! })
    t.is(data.length, 1)
    t.like(data[0], { type: 'charge', amount: 10_000, sourceId: chargeId, net: 10_000 - data[0]!.fee })
    t.true(Object.hasOwn((await payments.balance()).available, 'usd'))
  })
}
