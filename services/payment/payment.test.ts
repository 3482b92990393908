import test, { type ExecutionContext } from 'ava'
import type { ServiceSchema } from 'moleculer'
import type { Fault, Sandbox } from '../../adapters/payments/sandbox.ts'
import { isMovable } from '../../adapters/clock/index.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import type { Events } from '../contract.ts'
import { isRefused } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import type { AnyOperation } from './calls.ts'
import payment from './payment.service.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
type Told = { name: string; data: Record<string, unknown> }

/** Hears what the payment actor says in the place of orders and payouts. */
const hearer = (name: string, told: Told[], of = (_event: string) => true): ServiceSchema => ({
  name,
  actions: {
    hear: ({ params }: { params: { event: Told } }) => {
      if (of(params.event.name)) told.push({ name: params.event.name, data: params.event.data })
      return true
    },
  },
})

type World = {
  node: TestNode
  provider: Sandbox
  told: Told[]
  say<E extends keyof Events & string>(name: E, data: Events[E]): Promise<void>
}
const start = async (t: ExecutionContext): Promise<World> => {
  const told: Told[] = []
  const node = await startNode({
    services: [
      payment,
      hearer('order', told),
      hearer('payout', told),
      // It also hears of payouts what the payout actor hears.
      hearer('notification', told, (event) => event === 'payment.payee.changed'),
    ],
  })
  t.teardown(() => node.stop())
  const say = async (name: string, data: unknown) => {
    await node.broker.call('payment.hear', {
      event: { id: `test:${name}:${JSON.stringify(data)}`, name, data, at: Date.now() },
    })
  }
  return { node, provider: (await node.open('payments')) as Sandbox, told, say }
}

const begin = (node: TestNode, order: string, amount = 10_550) =>
  node.call('payment.begin', { order, buyer: 'usr_b', amount: usd(amount), description: 'A logo' })
const pay = (node: TestNode, order: string, paymentMethod = 'pm_card_visa') =>
  node.call('payment.confirm', { order, paymentMethod }, { timeoutMs: 30_000 })
const paid = async ({ node }: World, order: string, amount = 10_550) => {
  await begin(node, order, amount)
  await pay(node, order)
}
const times = (told: Told[], name: string) => told.filter((one) => one.name === name).length
const advance = async ({ node }: World, ms: number) => {
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + ms)
  await node.broker.call('payment.tick', {})
  await node.broker.call('payment.wakeDue', {})
}
/** The platform's charges, refunds and transfers at the provider: what really moved. */
const moved = async ({ provider }: World, type: string) =>
  (await provider.balanceTransactions({ limit: 100 })).data
    .filter((one) => one.type === type)
    .map(({ amount }) => amount)

test('an order is paid once, however often it is asked', async (t) => {
  const world = await start(t)
  const first = await begin(world.node, 'ord_1')
  t.is(first.status, 'requires_payment_method')
  t.deepEqual(await begin(world.node, 'ord_1'), first)
  t.true(isRefused(await t.throwsAsync(begin(world.node, 'ord_1', 1)), 'conflict'))
  const answers = await Promise.all([
    pay(world.node, 'ord_1'),
    pay(world.node, 'ord_1'),
    pay(world.node, 'ord_1', 'pm_card_mastercard'),
  ])
  t.deepEqual(
    answers.map(({ status }) => status),
    ['succeeded', 'succeeded', 'succeeded'],
  )
  t.is((await pay(world.node, 'ord_1')).status, 'succeeded')
  t.deepEqual(await moved(world, 'charge'), [10_550])
  t.deepEqual(
    world.told.map(({ name, data }) => [name, data.order, data.amount, data.fee]),
    [['payment.succeeded', 'ord_1', usd(10_550), usd(336)]],
  )
})

test('a declined card is an answer, and another one pays', async (t) => {
  const world = await start(t)
  await begin(world.node, 'ord_1')
  const declined = await pay(world.node, 'ord_1', 'pm_card_chargeDeclinedInsufficientFunds')
  t.is(declined.status, 'requires_payment_method')
  t.is(declined.declined?.code, 'insufficient_funds')
  t.truthy((await pay(world.node, 'ord_1', 'pm_card_chargeDeclinedInsufficientFunds')).declined)
  t.truthy((await pay(world.node, 'ord_1', 'no such thing')).declined)
  t.is(world.told.length, 0)
  t.is((await pay(world.node, 'ord_1')).status, 'succeeded')
  t.is(times(world.told, 'payment.succeeded'), 1)
})

test('a confirmation whose key the provider knows with other words is looked at, not told as declined', async (t) => {
  const { node, provider, told, ...world } = await start(t)
  const { paymentId } = await begin(node, 'ord_1')
  // A process that was set up differently has sent it, and died before its answer.
  const before = { paymentMethod: 'pm_card_visa', returnUrl: 'https://elsewhere.test/orders' }
  await provider.confirmPayment(paymentId, before, 'ord_1:confirm:1')
  const outcome = await pay(node, 'ord_1').catch((error: unknown) => error)
  t.true((outcome as { status?: string }).status === 'succeeded' || isRefused(outcome, 'unavailable'))
  await advance({ node, provider, told, ...world }, 60_000)
  await eventually(
    () => times(told, 'payment.succeeded'),
    (count) => count === 1,
  )
  t.deepEqual(await moved({ node, provider, told, ...world }, 'charge'), [10_550])
})

test('a card that wants 3-D Secure is paid when the buyer approves, also if no webhook ever comes', async (t) => {
  const world = await start(t)
  await begin(world.node, 'ord_1')
  const waiting = await pay(world.node, 'ord_1', 'pm_card_threeDSecure2Required')
  t.is(waiting.status, 'requires_action')
  await fetch(waiting.nextAction!.url, {
    method: 'POST',
    body: new URLSearchParams({ answer: 'approve' }),
    redirect: 'manual',
  })
  t.is(world.told.length, 0)
  await advance(world, 6 * 60_000)
  await eventually(
    () => world.told,
    (told) => times(told, 'payment.succeeded') === 1,
  )
})

const faults: [string, Fault][] = [
  ['the answer is lost after it ran', { kind: 'answer_lost' }],
  ['the provider fails before it ran', { kind: 'error_not_executed' }],
  ['the provider fails after it ran', { kind: 'error_executed' }],
  ['something in between answers', { kind: 'bad_gateway' }],
  ['too many ask', { kind: 'rate_limited' }],
]
for (const [what, fault] of faults)
  test(`money moves once when ${what}`, async (t) => {
    const world = await start(t)
    const { node, provider, told, say } = world
    // The provider keeps its fee of a charge, so a refund needs money from elsewhere too.
    await paid(world, 'ord_0', 100_000)
    const strike = (on: string) => provider.server.faults.add({ ...fault, on })
    await begin(node, 'ord_1')
    strike('payment_intents.confirm')
    // A buyer may be told to try again; what was charged is charged once.
    await pay(node, 'ord_1').catch((error) => t.true(isRefused(error, 'unavailable')))
    await eventually(
      async () => (await advance(world, 30_000), told),
      () =>
        times(told, 'payment.succeeded') === 2 || fault.kind === 'error_not_executed' || fault.kind === 'bad_gateway',
    )
    if (times(told, 'payment.succeeded') === 1) t.is((await pay(node, 'ord_1')).status, 'succeeded')
    t.deepEqual(await moved(world, 'charge'), [10_550, 100_000])

    strike('refunds.create')
    await say('order.refund.requested', { order: 'ord_1', refund: 'ord_1-refund-1', amount: usd(10_550) })
    await eventually(
      async () => (await advance(world, 30_000), told),
      () => times(told, 'payment.refunded') === 1,
    )
    t.deepEqual(await moved(world, 'refund'), [-10_550])

    await paid(world, 'ord_2')
    await node.call('payment.onboard', { user: 'usr_s', email: 'seller@example.test', country: 'US' })
    const { account } = await node.call('payment.payee', { user: 'usr_s' })
    strike('transfers.create')
    strike('payouts.create')
    await say('payout.reserved', { payout: 'po_1', seller: 'usr_s', account: account!, amount: usd(8000) })
    await eventually(
      async () => (await advance(world, 60_000), told),
      () => times(told, 'payment.payout.paid') === 1,
    )
    t.is(provider.server.faults.left(), 0)
    t.deepEqual(await moved(world, 'transfer'), [-8000])
    t.is((await provider.findPayouts(account!, 'po_1')).length, 1)
    t.deepEqual(
      told.slice(-3).map(({ name }) => name),
      ['payment.transferred', 'payment.payout.sent', 'payment.payout.paid'],
    )
    for (const name of [
      'payment.payee.changed',
      'payment.succeeded',
      'payment.refunded',
      'payment.transferred',
      'payment.payout.sent',
      'payment.payout.paid',
    ])
      t.is(times(told, name), name === 'payment.succeeded' ? 3 : 1, name)
  })

test('an operation that a dead process left between call and commit is finished by another, once', async (t) => {
  const world = await start(t)
  const { node, provider, told } = world
  await paid(world, 'ord_1')
  const { account } = await onboarded(world)
  // What is kept before the call: the process died after the provider had moved the money.
  await provider.transfer(
    { accountId: account, amount: usd(8000), group: 'po_1', metadata: { op: 'po_1', seller: 'usr_s' } },
    'po_1:transfer:1',
  )
  const documents = await node.open('documents')
  const { operations } = await import('./operations.ts')
  const { newDisbursement } = await import('./disbursement.ts')
  const { begun } = await import('./operation.ts')
  const now = node.clock.now()
  await documents.insert(operations, {
    ...begun(newDisbursement('po_1', { seller: 'usr_s', account, amount: usd(8000) }, now), 'transfer', {
      now,
      by: node.instanceId,
    }),
    version: 1,
  })
  await eventually(
    async () => (await advance(world, 40_000), told),
    () => times(told, 'payment.payout.paid') === 1,
  )
  t.deepEqual(await moved(world, 'transfer'), [-8000])
  t.is(times(told, 'payment.transferred'), 1)
})

const onboarded = async ({ node }: World): Promise<{ account: string }> => {
  const { url } = await node.call('payment.onboard', { user: 'usr_s', email: 'seller@example.test', country: 'US' })
  if (!url.startsWith('http')) throw new Error(url)
  const { account, payoutsEnabled } = await node.call('payment.payee', { user: 'usr_s' })
  if (!payoutsEnabled) throw new Error('not onboarded')
  return { account: account! }
}

test('a seller has one account however often asked, and one who never asked has none', async (t) => {
  const world = await start(t)
  const [first, second] = [await onboarded(world), await onboarded(world)]
  t.deepEqual(first, second)
  t.like(await world.node.call('payment.payee', { user: 'usr_other' }), { account: null, payoutsEnabled: false })
})

test('a seller hears when the provider wants to know more, holds money back, and lets it go again', async (t) => {
  const world = await start(t)
  const { node, provider, told } = world
  const { account } = await onboarded(world)
  const hear = (eventId: string) => webhook(world, 'account', account, { op: 'usr_s' }, eventId)
  const { outside } = provider.server
  const dueAt = Math.floor((node.clock.now() + 86_400_000) / 1000) * 1000
  const due = ['individual.verification.document']
  const news = async (count: number) =>
    (
      await eventually(
        () => told.filter(({ name }) => name === 'payment.payee.changed'),
        (all) => all.length === count,
      )
    ).at(-1)?.data
  await outside.restrict(account, { due, disabledReason: null, deadlineAt: dueAt })
  await hear('evt_1')
  t.like(await news(2), { user: 'usr_s', payoutsEnabled: true, requirementsDueAt: dueAt, heldFor: null })
  await outside.restrict(account, { due, disabledReason: 'requirements.past_due' })
  await hear('evt_2')
  await hear('evt_3')
  t.like(await news(3), { payoutsEnabled: false, heldFor: 'requirements.past_due' })
  t.like(await node.call('payment.payee', { user: 'usr_s' }), { payoutsEnabled: false, requirements: due })
  await outside.lift(account)
  t.like(await node.call('payment.payee', { user: 'usr_s' }), { payoutsEnabled: true, requirements: [], heldFor: null })
  t.like(await news(4), { payoutsEnabled: true, heldFor: null })
})

test('an order given up is charged no more; one that was paid after all is said so', async (t) => {
  const world = await start(t)
  const { node, provider, told, say } = world
  const { paymentId } = await begin(node, 'ord_1')
  await say('order.abandoned', { order: 'ord_1' })
  t.is((await provider.retrievePayment(paymentId)).status, 'canceled')
  t.true(isRefused(await t.throwsAsync(pay(node, 'ord_1')), 'invalid_transition'))
  const late = await begin(node, 'ord_2')
  await provider.confirmPayment(
    late.paymentId,
    { paymentMethod: 'pm_card_visa', returnUrl: 'http://127.0.0.1/' },
    'in-the-browser',
  )
  await say('order.abandoned', { order: 'ord_2' })
  await say('order.abandoned', { order: 'ord_2' })
  t.deepEqual(
    told.map(({ name, data }) => [name, data.order]),
    [['payment.succeeded', 'ord_2']],
  )
  await say('order.abandoned', { order: 'ord_3' })
  t.true(isRefused(await t.throwsAsync(begin(node, 'ord_3')), 'conflict'))
})

test('a payout that the bank refuses, before or after it was paid, is said with its stage and the transfer comes back, also when no webhook tells', async (t) => {
  for (const [kind, stage] of [
    ['payout_fails_before_paid', 'payout'],
    ['payout_fails_after_paid', 'returned'],
  ] as const) {
    const world = await start(t)
    const { provider, told, say } = world
    await paid(world, 'ord_1')
    const { account } = await onboarded(world)
    provider.server.faults.add({ kind, on: 'payouts.create', ms: 86_400_000 })
    await say('payout.reserved', { payout: 'po_1', seller: 'usr_s', account, amount: usd(8000) })
    await eventually(
      async () => (await advance(world, 3_600_000), told),
      () => times(told, stage === 'payout' ? 'payment.payout.failed' : 'payment.payout.paid') === 1,
    )
    if (stage === 'returned') await advance(world, 2 * 86_400_000)
    await eventually(
      async () => (await advance(world, 60_000), told),
      () => times(told, 'payment.transfer.reversed') === 1,
    )
    const failed = told.filter(({ name }) => name === 'payment.payout.failed')
    t.deepEqual(
      failed.map(({ data }) => [data.stage, data.code]),
      [[stage, 'account_closed']],
    )
    t.deepEqual(await provider.balance(account), { available: { usd: 0 }, pending: { usd: 0 } })
  }
})

test('a seller who may not be paid costs nothing: the transfer is refused and said so', async (t) => {
  const { told, say } = await start(t)
  await say('payout.reserved', { payout: 'po_1', seller: 'usr_s', account: 'acct_nobody', amount: usd(8000) })
  t.deepEqual(
    told.map(({ name, data }) => [name, data.stage]),
    [['payment.payout.failed', 'transfer']],
  )
})

/** A signed event, as the provider would post it. */
const webhook = async (
  { node, provider }: World,
  object: string,
  id: string,
  metadata: Record<string, string>,
  eventId = `evt_${id}`,
) => {
  const { signatureOf } = await import('../../adapters/payments/sandbox/webhooks.ts')
  const body = JSON.stringify({
    id: eventId,
    object: 'event',
    type: `${object}.updated`,
    created: Math.floor(Date.now() / 1000),
    data: { object: { id, object, metadata } },
  })
  const signature = signatureOf(body, provider.server.webhookSecret, Math.floor(Date.now() / 1000))
  return node.call('payment.webhook', { body: Buffer.from(body).toString('base64'), signature })
}

test('webhooks are believed only when signed, twice and out of order they change nothing', async (t) => {
  const world = await start(t)
  const { node, provider, told } = world
  const { paymentId } = await begin(node, 'ord_1')
  await provider.confirmPayment(
    paymentId,
    { paymentMethod: 'pm_card_visa', returnUrl: 'http://127.0.0.1/' },
    'in-the-browser',
  )
  for (const eventId of ['evt_2', 'evt_1', 'evt_1', 'evt_2'])
    t.deepEqual(await webhook(world, 'payment_intent', paymentId, { op: 'ord_1' }, eventId), { received: true })
  t.deepEqual(await webhook(world, 'payment_intent', 'pi_unknown', { op: 'ord_unknown' }), { received: true })
  t.deepEqual(await webhook(world, 'charge', 'ch_unknown', {}), { received: true })
  await eventually(
    () => told,
    () => times(told, 'payment.succeeded') === 1,
  )
  const forged = await t.throwsAsync(
    node.call('payment.webhook', { body: Buffer.from('{}').toString('base64'), signature: 't=1,v1=00' }),
  )
  t.true(isRefused(forged, 'bad_signature'))
  await advance(world, 3_600_000)
  t.is(times(told, 'payment.succeeded'), 1)
})

test('a payment over another amount than asked is never taken for one', async (t) => {
  const world = await start(t)
  const { node, provider, told } = world
  const other = await provider
    .createPayment({ amount: usd(100), metadata: { op: 'ord_1' }, description: 'cheap' }, 'ord_1:create:1')
    .then(({ id }) => id)
  await provider.confirmPayment(other, { paymentMethod: 'pm_card_visa', returnUrl: 'http://127.0.0.1/' }, 'cheap')
  const documents = await node.open('documents')
  const { operations } = await import('./operations.ts')
  const { newCharge } = await import('./charge.ts')
  await documents.insert(operations, {
    ...newCharge('ord_1', { buyer: 'usr_b', amount: usd(10_550), description: 'A logo' }, node.clock.now()),
    version: 1,
    paymentId: other,
    goal: null,
  })
  await webhook(world, 'payment_intent', other, { op: 'ord_1' })
  await eventually(
    () => documents.get(operations, 'ord_1'),
    (doc) => doc?.stuck?.code === 'amount_mismatch',
  )
  t.is(told.length, 0)
})

const admin = {
  meta: { caller: { id: 'usr_admin', username: 'admin', roles: ['buyer', 'admin'], sessionId: 'ses' } as Caller },
}

/** No webhook reaches this market: what happened at the provider is found by asking for its events. */
const hearAll = async ({ node }: World) => {
  const { seen } = await node.call('payment.backfill', {})
  const { paymentEvents } = await import('./webhooks.ts')
  const documents = await node.open('documents')
  await eventually(
    () => documents.count(paymentEvents, { index: 'byOpen' }),
    (open) => open === 0,
  )
  return seen
}
const kept = async <K extends AnyOperation['kind']>({ node }: World, kind: K, paymentId: string) => {
  const { operations } = await import('./operations.ts')
  const { docs } = await (
    await node.open('documents')
  ).find(operations, { index: 'byPayment', equals: { paymentId, kind } })
  return docs as (AnyOperation & { kind: K })[]
}
/** An order paid with a card that brings trouble, beside so much money that nothing waits for more. */
const troubled = async (world: World, card: string) => {
  await paid(world, 'ord_0', 100_000)
  const { paymentId } = await begin(world.node, 'ord_1')
  await pay(world.node, 'ord_1', card)
  return paymentId
}

test('a payment that its bank takes back is followed until its money is back', async (t) => {
  const world = await start(t)
  const paymentId = await troubled(world, 'pm_card_createDispute')
  await hearAll(world)
  const disputed = await eventually(
    () => kept(world, 'dispute', paymentId),
    ([one]) => one?.status === 'needs_response',
  )
  t.is(disputed.length, 1)
  t.like(disputed[0], { order: 'ord_1', amount: usd(10_550), taken: 10_550, fees: 1_500, said: { outcome: null } })
  await world.provider.server.outside.decideDispute(disputed[0]!.id, 'won')
  t.true((await hearAll(world)) > 0)
  const [won] = await eventually(
    () => kept(world, 'dispute', paymentId),
    ([one]) => one?.status === 'won',
  )
  t.like(won, { taken: 10_550, restored: 10_550, wakeAt: null, said: { taken: 10_550, outcome: 'won' } })
})

test('an admin answers a chargeback once; good evidence brings the money back', async (t) => {
  const world = await start(t)
  const { node } = world
  const paymentId = await troubled(world, 'pm_card_createDispute')
  await hearAll(world)
  const [open] = (await node.call('payment.chargebacks', { status: 'needs_response' }, admin)).data
  t.like(open, { order: 'ord_1', payment: paymentId, amount: usd(10_550), canAnswer: true, sending: false })
  world.provider.server.faults.add({ kind: 'answer_lost', on: 'disputes.update' })
  const { id } = open!
  const answer = () => node.call('payment.answerChargeback', { id, evidence: { text: 'winning_evidence' } }, admin)
  t.like(await answer(), { canAnswer: false, sending: true })
  t.true(isRefused(await t.throwsAsync(answer()), 'invalid_transition'))
  const [won] = await eventually(
    async () => (await advance(world, 60_000), (await node.call('payment.chargebacks', {}, admin)).data),
    ([one]) => one?.status === 'won',
  )
  t.like(won, { id, taken: usd(10_550), restored: usd(10_550), fee: usd(1_500), sending: false })
  t.deepEqual((await node.call('payment.chargebacks', { status: 'needs_response' }, admin)).data, [])
})

test('an answer that nobody knows to have arrived is looked for once its key is forgotten', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  const paymentId = await troubled(world, 'pm_card_createDispute')
  await hearAll(world)
  const [open] = (await node.call('payment.chargebacks', {}, admin)).data
  provider.server.faults.add({ kind: 'answer_lost', on: 'disputes.update' })
  const evidence = { text: 'winning_evidence' }
  await node.call('payment.answerChargeback', { id: open!.id, evidence }, admin)
  const [answered] = await eventually(
    async () => (await advance(world, 25 * 3_600_000), kept(world, 'dispute', paymentId)),
    ([one]) => one?.status === 'won',
  )
  t.is(answered!.refusal, null)
})

test('an admin who gives in has lost the chargeback, and one who is late is told so', async (t) => {
  const world = await start(t)
  const { node } = world
  await troubled(world, 'pm_card_createDispute')
  await hearAll(world)
  const [open] = (await node.call('payment.chargebacks', {}, admin)).data
  t.like(await node.call('payment.acceptChargeback', { id: open!.id }, admin), { status: 'lost', canAnswer: false })
  t.true(
    isRefused(
      await t.throwsAsync(node.call('payment.acceptChargeback', { id: open!.id }, admin)),
      'invalid_transition',
    ),
  )
  t.true(isRefused(await t.throwsAsync(node.call('payment.acceptChargeback', { id: 'dp_none' }, admin)), 'not_found'))
})

test('a bank that decides while an answer is under way is believed, and the admin is told', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  await troubled(world, 'pm_card_createDispute')
  await hearAll(world)
  const [open] = (await node.call('payment.chargebacks', {}, admin)).data
  await provider.server.outside.decideDispute(open!.id, 'lost')
  const late = node.call('payment.answerChargeback', { id: open!.id, evidence: { text: 'late' } }, admin)
  t.true(isRefused(await t.throwsAsync(late), 'invalid_transition'))
  const [lost] = await eventually(
    async () => (await advance(world, 60_000), (await node.call('payment.chargebacks', {}, admin)).data),
    ([one]) => one?.status === 'lost',
  )
  t.like(lost, { canAnswer: false, sending: false, restored: usd(0) })
})

test('a refund refused because of a dispute nobody has heard of is how it is heard of', async (t) => {
  const world = await start(t)
  const paymentId = await troubled(world, 'pm_card_createDispute')
  await world.say('order.refund.requested', { order: 'ord_1', refund: 'ord_1-refund-1', amount: usd(10_550) })
  const [disputed] = await eventually(
    () => kept(world, 'dispute', paymentId),
    ([one]) => one?.status === 'needs_response',
  )
  t.like(disputed, { order: 'ord_1', taken: 10_550 })
  t.like(world.told.find(({ name }) => name === 'payment.refund.failed')?.data, {
    refund: 'ord_1-refund-1',
    code: 'charge_disputed',
    wasSettled: false,
  })
  t.is(times(world.told, 'payment.disputed'), 1)
})

test('a tip that is disputed is told apart from its order', async (t) => {
  const world = await start(t)
  const { node } = world
  await paid(world, 'ord_1', 100_000)
  const tip = { order: 'ord_1', charge: 'ord_1-tip-1' }
  const { paymentId } = await node.call('payment.begin', {
    ...tip,
    buyer: 'usr_b',
    amount: usd(2_000),
    description: 'A tip',
  })
  await node.call('payment.confirm', { ...tip, paymentMethod: 'pm_card_createDispute' })
  await hearAll(world)
  const [disputed] = await eventually(
    () => kept(world, 'dispute', paymentId),
    ([one]) => one?.status === 'needs_response',
  )
  t.like(disputed, { order: 'ord_1', charge: 'ord_1-tip-1', taken: 2_000 })
})

test('a dispute whose end nobody tells is found by itself', async (t) => {
  const world = await start(t)
  const paymentId = await troubled(world, 'pm_card_createDispute')
  await hearAll(world)
  await eventually(
    () => kept(world, 'dispute', paymentId),
    ([one]) => one?.status === 'needs_response',
  )
  await advance(world, 8 * 86_400_000)
  const [lost] = await eventually(
    async () => (await advance(world, 60_000), kept(world, 'dispute', paymentId)),
    ([one]) => one?.status === 'lost',
  )
  t.like(lost, { restored: 0, said: { outcome: 'lost' } })
})

test('a payment reported as fraud is known once, with its order', async (t) => {
  const world = await start(t)
  const paymentId = await troubled(world, 'pm_card_createIssuerFraudRecord')
  await hearAll(world)
  const warned = await eventually(
    () => kept(world, 'warning', paymentId),
    ([one]) => one?.state === 'said',
  )
  t.is(warned.length, 1)
  t.like(warned[0], { order: 'ord_1', amount: usd(10_550) })
})

test('a refund that fails after it was sent is noticed, also when no webhook brought it', async (t) => {
  const world = await start(t)
  const { told, say } = world
  const paymentId = await troubled(world, 'pm_card_refundFail')
  await say('order.refund.requested', { order: 'ord_1', refund: 'ord_1-refund-1', amount: usd(10_550) })
  t.is(times(told, 'payment.refunded'), 1)
  await advance(world, 3_600_000)
  await hearAll(world)
  const [refund] = await eventually(
    () => kept(world, 'refund', paymentId),
    ([one]) => one?.state === 'failed',
  )
  t.is(refund!.id, 'ord_1-refund-1')
})

test('events of payments that are not ours change nothing', async (t) => {
  const world = await start(t)
  const { provider } = world
  const { id } = await provider.createPayment({ amount: usd(5_000), metadata: {}, description: 'elsewhere' }, 'other')
  await provider.confirmPayment(
    id,
    { paymentMethod: 'pm_card_createDispute', returnUrl: 'http://127.0.0.1/' },
    'other-confirm',
  )
  t.true((await hearAll(world)) > 0)
  t.deepEqual(await kept(world, 'dispute', id), [])
  t.is(world.told.length, 0)
})
