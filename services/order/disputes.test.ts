import test from 'ava'
import { mistakeOf } from '../ledger/posting.ts'
import * as moves from './moves.ts'
import { DISPUTES_MAX } from './moves/disputing.ts'
import { brokenHistory } from './process.ts'
import type { OrderDoc } from './state.ts'
import {
  buyer,
  completed,
  delivered,
  delivery,
  entries,
  kinds,
  refusedAs,
  seller,
  START,
  started,
  sums,
  usd,
} from './testing.ts'
import { CLEARING_MS, DAY_MS, DISPUTE_ANSWER_MS, timersOf } from './timing.ts'
import { allowedActions, toldEvents } from './view.ts'

const admin = { role: 'admin' as const, id: 'usr_a' }
const NOW = START + 10_000
const dispute = (order: OrderDoc, by: moves.By = buyer, now = NOW) =>
  moves.dispute(order, by, { id: `dsp_${now}`, reason: 'not what was agreed' }, now).next
const resolve = (order: OrderDoc, amount: number, now = NOW + 1000) =>
  moves.resolve(order, admin, { buyerAmount: usd(amount), reason: 'as it is' }, now)
const walks = (order: OrderDoc) =>
  brokenHistory(
    order.timeline.map(({ type }) => type),
    order.status,
  )

test('a dispute stops every timer but its own', (t) => {
  for (const order of [started(), delivered(), moves.cancel(started(), seller, 'x', NOW).next, completed()]) {
    const disputed = dispute(order)
    t.is(disputed.status, 'disputed')
    t.deepEqual(timersOf(disputed), [{ step: 'dispute_silence', at: NOW + DISPUTE_ANSWER_MS }])
    t.is(moves.wake(disputed, NOW + DISPUTE_ANSWER_MS - 1), null)
  }
})

test('silence decides for who opened the dispute', (t) => {
  const forBuyer = moves.wake(dispute(delivered()), NOW + DISPUTE_ANSWER_MS)!
  t.deepEqual([forBuyer.next.status, kinds(forBuyer)], ['cancelled', ['refund']])
  t.deepEqual(sums(forBuyer), { 'escrow:ord_1': 10_550, 'refund_pending:ord_1-refund-1': -10_550 })
  const forSeller = moves.wake(dispute(started(), seller), NOW + DISPUTE_ANSWER_MS)!
  t.deepEqual([forSeller.next.status, kinds(forSeller)], ['completed', ['complete']])
  t.is(forSeller.next.clearsAt, NOW + DISPUTE_ANSWER_MS + CLEARING_MS)
})

test('the other side agrees, or contests and an admin decides; the claimant cannot answer for them', (t) => {
  const disputed = dispute(delivered())
  t.is(moves.answerDispute(disputed, seller, { agree: true }, NOW).next.status, 'cancelled')
  t.true(refusedAs('forbidden', () => moves.answerDispute(disputed, buyer, { agree: true }, NOW)))
  const contested = moves.answerDispute(disputed, seller, { agree: false, text: 'no' }, NOW).next
  t.is(contested.wakeAt, null)
  t.true(refusedAs('invalid_transition', () => moves.answerDispute(contested, seller, { agree: true }, NOW)))
  t.is(resolve(contested, 0).next.status, 'completed')
  t.true(refusedAs('invalid_transition', () => moves.answerDispute(delivered(), seller, { agree: true }, NOW)))
})

test('a withdrawn dispute leaves the order where it stood, later by as long as it stood still', (t) => {
  const before = moves.cancel(started(), seller, 'x', START + 5000).next
  const after = moves.withdrawDispute(dispute(before), buyer, NOW + DAY_MS).next
  t.is(after.status, 'in_progress')
  t.is(after.dueAt, before.dueAt! + DAY_MS)
  t.is(after.cancel!.agreedAt, before.cancel!.agreedAt + DAY_MS)
  t.deepEqual(allowedActions(after, 'seller', NOW), allowedActions(before, 'seller', NOW))
  const cleared = moves.withdrawDispute(dispute(completed()), buyer, NOW + 3 * DAY_MS).next
  t.is(cleared.clearsAt, completed().clearsAt! + 3 * DAY_MS)
  t.is(moves.wake(cleared, completed().clearsAt!), null)
  t.true(refusedAs('forbidden', () => moves.withdrawDispute(dispute(started()), seller, NOW)))
  for (const order of [after, cleared]) t.is(walks(order), null)
  t.is((toldEvents(after, after.timeline.length - 1)[0]!.data as { status: string }).status, 'in_progress')
})

test('disputing and withdrawing cannot stop the clocks for ever', (t) => {
  let order = started()
  for (let times = 0; times < DISPUTES_MAX; times++) order = moves.withdrawDispute(dispute(order), buyer, NOW).next
  t.true(refusedAs('invalid_transition', () => dispute(order)))
  t.false(allowedActions(order, 'buyer', NOW).includes('dispute'))
})

test('a completed order is disputed by its buyer only, and only while it clears', (t) => {
  t.true(refusedAs('invalid_transition', () => dispute(completed(), seller)))
  const cleared = moves.wake(completed(), START + 4000 + CLEARING_MS)!.next
  t.true(refusedAs('invalid_transition', () => dispute(cleared)))
})

test('an admin splits the held money as the posting table says, to the cent', (t) => {
  const split = resolve(dispute(delivered()), 6330)
  t.is(split.next.status, 'completed')
  t.deepEqual(sums(split), {
    'escrow:ord_1': 10_550,
    'refund_pending:ord_1-refund-1': -6330,
    'clearing:usr_s': -3200,
    'rev:commission': -800,
    'rev:service_fee': -220,
  })
  const cleared = moves.wake(split.next, NOW + 1000 + CLEARING_MS)!
  t.deepEqual(sums(cleared), { 'clearing:usr_s': 3200, 'available:usr_s': -3200 })
})

test('of a completed order everybody gives back of what they got', (t) => {
  const split = resolve(dispute(completed()), 3165, NOW + DAY_MS)
  t.deepEqual(sums(split), {
    'refund_pending:ord_1-refund-1': -3165,
    'clearing:usr_s': 2400,
    'rev:commission': 600,
    'rev:service_fee': 165,
  })
  t.is(split.next.clearsAt, completed().clearsAt! + DAY_MS)
  t.deepEqual(sums(moves.wake(split.next, split.next.clearsAt!)!), { 'clearing:usr_s': 5600, 'available:usr_s': -5600 })
  const all = moves.wake(dispute(completed()), NOW + DISPUTE_ANSWER_MS)!
  t.is(all.next.status, 'cancelled')
  t.deepEqual(sums(all), {
    'refund_pending:ord_1-refund-1': -10_550,
    'clearing:usr_s': 8000,
    'rev:commission': 2000,
    'rev:service_fee': 550,
  })
  t.is(all.next.wakeAt, null)
})

test('nobody can be given more than was paid, less than nothing, or another currency', (t) => {
  const disputed = dispute(delivered())
  t.true(refusedAs('validation_failed', () => resolve(disputed, 10_551)))
  t.true(refusedAs('validation_failed', () => resolve(disputed, -1)))
  const euro = { buyerAmount: { amount: 1, currency: 'eur' }, reason: 'x' }
  t.true(refusedAs('validation_failed', () => moves.resolve(disputed, admin, euro, NOW)))
  t.is(resolve(disputed, 10_550).next.status, 'cancelled')
  t.true(refusedAs('invalid_transition', () => moves.deliver(disputed, seller, delivery, NOW)))
})

test('what a dispute posts is what the books take', (t) => {
  for (const moved of [resolve(dispute(completed()), 1), resolve(dispute(delivered()), 10_549)])
    for (const entry of entries(moved)) t.is(mistakeOf(entry), null)
})

test('the seller offers at most 60 % in all, one offer at a time, and the buyer agrees to what they saw', (t) => {
  const offer = (order: OrderDoc, amount: number) =>
    moves.offerRefund(order, seller, { amount: usd(amount), reason: 'sorry' }, NOW).next
  t.true(refusedAs('validation_failed', () => offer(started(), 6331)))
  const offered = offer(started(), 6000)
  t.true(refusedAs('invalid_transition', () => offer(offered, 1)))
  t.true(refusedAs('conflict', () => moves.offerRefund(offered, buyer, { amount: usd(5000) }, NOW)))
  const agreed = moves.offerRefund(offered, buyer, {}, NOW)
  t.deepEqual(sums(agreed), { 'escrow:ord_1': 6000, 'refund_pending:ord_1-refund-1': -6000 })
  t.true(refusedAs('validation_failed', () => offer(agreed.next, 331)))
  t.is(offer(agreed.next, 330).refundOffer!.amount, 330)
  t.is(moves.decline(offered, buyer, 'refund', NOW).next.refundOffer, null)
  t.true(
    refusedAs('invalid_transition', () => moves.offerRefund(completed(), seller, { amount: usd(1), reason: 'x' }, NOW)),
  )
})

test('an offer over more than an admin left is gone; one over less stands', (t) => {
  const offered = moves.offerRefund(started(), seller, { amount: usd(6000), reason: 'sorry' }, NOW).next
  const after = (amount: number) => moves.refundByAdmin(offered, admin, { amount: usd(amount), reason: 'x' }, NOW).next
  t.true(refusedAs('invalid_transition', () => moves.offerRefund(after(4551), buyer, {}, NOW)))
  t.deepEqual(sums(moves.offerRefund(after(4550), buyer, {}, NOW)), {
    'escrow:ord_1': 6000,
    'refund_pending:ord_1-refund-2': -6000,
  })
})

test('a refund before completion leaves the rest to be shared; later ones take from where the money is by then', (t) => {
  const give = (order: OrderDoc, amount: number) =>
    moves.refundByAdmin(order, admin, { amount: usd(amount), reason: 'x' }, NOW)
  const first = give(delivered(), 3165)
  const done = moves.accept(first.next, buyer, NOW)
  t.deepEqual(sums(done), {
    'escrow:ord_1': 7385,
    'clearing:usr_s': -5600,
    'rev:commission': -1400,
    'rev:service_fee': -385,
  })
  const second = give(done.next, 3165)
  const cleared = moves.wake(second.next, NOW + CLEARING_MS)!
  const third = give(cleared.next, 4220)
  t.is(third.next.status, 'cancelled')
  t.deepEqual(sums(done, second, cleared, third), {
    'escrow:ord_1': 7385,
    'refund_pending:ord_1-refund-2': -3165,
    'refund_pending:ord_1-refund-3': -4220,
  })
})

test("a refund that cannot be sent becomes the buyer's credit once, whether or not it had been settled", (t) => {
  const given = moves.refundByAdmin(delivered(), admin, { amount: usd(1000), reason: 'x' }, NOW)
  const settled = moves.refunded(given.next, 'ord_1-refund-1', usd(1000), NOW)!
  const failed = moves.refundFailed(settled.next, 'ord_1-refund-1', 'closed_card', NOW)!
  t.deepEqual(sums(given, settled, failed), { 'escrow:ord_1': 1000, 'buyer_credit:usr_b': -1000 })
  t.is(moves.refundFailed(failed.next, 'ord_1-refund-1', 'closed_card', NOW), null)
  const never = moves.refundFailed(given.next, 'ord_1-refund-1', 'closed_card', NOW)!
  t.deepEqual(sums(given, never), { 'escrow:ord_1': 1000, 'buyer_credit:usr_b': -1000 })
  t.is(moves.refunded(never.next, 'ord_1-refund-1', usd(1000), NOW), null)
  for (const entry of entries(failed)) t.is(mistakeOf(entry), null)
})
