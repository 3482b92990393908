import test, { type ExecutionContext } from 'ava'
import { encodePlace, decodePlace, pageOf } from './balance.ts'
import type { Batch, Claim } from './batch.ts'
import { choose, MINIMUMS, payeeSkip, payoutId, runId, withdrawal, type Facts } from './plan.ts'
import {
  approved,
  armed,
  batchDone,
  cancelled,
  claimed,
  estimated,
  LEASE_MS,
  leased,
  scheduleWake,
  started,
} from './run.ts'
import { coversOf, isDue, type Covers, type PayoutSettings } from './schedule.ts'
import { isRefused } from '../errors.ts'

const asked = {
  id: runId('2026-01-01'),
  date: '2026-01-01',
  currencies: ['usd', 'eur'],
  covers: coversOf('2026-01-01', null),
  by: 'usr_admin',
  again: true,
}
const usd = (amount: number) => ({ amount, currency: 'usd' })
const alive = { owner: 'node-a', isRunning: () => true }
const claim = (seller: string, amount: number): Claim => ({
  payout: payoutId(asked.id, seller, 'usd'),
  seller,
  account: 'acct',
  amount,
})
const batch = (some: Partial<Batch>): Batch => ({
  number: 1,
  currency: 'usd',
  after: '',
  next: null,
  claims: [],
  skips: [],
  ...some,
})
/** A run whose worker has token 1. */
const planning = (
  totals: Record<string, number> = { usd: 5000 },
  limits: Record<string, number> = { usd: 100_000 },
) => {
  const run = leased(started(null, asked, 1).next!, alive, 1).next!
  return estimated(run, { token: 1, totals, limits }, 2).result!
}
const codeOf = (t: ExecutionContext, act: () => unknown, code: Parameters<typeof isRefused>[1]) =>
  t.true(isRefused(t.throws(act), code), code)

test('a batch is claimed before it is carried out, checked off once, and the last of the last currency ends the planning', (t) => {
  const run = planning()
  const first = batch({ next: 'usr_m', claims: [claim('usr_a', 3000)] })
  const taken = claimed(run, 1, first, 3).result!
  t.deepEqual([taken.batch, taken.batches, taken.claimed], [first, 1, { usd: 3000 }])
  t.is(claimed(taken, 1, first, 3).result, null, 'one at a time')
  const done = { ...first, skips: [{ seller: 'usr_b', amount: 10, code: 'below_minimum' as const }] }
  const once = batchDone(taken, done, 4).result
  t.is(batchDone(once, done, 5).next, undefined)
  t.deepEqual([once.after, once.skipped, once.reasons, once.status], ['usr_m', 1, { below_minimum: 1 }, 'planning'])
  t.is(claimed(once, 1, batch({ number: 2 }), 5).result, null, 'the next begins where the last ended')
  const second = batch({ number: 2, after: 'usr_m' })
  const dollars = batchDone(claimed(once, 1, second, 5).result!, second, 5).result
  t.deepEqual([dollars.currencies, dollars.after], [['eur'], ''])
  const euros = batch({ number: 3, currency: 'eur' })
  t.is(batchDone(claimed(dollars, 1, euros, 6).result!, euros, 6).result.status, 'paying')
})

test('who was away longer than the lease claims nothing, also when nobody has claimed since', (t) => {
  const run = planning()
  const one = batch({ claims: [claim('usr_a', 3000)] })
  t.truthy(claimed(run, 1, one, 2 + LEASE_MS - 1).result)
  t.is(claimed(run, 1, one, 2 + LEASE_MS).result, null, 'late, though nobody took over')
  t.is(leased(run, { owner: 'node-b', isRunning: () => true }, 3).result, null, 'it is worked on')
  const dead = leased(run, { owner: 'node-b', isRunning: () => false }, 3)
  t.deepEqual(dead.result, { owner: 'node-b', token: 2, until: 3 + LEASE_MS }, 'a dead worker is not waited for')
  const taken = leased(run, { owner: 'node-b', isRunning: () => true }, 2 + LEASE_MS).next!
  t.is(claimed(taken, 1, one, 3 + LEASE_MS).result, null, 'its token is used up')
  t.is(estimated({ ...taken, status: 'estimating' }, { token: 1, totals: {}, limits: {} }, 3 + LEASE_MS).result, null)
  t.truthy(claimed(taken, 2, one, 3 + LEASE_MS).result)
})

test('a run over the limit waits for two people, and pays no more than they approved', (t) => {
  const waits = planning({ usd: 100_001 })
  t.deepEqual([waits.status, waits.lease, waits.wakeAt], ['awaiting_approval', null, null])
  t.is(leased(waits, alive, 9).result, null)
  const half = approved(waits, 'usr_one', 10).result
  codeOf(t, () => approved(half, 'usr_one', 11), 'conflict')
  t.is(half.status, 'awaiting_approval')
  const both = approved(half, 'usr_two', 12).result
  t.is(both.status, 'planning')
  t.is(approved(both, 'usr_two', 13).result, both)
  const worked = leased(both, alive, 13).next!
  t.truthy(claimed(worked, 2, batch({ claims: [claim('usr_a', 110_000)] }), 14).result?.batch)
  const more = claimed(worked, 2, batch({ claims: [claim('usr_a', 110_003)] }), 14).result!
  t.deepEqual([more.status, more.batch, more.approvals], ['estimating', null, []], 'it is added up and asked anew')
  codeOf(t, () => approved(more, 'usr_three', 15), 'invalid_transition')
})

test('a run under the limit stops at the limit', (t) => {
  const run = planning({ usd: 99_000 })
  t.is(run.status, 'planning')
  t.is(claimed(run, 1, batch({ claims: [claim('usr_a', 100_001)] }), 3).result!.status, 'estimating')
})

test('a run is cancelled before it has gone through everybody, not after and not amid a batch', (t) => {
  const run = planning()
  const by = { by: 'usr_admin', reason: 'wrong day' }
  t.is(cancelled(run, by, 3).result.status, 'cancelled')
  codeOf(t, () => cancelled(claimed(run, 1, batch({}), 3).result!, by, 4), 'unavailable')
  codeOf(t, () => cancelled({ ...run, status: 'paying' }, by, 4), 'invalid_transition')
  t.is(leased(cancelled(run, by, 3).result, alive, 9).result, null)
})

test('a run is started once per date; a finished one asked again goes through the sellers anew', (t) => {
  const run = started(null, asked, 1).next!
  t.is(started(run, asked, 2).next, undefined)
  t.is(started({ ...run, status: 'done' }, { ...asked, again: false }, 2).next, undefined)
  const done = { ...run, status: 'done' as const, currencies: [], skipped: 3, batches: 4, token: 9, finishedAt: 1 }
  const again = started(done, asked, 2).next!
  t.deepEqual([again.status, again.currencies, again.skipped, again.createdAt], ['estimating', ['usd', 'eur'], 0, 1])
  t.deepEqual([again.batches, again.roundFrom, again.token], [4, 4, 9], 'numbers go on')
  t.is(payoutId(run.id, 'usr_a', 'usd'), payoutId(again.id, 'usr_a', 'usd'))
  t.not(payoutId(run.id, 'usr_a', 'usd'), payoutId(run.id, 'usr_a', 'eur'))
})

test('runs missed in an outage are counted and made up by the one that was due first', (t) => {
  const doc = armed(null, '0 6 * * *', Date.parse('2026-03-01T00:00:00.000Z')).next!
  const { next, say } = scheduleWake(doc, Date.parse('2026-03-04T07:00:00.000Z'))
  t.deepEqual(say?.[0]?.data, { key: 'date:2026-03-01', dueAt: Date.parse('2026-03-01T06:00:00.000Z'), missed: 3 })
  t.is(next?.wakeAt, Date.parse('2026-03-05T06:00:00.000Z'))
})

test('a seller is paid daily, on a day of the week or of the month, or only when asking', (t) => {
  const monday = coversOf('2026-03-02', '2026-03-01')
  const due = (settings: PayoutSettings, covers: Covers) => isDue(settings, covers)
  t.true(due({ schedule: 'daily' }, monday))
  t.false(due({ schedule: 'manual' }, monday))
  t.true(due({ schedule: 'weekly' }, monday))
  t.false(due({ schedule: 'weekly', weekday: 7 }, monday))
  t.true(due({ schedule: 'weekly', weekday: 7 }, coversOf('2026-03-01', '2026-02-28')))
  t.false(due({ schedule: 'monthly' }, monday))
  t.true(due({ schedule: 'monthly', day: 2 }, monday))
  // A run that makes up for missed ones pays those whose day it was meanwhile.
  t.true(due({ schedule: 'monthly' }, coversOf('2026-03-03', '2026-02-27')))
  t.deepEqual(coversOf('2026-03-02', '2024-01-01'), { after: '2026-01-30', to: '2026-03-02' })
})

test('whoever is not paid has a reason, and the first one counts', (t) => {
  const covers = coversOf('2026-03-02', '2026-03-01')
  const of = (amount: number, more: Partial<Facts> = {}, currency = 'usd') =>
    choose({ available: { amount, currency }, settings: null, frozen: false, covers, ...more }, MINIMUMS)
  t.deepEqual(of(2000), { amount: 2000 })
  t.deepEqual(of(1999), { skip: 'below_minimum' })
  t.deepEqual(of(9000, { frozen: true }), { skip: 'frozen' })
  t.deepEqual(of(9000, { settings: { schedule: 'manual' } }), { skip: 'manual' })
  t.deepEqual(of(9000, { settings: { schedule: 'weekly', weekday: 3 } }), { skip: 'not_due' })
  const saving = { schedule: 'daily' as const, minimum: usd(10_000) }
  t.deepEqual(of(9999, { settings: saving }), { skip: 'below_own_minimum' })
  t.deepEqual(of(10_000, { settings: saving }), { amount: 10_000 })
  t.deepEqual(of(9000, {}, 'xxx'), { skip: 'below_minimum' })
  // Whole units only; what is over stays.
  t.deepEqual(of(1_234_567, {}, 'huf'), { amount: 1_234_500 })
  t.is(payeeSkip({ account: null, payoutsEnabled: false }), 'no_account')
  t.is(payeeSkip({ account: 'acct', payoutsEnabled: false }), 'not_enabled')
  t.is(payeeSkip({ account: 'acct', payoutsEnabled: true }), null)
})

test('a withdrawal is over what is asked, or all, within what is there and above the minimum', (t) => {
  const payee = { account: 'acct_1', payoutsEnabled: true }
  t.deepEqual(withdrawal(undefined, usd(5000), MINIMUMS, payee), usd(5000))
  t.deepEqual(withdrawal(usd(2000), usd(5000), MINIMUMS, payee), usd(2000))
  codeOf(t, () => withdrawal(usd(1999), usd(5000), MINIMUMS, payee), 'validation_failed')
  codeOf(t, () => withdrawal(usd(5001), usd(5000), MINIMUMS, payee), 'insufficient_balance')
  codeOf(t, () => withdrawal(undefined, usd(1999), MINIMUMS, payee), 'insufficient_balance')
  t.deepEqual(withdrawal(undefined, { amount: 999_999, currency: 'huf' }, MINIMUMS, payee).amount, 999_900)
  codeOf(
    t,
    () => withdrawal({ amount: 900_050, currency: 'huf' }, { amount: 999_999, currency: 'huf' }, MINIMUMS, payee),
    'validation_failed',
  )
  codeOf(t, () => withdrawal(undefined, { amount: 9000, currency: 'xxx' }, MINIMUMS, payee), 'conflict')
  codeOf(t, () => withdrawal(undefined, usd(5000), MINIMUMS, { account: 'acct_1', payoutsEnabled: false }), 'conflict')
})

test('a page of transactions may end in the middle of an entry and goes on there', (t) => {
  const entry = (seq: number) => ({
    id: `e${seq}`,
    seq,
    hash: '',
    kind: 'clear',
    at: 1,
    about: {},
    legs: [
      { account: 'clearing:usr_a', amount: 5, currency: 'usd' },
      { account: 'available:usr_a', amount: -5, currency: 'usd' },
    ],
  })
  const first = pageOf('usr_a', [entry(9), entry(8)], { before: 99, skip: 0 }, 3)
  t.deepEqual(
    first.data.map(({ id }) => id),
    ['txn_9_available_usd', 'txn_9_clearing_usd', 'txn_8_available_usd'],
  )
  const place = decodePlace(encodePlace(first.next!))!
  t.deepEqual(place, { before: 9, skip: 1 })
  const second = pageOf('usr_a', [entry(8)], place, 3)
  t.deepEqual(second, {
    data: [first.data[2]!].map((row) => ({ ...row, id: 'txn_8_clearing_usd', balance: 'clearing', amount: usd(-5) })),
    next: null,
  })
  t.is(decodePlace('###'), null)
})
