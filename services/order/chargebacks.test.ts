import test from 'ava'
import fc from 'fast-check'
import { mistakeOf, overdrawn } from '../ledger/posting.ts'
import type { Posting } from '../ledger/contract.ts'
import * as moves from './moves.ts'
import type { Moved } from './moves.ts'
import { brokenHistory } from './process.ts'
import { chargebacksOf, type OrderDoc } from './state.ts'
import {
  attempt,
  buyer,
  completed,
  delivered,
  delivery,
  entries,
  paid,
  placed,
  refusedAs,
  seller,
  START,
  started,
  sums,
  usd,
} from './testing.ts'
import { CLEARING_MS, DAY_MS, timersOf, WARNING_HOLD_MS } from './timing.ts'
import { allowedActions } from './view.ts'

const NOW = START + 10_000
const TOTAL = 10_550
const told = (changes: object = {}) => ({
  dispute: 'dp_1',
  amount: usd(TOTAL),
  taken: usd(TOTAL),
  fee: usd(1500),
  ...changes,
})
const open = (order: OrderDoc, now = NOW, changes = {}) =>
  moves.chargedBack(order, { ...told(changes), reason: 'fraudulent' }, now)!
const close = (order: OrderDoc, outcome: 'won' | 'lost', now = NOW + DAY_MS, changes = {}) =>
  moves.chargebackClosed(order, { ...told(changes), outcome, restored: usd(outcome === 'won' ? TOTAL : 0) }, now)!
const cleared = () => moves.wake(completed(), completed().clearsAt!)!.next
const FEE = { 'exp:dispute_fee': 1500 }

test('what a bank takes back and keeps is borne by who has the money by then', (t) => {
  const after = (order: OrderDoc) => {
    const opened = open(order)
    const closed = close(opened.next, 'lost')
    t.is(closed.next.status, 'cancelled')
    t.is(
      brokenHistory(
        closed.next.timeline.map(({ type }) => type),
        closed.next.status,
      ),
      null,
    )
    return sums(opened, closed)
  }
  const gone = { psp: -12_050, ...FEE }
  for (const order of [
    paid(),
    started(),
    delivered(),
    moves.dispute(delivered(), buyer, { id: 'd', reason: 'x' }, NOW).next,
  ])
    t.deepEqual(after(order), { ...gone, 'escrow:ord_1': TOTAL })
  const shares = { 'rev:commission': 2000, 'rev:service_fee': 550 }
  t.deepEqual(after(completed()), { ...gone, ...shares, 'clearing:usr_s': 8000 })
  // After it was paid out, the seller owes it.
  t.deepEqual(after(cleared()), { ...gone, ...shares, 'available:usr_s': 8000 })
})

test('while it is undecided nothing moves and what was available is held; returned, it is as if it had not been', (t) => {
  for (const order of [paid(), started(), delivered(), completed(), cleared()]) {
    const opened = open(order)
    const held = order.clearedAt === null ? {} : { 'available:usr_s': 8000, 'held:usr_s': -8000 }
    t.deepEqual(sums(opened), { psp: -12_050, 'dispute:dp_1': TOTAL, ...FEE, ...held })
    t.deepEqual(timersOf(opened.next), [])
    for (const role of ['buyer', 'seller'] as const)
      t.deepEqual(
        allowedActions(opened.next, role, NOW).filter((action) => action !== 'review'),
        [],
      )
    t.is(
      attempt(() => moves.cancel(opened.next, seller, 'x', NOW)),
      null,
    )
    const closed = close(opened.next, 'won')
    t.deepEqual(sums(opened, closed), { psp: -1500, ...FEE })
    t.is(closed.next.status, order.status)
    t.deepEqual(
      timersOf(closed.next),
      timersOf(order).map((timer) => ({ ...timer, at: timer.at + DAY_MS })),
    )
  }
})

test('a dispute of the parties stands still while the bank decides, and has its time afterwards', (t) => {
  const disputed = moves.dispute(delivered(), buyer, { id: 'dsp_1', reason: 'x' }, NOW).next
  const back = close(open(disputed, NOW + 1000).next, 'won', NOW + 1000 + DAY_MS).next
  t.is(back.status, 'disputed')
  t.is(back.dispute!.deadlineAt, disputed.dispute!.deadlineAt + DAY_MS)
  const withdrawn = moves.withdrawDispute(back, buyer, NOW + 2 * DAY_MS).next
  t.is(withdrawn.autoCompleteAt, delivered().autoCompleteAt! + 2 * DAY_MS)
})

test('a bank that only asks stops nothing, until it takes the money', (t) => {
  const asked = open(delivered(), NOW, { taken: usd(0), fee: usd(0) })
  t.deepEqual(entries(asked), [])
  t.deepEqual(timersOf(asked.next), timersOf(delivered()))
  const taken = open(asked.next, NOW + 1000)
  t.is(taken.next.timeline.at(-1)!.type, 'charged_back')
  t.is(close(asked.next, 'won', NOW, { taken: usd(0), fee: usd(0) }).next.timeline.at(-1)!.type, 'question_closed')
})

test('a tip taken back is its own: the order stays completed', (t) => {
  const tip = { id: 'tip_1', amount: usd(2000) }
  const tipped = moves.tipPaid(
    moves.beginTip(completed(), buyer, tip, NOW).next,
    'tip_1',
    { payment: 'pi_2', amount: usd(2000), fee: usd(88) },
    NOW,
  )!.next
  const of = { charge: 'tip_1', amount: usd(2000), taken: usd(2000) }
  const opened = open(tipped, NOW, of)
  const closed = close(opened.next, 'lost', NOW + DAY_MS, of)
  t.deepEqual(sums(opened, closed), { psp: -3500, ...FEE, 'clearing:usr_s': 2000 })
  t.is(closed.next.status, 'completed')
  t.is(closed.next.tips![0]!.status, 'returned')
  t.is(closed.next.clearsAt, completed().clearsAt! + DAY_MS)
  t.is(moves.tipPaid(closed.next, 'tip_1', { payment: 'pi_2', amount: usd(2000), fee: usd(88) }, NOW), null)
  const unpaid = moves.beginTip(completed(), buyer, tip, NOW).next
  t.true(moves.isUnpaid(unpaid, 'tip_1'))
  t.true(moves.isUnpaid(placed(), undefined))
})

test('a refund that the bank made impossible is not owed twice', (t) => {
  const cancelled = moves.cancel(paid(), buyer, 'x', NOW)
  const lost = (order: OrderDoc) => close(order, 'lost')
  // The refund fails first, or the bank's decision is heard first: the buyer has the money once, from the bank.
  const failed = moves.refundFailed(cancelled.next, 'ord_1-refund-1', 'charge_disputed', NOW)!
  const opened = open(failed.next)
  const one = sums(cancelled, failed, opened, lost(opened.next))
  const early = open(cancelled.next)
  const decided = lost(early.next)
  const late = moves.refundFailed(decided.next, 'ord_1-refund-1', 'charge_disputed', NOW)!
  const other = sums(cancelled, early, decided, late)
  t.deepEqual(one, { psp: -12_050, ...FEE, 'escrow:ord_1': TOTAL })
  t.deepEqual(other, one)
})

test('a lost one that is won after all gives everybody back what they bore', (t) => {
  const opened = open(cleared())
  const lost = close(opened.next, 'lost')
  const won = close(lost.next, 'won', NOW + 2 * DAY_MS)
  t.deepEqual(sums(opened, lost, won), { psp: -1500, ...FEE })
  t.is(moves.chargebackClosed(won.next, { ...told(), outcome: 'lost', restored: usd(0) }, NOW), null)
  const early = open(started())
  const never = close(early.next, 'lost')
  // Nobody worked for it to the end: it is the buyer's.
  const again = close(never.next, 'won', NOW + 2 * DAY_MS)
  t.deepEqual(sums(early, never, again), { psp: -1500, ...FEE, 'escrow:ord_1': TOTAL, 'buyer_credit:usr_b': -TOTAL })
})

test('two of one payment take no more of anybody than they had, whichever is decided first', (t) => {
  const parts = { dp_1: 6550, dp_2: 4000 }
  const of = (dispute: keyof typeof parts) => ({ dispute, amount: usd(parts[dispute]), taken: usd(parts[dispute]) })
  for (const order of [started(), completed(), cleared()])
    for (const turned of [['dp_1', 'dp_2'] as const, ['dp_2', 'dp_1'] as const]) {
      const one = open(order, NOW, of('dp_1'))
      const both = open(one.next, NOW, of('dp_2'))
      const first = close(both.next, 'lost', NOW + DAY_MS, of(turned[0]))
      t.deepEqual(timersOf(first.next), [])
      const last = close(first.next, 'lost', NOW + DAY_MS, of(turned[1]))
      t.is(last.next.status, 'cancelled')
      const { psp, ...rest } = sums(one, both, first, last)
      t.is(psp, -TOTAL - 3000)
      const shares = { 'rev:commission': 2000, 'rev:service_fee': 550 }
      const from = order.clearedAt === null ? 'clearing:usr_s' : 'available:usr_s'
      t.deepEqual(rest, {
        'exp:dispute_fee': 3000,
        ...(order.completedAt === null ? { 'escrow:ord_1': TOTAL } : { ...shares, [from]: 8000 }),
      })
    }
})

test('a cent held too much for one of two is available again', (t) => {
  const of = (dispute: string, amount: number) => ({ dispute, amount: usd(amount), taken: usd(amount), fee: usd(0) })
  const one = open(cleared(), NOW, of('dp_1', 1001))
  const both = open(one.next, NOW, of('dp_2', 1004))
  const first = close(both.next, 'lost', NOW + DAY_MS, of('dp_1', 1001))
  const last = close(first.next, 'lost', NOW + DAY_MS, of('dp_2', 1004))
  const { psp, 'available:usr_s': seller, ...revenue } = sums(one, both, first, last)
  t.is(psp, -2005)
  t.deepEqual([seller, revenue], [1520, { 'rev:commission': 380, 'rev:service_fee': 105 }])
  t.is(last.next.status, 'completed')
})

test('a warning of fraud gives back what is not delivered, and lets the rest clear later', (t) => {
  const warning = { warning: 'issfr_1', reason: 'made_with_stolen_card', actionable: true }
  for (const order of [paid(), started()]) {
    const warned = moves.warned(order, warning, NOW)!
    t.is(warned.next.status, 'cancelled')
    t.deepEqual(sums(warned), { 'escrow:ord_1': TOTAL, 'refund_pending:ord_1-refund-1': -TOTAL })
    t.is(moves.warned(warned.next, warning, NOW), null)
  }
  const late = moves.warned(delivered(), warning, NOW)!.next
  t.is(late.status, 'delivered')
  t.is(moves.accept(late, buyer, NOW + 1000).next.clearsAt, NOW + WARNING_HOLD_MS)
  t.is(moves.warned(completed(), warning, NOW)!.next.clearsAt, NOW + WARNING_HOLD_MS)
  t.true(completed().clearsAt! < NOW + WARNING_HOLD_MS && CLEARING_MS < WARNING_HOLD_MS)
  t.is(moves.warned(started(), { ...warning, actionable: false }, NOW)!.next.status, 'in_progress')
  t.is(moves.warned(open(started()).next, warning, NOW)!.next.status, 'in_progress')
})

test('whatever people and banks do in whatever order, the books take it and nothing is left undecided', (t) => {
  const part = { amount: usd(4000), taken: usd(4000), fee: usd(0) }
  const tells: Record<string, (order: OrderDoc, now: number) => Moved | null> = {
    opened: (order, now) => moves.chargedBack(order, { ...told(), reason: 'fraudulent' }, now),
    asked: (order, now) =>
      moves.chargedBack(order, { ...told({ taken: usd(0), fee: usd(0) }), reason: 'fraudulent' }, now),
    lost: (order, now) => moves.chargebackClosed(order, { ...told(), outcome: 'lost', restored: usd(0) }, now),
    won: (order, now) => moves.chargebackClosed(order, { ...told(), outcome: 'won', restored: usd(TOTAL) }, now),
    partOpened: (order, now) => moves.chargedBack(order, { ...told({ dispute: 'dp_2', ...part }), reason: 'x' }, now),
    partLost: (order, now) =>
      moves.chargebackClosed(order, { ...told({ dispute: 'dp_2', ...part }), outcome: 'lost', restored: usd(0) }, now),
    warned: (order, now) => moves.warned(order, { warning: 'w', reason: 'x', actionable: true }, now),
    answered: (order, now) => moves.answer(order, buyer, [{ id: 'q1', answer: 'x' }], now),
    delivered: (order, now) => moves.deliver(order, seller, delivery, now),
    accepted: (order, now) => moves.accept(order, buyer, now),
    disputed: (order, now) => moves.dispute(order, buyer, { id: 'dsp_1', reason: 'x' }, now),
    split: (order, now) => moves.resolve(order, { role: 'admin' }, { buyerAmount: usd(4000), reason: 'x' }, now),
    cancelled: (order, now) => moves.cancel(order, seller, 'x', now),
    agreed: (order, now) => moves.cancel(order, buyer, 'x', now),
    givenBack: (order, now) => moves.refundByAdmin(order, { role: 'admin' }, { amount: usd(1001), reason: 'x' }, now),
    sent: (order, now) => moves.refunded(order, 'ord_1-refund-1', usd(order.refunds?.[0]?.amount ?? 0), now),
    failed: (order, now) => moves.refundFailed(order, 'ord_1-refund-1', 'x', now),
    waited: (order, now) => moves.wake(order, now),
  }
  const names = Object.keys(tells)
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 0, max: 20 * 24 })), { maxLength: 40 }),
      (script) => {
        let order = paid()
        let now = NOW
        const balance: Record<string, number> = {
          'escrow:ord_1/usd': -TOTAL,
          'psp/usd': 10_214,
          'exp:psp_fee/usd': 336,
        }
        const enter = (entry: Posting) => {
          t.is(mistakeOf(entry), null)
          t.is(
            overdrawn(entry, (account, currency) => balance[`${account}/${currency}`] ?? 0),
            null,
            entry.id,
          )
          for (const { account, amount } of entry.legs)
            balance[`${account}/usd`] = (balance[`${account}/usd`] ?? 0) + amount
        }
        const ids = new Set<string>()
        for (const [name, hours] of script) {
          now += hours * 3_600_000
          const moved = attempt(() => tells[name]!(order, now))
          if (!moved) continue
          const frozen = typeof order.frozenAt === 'number'
          t.false(
            frozen &&
              ['answered', 'delivered', 'accepted', 'disputed', 'split', 'cancelled', 'agreed', 'waited'].includes(
                name,
              ),
          )
          order = { ...moved.next, version: order.version + 1 }
          for (const entry of entries(moved)) {
            t.false(ids.has(entry.id), entry.id)
            ids.add(entry.id)
            enter(entry)
          }
        }
        t.is(
          brokenHistory(
            order.timeline.map(({ type }) => type),
            order.status,
          ),
          null,
        )
        const all = chargebacksOf(order)
        const claims = all.filter(({ status }) => status === 'open')
        t.is(order.frozenAt !== null && order.frozenAt !== undefined, claims.length > 0)
        for (const { id, status, taken } of all)
          t.is(balance[`dispute:${id}/usd`] ?? 0, status === 'open' ? taken : 0, `${id} ${status}`)
        if (claims.length === 0) t.is(Math.abs(balance['held:usr_s/usd'] ?? 0), 0)
        t.true((balance['escrow:ord_1/usd'] ?? 0) <= 0)
        if (order.completedAt !== null || ['cancelled', 'expired'].includes(order.status))
          t.is(Math.abs(balance['escrow:ord_1/usd'] ?? 0), 0)
      },
    ),
    { numRuns: 1500 },
  )
})

test('told twice, late or in the wrong order, a chargeback comes to the same', (t) => {
  const asked = { kind: 'open', taken: 0 } as const
  const taken = { kind: 'open', taken: TOTAL } as const
  for (const outcome of ['won', 'lost'] as const)
    for (const order of [started(), completed(), cleared()]) {
      const end = { kind: outcome, taken: TOTAL } as const
      const tell = (told: readonly { kind: 'open' | 'won' | 'lost'; taken: number }[]) => {
        let state = order
        const said: Moved[] = []
        for (const { kind, taken: amount } of told) {
          const changes = { taken: usd(amount), fee: usd(amount === 0 ? 0 : 1500) }
          const moved = kind === 'open' ? open(state, NOW, changes) : close(state, kind, NOW + DAY_MS, changes)
          if (!moved) continue
          said.push(moved)
          state = moved.next
        }
        const steps = state.timeline.slice(order.timeline.length).map(({ type }) => type)
        t.is(new Set(steps).size, steps.length, `${steps}`)
        return {
          sums: sums(...said),
          status: state.status,
          chargebacks: chargebacksOf(state).map(({ status }) => status),
        }
      }
      const straight = tell([asked, taken, end])
      fc.assert(
        fc.property(fc.array(fc.constantFrom(asked, taken, end), { maxLength: 6 }), (before) => {
          t.deepEqual(tell([...before, end]), straight)
        }),
        { numRuns: 60 },
      )
    }
})

test('an offer over more than the bank has left is gone; one over less stands', (t) => {
  const offered = moves.offerRefund(started(), seller, { amount: usd(6000), reason: 'sorry' }, NOW).next
  const after = (amount: number) => {
    const money = { amount: usd(amount), taken: usd(amount) }
    return close(open(offered, NOW, money).next, 'lost', NOW + DAY_MS, money).next
  }
  t.true(refusedAs('invalid_transition', () => moves.offerRefund(after(4551), buyer, {}, NOW)))
  t.is(after(4550).refundOffer?.amount, 6000)
})
