import test from 'ava'
import fc from 'fast-check'
import { isRefused } from '../errors.ts'
import { ORDER_STATUSES, type OrderStatus } from './contract.ts'
import * as moves from './moves.ts'
import type { By, Moved } from './moves.ts'
import { brokenHistory, diagram, leadsTo, steps, type StepName } from './process.ts'
import { AMOUNT_MAX, FEE_POLICY, portion, priceOf } from './price.ts'
import { refundedOf, type OrderDoc } from './state.ts'
import {
  AUTO_COMPLETE_MS,
  CANCEL_SILENCE_MS,
  CLEARING_MS,
  DAY_MS,
  EXTENSION_SILENCE_MS,
  PAY_WITHIN_MS,
  STUCK_MS,
  STUCK_WARNING_MS,
} from './timing.ts'
import {
  attempt,
  buyer,
  delivered,
  delivery,
  entries,
  kinds,
  paid,
  payment,
  placed,
  quote,
  seller,
  START,
  started,
  usd,
} from './testing.ts'
import { allowedActions } from './view.ts'

test('the buyer pays 5.5 % on top, and 3.00 more under 100.00', (t) => {
  t.deepEqual(priceOf({ price: usd(10_000) }, [], 1, FEE_POLICY), {
    currency: 'usd',
    subtotal: 10_000,
    serviceFee: 550,
    total: 10_550,
    commission: 2000,
  })
  t.deepEqual(priceOf({ price: usd(9999) }, [], 1, FEE_POLICY), {
    currency: 'usd',
    subtotal: 9999,
    serviceFee: 550 + 300,
    total: 10_849,
    commission: 2000,
  })
  t.is(priceOf({ price: usd(5000) }, [{ price: usd(2000) }], 2, FEE_POLICY).subtotal, 14_000)
})

test('fees are rounded half up and never lose or make a cent', (t) => {
  t.is(portion(10, 2000), 2)
  t.is(portion(13, 2000), 3)
  t.is(portion(12, 2000), 2)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 11 }), fc.integer({ min: 0, max: 10_000 }), (amount, rate) => {
      const exact = BigInt(amount) * BigInt(rate) * 2n
      t.is(BigInt(portion(amount, rate)), (exact + 10_000n) / 20_000n)
    }),
  )
  t.throws(() => portion(AMOUNT_MAX + 1, 550))
})

test('every step leads where the table says and nowhere from any other status', (t) => {
  for (const [name, step] of Object.entries(steps)) {
    const from: readonly OrderStatus[] = step.from
    for (const status of ORDER_STATUSES) {
      const to = step.to === 'stay' ? status : step.to === 'former' ? 'delivered' : step.to
      const expected = from.includes(status) ? to : null
      t.is(leadsTo(name as StepName, status, 'delivered'), expected, `${name} from ${status}`)
    }
    t.is(leadsTo(name as StepName, null), from.length === 0 ? (step.to as OrderStatus) : null)
  }
})

test('every status an order can reach is one it can leave or ends in on purpose', (t) => {
  const ends = ['completed', 'cancelled', 'expired']
  for (const status of ORDER_STATUSES.filter((one) => !ends.includes(one)))
    t.true(
      Object.values(steps).some(({ from, to }) => (from as readonly string[]).includes(status) && to !== 'stay'),
      status,
    )
  t.true(diagram().includes('awaiting_payment --> expired: expired (clock)'))
})

test('the straight path goes from placed to cleared and its history walks the table', (t) => {
  const order = moves.wake(moves.accept(delivered(), buyer, START + 4000).next, START + 4000 + CLEARING_MS)!.next
  t.is(order.status, 'completed')
  t.is(
    brokenHistory(
      order.timeline.map(({ type }) => type),
      order.status,
    ),
    null,
  )
  t.is(order.wakeAt, null)
  t.not(brokenHistory(['placed', 'delivered'], 'delivered'), null)
  t.not(brokenHistory(['placed', 'paid'], 'in_progress'), null)
})

test('paying holds the money, accepting gives the seller all but the commission, clearing makes it theirs', (t) => {
  const charge = moves.paid(placed(), payment, START)!
  t.deepEqual(
    entries(charge)[0]!.legs.map(({ account, amount }) => [account, amount]),
    [
      ['psp', 10_214],
      ['exp:psp_fee', 336],
      ['escrow:ord_1', -10_550],
    ],
  )
  const done = moves.accept(delivered(), buyer, START)
  t.deepEqual(Object.fromEntries(entries(done)[0]!.legs.map(({ account, amount }) => [account, amount])), {
    'escrow:ord_1': 10_550,
    'clearing:usr_s': -8000,
    'rev:commission': -2000,
    'rev:service_fee': -550,
  })
  t.deepEqual(kinds(moves.wake(done.next, START + CLEARING_MS)!), ['clear'])
})

test('an order without required questions starts the clock when it is paid', (t) => {
  const order = paid(placed({ requirements: [] }))
  t.is(order.status, 'in_progress')
  t.is(order.dueAt, START + 1000 + 3 * DAY_MS)
  t.is(paid().status, 'awaiting_requirements')
  t.is(paid().dueAt, null)
})

test('a missing or unknown answer is named and nothing starts', (t) => {
  const error = t.throws(() => moves.answer(paid(), buyer, [{ id: 'q9', answer: 'x' }], START)) as Error & {
    data: { errors: { path: string }[] }
  }
  t.true(isRefused(error, 'validation_failed'))
  t.deepEqual(
    error.data.errors.map(({ path }) => path),
    ['answers.q9', 'answers.q1'],
  )
})

test('revisions are counted against the package', (t) => {
  const revised = moves.revise(delivered(), buyer, 'bluer', START + 5000).next
  t.is(revised.status, 'in_progress')
  t.is(revised.revisionsLeft, 0)
  const again = moves.deliver(revised, seller, delivery, START + 6000).next
  t.true(
    isRefused(
      t.throws(() => moves.revise(again, buyer, 'more', START)),
      'invalid_transition',
    ),
  )
})

test('an untouched delivery completes itself after three days, not before', (t) => {
  const order = delivered()
  t.is(moves.wake(order, START + 3000 + AUTO_COMPLETE_MS - 1), null)
  t.is(moves.wake(order, START + 3000 + AUTO_COMPLETE_MS)!.next.status, 'completed')
})

test('an unpaid order expires after 30 minutes and money that still comes goes back in full', (t) => {
  const expired = moves.wake(placed(), START + PAY_WITHIN_MS)!
  t.deepEqual(
    expired.say.map(({ name }) => name),
    ['order.moved', 'order.abandoned'],
  )
  const late = moves.paid(expired.next, payment, START + PAY_WITHIN_MS + 5)!
  t.is(late.next.status, 'expired')
  t.deepEqual(kinds(late), ['charge', 'refund'])
  t.deepEqual(late.say.at(-1), {
    name: 'order.refund.requested',
    data: { order: 'ord_1', refund: 'ord_1-refund-1', amount: usd(10_550) },
  })
  t.is(moves.paid(late.next, payment, START), null)
})

test('before work the buyer cancels alone, once work began it takes both or 48 hours of silence', (t) => {
  t.is(moves.cancel(placed(), buyer, 'no', START).next.status, 'cancelled')
  t.true(
    isRefused(
      t.throws(() => moves.cancel(placed(), seller, 'no', START)),
      'forbidden',
    ),
  )
  t.deepEqual(kinds(moves.cancel(paid(), buyer, 'no', START)), ['refund'])
  const proposed = moves.cancel(started(), buyer, 'no', START + 2000).next
  t.is(proposed.status, 'in_progress')
  t.true(
    isRefused(
      t.throws(() => moves.cancel(proposed, buyer, 'please', START)),
      'invalid_transition',
    ),
  )
  t.is(moves.cancel(proposed, seller, 'fine', START).next.status, 'cancelled')
  t.is(moves.wake(proposed, START + 2000 + CANCEL_SILENCE_MS)!.next.status, 'cancelled')
  t.is(moves.wake(proposed, START + 2000 + CANCEL_SILENCE_MS - 1), null)
})

test('a day past due the buyer cancels alone', (t) => {
  const due = started().dueAt!
  const late = moves.wake(started(), due)!.next
  t.true(late.late)
  t.is(moves.cancel(late, buyer, 'late', due + DAY_MS - 1).next.status, 'in_progress')
  t.is(moves.cancel(late, buyer, 'late', due + DAY_MS).next.status, 'cancelled')
  t.is(moves.wake(late, due + 10 * DAY_MS), null)
  const stuck = moves.wake(late, START + 1000 + STUCK_MS - STUCK_WARNING_MS)!.next
  t.is(stuck.timeline.at(-1)!.type, 'stuck_warned')
  t.is(moves.wake(stuck, START + 1000 + STUCK_MS - 1), null)
  t.is(moves.wake(stuck, START + 1000 + STUCK_MS)!.next.status, 'cancelled')
  const longer = moves.extend(moves.extend(late, seller, { days: 90, reason: 'x' }, due).next, buyer, {}, due).next
  t.not(moves.wake(longer, START + 1000 + STUCK_MS)?.next.status, 'cancelled')
})

test('more time is proposed by the seller, agreed by the buyer, and the due date moves', (t) => {
  const ask = { days: 2, reason: 'rain' }
  const proposed = moves.extend(started(), seller, ask, START + 3000).next
  t.is(proposed.dueAt, started().dueAt)
  t.true(
    isRefused(
      t.throws(() => moves.extend(proposed, seller, ask, START)),
      'invalid_transition',
    ),
  )
  t.true(
    isRefused(
      t.throws(() => moves.extend(proposed, buyer, { days: 9 }, START)),
      'conflict',
    ),
  )
  const agreed = moves.extend(proposed, buyer, {}, START + 4000).next
  t.is(agreed.dueAt, started().dueAt! + 2 * DAY_MS)
  t.true(
    isRefused(
      t.throws(() => moves.extend(agreed, buyer, {}, START)),
      'invalid_transition',
    ),
  )
})

test('more time agreed to while late makes the order on time again, if the new date is still ahead', (t) => {
  const due = started().dueAt!
  const late = moves.wake(started(), due)!.next
  const soon = moves.extend(moves.extend(late, seller, { days: 1, reason: 'x' }, due).next, buyer, {}, due + 1000).next
  t.false(soon.late)
  t.is(moves.wake(soon, due + DAY_MS)!.next.timeline.at(-1)!.type, 'late')
  const past = moves.extend(late, seller, { days: 1, reason: 'x' }, due).next
  t.true(moves.extend(past, buyer, {}, due + 2 * DAY_MS).next.late)
})

test('a proposal is declined by the other party, and more time nobody answers is withdrawn', (t) => {
  const proposed = moves.extend(started(), seller, { days: 2, reason: 'rain' }, START + 3000).next
  t.is(moves.decline(proposed, buyer, undefined, START + 4000).next.extension, null)
  t.true(
    isRefused(
      t.throws(() => moves.decline(proposed, seller, undefined, START)),
      'forbidden',
    ),
  )
  t.true(
    isRefused(
      t.throws(() => moves.decline(started(), buyer, undefined, START)),
      'invalid_transition',
    ),
  )
  const both = moves.cancel(proposed, seller, 'sorry', START + 5000).next
  t.true(
    isRefused(
      t.throws(() => moves.decline(both, buyer, undefined, START)),
      'validation_failed',
    ),
  )
  t.is(moves.decline(both, buyer, 'cancel', START + 6000).next.cancel, null)
  t.is(moves.wake(proposed, START + 3000 + EXTENSION_SILENCE_MS - 1)?.next.timeline.at(-1)!.type, 'late')
  const late = moves.wake(proposed, started().dueAt!)!.next
  t.is(moves.wake(late, START + 3000 + EXTENSION_SILENCE_MS)!.next.extension, null)
})

test('a refund is settled once, however often it is told', (t) => {
  const cancelled = moves.cancel(paid(), buyer, 'no', START).next
  const settled = moves.refunded(cancelled, 'ord_1-refund-1', usd(10_550), START)!
  t.deepEqual(kinds(settled), ['refund_settled'])
  t.is(moves.refunded(settled.next, 'ord_1-refund-1', usd(10_550), START), null)
})

test('whatever is asked in whatever order, no money stays held when an order has ended', (t) => {
  const tries: ((order: OrderDoc, now: number) => Moved | null)[] = [
    (order, now) => moves.paid(order, payment, now),
    (order, now) => moves.answer(order, buyer, [{ id: 'q1', answer: 'x' }], now),
    (order, now) => moves.deliver(order, seller, delivery, now),
    (order, now) => moves.revise(order, buyer, 'x', now),
    (order, now) => moves.accept(order, buyer, now),
    (order, now) => moves.cancel(order, buyer, 'x', now),
    (order, now) => moves.cancel(order, seller, 'x', now),
    (order, now) => moves.extend(order, seller, { days: 3, reason: 'x' }, now),
    (order, now) => moves.extend(order, buyer, {}, now),
    (order, now) => moves.decline(order, buyer, undefined, now),
    (order, now) => moves.decline(order, seller, undefined, now),
    (order, now) => moves.offerRefund(order, seller, { amount: usd(3333), reason: 'x' }, now),
    (order, now) => moves.offerRefund(order, buyer, {}, now),
    (order, now) => moves.refundByAdmin(order, { role: 'admin' }, { amount: usd(1001), reason: 'x' }, now),
    (order, now) => moves.dispute(order, buyer, { id: 'dsp_1', reason: 'x' }, now),
    (order, now) => moves.dispute(order, seller, { id: 'dsp_2', reason: 'x' }, now),
    (order, now) => moves.answerDispute(order, seller, { agree: true }, now),
    (order, now) => moves.answerDispute(order, buyer, { agree: false }, now),
    (order, now) => moves.withdrawDispute(order, buyer, now),
    (order, now) => moves.resolve(order, { role: 'admin' }, { buyerAmount: usd(4000), reason: 'x' }, now),
    (order, now) => moves.beginExtras(order, buyer, { id: `ext_${now}`, wanted: ['fast'], offered: quote.extras }, now),
    (order, now) => {
      const id = order.purchases?.at(-1)?.id
      return id === undefined ? null : moves.extrasPaid(order, id, { ...payment, amount: usd(2110) }, now)
    },
    (order, now) => moves.refunded(order, 'ord_1-refund-1', usd(order.price.total), now),
    (order, now) => moves.wake(order, now),
  ]
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(tries.length - 1), fc.integer({ min: 0, max: 20 * 24 })), { maxLength: 40 }),
      (script) => {
        let order = placed()
        let now = START
        const escrow: number[] = []
        for (const [which, hours] of script) {
          now += hours * 3_600_000
          const moved = attempt(() => tries[which]!(order, now))
          if (!moved) continue
          order = { ...moved.next, version: order.version + 1 }
          for (const entry of entries(moved)) {
            t.is(
              entry.legs.reduce((sum, { amount }) => sum + amount, 0),
              0,
            )
            escrow.push(...entry.legs.filter(({ account }) => account === 'escrow:ord_1').map(({ amount }) => amount))
          }
        }
        t.is(
          brokenHistory(
            order.timeline.map(({ type }) => type),
            order.status,
          ),
          null,
        )
        const held = 0 - escrow.reduce((sum, amount) => sum + amount, 0)
        const ended = order.completedAt !== null || ['cancelled', 'expired'].includes(order.status)
        t.is(held, ended || order.paidAt === null ? 0 : order.price.total - refundedOf(order))
      },
    ),
    { numRuns: 500 },
  )
})

test('a party is offered exactly the moves that would be taken', (t) => {
  const now = START + 10_000
  const ask: Record<string, (order: OrderDoc, by: By) => Moved> = {
    requirements: (order, by) => moves.answer(order, by, [{ id: 'q1', answer: 'x' }], now),
    deliver: (order, by) => moves.deliver(order, by, delivery, now),
    revision: (order, by) => moves.revise(order, by, 'x', now),
    accept: (order, by) => moves.accept(order, by, now),
    cancel: (order, by) => moves.cancel(order, by, 'x', now),
    'refund-offer': (order, by) => moves.offerRefund(order, by, { amount: usd(100), reason: 'x' }, now),
    tip: (order, by) => moves.beginTip(order, by, { id: 'tip_1', amount: usd(500) }, now),
    extras: (order, by) => moves.beginExtras(order, by, { id: 'ext_1', wanted: ['fast'], offered: quote.extras }, now),
    extend: (order, by) => moves.extend(order, by, { days: 1, reason: 'x' }, now),
    decline: (order, by) => moves.decline(order, by, undefined, now),
  }
  const asker: Record<string, string[]> = {
    requirements: ['buyer'],
    deliver: ['seller'],
    revision: ['buyer'],
    accept: ['buyer'],
    cancel: ['buyer', 'seller'],
    'refund-offer': ['buyer', 'seller'],
    tip: ['buyer'],
    extras: ['buyer'],
    extend: ['buyer', 'seller'],
    decline: ['buyer', 'seller'],
  }
  for (const order of [
    placed(),
    paid(),
    started(),
    delivered(),
    moves.accept(delivered(), buyer, now).next,
    moves.cancel(started(), seller, 'x', now).next,
    moves.extend(started(), seller, { days: 1, reason: 'x' }, now).next,
    moves.offerRefund(delivered(), seller, { amount: usd(100), reason: 'x' }, now).next,
    moves.dispute(delivered(), seller, { id: 'dsp_1', reason: 'x' }, now).next,
  ])
    for (const by of [buyer, seller])
      for (const [action, take] of Object.entries(ask)) {
        const offered = allowedActions(order, by.role as 'buyer' | 'seller', now).includes(action)
        const taken = asker[action]!.includes(by.role) && attempt(() => take(order, by)) !== null
        t.is(offered, taken, `${action} by ${by.role} while ${order.status}`)
      }
})
