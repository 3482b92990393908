import test from 'ava'
import type { Payment } from '../../adapters/payments/index.ts'
import { applied, confirming, newCharge, nextCall, noticed } from './charge.ts'

const NOW = 1_800_000_000_000
const payment = (changes: Partial<Payment> = {}): Payment => ({
  id: 'pi_1',
  status: 'requires_payment_method',
  clientSecret: 'secret',
  amount: { amount: 10_550, currency: 'usd' },
  metadata: {},
  ...changes,
})
const asked = { buyer: 'usr_b', amount: { amount: 10_550, currency: 'usd' }, description: 'A logo' }

test('a decline that is seen late does not end the next try', (t) => {
  const made = applied(newCharge('ord_1', asked, NOW), payment(), NOW).next
  const again = confirming(made, 'pm_card_visa')
  const late = noticed(again, payment({ declined: { code: 'card_declined', message: 'no' } }), NOW)
  t.is(nextCall(late.next), 'confirm')
  t.is(late.next.declined, null)
  t.is(noticed(late.next, payment({ status: 'succeeded' }), NOW).next.state, 'succeeded')
  t.is(noticed(made, payment({ status: 'requires_action' }), NOW).next.state, 'requires_action')
})

test('a confirmation that is sent again says what it said first, whatever is configured by then', (t) => {
  const made = applied(newCharge('ord_1', asked, NOW), payment(), NOW).next
  const first = confirming(made, 'pm_card_visa', 'https://old.test/orders')
  t.is(confirming(first, 'pm_card_visa', 'https://new.test/orders').returnUrl, 'https://old.test/orders')
  t.is(confirming(first, 'pm_card_mastercard', 'https://new.test/orders').returnUrl, 'https://new.test/orders')
})
