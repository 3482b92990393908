import test from 'ava'
import type { Dispute } from '../../adapters/payments/index.ts'
import { answered, answering, isAnswerable, looked, newDispute, nextCall, refused, woken } from './dispute.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const NOW = 1_700_000_000_000
const told = (change: Partial<Dispute> = {}): Dispute => ({
  id: 'dp_1',
  paymentId: 'pi_1',
  status: 'needs_response',
  amount: usd(10_000),
  inquiry: false,
  reason: 'fraudulent',
  taken: 10_000,
  restored: 0,
  fees: 1_500,
  evidenceDueAt: NOW + 1,
  createdAt: NOW - 1,
  ...change,
})
const begun = newDispute('dp_1', { order: 'ord_1', paymentId: 'pi_1', currency: 'usd' }, NOW)
const names = ({ say }: { say: { name: string }[] }) => say.map(({ name }) => name)

test('a dispute is said once, however often it is heard of', (t) => {
  const first = looked(begun, told(), NOW)
  t.deepEqual(
    first.say.map(({ name, data }) => [name, data]),
    [
      [
        'payment.disputed',
        {
          order: 'ord_1',
          dispute: 'dp_1',
          payment: 'pi_1',
          amount: usd(10_000),
          taken: usd(10_000),
          fee: usd(1_500),
          reason: 'fraudulent',
          inquiry: false,
          evidenceDueAt: NOW + 1,
          at: NOW,
        },
      ],
    ],
  )
  t.deepEqual(looked(first.next, told(), NOW).say, [])
})

test('one heard of only when it is over is told from its beginning', (t) => {
  const over = looked(begun, told({ status: 'won', restored: 10_000 }), NOW)
  t.deepEqual(names(over), ['payment.disputed', 'payment.dispute.closed'])
  t.is(over.next.wakeAt, null)
  t.is(nextCall(over.next), null)
})

test('news in the wrong order change nothing: its end is said once', (t) => {
  const over = looked(looked(begun, told(), NOW).next, told({ status: 'lost' }), NOW)
  t.deepEqual(names(over), ['payment.dispute.closed'])
  t.deepEqual(looked(over.next, told({ status: 'lost' }), NOW).say, [])
})

test('an inquiry that becomes a dispute is said again with what it takes, one that becomes nothing is closed', (t) => {
  const inquiry = told({ inquiry: true, taken: 0, fees: 0 })
  const asked = looked(begun, inquiry, NOW)
  t.like(asked.say[0]?.data, { inquiry: true, taken: usd(0) })
  const dispute = looked(asked.next, told(), NOW)
  t.like(dispute.say[0]?.data, { inquiry: false, taken: usd(10_000), fee: usd(1_500) })
  const closed = looked(asked.next, { ...inquiry, status: 'closed' }, NOW)
  t.like(closed.say[0]?.data, { outcome: 'closed', restored: usd(0) })
})

test('a won dispute is over when its money is back, and is looked at until then', (t) => {
  const won = looked(looked(begun, told(), NOW).next, told({ status: 'won' }), NOW)
  t.deepEqual(won.say, [])
  t.true((won.next.wakeAt ?? 0) > NOW)
  t.is(nextCall(woken(won.next)), 'look')
  const back = looked(won.next, told({ status: 'won', restored: 10_000 }), NOW)
  t.like(back.say[0], { name: 'payment.dispute.closed' })
  t.like(back.say[0]?.data, { outcome: 'won', restored: usd(10_000), fee: usd(1_500) })
})

test('a lost dispute that is won after all is said so', (t) => {
  const lost = looked(begun, told({ status: 'lost' }), NOW)
  const won = looked(lost.next, told({ status: 'won', restored: 10_000 }), NOW)
  t.like(won.say[0]?.data, { outcome: 'won' })
})

test('an answer is delivered whatever is heard meanwhile, and is dropped when the bank is past it', (t) => {
  const open = looked(begun, told(), NOW).next
  t.true(isAnswerable(open))
  const sending = answering(open, { text: 'It was delivered.' })
  t.false(isAnswerable(sending))
  t.is(nextCall(looked(sending, told(), NOW).next), 'evidence')
  t.is(nextCall(looked(sending, told({ status: 'lost' }), NOW).next), null)
  t.is(nextCall(answered(sending, told({ status: 'under_review', evidenceDueAt: null }), NOW).next), null)
  // Taken, though the bank has not said so yet: it is not sent again.
  t.is(nextCall(answered(sending, told(), NOW).next), null)
})

test('an answer that comes too late is noted, and what became of the dispute looked at', (t) => {
  const sending = answering(looked(begun, told(), NOW).next, null)
  t.is(nextCall(sending), 'accept')
  const late = refused(
    sending,
    'accept',
    { kind: 'definitive', code: 'dispute_unexpected_state', message: 'Late.' },
    NOW,
  )
  t.is(late.next.refusal?.code, 'dispute_unexpected_state')
  t.is(nextCall(late.next), 'look')
})
