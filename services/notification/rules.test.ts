import test from 'ava'
import { steps } from '../order/process.ts'
import { isRefused } from '../errors.ts'
import type { Settings } from './contract.ts'
import {
  after,
  again,
  gathered,
  GATHERED_MAX,
  pending,
  TAKE_UP_MS,
  TRIES_MAX,
  wake,
  type DispatchDoc,
} from './dispatch.ts'
import { afterQuiet, digestAt, isTimeZone } from './hours.ts'
import { letterOf } from './letter.ts'
import {
  ofGig,
  ofOrder,
  ofPayee,
  ofPayout,
  ofShownReview,
  ofWrittenReview,
  ORDER_STEPS,
  TEXT_MAX,
  TITLE_MAX,
} from './notices.ts'
import { noted } from './notifications.ts'
import { DEFAULTS, leavesAt, settled, unsubscribed, wants, waysWanted } from './preferences.ts'
import { ticketFor, ticketOf } from './ticket.ts'

const at = (text: string) => Date.parse(text)
const night = (more: Partial<Settings> = {}): Settings => ({
  ...DEFAULTS,
  quiet: { from: '22:00', to: '07:00' },
  timeZone: 'Europe/Berlin',
  ...more,
})
const quietUntil = (settings: Settings, text: string) => new Date(afterQuiet(settings, at(text))).toISOString()

test('quiet hours go over midnight, where the person is', (t) => {
  t.is(quietUntil(night(), '2026-01-10T20:59:00Z'), '2026-01-10T20:59:00.000Z')
  t.is(quietUntil(night(), '2026-01-10T21:00:00Z'), '2026-01-11T06:00:00.000Z')
  t.is(quietUntil(night(), '2026-01-11T05:59:59Z'), '2026-01-11T06:00:00.000Z')
  t.is(quietUntil(night(), '2026-01-11T06:00:00Z'), '2026-01-11T06:00:00.000Z')
  t.is(quietUntil(night({ timeZone: '+05:30' }), '2026-01-10T16:30:00Z'), '2026-01-11T01:30:00.000Z')
  const noon = night({ quiet: { from: '12:00', to: '14:00' }, timeZone: 'UTC' })
  t.is(quietUntil(noon, '2026-01-10T13:00:30Z'), '2026-01-10T14:00:00.000Z')
  t.is(quietUntil(noon, '2026-01-10T14:00:00Z'), '2026-01-10T14:00:00.000Z')
  t.is(
    quietUntil({ ...noon, quiet: { from: '12:00', to: '12:00' } }, '2026-01-10T12:00:00Z'),
    '2026-01-10T12:00:00.000Z',
  )
})

test('quiet hours end by the clock on the wall, also in the nights when it is changed', (t) => {
  t.is(quietUntil(night(), '2026-03-28T22:00:00Z'), '2026-03-29T05:00:00.000Z')
  t.is(quietUntil(night(), '2026-10-24T21:00:00Z'), '2026-10-25T06:00:00.000Z')
  // 02:30 does not exist that night: it is over when the clock has gone past it.
  const gap = night({ quiet: { from: '22:00', to: '02:30' } })
  const end = afterQuiet(gap, at('2026-03-28T22:00:00Z'))
  t.true(end >= at('2026-03-29T01:00:00Z') && end <= at('2026-03-29T01:30:00Z'))
  t.is(afterQuiet(gap, end), end)
})

test('a digest comes at the next full hour, or at eight where the person is', (t) => {
  const said = at('2026-07-01T06:00:00Z')
  t.is(digestAt({ ...DEFAULTS, email: 'instant' }, said), said)
  t.is(digestAt({ ...DEFAULTS, email: 'hourly' }, said), at('2026-07-01T07:00:00Z'))
  t.is(digestAt({ ...DEFAULTS, email: 'hourly' }, said + 1), at('2026-07-01T07:00:00Z'))
  t.is(digestAt({ ...DEFAULTS, email: 'daily', timeZone: 'Europe/Berlin' }, said), at('2026-07-02T06:00:00Z'))
  t.is(digestAt({ ...DEFAULTS, email: 'daily', timeZone: 'America/New_York' }, said), at('2026-07-01T12:00:00Z'))
  const late = night({ email: 'hourly', timeZone: 'UTC' })
  t.is(leavesAt(late, 'email', at('2026-07-01T21:30:00Z')), at('2026-07-02T07:00:00Z'))
  t.is(leavesAt(late, 'push', at('2026-07-01T21:30:00Z')), at('2026-07-01T21:30:00Z'))
})

test('a time zone is a name people know or an offset', (t) => {
  for (const zone of ['Europe/Berlin', 'UTC', '+02:00', '-05:00']) t.true(isTimeZone(zone), zone)
  for (const zone of ['', 'Mars/Olympus', '2 hours']) t.false(isTimeZone(zone), zone)
  t.true(
    isRefused(
      t.throws(() => settled({ timeZone: 'Mars/Olympus' })),
      'validation_failed',
    ),
  )
})

test('what is left out of the settings is as it was made for everybody', (t) => {
  t.deepEqual(settled({}), DEFAULTS)
  const some = settled({ kinds: { gig: { email: false, push: true } }, email: 'daily' })
  t.deepEqual(
    [some.kinds.gig, some.kinds.order, some.email],
    [{ email: false, push: true }, DEFAULTS.kinds.order, 'daily'],
  )
})

test('letters end by kind or altogether, and the browser still hears', (t) => {
  const noGigs = unsubscribed(DEFAULTS, 'gig')
  t.deepEqual([wants(noGigs, 'gig', 'email'), wants(noGigs, 'order', 'email')], [false, true])
  t.deepEqual(waysWanted(unsubscribed(DEFAULTS, 'all'), 'gig'), ['push'])
})

test('every step of an order is news for somebody, or is known to be for nobody', (t) => {
  const bank = ['payment_questioned', 'question_closed', 'fraud_warned']
  const silent = [
    'placed',
    'payment_failed',
    'cancelled_unpaid',
    'tip_begun',
    'tip_declined',
    'extras_begun',
    'extras_declined',
    ...bank,
  ]
  t.deepEqual([...ORDER_STEPS, ...silent].sort(), Object.keys(steps).sort())
})

const moved = { order: 'ord_1', buyer: 'usr_b', seller: 'usr_s', gig: 'Maps' }
test('nobody is told of what they did themselves', (t) => {
  for (const [step, { by }] of Object.entries(steps))
    for (const role of by as readonly string[])
      for (const { user } of ofOrder({ ...moved, step, by: role }))
        t.not(user, { buyer: 'usr_b', seller: 'usr_s' }[role], `${step} by ${role}`)
  t.deepEqual(ofOrder({ ...moved, step: 'unheard_of', by: 'buyer' }), [])
  t.deepEqual(ofOrder({ ...moved, step: 'toString', by: 'buyer' }), [])
})

test('the other party hears of a proposal, both of what time decided', (t) => {
  const to = (step: string, by: string) => ofOrder({ ...moved, step, by }).map(({ user }) => user)
  t.deepEqual(to('cancel_proposed', 'buyer'), ['usr_s'])
  t.deepEqual(to('cancel_proposed', 'seller'), ['usr_b'])
  t.deepEqual(to('auto_completed', 'clock'), ['usr_b', 'usr_s'])
  t.is(ofOrder({ ...moved, step: 'delivered', by: 'seller' })[0]!.title, 'Your order was delivered: Maps')
})

test('titles and texts are one line and end in time, in whole characters', (t) => {
  const long = '🗺️\n'.repeat(300)
  const { title } = ofGig({ id: 'gig_1', seller: 'usr_s', title: long, approved: true, reasons: [] })[0]!
  t.true(title.length <= TITLE_MAX * 2 && title.isWellFormed() && !title.includes('\n'))
  const { text = '', data } = ofGig({
    id: 'gig_1',
    seller: 'usr_s',
    title: 'Maps',
    approved: false,
    reasons: Array.from({ length: 50 }, () => 'x'.repeat(100)),
  })[0]!
  t.is(text.length, TEXT_MAX)
  t.is((data.reasons as string[]).length, 10)
})

test('a review that cannot be read yet asks for the answer; one that can is told with its stars', (t) => {
  const written = { order: 'ord_1', by: 'buyer' as const, buyer: 'usr_b', seller: 'usr_s' }
  t.deepEqual(ofWrittenReview({ ...written, hidden: false }), [])
  t.is(ofWrittenReview({ ...written, hidden: true })[0]!.user, 'usr_s')
  const shown = ofShownReview({ ...written, gig: 'gig_1', rating: 1, at: 0 })
  t.like(shown[0], { user: 'usr_s', title: 'You have a review of 1 star', data: { rating: 1 } })
})

test('a seller is told when payouts are possible, on hold, or will be', (t) => {
  const changed = { user: 'usr_s', payoutsEnabled: true, requirementsDueAt: null, heldFor: null, at: 0 }
  t.is(ofPayee(changed)[0]?.title, 'You can be paid out')
  t.is(ofPayee({ ...changed, payoutsEnabled: false, heldFor: 'x' })[0]?.title, 'Payouts to you are on hold')
  t.like(ofPayee({ ...changed, requirementsDueAt: Date.UTC(2026, 11, 24) })[0], {
    user: 'usr_s',
    kind: 'payout',
    title: 'The payment provider wants to know more about you by 2026-12-24',
  })
})

test('a payout is told with its amount in whole units of its currency', (t) => {
  const paid = { payout: 'po_1', seller: 'usr_s', bankPayout: 'x' }
  t.is(ofPayout({ ...paid, amount: { amount: 12_345, currency: 'usd' } })[0]!.title, 'USD 123.45 was paid out to you')
  t.is(ofPayout({ ...paid, amount: { amount: 12_345, currency: 'jpy' } })[0]!.title, 'JPY 12345 was paid out to you')
  const failed = {
    payout: 'po_1',
    seller: 'usr_s',
    amount: { amount: 100, currency: 'usd' },
    code: 'x',
    reason: 'closed',
  }
  t.like(ofPayout({ ...failed, stage: 'returned' })[0], { text: 'closed', data: { status: 'returned' } })
  t.like(ofPayout({ ...failed, stage: 'payout' })[0], { data: { status: 'failed' } })
})

const dispatch = (more: Partial<DispatchDoc> = {}): DispatchDoc => ({
  ...pending('dpt_1', 'usr_1', 'email', 'ntf_1', 0, 1000),
  ...more,
})

test('a dispatch is tried a bounded number of times, each after a longer pause, and then stays to be seen', (t) => {
  let doc = dispatch()
  const pauses: number[] = []
  for (let tries = 1; tries < TRIES_MAX; tries++) {
    doc = after(doc, { end: 'retry', reason: 'busy' }, 0)
    t.is(doc.status, 'pending')
    pauses.push(doc.wakeAt!)
  }
  t.deepEqual(
    pauses,
    pauses.toSorted((one, other) => one - other),
  )
  t.is(after(dispatch(), { end: 'retry', reason: 'busy', afterMs: 3_600_000 }, 0).wakeAt, 3_600_000)
  doc = after(doc, { end: 'retry', reason: 'busy' }, 5)
  t.like(doc, { status: 'failed', reason: 'busy', wakeAt: null, endedAt: 5, endedOf: 'usr_1' })
  t.is(after(doc, { end: 'sent' }, 6), doc, 'what has ended has ended')
  t.like(again(doc, 9), { status: 'pending', tries: 0, wakeAt: 9, endedOf: null })
  t.true(
    isRefused(
      t.throws(() => again(dispatch(), 9)),
      'invalid_transition',
    ),
  )
})

test('quiet hours that began are no try, and browsers that were reached are remembered', (t) => {
  t.like(after(dispatch(), { end: 'wait', until: 77 }, 5), { tries: 0, wakeAt: 77, status: 'pending' })
  const tried = after(dispatch({ reached: ['a'] }), { end: 'retry', reason: 'x', reached: ['a', 'b'] }, 0)
  t.deepEqual(tried.reached, ['a', 'b'])
})

test('a due dispatch says so and is looked after; one that has ended sleeps', (t) => {
  const woken = wake(dispatch(), 1000)
  t.deepEqual(woken.say, [{ name: 'notification.due', data: { dispatch: 'dpt_1' } }])
  t.is(woken.next!.wakeAt, 1000 + TAKE_UP_MS)
  t.like(wake(dispatch({ status: 'sent' }), 1000), { next: { wakeAt: null } })
})

test('a letter gathers each notification once, up to a limit, until it leaves', (t) => {
  const doc = gathered(dispatch(), 'ntf_2')!
  t.deepEqual(doc.notifications, ['ntf_1', 'ntf_2'])
  t.is(gathered(doc, 'ntf_2'), null)
  t.is(gathered(dispatch({ status: 'sent' }), 'ntf_2'), null)
  t.is(gathered(dispatch({ notifications: Array.from({ length: GATHERED_MAX }, (_, n) => `n${n}`) }), 'x'), null)
})

test('a link in a letter is good for its person and kind only', (t) => {
  const secret = 's'.repeat(32)
  const token = ticketFor(secret, { user: 'usr_1', kind: 'order' })
  t.deepEqual(ticketOf(secret, token), { user: 'usr_1', kind: 'order' })
  t.is(ticketOf('t'.repeat(32), token), null)
  for (const forged of [
    token.replace('usr_1', 'usr_2'),
    token.replace('order', 'all'),
    token.slice(0, -1),
    `${token}.`,
    'usr_1.order.',
    '',
    'usr_1.everything.x',
  ])
    t.is(ticketOf(secret, forged), null, forged)
})

test('a letter about one thing is named after it, one about several counts them', (t) => {
  const to = {
    id: 'dpt_1',
    to: 'ann@example.com',
    name: 'Ann',
    publicUrl: 'https://market.example',
    unsubscribeUrl: 'https://market.example/v1/u/x',
    unsubscribePage: 'https://market.example/u/x',
  }
  const docs = ['ord_1', 'ord_2'].map((order) =>
    noted(`ntf_${order}`, ofOrder({ ...moved, order, step: 'delivered', by: 'seller' })[0]!, 0),
  )
  const one = letterOf(docs.slice(0, 1), to)
  t.is(one.subject, 'Your order was delivered: Maps')
  t.regex(one.text, /Hello Ann,[^]*https:\/\/market\.example\/orders\/ord_1[^]*https:\/\/market\.example\/u\/x/)
  const two = letterOf(docs, to)
  t.is(two.subject, '2 new notifications')
  t.regex(two.text, /orders\/ord_1[^]*orders\/ord_2/)
  t.is(two.unsubscribeUrl, to.unsubscribeUrl)
})
