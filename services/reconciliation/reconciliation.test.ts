// Books and provider, compared as an operator sees it, with differences planted on either side.
import { isMovable } from '../../adapters/clock/index.ts'
import test, { type ExecutionContext } from 'ava'
import type { ServiceSchema } from 'moleculer'
import type { Sandbox } from '../../adapters/payments/sandbox.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import { opsOf } from '../../mixins/ops.ts'
import { isRefused } from '../errors.ts'
import { charged, cleared, completed, refundAccepted, refundSettled, transferred } from '../ledger/contract.ts'
import ledger from '../ledger/ledger.service.ts'
import payment from '../payment/payment.service.ts'
import payout from '../payout/payout.service.ts'
import type { Caller } from '../shapes.ts'
import { openDesk } from './desk.ts'
import { GRACE_MS, openPasses } from './pass.ts'
import reconciliation from './reconciliation.service.ts'
import { suspense } from './store.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const caller = (id: string, role: Caller['roles'][number]) => ({
  meta: { caller: { id, username: id, roles: ['buyer' as const, role], sessionId: 'ses' } },
  timeoutMs: 30_000,
})
const admin = caller('usr_admin', 'admin')
const orders: ServiceSchema = { name: 'order', actions: { hear: () => true } }

type World = { node: TestNode; provider: Sandbox }
const start = async (t: ExecutionContext): Promise<World> => {
  const node = await startNode({ services: [ledger, payment, payout, reconciliation, orders] })
  t.teardown(() => node.stop())
  return { node, provider: (await node.open('payments')) as Sandbox }
}

/** Paid at the provider; entered in the books as it was, unless the books say otherwise. */
const pay = async (
  { node, provider }: World,
  order: string,
  amount: number,
  says: { amount?: number; currency?: string } | null = {},
) => {
  await node.call('payment.begin', { order, buyer: 'usr_b', amount: usd(amount), description: 'A logo' })
  const { paymentId } = await node.call(
    'payment.confirm',
    { order, paymentMethod: 'pm_card_visa' },
    { timeoutMs: 30_000 },
  )
  if (says === null) return
  const [found] = (await provider.balanceTransactions({ limit: 100 })).data.filter(({ op }) => op === order)
  const currency = says.currency ?? 'usd'
  const entry = charged({
    order,
    payment: paymentId,
    amount: { amount: says.amount ?? amount, currency },
    fee: { amount: found!.fee, currency },
    at: node.clock.now(),
  })
  await node.call('ledger.post', { entries: [entry] })
}
const compare = ({ node }: World, full = false) => node.call('reconciliation.run', { full }, admin)
const open = async ({ node }: World) =>
  (await node.call('reconciliation.suspense', { limit: 100 }, admin)).data.map(
    ({ reason, entry, transaction }) => `${reason} ${entry ?? (transaction ? 'a transaction' : '')}`,
  )

test('what both sides say is matched, payments, refunds, transfers and what comes back', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  await pay(world, 'ord_1', 10_000)
  await pay(world, 'ord_2', 5000)
  // A refund, and a seller who is paid and whose bank refuses it.
  await node.broker.call('payment.hear', {
    event: {
      id: 'r',
      name: 'order.refund.requested',
      data: { order: 'ord_2', refund: 'ref_2', amount: usd(5000) },
      at: 1,
    },
  })
  const at = node.clock.now()
  const refund = { order: 'ord_2', refund: 'ref_2', amount: usd(5000), at }
  await node.call('ledger.post', { entries: [refundAccepted(refund), refundSettled(refund)] })
  await node.call('payment.onboard', { user: 'usr_a', email: 'a@example.test', country: 'US' })
  await node.call('ledger.post', {
    entries: [
      completed({
        order: 'ord_1',
        seller: 'usr_a',
        currency: 'usd',
        subtotal: 10_000,
        serviceFee: 0,
        commission: 4000,
        at,
      }),
      cleared({ order: 'ord_1', seller: 'usr_a', amount: usd(6000), at }),
    ],
  })
  provider.server.faults.add({ kind: 'payout_fails_before_paid', on: 'payouts.create', ms: 1 })
  await node.call('payout.run', { date: '2031-01-01' }, admin)
  await eventually(
    async () => {
      if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + 120_000)
      await node.broker.call('payment.tick', {})
      await node.broker.call('payment.wakeDue', {})
      return node.call('ledger.balances', { accounts: ['connected:usr_a', 'in_payout:usr_a'] })
    },
    (sums) => Object.values(sums).every((sum) => Object.keys(sum).length === 0),
  )
  const report = await compare(world)
  t.deepEqual(await open(world), [])
  t.deepEqual([report.lastFull !== undefined, report.suspense], [true, { open: 0, alarmed: 0 }])
  t.true(report.last!.transactions >= 4)
  const [balance] = report.balances
  t.deepEqual([balance?.unexplained, balance?.books], [0, balance?.provider])
  t.true(balance!.coverage! > 0)
  const shown = (await node.call('reconciliation.transactions', { entry: 'ord_1:paid' }, admin)).data
  t.deepEqual(
    shown.map(({ type, amount, status, entry }) => [type, amount, status, entry]),
    [['charge', usd(10_000), 'matched', 'ord_1:paid']],
  )
  const again = await compare(world)
  t.deepEqual([again.last?.kind, again.suspense.open], ['hourly', 0])
  t.deepEqual((await compare(world, true)).suspense.open, 0)
})

test('every planted difference is found, and nothing else', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  await pay(world, 'ord_fine', 20_000)
  await pay(world, 'ord_unknown', 5000, null)
  await pay(world, 'ord_amount', 5000, { amount: 5001 })
  await pay(world, 'ord_currency', 5000, { currency: 'eur' })
  const at = node.clock.now()
  await node.call('ledger.post', {
    entries: [charged({ order: 'ord_imagined', payment: 'pi_x', amount: usd(700), fee: usd(0), at })],
  })
  const { accountId } = {
    accountId: (
      await provider.createAccount({ email: 'x@example.test', country: 'US', metadata: { onboarding: 'auto' } }, 'k')
    ).id,
  }
  for (const key of ['one', 'two'])
    await provider.transfer({ accountId, amount: usd(900), group: 'po_twice', metadata: { op: 'po_twice' } }, key)
  await node.call('ledger.post', {
    entries: [transferred({ payout: 'po_twice', seller: 'usr_a', amount: usd(900), at })],
  })
  const report = await compare(world)
  const found = [
    'amount ord_amount:paid',
    'currency ord_currency:paid',
    'duplicate po_twice:transferred',
    'missing_entry a transaction',
    'missing_transaction ord_imagined:paid',
  ]
  t.deepEqual((await open(world)).sort(), found)
  t.deepEqual(
    report.balances.map(({ currency, unexplained }) => [currency, unexplained]),
    [
      ['eur', 0],
      ['usd', 0],
    ],
  )
  // Looked at again, in part or as a whole, it is the same.
  for (const full of [false, true]) await compare(world, full)
  t.deepEqual((await open(world)).sort(), found)
  // Those that can't come right by waiting are an alarm at once.
  t.is((await node.call('reconciliation.report', {}, admin)).suspense.alarmed, 3)
})

test('what comes late finds its other side; what people explain stays explained', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  await pay(world, 'ord_late', 5000, null)
  await pay(world, 'ord_odd', 3000, { amount: 3500 })
  await compare(world)
  t.is((await open(world)).length, 2)
  const [late] = (await provider.balanceTransactions({ limit: 10 })).data.filter(({ op }) => op === 'ord_late')
  await node.call('ledger.post', {
    entries: [
      charged({ order: 'ord_late', payment: 'pi', amount: usd(5000), fee: usd(late!.fee), at: node.clock.now() }),
    ],
  })
  t.is((await compare(world)).last?.settled, 1)
  t.deepEqual(await open(world), ['amount ord_odd:paid'])
  const [odd] = (await node.call('reconciliation.suspense', {}, admin)).data
  t.deepEqual([odd?.ours, odd?.theirs?.currency], [usd(odd!.theirs!.amount + 500), 'usd'])
  const told = await node.call('reconciliation.explain', { id: odd!.id, note: 'corrected by hand' }, admin)
  t.deepEqual([told.status, told.by, told.note], ['explained', 'usr_admin', 'corrected by hand'])
  t.true(
    isRefused(
      await t.throwsAsync(node.call('reconciliation.explain', { id: odd!.id, note: 'x' }, admin)),
      'invalid_transition',
    ),
  )
  await compare(world, true)
  t.deepEqual(await open(world), [])
  const settled = (await node.call('reconciliation.suspense', { status: 'settled' }, admin)).data
  t.deepEqual(settled.map(({ status }) => status).sort(), ['explained', 'matched'])
  t.true(isRefused(await t.throwsAsync(node.call('reconciliation.report', {}, caller('usr_s', 'seller'))), 'forbidden'))
})

test('something open for an hour is an alarm, once, and a number', async (t) => {
  const world = await start(t)
  const { node } = world
  await pay(world, 'ord_unknown', 5000, null)
  await pay(world, 'ord_fine', 9000)
  const documents = await node.open('documents')
  let now = Date.now()
  const said: unknown[] = []
  const desk = openDesk({
    documents,
    call: node.call,
    idOf: (about) => node.newId('sus', { id: about, at: 0 }),
    now: () => now,
  })
  const log = { error: (...args: unknown[]) => said.push(args), warn: () => undefined } as never
  const passes = openPasses({ documents, call: node.call, desk, log, now: () => now, platformNow: node.clock.now })
  await passes.run()
  t.is(await passes.run(), null, 'not before its time')
  t.is(said.length, 0)
  now += GRACE_MS
  t.is((await passes.run())?.last?.kind, 'hourly')
  now += GRACE_MS
  await passes.run()
  t.is(said.length, 1)
  const { docs } = await documents.find(suspense, { index: 'byOpen' })
  t.deepEqual(
    docs.map(({ reason, alarmedAt }) => [reason, alarmedAt !== null]),
    [['missing_entry', true]],
  )
  t.regex(opsOf(node.broker).registry.text(), /gigwire_reconciliation_suspense/)
})
