import test from 'ava'
import { eventually } from '../../test/node.ts'
import { isRefused } from '../errors.ts'
import { payoutRuns } from './run.ts'
import { payouts } from './item.ts'
import {
  admin,
  advance,
  balance,
  booksAreTrue,
  DAY_MS,
  earn,
  HOUR_MS,
  list,
  onboard,
  runNow,
  seller,
  start,
  sums,
  usd,
  type World,
} from './testing.ts'

test('a run pays every seller above the minimum who may be paid, says why it skips others, and pays nobody twice', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  await Promise.all([onboard(world, 'usr_a'), onboard(world, 'usr_small')])
  await earn(world, 'ord_1', 'usr_a', 8000)
  await earn(world, 'ord_2', 'usr_a', 123)
  await earn(world, 'ord_3', 'usr_small', 1999)
  await earn(world, 'ord_4', 'usr_stranger', 5000)
  const run = await runNow(node)
  t.deepEqual({ ...run.counts, paid: 0 }, { planned: 1, paid: 0, failed: 0, skipped: 2 })
  t.deepEqual(run.reasons, { below_minimum: 1, no_account: 1 })
  t.deepEqual(
    run.skips?.map(({ seller, amount, code }) => [seller, amount.amount, code]),
    [
      ['usr_small', 1999, 'below_minimum'],
      ['usr_stranger', 5000, 'no_account'],
    ],
  )
  await booksAreTrue(t, world)
  await eventually(
    async () => (await advance(world, 120_000), list(node, 'usr_a')),
    ([one]) => one?.status === 'paid',
  )
  const again = await runNow(node)
  t.is(again.id, run.id)
  t.deepEqual(again.counts, { planned: 1, paid: 1, failed: 0, skipped: 2 })
  t.is(again.status, 'done')
  t.deepEqual(await balance(node, 'usr_a'), { clearing: usd(0), available: usd(0), inPayout: usd(0), held: usd(0) })
  t.deepEqual((await balance(node, 'usr_small')).available, usd(1999))
  t.deepEqual(
    (await list(node, 'usr_a')).map(({ amount, run }) => [amount, run]),
    [[usd(8123), again.id]],
  )
  t.deepEqual(
    (await provider.balanceTransactions({ limit: 50 })).data
      .filter(({ type }) => type === 'transfer')
      .map(({ amount }) => amount),
    [-8123],
  )
  await booksAreTrue(t, world)
  // What becomes available later the same day is paid by asking again, once.
  await onboard(world, 'usr_stranger')
  t.deepEqual((await runNow(node)).counts.planned, 2)
  t.deepEqual((await runNow(node)).counts.planned, 2)
  t.true(isRefused(await t.throwsAsync(node.call('payout.run', { date: '2026-13-45' }, admin)), 'validation_failed'))
  t.true(isRefused(await t.throwsAsync(node.call('payout.run', {}, seller('usr_a'))), 'forbidden'))
})

test("the schedule starts a run when the platform's time comes, also after days away", async (t) => {
  const world = await start(t)
  const { node } = world
  await onboard(world, 'usr_a')
  await earn(world, 'ord_1', 'usr_a', 8000)
  await advance(world, 3 * DAY_MS)
  await eventually(
    async () => (await advance(world, 60_000), list(node, 'usr_a')),
    ([one]) => one?.status === 'paid',
  )
  const { data } = await node.call('payout.runs', {}, admin)
  t.is(data.length, 1)
  t.is(data[0]!.counts.paid, 1)
  t.is((await node.call('payout.getRun', { id: data[0]!.id }, admin)).id, data[0]!.id)
  t.is((await list(node, 'usr_a'))[0]!.id, `po_${data[0]!.id}_usr_a`)
  await advance(world, DAY_MS)
  await eventually(
    async () => (await node.call('payout.runs', {}, admin)).data.length,
    (count) => count === 2,
  )
  await booksAreTrue(t, world)
})

test('a withdrawal takes what is asked for, once, and only what is there', async (t) => {
  const world = await start(t)
  const { node } = world
  const ask = (amount?: number, id?: string) =>
    node.call('payout.request', amount === undefined ? {} : { amount: usd(amount) }, {
      meta: { ...seller('usr_a').meta, ...(id && { command: { id, at: 1_700_000_000_000 } }) },
    })
  t.true(isRefused(await t.throwsAsync(ask()), 'insufficient_balance'))
  await earn(world, 'ord_1', 'usr_a', 8000)
  t.true(isRefused(await t.throwsAsync(ask(3000)), 'conflict'), 'not onboarded')
  await onboard(world, 'usr_a')
  t.true(isRefused(await t.throwsAsync(ask(8001)), 'insufficient_balance'))
  t.true(isRefused(await t.throwsAsync(ask(1999)), 'validation_failed'))
  const [first, second] = await Promise.all([ask(3000, 'key-1'), ask(3000, 'key-1')])
  t.is(first.id, second.id)
  t.is((await ask(3000, 'key-1')).id, first.id)
  const { available, inPayout } = await balance(node, 'usr_a')
  t.deepEqual([available, inPayout], [usd(5000), usd(3000)])
  t.true(isRefused(await t.throwsAsync(ask(3000, 'key-2')), 'conflict'), 'one at a time')
  await eventually(
    async () => (await advance(world, 120_000), list(node, 'usr_a')),
    ([one]) => one?.status === 'paid',
  )
  const rest = await ask(undefined, 'key-3')
  t.deepEqual(rest.amount, usd(5000))
  await eventually(
    async () => (await advance(world, 120_000), list(node, 'usr_a')),
    (all) => all.every(({ status }) => status === 'paid'),
  )
  t.deepEqual(await sums(world, 'in_payout:usr_a', 'available:usr_a', 'connected:usr_a'), [0, 0, 0])
  await booksAreTrue(t, world)
})

test('withdrawals asked all at once never take more than is available', async (t) => {
  const world = await start(t)
  const { node } = world
  await onboard(world, 'usr_a')
  await earn(world, 'ord_1', 'usr_a', 5000)
  const ask = (at: number) =>
    node.call(
      'payout.request',
      { amount: usd(3000) },
      { meta: { ...seller('usr_a').meta, command: { id: `key-${at}`, at: 1_700_000_000_000 } } },
    )
  const outcomes = await Promise.allSettled([...Array.from({ length: 8 }, (_, at) => ask(at)), runNow(node)])
  t.is(outcomes.slice(0, 8).filter(({ status }) => status === 'fulfilled').length <= 1, true)
  const [held, left] = await sums(world, 'in_payout:usr_a', 'available:usr_a')
  t.is((held ?? 0) + (left ?? 0) >= -5000 && (left ?? 0) <= 0, true)
  await booksAreTrue(t, world)
})

for (const [kind, status, how] of [
  ['payout_fails_before_paid', 'failed', 'refuses'],
  ['payout_fails_after_paid', 'returned', 'sends back'],
] as const)
  test(`money that the bank ${how} is the seller's to take again, and the next run pays it`, async (t) => {
    const world = await start(t)
    const { node, provider } = world
    await onboard(world, 'usr_a')
    await earn(world, 'ord_1', 'usr_a', 8000)
    provider.server.faults.add({ kind, on: 'payouts.create', ms: DAY_MS })
    const first = await runNow(node)
    if (status === 'returned') {
      await eventually(
        async () => (await advance(world, 120_000), list(node, 'usr_a')),
        ([one]) => one?.status === 'paid',
      )
      await advance(world, 2 * HOUR_MS + DAY_MS)
      const [bankPayout] = await provider.findPayouts(
        (await node.call('payment.payee', { user: 'usr_a' })).account!,
        (await list(node, 'usr_a'))[0]!.id,
      )
      t.is(bankPayout?.status, 'failed')
      await tell(world, bankPayout!.id, (await list(node, 'usr_a')).at(-1)!.id)
    }
    await eventually(
      async () => (await advance(world, 120_000), list(node, 'usr_a')),
      (all) => all.some((one) => one.status === status && !!one.reason),
    )
    // The day's own run may be the one that pays it again.
    await eventually(
      async () => (await advance(world, 120_000), sums(world, 'connected:usr_a', 'in_payout:usr_a')),
      (open) => open.every((sum) => sum === 0),
    )
    await booksAreTrue(t, world)
    await runNow(node, '2031-01-01')
    await eventually(
      async () => (await advance(world, 120_000), list(node, 'usr_a')),
      (all) => all.some((one) => one.status === 'paid' && one.run !== first.id),
    )
    t.deepEqual(await sums(world, 'available:usr_a', 'in_payout:usr_a', 'connected:usr_a'), [0, 0, 0])
    t.deepEqual(await provider.balance((await node.call('payment.payee', { user: 'usr_a' })).account!), {
      available: { usd: 0 },
      pending: { usd: 0 },
    })
    await booksAreTrue(t, world)
  })

/** A signed webhook about a bank payout. */
const tell = async ({ node, provider }: World, id: string, op: string) => {
  const { signatureOf } = await import('../../adapters/payments/sandbox/webhooks.ts')
  const now = Math.floor(Date.now() / 1000)
  const body = JSON.stringify({
    id: `evt_${id}`,
    object: 'event',
    type: 'payout.failed',
    created: now,
    data: { object: { id, object: 'payout', metadata: { op } } },
  })
  await node.call('payment.webhook', {
    body: Buffer.from(body).toString('base64'),
    signature: signatureOf(body, provider.server.webhookSecret, now),
  })
}

test('what payments tell twice, late or out of order moves money once', async (t) => {
  const world = await start(t)
  const { node } = world
  await earn(world, 'ord_1', 'usr_a', 8000)
  const documents = await node.open('documents')
  const { asked } = await import('./item.ts')
  await node.call('ledger.post', {
    entries: [
      (await import('../ledger/contract.ts')).reserved({ payout: 'po_1', seller: 'usr_a', amount: usd(8000), at: 1 }),
    ],
  })
  await documents.insert(payouts, {
    ...asked({ id: 'po_1', seller: 'usr_a', account: 'acct_1', amount: usd(8000), run: null }, 1),
    version: 1,
    status: 'scheduled',
    owner: 'usr_a',
    wakeAt: null,
  })
  const result = { payout: 'po_1', seller: 'usr_a', amount: usd(8000) }
  const say = (name: string, more: Record<string, string>) =>
    node.broker.call('payout.hear', { event: { id: name, name, data: { ...result, ...more }, at: 1 } })
  await say('payment.payout.paid', { bankPayout: 'po_x' })
  for (const name of ['payment.transferred', 'payment.payout.sent', 'payment.payout.paid', 'payment.transferred'])
    await say(name, { bankPayout: 'po_x', transfer: 'tr_x' })
  await say('payment.payout.failed', { stage: 'payout', code: 'x', reason: 'late news' })
  t.is((await list(node, 'usr_a'))[0]!.status, 'paid')
  t.deepEqual(await sums(world, 'available:usr_a', 'in_payout:usr_a', 'connected:usr_a', 'transit:po_1'), [0, 0, 0, 0])
  await t.throwsAsync(say('payment.transfer.reversed', { transfer: 'tr_x' }))
  for (let twice = 0; twice < 2; twice++)
    await say('payment.payout.failed', { stage: 'returned', code: 'account_closed', reason: 'closed' })
  for (let twice = 0; twice < 2; twice++) await say('payment.transfer.reversed', { transfer: 'tr_x' })
  t.deepEqual(
    await sums(world, 'available:usr_a', 'in_payout:usr_a', 'connected:usr_a', 'transit:po_1'),
    [-8000, 0, 0, 0],
  )
  t.is((await list(node, 'usr_a'))[0]!.status, 'returned')
  await booksAreTrue(t, world)
})

test('a run that died half way is carried on from its checkpoint and pays each seller once', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  const sellers = Array.from({ length: 6 }, (_, at) => `usr_${at}`)
  for (const one of sellers) {
    await onboard(world, one)
    await earn(world, `ord_${one}`, one, 3000)
  }
  // A process died with one seller asked, another reserved, and the page not yet checked off.
  const documents = await node.open('documents')
  const { claimed, estimated, leased, started } = await import('./run.ts')
  const { asked, reservation } = await import('./item.ts')
  const now = node.clock.now()
  const before = now - 120_000
  const covers = { after: '2029-12-31', to: '2030-01-01' }
  const claims = await Promise.all(
    sellers.map(async (one) => ({
      payout: `po_run_2030-01-01_${one}`,
      seller: one,
      account: (await node.call('payment.payee', { user: one })).account!,
      amount: 3000,
    })),
  )
  const begun = started(
    null,
    { id: 'run_2030-01-01', date: '2030-01-01', currencies: ['usd'], covers, by: null, again: false },
    before,
  ).next!
  const theirs = leased(begun, { owner: 'a dead process', isRunning: () => true }, before).next!
  const added = estimated(theirs, { token: 1, totals: { usd: 18_000 }, limits: { usd: 20_000 } }, before).next!
  const batch = { number: 1, currency: 'usd', after: '', next: null, claims, skips: [] }
  const run = claimed(added, 1, batch, before).next!
  await documents.insert(payoutRuns, { ...run, version: 1 })
  for (const one of sellers.slice(0, 2)) {
    const { account } = claims.find(({ seller: whose }) => whose === one)!
    const item = asked({ id: `po_run_2030-01-01_${one}`, seller: one, account, amount: usd(3000), run: run.id }, before)
    await documents.insert(payouts, { ...item, version: 1 })
    if (one === 'usr_1') await node.call('ledger.post', { entries: [reservation(item)] })
  }
  await eventually(
    async () => (await advance(world, 70_000), node.call('payout.getRun', { id: run.id }, admin)),
    ({ counts }) => counts.paid === 6,
  )
  t.is((await provider.balanceTransactions({ limit: 100 })).data.filter(({ type }) => type === 'transfer').length, 6)
  await eventually(
    async () => (await advance(world, HOUR_MS), node.call('payout.getRun', { id: run.id }, admin)),
    ({ status }) => status === 'done',
  )
  await booksAreTrue(t, world)
})

test('a seller sees every movement of the own balances, newest first, in pages that fit together', async (t) => {
  const world = await start(t)
  const { node } = world
  for (let at = 0; at < 4; at++) await earn(world, `ord_${at}`, 'usr_a', 1000 + at)
  await earn(world, 'ord_other', 'usr_b', 777)
  const all = (await node.call('payout.transactions', { limit: 100 }, seller('usr_a'))).data
  t.is(all.length, 12)
  t.deepEqual(
    all.slice(0, 3).map(({ kind, balance, amount }) => [kind, balance, amount.amount]),
    [
      ['clear', 'available', 1003],
      ['clear', 'clearing', -1003],
      ['complete', 'clearing', 1003],
    ],
  )
  const paged: typeof all = []
  let cursor: string | null = null
  do {
    const page: { data: typeof all; nextCursor: string | null } = await node.call(
      'payout.transactions',
      { limit: 5, ...(cursor && { cursor }) },
      seller('usr_a'),
    )
    t.true(page.data.length <= 5)
    paged.push(...page.data)
    cursor = page.nextCursor
  } while (cursor)
  t.deepEqual(paged, all)
  t.true(
    isRefused(
      await t.throwsAsync(node.call('payout.transactions', { cursor: 'nonsense' }, seller('usr_a'))),
      'bad_cursor',
    ),
  )
})
