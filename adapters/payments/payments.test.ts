// Taking money, giving it back and paying sellers at the sandbox, to the cent and through time; what holds at every
// product is in port.test.ts.
import test from 'ava'
import { ask, confirm, DAY_MS, HOUR_MS, open, paid, payee, refusal, returnUrl, usd } from './fixture.ts'
import type { Payments } from './index.ts'

test('a good card pays, and the provider keeps its fee', async (t) => {
  const { payments } = await open(t)
  const asked = await ask(payments, 10_550)
  t.is(asked.status, 'requires_payment_method')
  t.true(asked.clientSecret.startsWith(asked.id))
  const payment = await confirm(payments, asked.id, 'pm_card_visa', 'confirm')
  t.is(payment.status, 'succeeded')
  t.deepEqual(payment.fee, usd(336))
  t.regex(payment.chargeId ?? '', /^ch_/)
  t.deepEqual(payment.metadata, { op: 'create' })
  t.deepEqual(await payments.retrievePayment(asked.id), payment)
  t.deepEqual(await payments.balance(), { available: { usd: 10_214 }, pending: { usd: 0 } })
})

test('a declined card leaves the payment payable with another one', async (t) => {
  const { payments } = await open(t)
  const { id } = await ask(payments, 5_000)
  const declined = await confirm(payments, id, 'pm_card_chargeDeclined', 'first')
  t.is(declined.status, 'requires_payment_method')
  t.is(declined.declined?.code, 'card_declined')
  t.deepEqual(await confirm(payments, id, 'pm_card_chargeDeclined', 'first'), declined)
  t.deepEqual(await payments.retrievePayment(id), declined)
  const poor = await confirm(payments, id, 'pm_card_chargeDeclinedInsufficientFunds', 'second')
  t.is(poor.declined?.code, 'insufficient_funds')
  const payment = await confirm(payments, id, 'pm_card_visa', 'third')
  t.is(payment.status, 'succeeded')
  t.is(payment.declined, undefined)
  t.deepEqual(await payments.balance(), { available: { usd: 4_825 }, pending: { usd: 0 } })
})

test('a card that wants 3-D Secure is paid once the buyer approves', async (t) => {
  const { payments } = await open(t)
  const { id } = await ask(payments, 5_000)
  const waiting = await confirm(payments, id, 'pm_card_threeDSecure2Required', 'confirm')
  t.is(waiting.status, 'requires_action')
  const url = waiting.nextAction?.url ?? ''
  const page = await fetch(url)
  t.is(page.status, 200)
  t.regex(await page.text(), /Approve/)
  t.is((await payments.retrievePayment(id)).status, 'requires_action')
  const answered = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ answer: 'approve' }),
    redirect: 'manual',
  })
  t.is(answered.status, 303)
  t.true(answered.headers.get('location')?.startsWith(`${returnUrl}?payment_intent=${id}`))
  t.regex(answered.headers.get('location') ?? '', /redirect_status=succeeded/)
  t.is((await payments.retrievePayment(id)).status, 'succeeded')
  t.is((await fetch(url)).status, 404)
})

test('a buyer who declines 3-D Secure can still pay with another card', async (t) => {
  const { payments } = await open(t)
  const { id } = await ask(payments, 5_000)
  const waiting = await confirm(payments, id, 'pm_card_authenticationRequired', 'confirm')
  await fetch(`${waiting.nextAction?.url}?answer=decline`, { redirect: 'manual' })
  const payment = await payments.retrievePayment(id)
  t.is(payment.status, 'requires_payment_method')
  t.is(payment.declined?.code, 'payment_intent_authentication_failure')
  t.is((await confirm(payments, id, 'pm_card_visa', 'again')).status, 'succeeded')
})

test('a canceled payment takes no card, and a paid one is not canceled', async (t) => {
  const { payments } = await open(t)
  const { id } = await ask(payments, 5_000)
  t.is((await payments.cancelPayment(id, 'cancel')).status, 'canceled')
  t.deepEqual(await refusal(confirm(payments, id, 'pm_card_visa', 'late')), {
    kind: 'definitive',
    code: 'payment_intent_unexpected_state',
  })
  const payment = await paid(payments, 5_000)
  t.deepEqual(await refusal(payments.cancelPayment(payment.id, 'too-late')), {
    kind: 'definitive',
    code: 'payment_intent_unexpected_state',
  })
})

test('the same key gives the same answer and happens once', async (t) => {
  const { payments } = await open(t)
  const first = await ask(payments, 5_000)
  t.deepEqual(await ask(payments, 5_000), first)
  const payment = await confirm(payments, first.id, 'pm_card_visa', 'confirm')
  t.deepEqual(await confirm(payments, first.id, 'pm_card_visa', 'confirm'), payment)
  t.is((await payments.balanceTransactions({ limit: 10 })).data.length, 1)
})

test('the same key at the same time runs once: the others are told it is in use', async (t) => {
  const { payments } = await open(t)
  const { id } = await paid(payments, 10_000)
  const refund = () => payments.refund({ paymentId: id, amount: usd(1_000), metadata: {} }, 'once')
  payments.server.faults.add({ kind: 'answer_delayed', on: 'refunds.create', ms: 700 })
  const outcomes = await Promise.all(Array.from({ length: 10 }, async () => (await refusal(refund())).kind))
  t.deepEqual(
    outcomes.filter((kind) => kind !== 'none' && kind !== 'in_use'),
    [],
  )
  t.true(outcomes.includes('none'))
  t.true(outcomes.includes('in_use'))
  t.is((await payments.findRefunds(id)).length, 1)
})

test("a key is forgotten after a day on the platform's clock, not before", async (t) => {
  const { payments, clock } = await open(t)
  const first = await ask(payments, 5_000)
  clock.moveTo(23 * HOUR_MS)
  t.is((await ask(payments, 5_000)).id, first.id)
  clock.moveTo(24 * HOUR_MS + 1_000)
  t.not((await ask(payments, 5_000)).id, first.id)
})

test('a refusal is the kept answer of its key, and a new key tries anew', async (t) => {
  const { payments } = await open(t)
  const accountId = await payee(payments)
  const transfer = (key: string) => payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: {} }, key)
  t.deepEqual(await refusal(transfer('a1')), { kind: 'definitive_later', code: 'balance_insufficient' })
  await paid(payments, 10_000)
  t.deepEqual(await refusal(transfer('a1')), { kind: 'definitive_later', code: 'balance_insufficient' })
  t.is((await transfer('a2')).amount.amount, 1_000)
})

test('a refund may draw the balance below zero as far as the platform is lent', async (t) => {
  const { payments } = await open(t, { settings: { refundOverdraft: 500 } })
  const { id } = await paid(payments, 10_000)
  const refund = await payments.refund({ paymentId: id, amount: usd(10_000), metadata: {} }, 'r')
  t.is(refund.status, 'succeeded')
  t.true((await payments.balance()).available.usd! < 0)
})

test('a refund the balance cannot pay waits and is paid when money comes', async (t) => {
  const { payments, clock } = await open(t)
  const { id } = await paid(payments, 10_000)
  const refund = await payments.refund({ paymentId: id, amount: usd(10_000), metadata: {} }, 'r')
  t.is(refund.status, 'pending')
  await paid(payments, 10_000, 'more')
  clock.moveTo(HOUR_MS)
  t.is((await payments.retrieveRefund(refund.id)).status, 'succeeded')
})

test('a seller is paid out only after onboarding', async (t) => {
  const { payments } = await open(t)
  await paid(payments, 10_000)
  const account = await payments.createAccount({ email: 'seller@example.test', country: 'DE', metadata: {} }, 'account')
  t.false(account.payoutsEnabled)
  t.true(account.requirements.length > 0)
  const transfer = (key: string) =>
    payments.transfer({ accountId: account.id, amount: usd(1_000), group: 'g', metadata: {} }, key)
  t.deepEqual(await refusal(transfer('early')), { kind: 'definitive', code: 'insufficient_capabilities_for_transfer' })
  const link = await payments.onboardingLink(account.id, { refresh: 'http://127.0.0.1/refresh', return: returnUrl })
  const done = await fetch(link, { method: 'POST', redirect: 'manual' })
  t.is(done.headers.get('location'), returnUrl)
  t.deepEqual(await payments.retrieveAccount(account.id), {
    id: account.id,
    payoutsEnabled: true,
    requirements: [],
    requirementsDueAt: null,
    heldFor: null,
  })
  t.is((await transfer('now')).accountId, account.id)
})

test("a seller's account that the provider restricts takes no money until it is lifted", async (t) => {
  const { payments, clock } = await open(t)
  await paid(payments, 10_000)
  const accountId = await payee(payments)
  const { outside } = payments.server
  const deadlineAt = clock.now() + DAY_MS
  const asked = ['individual.verification.document']
  await outside.restrict(accountId, { due: asked, disabledReason: null, deadlineAt })
  t.like(await payments.retrieveAccount(accountId), {
    payoutsEnabled: true,
    requirements: asked,
    requirementsDueAt: Math.floor(deadlineAt / 1000) * 1000,
    heldFor: null,
  })
  const transfer = (key: string) => payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: {} }, key)
  t.is((await transfer('asked')).accountId, accountId)
  await outside.restrict(accountId, { due: asked, disabledReason: 'requirements.past_due' })
  t.like(await payments.retrieveAccount(accountId), { payoutsEnabled: false, heldFor: 'requirements.past_due' })
  t.deepEqual(await refusal(transfer('held')), { kind: 'definitive', code: 'insufficient_capabilities_for_transfer' })
  t.deepEqual(await refusal(payments.payout({ accountId, amount: usd(1_000), metadata: {} }, 'p')), {
    kind: 'definitive',
    code: 'payouts_not_allowed',
  })
  await outside.lift(accountId)
  t.like(await payments.retrieveAccount(accountId), { payoutsEnabled: true, requirements: [] })
  t.is((await transfer('lifted')).accountId, accountId)
})

test('an onboarding link that is too old leads to a new one', async (t) => {
  const { payments, clock } = await open(t)
  const account = await payments.createAccount({ email: 'seller@example.test', country: 'US', metadata: {} }, 'account')
  const link = await payments.onboardingLink(account.id, { refresh: 'http://127.0.0.1/refresh', return: returnUrl })
  clock.moveTo(DAY_MS)
  t.is((await fetch(link, { redirect: 'manual' })).headers.get('location'), 'http://127.0.0.1/refresh')
  t.false((await payments.retrieveAccount(account.id)).payoutsEnabled)
})

test("a transfer and a payout bring the money to the seller's bank", async (t) => {
  const { payments, clock } = await open(t)
  await paid(payments, 10_000)
  const accountId = await payee(payments)
  const transfer = await payments.transfer(
    { accountId, amount: usd(8_000), group: 'item-1', metadata: { op: 'item-1' } },
    't1',
  )
  t.deepEqual(await payments.findTransfers('item-1'), [transfer])
  t.deepEqual(await payments.findTransfers('item-2'), [])
  t.deepEqual((await payments.balance(accountId)).available, { usd: 8_000 })
  const payout = await payments.payout({ accountId, amount: usd(8_000), metadata: { op: 'item-1' } }, 'p1')
  t.is(payout.status, 'pending')
  t.deepEqual((await payments.balance(accountId)).available, { usd: 0 })
  clock.moveTo(DAY_MS)
  t.is((await payments.retrievePayout(accountId, payout.id)).status, 'paid')
  t.deepEqual(
    (await payments.findPayouts(accountId, 'item-1')).map(({ id }) => id),
    [payout.id],
  )
  t.deepEqual(await payments.findPayouts(accountId, 'item-2'), [])
})

test("a payout takes no more than the seller's balance, and is found only on its own account", async (t) => {
  const { payments } = await open(t)
  await paid(payments, 10_000)
  const [accountId, other] = [await payee(payments), await payee(payments, 'other')]
  await payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: {} }, 't')
  t.is((await refusal(payments.payout({ accountId, amount: usd(1_001), metadata: {} }, 'p1'))).kind, 'definitive_later')
  const payout = await payments.payout({ accountId, amount: usd(1_000), metadata: {} }, 'p2')
  t.deepEqual(await refusal(payments.retrievePayout(other, payout.id)), {
    kind: 'definitive',
    code: 'resource_missing',
  })
})

test('a transfer is reversed at most once in full, and only while the seller still has the money', async (t) => {
  const { payments } = await open(t)
  await paid(payments, 10_000)
  const accountId = await payee(payments)
  const { id } = await payments.transfer({ accountId, amount: usd(5_000), group: 'g', metadata: {} }, 't')
  const reverse = (amount: number, key: string) =>
    payments.reverseTransfer(id, { amount: usd(amount), metadata: { op: key } }, key)
  t.is((await reverse(2_000, 'v1')).reversed, 2_000)
  t.is((await refusal(reverse(3_001, 'v2'))).kind, 'definitive')
  await payments.payout({ accountId, amount: usd(1_000), metadata: {} }, 'p')
  t.deepEqual(await refusal(reverse(3_000, 'v3')), { kind: 'definitive_later', code: 'balance_insufficient' })
  t.is((await reverse(2_000, 'v4')).reversed, 4_000)
  t.deepEqual((await payments.balance(accountId)).available, { usd: 0 })
})

test('money of a charge is pending until the provider releases it', async (t) => {
  const { payments, clock } = await open(t, { settings: { chargeAvailableMs: 2 * DAY_MS } })
  await paid(payments, 10_000)
  t.deepEqual(await payments.balance(), { available: { usd: 0 }, pending: { usd: 9_680 } })
  const accountId = await payee(payments)
  const transfer = (key: string) => payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: {} }, key)
  t.is((await refusal(transfer('early'))).kind, 'definitive_later')
  clock.moveTo(2 * DAY_MS + 1_000)
  t.deepEqual(await payments.balance(), { available: { usd: 9_680 }, pending: { usd: 0 } })
  t.is((await transfer('later')).amount.amount, 1_000)
})

test('balance transactions say what each is about, what it left, and when its money can be used', async (t) => {
  const { payments, clock } = await open(t, { settings: { chargeAvailableMs: 2 * DAY_MS, payoutFee: 25 } })
  const { id, chargeId } = await paid(payments, 10_000)
  const [charge] = (await payments.balanceTransactions({ limit: 10 })).data
  t.like(charge, { type: 'charge', amount: 10_000, fee: 320, net: 9_680, sourceId: chargeId })
  t.is(charge!.availableAt - charge!.createdAt, 2 * DAY_MS)
  clock.moveTo(3 * DAY_MS)
  const accountId = await payee(payments)
  const transfer = await payments.transfer({ accountId, amount: usd(1_000), group: 'g', metadata: {} }, 't')
  await payments.payout({ accountId, amount: usd(1_000), metadata: {} }, 'p')
  const refund = await payments.refund({ paymentId: id, amount: usd(500), metadata: {} }, 'r')
  const since = clock.now() - HOUR_MS
  const { data } = await payments.balanceTransactions({ limit: 10, since })
  t.deepEqual(
    data.map(({ type, net, sourceId }) => [type, net, sourceId]),
    [
      ['refund', -500, refund.id],
      ['stripe_fee', -25, ''],
      ['transfer', -1_000, transfer.id],
    ],
  )
  const { data: seller } = await payments.balanceTransactions({ limit: 10, accountId })
  t.deepEqual(
    seller.map(({ type, net }) => [type, net]),
    [
      ['payout', -1_000],
      ['payment', 1_000],
    ],
  )
  const { data: ofOne } = await payments.balanceTransactions({ limit: 10, sourceId: refund.id })
  t.deepEqual(
    ofOne.map(({ net }) => net),
    [-500],
  )
})

const sumOfTransactions = async (payments: Payments): Promise<Record<string, number>> => {
  const sums: Record<string, number> = {}
  let after: string | null = null
  do {
    const page = await payments.balanceTransactions({ after, limit: 3 })
    for (const { currency, amount, fee } of page.data) sums[currency] = (sums[currency] ?? 0) + amount - fee
    after = page.next
  } while (after !== null)
  return sums
}

test('the balance is always the sum of the balance transactions', async (t) => {
  const { payments } = await open(t)
  const accountId = await payee(payments)
  const check = async () => t.deepEqual(await sumOfTransactions(payments), (await payments.balance()).available)
  for (const [round, amount] of [10_000, 777, 54_321].entries()) {
    const payment = await paid(payments, amount, `pay-${round}`)
    await check()
    const transfer = await payments.transfer({ accountId, amount: usd(500), group: 'g', metadata: {} }, `t-${round}`)
    await payments.reverseTransfer(transfer.id, { amount: usd(100 + round), metadata: {} }, `v-${round}`)
    await check()
    await payments.refund({ paymentId: payment.id, amount: usd(50 + round), metadata: {} }, `r-${round}`)
    await check()
  }
  const euros = await ask(payments, 2_000, 'eur', 'eur')
  await confirm(payments, euros.id, 'pm_card_mastercard', 'eur-confirm')
  await check()
  t.deepEqual(Object.keys((await payments.balance()).available), ['eur', 'usd'])
})
