// With TEST_STRIPE_MOCK_URL set: every request of ours is checked against the provider's own published description of
// its API.
import test from 'ava'
import { confirm, quiet, refusal, returnUrl, usd } from './fixture.ts'
import type { Payments } from './index.ts'
import { openStripe } from './stripe.ts'

const url = process.env.TEST_STRIPE_MOCK_URL
const described = url === undefined ? test.skip : test

const CALLS: Record<string, (payments: Payments) => Promise<unknown>> = {
  createPayment: (payments) =>
    payments.createPayment({ amount: usd(5_000), metadata: { op: 'a' }, description: 'A logo' }, 'k'),
  confirmPayment: (payments) => confirm(payments, 'pi_1', 'pm_card_visa', 'k'),
  cancelPayment: (payments) => payments.cancelPayment('pi_1', 'k'),
  retrievePayment: (payments) => payments.retrievePayment('pi_1'),
  refund: (payments) => payments.refund({ paymentId: 'pi_1', amount: usd(100), metadata: { op: 'a' } }, 'k'),
  retrieveRefund: (payments) => payments.retrieveRefund('re_1'),
  findRefunds: (payments) => payments.findRefunds('pi_1'),
  createAccount: (payments) =>
    payments.createAccount({ email: 'seller@example.test', country: 'DE', metadata: { user: 'u' } }, 'k'),
  retrieveAccount: (payments) => payments.retrieveAccount('acct_1'),
  onboardingLink: (payments) => payments.onboardingLink('acct_1', { refresh: returnUrl, return: returnUrl }),
  transfer: (payments) =>
    payments.transfer({ accountId: 'acct_1', amount: usd(100), group: 'g', metadata: { op: 'a' } }, 'k'),
  retrieveTransfer: (payments) => payments.retrieveTransfer('tr_1'),
  reverseTransfer: (payments) => payments.reverseTransfer('tr_1', { amount: usd(100), metadata: { op: 'a' } }, 'k'),
  findTransfers: (payments) => payments.findTransfers('g'),
  payout: (payments) => payments.payout({ accountId: 'acct_1', amount: usd(100), metadata: { op: 'a' } }, 'k'),
  retrievePayout: (payments) => payments.retrievePayout('acct_1', 'po_1'),
  findPayouts: (payments) => payments.findPayouts('acct_1', 'a'),
  balance: (payments) => payments.balance(),
  balanceOfAccount: (payments) => payments.balance('acct_1'),
  balanceTransactions: (payments) => payments.balanceTransactions({ after: 'txn_1', limit: 10 }),
  listEvents: (payments) => payments.listEvents({ since: 0, limit: 10, accountId: 'acct_1' }),
}

const openDescribed = () => {
  const { hostname, port } = new URL(String(url))
  const place = { host: hostname, port: Number(port), protocol: 'http' as const }
  return openStripe({ provider: 'stripe', secretKey: 'sk_test_123', webhookSecret: 'whsec_1', ...place, log: quiet })
}

described("every request is as the provider's description says", async (t) => {
  const payments = await openDescribed()
  for (const [name, call] of Object.entries(CALLS)) {
    const asked = await call(payments).then(
      () => 'understood',
      (error: Error) => `${error.name}: ${error.message}`,
    )
    t.is(asked, 'understood', name)
  }
})

described('a request the description does not know is noticed', async (t) => {
  const payments = await openDescribed()
  const asked = payments.createPayment({ amount: usd(1.5), metadata: {}, description: 'A logo' }, 'k')
  t.is((await refusal(asked)).kind, 'bug')
})
