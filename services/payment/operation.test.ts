import test from 'ava'
import { applied, confirming, newCharge, nextCall, woken } from './charge.ts'
import { newDisbursement, applied as paidOut, transferDone } from './disbursement.ts'
import { begun, failedCall, isFree, mayHaveRun, settledCall } from './operation.ts'
import { KEY_AGE_MAX_MS } from './retry.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const payout = () => newDisbursement('po_1', { seller: 'usr_s', account: 'acct_1', amount: usd(8000) }, 0)
const at = (now: number) => ({ now, by: 'one' })
const asks = (now: number, eager: boolean, running = true) => ({ now, eager, isRunning: () => running })
const failure = (kind: 'unknown' | 'definitive_later' | 'rate' | 'bug') => ({ kind, code: 'x', message: 'x' })

test('while the outcome is unknown the same key is sent, and what it may have made is looked for first', (t) => {
  const first = begun(payout(), 'transfer', at(0))
  const { next } = failedCall(first, failure('unknown'), 10, 0.5)
  t.true(mayHaveRun(next.call, 'transfer'))
  t.is(begun(next, 'transfer', at(5000)).call.key, first.call.key)
  t.is(begun(first, 'transfer', at(60_000)).call.key, first.call.key, 'a process that died in the middle')
})

test('a limit met later does not tell that what was lost before did not run', (t) => {
  const lost = failedCall(begun(payout(), 'transfer', at(0)), failure('unknown'), 10, 0.5).next
  const limited = failedCall(begun(lost, 'transfer', at(5000)), failure('rate'), 5010, 0.5).next
  t.true(mayHaveRun(limited.call, 'transfer'))
  t.false(
    mayHaveRun(
      failedCall(begun(limited, 'transfer', at(9000)), failure('definitive_later'), 9010, 0.5).next.call,
      'transfer',
    ),
  )
})

test('what a living process has under way is left to it, what a dead one had is taken up', (t) => {
  const sent = begun(payout(), 'transfer', at(0))
  t.false(isFree(sent, 'transfer', asks(10, true)))
  t.true(isFree(sent, 'transfer', asks(10, false, false)))
})

test('a key that the provider may have forgotten is not sent again', (t) => {
  const first = begun(payout(), 'transfer', at(0))
  const early = failedCall(first, failure('unknown'), KEY_AGE_MAX_MS - 1, 0.5).next
  t.is(begun(early, 'transfer', at(KEY_AGE_MAX_MS)).call.key, first.call.key)
  const late = failedCall(begun(early, 'transfer', at(KEY_AGE_MAX_MS)), failure('unknown'), KEY_AGE_MAX_MS, 0.5).next
  t.true(mayHaveRun(late.call, 'transfer'))
  t.not(begun(late, 'transfer', at(KEY_AGE_MAX_MS + 1)).call.key, first.call.key)
})

test('after a definitive answer the key is never used again', (t) => {
  const first = begun(payout(), 'transfer', at(0))
  const refused = failedCall(first, failure('definitive_later'), 10, 0.5).next
  t.not(begun(refused, 'transfer', at(10)).call.key, first.call.key)
  t.false(mayHaveRun(refused.call, 'transfer'))
  t.not(begun(settledCall(first), 'transfer', at(10)).call.key, first.call.key)
})

test('a limited call did not run and waits for its pause; a stuck operation makes no call at all', (t) => {
  const limited = failedCall(begun(payout(), 'transfer', at(0)), failure('rate'), 10, 1).next
  t.false(mayHaveRun(limited.call, 'transfer'))
  t.false(isFree(limited, 'transfer', asks(500, false)))
  t.true(isFree(limited, 'transfer', asks(500, true)))
  t.true(isFree(limited, 'transfer', asks(1010, false)))
  t.false(
    isFree(failedCall(begun(payout(), 'transfer', at(0)), failure('bug'), 10, 1).next, 'transfer', asks(1e9, true)),
  )
})

const charge = () => ({
  ...newCharge('ord_1', { buyer: 'usr_b', amount: usd(100), description: 'x' }, 0),
  paymentId: 'pi_1',
  goal: null,
})
const payment = (status: 'requires_action' | 'succeeded' | 'requires_payment_method' | 'processing') => ({
  id: 'pi_1',
  status,
  clientSecret: 's',
  amount: usd(100),
  metadata: {},
})

test('an order given up while its buyer confirms is canceled as soon as that is answered', (t) => {
  const given = { ...confirming(charge(), 'pm_card_visa'), abandoned: true }
  t.is(nextCall(applied(given, payment('requires_action'), 1).next), 'cancel')
  t.is(nextCall(applied(given, payment('requires_payment_method'), 1).next), 'cancel')
  t.deepEqual(
    applied(given, payment('succeeded'), 1).say.map(({ name }) => name),
    ['payment.succeeded'],
  )
})

test('a confirmation that nobody waits for is looked at, not repeated', (t) => {
  const waiting = confirming(charge(), 'pm_card_visa')
  t.is(nextCall(waiting), 'confirm')
  t.is(nextCall(woken(waiting)), 'look')
})

test('old news of a bank payout change nothing', (t) => {
  const transferred = transferDone(
    payout(),
    { id: 'tr_1', amount: usd(8000), accountId: 'acct_1', reversed: 0, metadata: {} },
    1,
  ).next
  const bank = (status: 'pending' | 'paid' | 'failed') => ({ id: 'po_x', status, amount: usd(8000) })
  const paid = paidOut(transferred, bank('paid'), 2)
  t.deepEqual(
    paid.say.map(({ name }) => name),
    ['payment.payout.sent', 'payment.payout.paid'],
  )
  t.deepEqual(paidOut(paid.next, bank('pending'), 3), { next: paid.next, say: [] })
  t.deepEqual(paidOut(paid.next, bank('paid'), 3), { next: paid.next, say: [] })
  const returned = paidOut(paid.next, bank('failed'), 4)
  t.deepEqual(
    returned.say.map(({ data }) => (data as { stage?: string }).stage),
    ['returned'],
  )
  t.deepEqual(paidOut(returned.next, bank('failed'), 5), { next: returned.next, say: [] })
})
