// Runs as operators and two workers meet them: many sellers, one worker away too long, limits, freezes, wishes of sellers.
import test from 'ava'
import { isMovable } from '../../adapters/clock/index.ts'
import type { Call } from '../../mixins/node.ts'
import { eventually } from '../../test/node.ts'
import { isRefused } from '../errors.ts'
import { batches } from './batch.ts'
import { openDesk } from './desk.ts'
import { freezes, frozenAmong } from './freeze.ts'
import { payouts, wake as itemWake, type PayoutDoc } from './item.ts'
import { APPROVAL_LIMITS, MINIMUMS } from './plan.ts'
import { LEASE_MS, payoutRuns, started, wake as runWake, type RunDoc } from './run.ts'
import { openRunner } from './runner.ts'
import { coversOf } from './schedule.ts'
import { openSelection } from './selection.ts'
import {
  admin,
  advance,
  balance,
  booksAreTrue,
  DAY_MS,
  earn,
  list,
  onboard,
  person,
  runNow,
  seller,
  start,
  usd,
} from './testing.ts'
import { actor } from '../../mixins/actor.ts'

const DATE = '2031-05-05'

/** A worker of its own over the store of a node, whose calls may be made to wait. */
const worker = async (
  world: Awaited<ReturnType<typeof start>>,
  owner: string,
  before: (name: string) => Promise<void>,
) => {
  const { node } = world
  const documents = await node.open('documents')
  const items = actor<PayoutDoc>(node, documents, 'payout', { of: payouts, wake: itemWake })
  const runs = actor<RunDoc>(node, documents, 'payout', { of: payoutRuns, wake: runWake })
  const call: Call = async (name, params, options) => {
    await before(name)
    return node.call(name, params, options)
  }
  const runner = openRunner({
    runs,
    documents,
    desk: openDesk({ items, call }),
    selection: openSelection({ documents, call, minimums: MINIMUMS }),
    limits: APPROVAL_LIMITS,
    owner,
    isRunning: () => true,
    isFrozen: async () => (await frozenAmong(documents, ['all'])).size > 0,
  })
  return { runner, runs, stop: () => Promise.all([items.stop(), runs.stop()]) }
}
const gate = () => {
  let open!: () => void
  let reach!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (reach = resolve))
  return { open, reached, wait: async () => (reach(), opened) }
}

test('a worker paused past its lease pays nobody: what it had read is read anew by the next', async (t) => {
  const world = await start(t)
  const { node } = world
  await Promise.all([onboard(world, 'usr_a'), onboard(world, 'usr_b')])
  await earn(world, 'ord_1', 'usr_a', 8000)
  await earn(world, 'ord_2', 'usr_b', 9000)
  const [first, second] = [gate(), gate()]
  const stale = await worker(world, 'stale', async (name) => (name === 'payment.payee' ? first.wait() : undefined))
  const fresh = await worker(world, 'fresh', async (name) => (name === 'ledger.payable' ? second.wait() : undefined))
  t.teardown(() => Promise.all([stale.stop(), fresh.stop()]))
  const id = `run_${DATE}`
  await stale.runs.turn(id, (state, now) => ({
    ...started(
      state,
      { id, date: DATE, currencies: ['usd'], covers: coversOf(DATE, null), by: null, again: false },
      now,
    ),
    result: null,
    say: [],
  }))
  const away = stale.runner.work(id)
  await first.reached
  // It has decided to pay both. Long after its lease another takes over, and a seller now wants to be asked.
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + LEASE_MS + 1)
  const going = fresh.runner.work(id)
  await second.reached
  await node.call('payout.changeSettings', { schedule: 'manual' }, seller('usr_a'))
  first.open()
  await away
  const documents = await node.open('documents')
  t.is(await documents.count(payouts, { index: 'byRun', equals: { run: id } }), 0)
  t.is((await documents.get(payoutRuns, id))!.batch, null)
  second.open()
  await going
  await eventually(
    async () => (await advance(world, 60_000), list(node, 'usr_b')),
    ([one]) => one?.status === 'paid',
  )
  t.deepEqual(await list(node, 'usr_a'), [])
  t.deepEqual((await documents.get(payoutRuns, id))!.reasons, { manual: 1 })
  await booksAreTrue(t, world)
})

test('a batch that two workers carry out at once is paid once', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  const sellers = Array.from({ length: 5 }, (_, at) => `usr_${at}`)
  for (const one of sellers) {
    await onboard(world, one)
    await earn(world, `ord_${one}`, one, 3000 + sellers.indexOf(one))
  }
  const none = async () => undefined
  const [one, other] = [await worker(world, 'one', none), await worker(world, 'other', none)]
  t.teardown(() => Promise.all([one.stop(), other.stop()]))
  await node.call('payout.run', { date: DATE }, { ...admin, timeoutMs: 30_000 })
  await Promise.all([one.runner.work(`run_${DATE}`), other.runner.work(`run_${DATE}`), runNow(node, DATE)])
  await eventually(
    async () => (await advance(world, 60_000), node.call('payout.getRun', { id: `run_${DATE}` }, admin)),
    ({ counts }) => counts.paid === 5,
  )
  t.deepEqual(
    (await provider.balanceTransactions({ limit: 100 })).data
      .filter(({ type }) => type === 'transfer')
      .map(({ amount }) => amount)
      .sort(),
    [-3000, -3001, -3002, -3003, -3004],
  )
  await booksAreTrue(t, world)
})

test('a run over the limit pays nobody until two people have approved it', async (t) => {
  const world = await start(t, { PAYOUT_APPROVAL_LIMITS: 'usd=10000' })
  const { node } = world
  await onboard(world, 'usr_a')
  await earn(world, 'ord_1', 'usr_a', 10_001)
  const run = await runNow(node, DATE)
  t.deepEqual([run.status, run.counts.planned, run.estimate], ['awaiting_approval', 0, [usd(10_001)]])
  await advance(world, 60_000)
  t.is((await node.call('payout.getRun', { id: run.id }, admin)).status, 'awaiting_approval')
  const half = await node.call('payout.approve', { id: run.id }, admin)
  t.is(half.status, 'awaiting_approval')
  t.true(isRefused(await t.throwsAsync(node.call('payout.approve', { id: run.id }, admin)), 'conflict'))
  t.true(isRefused(await t.throwsAsync(node.call('payout.approve', { id: run.id }, seller('usr_a'))), 'forbidden'))
  const both = await node.call('payout.approve', { id: run.id }, { ...person('usr_other', 'admin'), timeoutMs: 30_000 })
  t.deepEqual(
    [both.counts.planned, both.approval?.by.map(({ user }) => user), both.totals],
    [1, ['usr_admin', 'usr_other'], [usd(10_001)]],
  )
  await booksAreTrue(t, world)
})

test('frozen payouts stay where they are, also those that were on their way to the provider', async (t) => {
  const world = await start(t)
  const { node, provider } = world
  const transfers = async () =>
    (await provider.balanceTransactions({ limit: 50 })).data.filter(({ type }) => type === 'transfer').length
  await Promise.all([onboard(world, 'usr_a'), onboard(world, 'usr_b')])
  await earn(world, 'ord_1', 'usr_a', 8000)
  await earn(world, 'ord_2', 'usr_b', 9000)
  // One seller's is at the provider's door when it is frozen.
  provider.server.faults.add({ kind: 'rate_limited', on: 'transfers.create', count: 3 })
  await node.call('payout.request', { amount: usd(3000) }, seller('usr_a'))
  const frozen = await node.call('payout.freeze', { reason: 'something is wrong' }, admin)
  t.deepEqual([frozen.frozen, frozen.by, frozen.seller], [true, 'usr_admin', undefined])
  for (let minute = 0; minute < 5; minute++) await advance(world, 60_000)
  t.is(await transfers(), 0)
  t.is((await runNow(node, DATE)).status, 'frozen')
  t.true(isRefused(await t.throwsAsync(node.call('payout.request', {}, seller('usr_b'))), 'conflict'))
  t.deepEqual((await node.call('payout.freezes', {}, admin)).data.length, 1)
  await node.call('payout.freeze', { seller: 'usr_b', reason: 'unclear' }, admin)
  await node.call('payout.unfreeze', { reason: 'it is all right' }, admin)
  t.deepEqual(
    (await node.call('payout.freezes', {}, admin)).data.map((one) => one.seller),
    ['usr_b'],
  )
  await eventually(
    async () => (await advance(world, 60_000), list(node, 'usr_a')),
    ([one]) => one?.status === 'paid',
  )
  const run = await eventually(
    async () => (await advance(world, 60_000), node.call('payout.getRun', { id: `run_${DATE}` }, admin)),
    ({ progress }) => progress.phase !== 'planning',
  )
  t.deepEqual(run.skips?.map(({ seller: of, code }) => [of, code]).at(-1), ['usr_b', 'frozen'])
  t.deepEqual((await balance(node, 'usr_b')).available, usd(9000))
  await node.call('payout.unfreeze', { seller: 'usr_b', reason: 'cleared' }, admin)
  await node.call('payout.request', {}, seller('usr_b'))
  await eventually(
    async () => (await advance(world, 60_000), list(node, 'usr_b')),
    ([one]) => one?.status === 'paid',
  )
  const documents = await node.open('documents')
  t.is(await documents.count(freezes, { index: 'bySince', from: 0 }), 0)
  await booksAreTrue(t, world)
})

test('a dry run says what would be paid and to whom not, and leaves no trace', async (t) => {
  const world = await start(t)
  const { node } = world
  await onboard(world, 'usr_a')
  await earn(world, 'ord_1', 'usr_a', 8000)
  await earn(world, 'ord_2', 'usr_stranger', 5000)
  const dry = await node.call('payout.run', { date: DATE, dryRun: true }, admin)
  t.deepEqual(
    [dry.status, dry.counts, dry.reasons, dry.totals, dry.complete],
    ['preview', { planned: 1, paid: 0, failed: 0, skipped: 1 }, { no_account: 1 }, [usd(8000)], true],
  )
  t.deepEqual((await node.call('payout.runs', {}, admin)).data, [])
  const documents = await node.open('documents')
  t.deepEqual((await documents.scan(batches)).docs, [])
  t.deepEqual((await balance(node, 'usr_a')).available, usd(8000))
  // The real one does just that.
  const real = await runNow(node, DATE)
  t.deepEqual([real.counts.planned, real.reasons, real.totals], [1, dry.reasons, dry.totals])
})

test('a run of more sellers than fit a batch pays and explains them all, in pages', async (t) => {
  const world = await start(t)
  const { node } = world
  const at = node.clock.now()
  const { charged, cleared, completed } = await import('../ledger/contract.ts')
  const entries = Array.from({ length: 230 }, (_, number) => {
    const order = `ord_${String(number).padStart(3, '0')}`
    const of = `usr_${String(number).padStart(3, '0')}`
    const amount = number % 2 === 0 ? 1500 : 2500
    return [
      charged({ order, payment: 'pi', amount: usd(amount), fee: usd(0), at }),
      completed({ order, seller: of, currency: 'usd', subtotal: amount, serviceFee: 0, commission: 0, at }),
      cleared({ order, seller: of, amount: usd(amount), at }),
    ]
  }).flat()
  for (let from = 0; from < entries.length; from += 90)
    await node.call('ledger.post', { entries: entries.slice(from, from + 90) })
  await onboard(world, 'usr_001')
  const run = await runNow(node, DATE)
  t.deepEqual(run.reasons, { below_minimum: 115, no_account: 114 })
  t.is(run.progress.batches >= 3, true)
  t.is(run.skips?.length, 100)
  const rows: { seller: string; code?: string | undefined }[] = []
  let cursor: string | null = null
  do {
    const page: { data: typeof rows; nextCursor: string | null } = await node.call(
      'payout.runItems',
      { id: run.id, status: 'skipped', limit: 70, ...(cursor && { cursor }) },
      admin,
    )
    rows.push(...page.data)
    cursor = page.nextCursor
  } while (cursor)
  t.deepEqual([rows.length, new Set(rows.map((row) => row.seller)).size], [229, 229])
  const items = (await node.call('payout.runItems', { id: run.id }, admin)).data
  t.deepEqual(
    items.map(({ seller: of, amount }) => [of, amount]),
    [['usr_001', usd(2500)]],
  )
  t.true(
    isRefused(
      await t.throwsAsync(node.call('payout.runItems', { id: run.id, status: 'skipped', cursor: 'x' }, admin)),
      'bad_cursor',
    ),
  )
})

test('sellers are paid on their own days, and a missed day is made up for', async (t) => {
  const world = await start(t)
  const { node } = world
  for (const one of ['usr_daily', 'usr_weekly', 'usr_manual']) {
    await onboard(world, one)
    await earn(world, `ord_${one}`, one, 3000)
  }
  await node.call('payout.changeSettings', { schedule: 'weekly', weekday: 3 }, seller('usr_weekly'))
  await node.call('payout.changeSettings', { schedule: 'manual' }, seller('usr_manual'))
  t.deepEqual(await node.call('payout.settings', {}, seller('usr_weekly')), { schedule: 'weekly', weekday: 3 })
  t.deepEqual(await node.call('payout.settings', {}, seller('usr_daily')), { schedule: 'daily' })
  // A Monday, then the next run only on Thursday: Wednesday is in between.
  const monday = await runNow(node, '2031-05-05')
  t.deepEqual([monday.counts.planned, monday.reasons], [1, { manual: 1, not_due: 1 }])
  const thursday = await runNow(node, '2031-05-08')
  t.deepEqual([thursday.counts.planned, thursday.reasons], [1, { manual: 1 }])
  t.is((await list(node, 'usr_weekly')).length, 1)
})

test('a run missed for days is begun once, says so, and its sellers are paid once', async (t) => {
  const world = await start(t)
  const { node } = world
  await onboard(world, 'usr_a')
  await earn(world, 'ord_1', 'usr_a', 8000)
  await advance(world, 4 * DAY_MS)
  const { data } = await eventually(
    () => node.call('payout.runs', {}, admin),
    (page) => page.data[0]?.counts.planned === 1,
  )
  t.is(data.length, 1)
  t.true(data[0]!.missed! >= 3 && data[0]!.missed! <= 4, `${data[0]!.missed}`)
  t.true(Date.parse(data[0]!.dueAt!) < node.clock.now() - 3 * DAY_MS)
})
