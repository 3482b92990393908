import test from 'ava'
import { encodePlace, decodePlace, pageOf } from './balance.ts'
import { runId, payoutId, withdrawal, MINIMUMS } from './plan.ts'
import { pageDone, SKIPS_MAX, started } from './run.ts'
import { isRefused } from '../errors.ts'

const asked = { id: runId('2026-01-01'), date: '2026-01-01', currencies: ['usd', 'eur'], again: true }
const skips = [{ seller: 'usr_a', reason: 'not onboarded' }]
const usd = (amount: number) => ({ amount, currency: 'usd' })

test('a page checked off twice counts once, and the last page of the last currency ends the planning', (t) => {
  const run = started(null, asked, 1).next!
  const first = { currency: 'usd', after: '', next: 'usr_m', skips }
  const once = pageDone(run, first, 2).result
  t.is(pageDone(once, first, 3).next, undefined)
  t.deepEqual([once.after, once.skipped, once.status], ['usr_m', 1, 'planning'])
  const dollars = pageDone(once, { currency: 'usd', after: 'usr_m', next: null, skips: [] }, 4).result
  t.deepEqual([dollars.currencies, dollars.after], [['eur'], ''])
  t.is(pageDone(dollars, { currency: 'eur', after: '', next: null, skips: [] }, 5).result.status, 'paying')
})

test('a run is started once per date; a finished one asked again goes through the sellers anew', (t) => {
  const run = started(null, asked, 1).next!
  t.is(started(run, asked, 2).next, undefined)
  t.is(started({ ...run, status: 'done' }, { ...asked, again: false }, 2).next, undefined)
  const again = started({ ...run, status: 'done', currencies: [], skipped: 3, finishedAt: 1 }, asked, 2).next!
  t.deepEqual([again.status, again.currencies, again.skipped, again.createdAt], ['planning', ['usd', 'eur'], 0, 1])
  t.is(payoutId(run.id, 'usr_a', 'usd'), payoutId(again.id, 'usr_a', 'usd'))
  t.not(payoutId(run.id, 'usr_a', 'usd'), payoutId(run.id, 'usr_a', 'eur'))
})

test('reasons are kept up to a bound, their count goes on', (t) => {
  const run = started(null, asked, 1).next!
  const many = Array.from({ length: SKIPS_MAX + 5 }, (_, at) => ({ seller: `usr_${at}`, reason: 'x' }))
  const after = pageDone(run, { currency: 'usd', after: '', next: null, skips: many }, 2).result
  t.deepEqual([after.skips.length, after.skipped], [SKIPS_MAX, SKIPS_MAX + 5])
})

test('a withdrawal is over what is asked, or all, within what is there and above the minimum', (t) => {
  const payee = { account: 'acct_1', payoutsEnabled: true }
  t.deepEqual(withdrawal(undefined, usd(5000), MINIMUMS, payee), usd(5000))
  t.deepEqual(withdrawal(usd(2000), usd(5000), MINIMUMS, payee), usd(2000))
  const codeOf = (act: () => unknown, code: Parameters<typeof isRefused>[1]) =>
    t.true(isRefused(t.throws(act), code), code)
  codeOf(() => withdrawal(usd(1999), usd(5000), MINIMUMS, payee), 'validation_failed')
  codeOf(() => withdrawal(usd(5001), usd(5000), MINIMUMS, payee), 'insufficient_balance')
  codeOf(() => withdrawal(undefined, usd(1999), MINIMUMS, payee), 'insufficient_balance')
  codeOf(() => withdrawal(undefined, { amount: 9000, currency: 'xxx' }, MINIMUMS, payee), 'conflict')
  codeOf(() => withdrawal(undefined, usd(5000), MINIMUMS, { account: 'acct_1', payoutsEnabled: false }), 'conflict')
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
