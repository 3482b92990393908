import test from 'ava'
import { newVapidKeys } from '../adapters/push/vapid.ts'
import { configuration, ConfigurationError } from './configuration.ts'

const said = (env: Record<string, string>): string => {
  try {
    configuration(env)
    return 'accepted'
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
}

test('web push keys come as a pair, in the form browsers take', (t) => {
  const { publicKey, privateKey } = newVapidKeys()
  const both = { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey }
  t.deepEqual(configuration(both).vapid, { publicKey, privateKey })
  t.is(configuration({}).vapid, null)
  t.regex(said({ VAPID_PUBLIC_KEY: publicKey }), /^VAPID_PRIVATE_KEY is required/)
  t.regex(said({ VAPID_PRIVATE_KEY: privateKey }), /^VAPID_PUBLIC_KEY is required/)
  t.regex(said({ ...both, VAPID_PUBLIC_KEY: 'short' }), /^VAPID_PUBLIC_KEY "short" is not/)
  const wrong = said({ ...both, VAPID_PRIVATE_KEY: 'a secret' })
  t.regex(wrong, /^VAPID_PRIVATE_KEY is not 32 bytes/)
  t.notRegex(wrong, /a secret/, 'a secret is never printed')
})

test('push services are told how to reach whoever runs this market', (t) => {
  t.is(configuration({ VAPID_SUBJECT: 'mailto:post@market.example' }).vapidSubject, 'mailto:post@market.example')
  t.is(configuration({ VAPID_SUBJECT: 'https://market.example/about' }).vapidSubject, 'https://market.example/about')
  t.regex(said({ VAPID_SUBJECT: 'somebody' }), /^VAPID_SUBJECT/)
})

test('the amounts above which a payout run waits for two people are named by currency', (t) => {
  t.deepEqual(configuration({}).payoutApprovalLimits, {})
  t.deepEqual(configuration({ PAYOUT_APPROVAL_LIMITS: 'usd=500000, eur=1' }).payoutApprovalLimits, {
    usd: 500_000,
    eur: 1,
  })
  t.regex(said({ PAYOUT_APPROVAL_LIMITS: 'usd=5.00' }), /^PAYOUT_APPROVAL_LIMITS "usd=5.00" is not/)
})

test('the prices costs are reckoned with are named one by one', (t) => {
  t.deepEqual(configuration({}).costPrices, {})
  t.deepEqual(configuration({ COST_PRICES: 'cpuHour=0.02, storageGbMonth=1' }).costPrices, {
    cpuHour: 0.02,
    storageGbMonth: 1,
  })
  t.regex(said({ COST_PRICES: 'cpu=1' }), /^COST_PRICES "cpu=1" is not/)
})
