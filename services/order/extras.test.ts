import test from 'ava'
import fc from 'fast-check'
import { refusal } from '../errors.ts'
import { mistakeOf } from '../ledger/posting.ts'
import * as moves from './moves.ts'
import type { Moved } from './moves.ts'
import type { OrderDoc } from './state.ts'
import { buyer, delivery, entries, paid, quote, seller, START, started, sums, usd } from './testing.ts'
import { DAY_MS, PAY_WITHIN_MS, timersOf } from './timing.ts'
import { publicOrder } from './view.ts'

const NOW = START + 10_000
const admin = { role: 'admin' as const, id: 'usr_a' }
const FAST = { id: 'ext_1', wanted: ['fast'], offered: quote.extras }
/** 20.00 and 5.5 % of it; the fee on small orders was paid with the order. */
const COST = 2110
const money = { payment: 'pi_2', amount: usd(COST), fee: usd(91) }
const begin = (order: OrderDoc, now = NOW) => moves.beginExtras(order, buyer, FAST, now)
const added = (order: OrderDoc = started(), now = NOW): Moved =>
  moves.extrasPaid(begin(order, now).next, 'ext_1', money, now)!
const requests = (moved: Moved) =>
  moved.say.flatMap(({ name, data }) =>
    name === 'order.refund.requested'
      ? [[(data as { charge?: string }).charge ?? 'own', (data as { amount: { amount: number } }).amount.amount]]
      : [],
  )
const codeOf = (ask: () => unknown) => {
  try {
    ask()
    return null
  } catch (error) {
    return refusal(error)?.code
  }
}

test('extras count once they are paid: in what is ordered, in the price, in the fees and in the time', (t) => {
  const begun = begin(started())
  t.deepEqual([begun.next.extras, begun.next.price, entries(begun)], [[], started().price, []])
  const moved = added()
  t.deepEqual(
    moved.next.extras.map(({ id }) => id),
    ['fast'],
  )
  t.deepEqual(moved.next.price, { currency: 'usd', subtotal: 12_000, serviceFee: 660, total: 12_660, commission: 2400 })
  t.is(moved.next.dueAt, started().dueAt! + DAY_MS)
  t.deepEqual(sums(moved), { psp: COST - 91, 'exp:psp_fee': 91, 'escrow:ord_1': -COST })
  t.is(moves.extrasPaid(moved.next, 'ext_1', money, NOW), null)
  const seen = publicOrder(moved.next, { id: 'usr_b' }, NOW)
  t.deepEqual(
    seen.purchases.map(({ id, amount, status }) => [id, amount, status]),
    [['ext_1', usd(COST), 'paid']],
  )
})

test('extras bought before the clock starts make it longer, and of a late order the new date counts', (t) => {
  const early = moves.answer(added(paid()).next, buyer, [{ id: 'q1', answer: 'x' }], START + 2000).next
  t.is(early.dueAt, started().dueAt! + DAY_MS)
  const due = started().dueAt!
  const late = moves.wake(started(), due)!.next
  t.false(added(late, due + 1000).next.late)
  t.true(added(late, due + 2 * DAY_MS).next.late)
})

test('what is not offered, is there already or is being paid for cannot be added, nor once it is delivered', (t) => {
  const ask = (order: OrderDoc, wanted = ['fast']) =>
    codeOf(() => moves.beginExtras(order, buyer, { ...FAST, id: 'ext_2', wanted }, NOW))
  t.is(ask(started()), null)
  t.is(ask(started(), ['slow']), 'validation_failed')
  t.is(ask(added().next), 'validation_failed')
  t.is(ask(begin(started()).next), 'validation_failed')
  t.is(ask(moves.deliver(started(), seller, delivery, NOW).next), 'invalid_transition')
  t.is(
    ask(moves.dropExtras(begin(started()).next, 'ext_1', { step: 'extras_declined', by: buyer, now: NOW })!.next),
    null,
  )
})

test('extras nobody pays are dropped in time', (t) => {
  const begun = begin(started()).next
  t.deepEqual(timersOf(begun)[0], { step: 'extras_expired', at: NOW + PAY_WITHIN_MS, charge: 'ext_1' })
  const dropped = moves.wake(begun, NOW + PAY_WITHIN_MS)!
  t.is(dropped.next.purchases![0]!.status, 'dropped')
  t.deepEqual(dropped.say.find(({ name }) => name === 'order.abandoned')?.data, { order: 'ord_1', charge: 'ext_1' })
  // Paid all the same: the buyer meant it.
  t.is(moves.extrasPaid(dropped.next, 'ext_1', money, NOW)!.next.price.total, 12_660)
})

test('what is paid too late for the work goes straight back, whole, and is none of the price', (t) => {
  const delivered = moves.deliver(begin(started()).next, seller, delivery, NOW).next
  for (const order of [
    delivered,
    moves.accept(delivered, buyer, NOW).next,
    moves.dispute(delivered, buyer, { id: 'd', reason: 'x' }, NOW).next,
  ]) {
    const late = moves.extrasPaid(order, 'ext_1', money, NOW)!
    t.deepEqual(requests(late), [['ext_1', COST]])
    t.deepEqual(late.next.price, started().price)
    t.is(publicOrder(late.next, { id: 'usr_b' }, NOW).refunded?.amount ?? 0, 0)
    const settled = moves.refunded(late.next, 'ord_1-refund-1', usd(COST), NOW)!
    t.deepEqual(sums(late, settled), { psp: -91, 'exp:psp_fee': 91 })
    t.is(moves.extrasPaid(settled.next, 'ext_1', money, NOW), null)
  }
})

test('what the order has already, or stands frozen, is not added twice or in between: the money goes back', (t) => {
  const first = moves.dropExtras(begin(started()).next, 'ext_1', { step: 'extras_declined', by: buyer, now: NOW })!.next
  const second = moves.beginExtras(first, buyer, { ...FAST, id: 'ext_2' }, NOW).next
  const paidTwice = moves.extrasPaid(moves.extrasPaid(second, 'ext_2', money, NOW)!.next, 'ext_1', money, NOW)!
  t.deepEqual(requests(paidTwice), [['ext_1', COST]])
  t.is(paidTwice.next.extras.length, 1)
  const told = { dispute: 'dp_1', amount: usd(10_550), taken: usd(10_550), fee: usd(0), reason: 'x' }
  const frozen = moves.chargedBack(begin(started()).next, told, NOW)!.next
  t.deepEqual(requests(moves.extrasPaid(frozen, 'ext_1', money, NOW)!), [['ext_1', COST]])
})

test('each payment gets back no more than it was, the first one first', (t) => {
  const proposed = moves.cancel(added().next, seller, 'x', NOW).next
  const all = moves.cancel(proposed, buyer, 'x', NOW)
  t.deepEqual(requests(all), [
    ['own', 10_550],
    ['ext_1', COST],
  ])
  t.deepEqual(sums(all), {
    'escrow:ord_1': 12_660,
    'refund_pending:ord_1-refund-1': -10_550,
    'refund_pending:ord_1-refund-2': -COST,
  })
  const completed = moves.accept(moves.deliver(added().next, seller, delivery, NOW).next, buyer, NOW)
  t.deepEqual(sums(completed), {
    'escrow:ord_1': 12_660,
    'clearing:usr_s': -9600,
    'rev:commission': -2400,
    'rev:service_fee': -660,
  })
  const first = moves.refundByAdmin(completed.next, admin, { amount: usd(10_000), reason: 'x' }, NOW)
  const last = moves.refundByAdmin(first.next, admin, { amount: usd(2660), reason: 'x' }, NOW)
  t.deepEqual(requests(first), [['own', 10_000]])
  t.deepEqual(requests(last), [
    ['own', 550],
    ['ext_1', COST],
  ])
  t.is(last.next.status, 'cancelled')
})

test('a bank that takes the extras back takes their part of the order, and the rest goes on', (t) => {
  const order = added().next
  const told = { dispute: 'dp_1', charge: 'ext_1', amount: usd(COST), taken: usd(COST), fee: usd(0) }
  t.true(moves.isUnpaid(begin(started()).next, 'ext_1'))
  t.false(moves.isUnpaid(order, 'ext_1'))
  const opened = moves.chargedBack(order, { ...told, reason: 'x' }, NOW)!
  const lost = moves.chargebackClosed(opened.next, { ...told, outcome: 'lost', restored: usd(0) }, NOW)!
  t.is(lost.next.status, 'in_progress')
  const done = moves.accept(moves.deliver(lost.next, seller, delivery, NOW).next, buyer, NOW)
  t.deepEqual(sums(added(), opened, lost, done), {
    psp: -91,
    'exp:psp_fee': 91,
    'escrow:ord_1': 10_550,
    'clearing:usr_s': -8000,
    'rev:commission': -2000,
    'rev:service_fee': -550,
  })
  const cancelled = moves.cancel(moves.cancel(lost.next, seller, 'x', NOW).next, buyer, 'x', NOW)
  t.deepEqual(requests(cancelled), [['own', 10_550]])
})

test('however it is refunded, payments give exactly what was paid and the books balance', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 12 }), fc.boolean(), (amounts, done) => {
      let order = done
        ? moves.accept(moves.deliver(added().next, seller, delivery, NOW).next, buyer, NOW).next
        : added().next
      const back: Record<string, number> = { own: 0, ext_1: 0 }
      for (const amount of [...amounts, 12_660]) {
        const left = order.price.total - Object.values(back).reduce((sum, one) => sum + one, 0)
        if (left === 0) break
        const moved = moves.refundByAdmin(order, admin, { amount: usd(Math.min(amount, left)), reason: 'x' }, NOW)
        for (const [charge, given] of requests(moved) as [string, number][]) back[charge]! += given
        for (const entry of entries(moved)) t.is(mistakeOf(entry), null)
        order = moved.next
      }
      t.deepEqual(back, { own: 10_550, ext_1: COST })
    }),
  )
})
