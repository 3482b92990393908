// With TEST_STRIPE_MOCK_URL set (npm run test:stripe-mock does): every request of ours, every operation of the sandbox and
// every answer of it are held against the provider's own published description of its API.
import test, { type ExecutionContext } from 'ava'
import { judged, requestsOf, type Wire } from './described.fixture.ts'
import { confirm, open, paid, payee, quiet, refusal, returnUrl, usd } from './fixture.ts'
import type { Payments } from './index.ts'
import { openRecorder, type Recorded } from './recorder.fixture.ts'
import { ROUTES } from './sandbox/router.ts'
import { openStripe } from './stripe.ts'

const url = process.env.TEST_STRIPE_MOCK_URL
const described = url === undefined ? test.skip : test

/** Methods of the port that ask the provider nothing. */
const SILENT = new Set(['provider', 'publishableKey', 'verifyWebhook', 'tick', 'close'])

/** One of each call of ours, on a sandbox that has what they are about; and all that went over the wire. */
const story = async (t: ExecutionContext): Promise<{ recorded: Recorded[]; called: Set<string>; all: string[] }> => {
  const { payments: sandbox } = await open(t)
  const { server } = sandbox
  const recorder = await openRecorder(server)
  t.teardown(recorder.close)
  const place = { host: '127.0.0.1', port: recorder.port, protocol: 'http' as const }
  const product = await openStripe({ ...server, ...place, provider: 'sandbox', log: quiet })
  const called = new Set<string>()
  const payments = new Proxy(product, {
    get: (target, name: keyof Payments & string) => {
      called.add(name)
      return target[name]
    },
  })
  await paid(payments, 100_000, 'float')
  const { id: paymentId } = await paid(payments, 10_000)
  await payments.retrievePayment(paymentId)
  const other = await payments.createPayment({ amount: usd(5_000), metadata: { op: 'b' }, description: 'A map' }, 'b')
  await confirm(payments, other.id, 'pm_card_threeDSecure2Required', 'b:confirm')
  await payments.cancelPayment(other.id, 'b:cancel')
  const refund = await payments.refund({ paymentId, amount: usd(100), metadata: { op: 'r' } }, 'r')
  await payments.retrieveRefund(refund.id)
  await payments.findRefunds(paymentId)
  const accountId = await payee(payments)
  await payments.retrieveAccount(accountId)
  await payments.onboardingLink(accountId, { refresh: returnUrl, return: returnUrl })
  const sent = { accountId, amount: usd(2_000), group: 'g', metadata: { op: 't' } }
  const transfer = await payments.transfer(sent, 't')
  await payments.retrieveTransfer(transfer.id)
  await payments.reverseTransfer(transfer.id, { amount: usd(100), metadata: { op: 'v' } }, 'v')
  await payments.findTransfers('g')
  const payout = await payments.payout({ accountId, amount: usd(500), metadata: { op: 'p' } }, 'p')
  await payments.retrievePayout(accountId, payout.id)
  await payments.findPayouts(accountId, 'p')
  const [first, second] = [await server.outside.dispute(paymentId), await paid(payments, 7_000, 'second')]
  await payments.retrieveDispute(first)
  await payments.findDisputes(paymentId)
  const evidence = {
    accessLog: 'a',
    customerEmail: 'buyer@example.test',
    customerName: 'b',
    customerIp: '192.0.2.1',
    description: 'c',
    refundPolicy: 'd',
    refundRefusal: 'e',
    serviceDate: '2026-01-01',
    text: 'f',
  }
  await payments.submitEvidence(first, { evidence, metadata: { op: first } }, 'e')
  await payments.acceptDispute(await server.outside.dispute(second.id), 'a')
  const warning = await server.outside.warnOfFraud(second.id)
  await payments.retrieveFraudWarning(warning)
  await payments.balance()
  await payments.balance(accountId)
  await payments.balanceTransactions({ limit: 10 })
  await payments.balanceTransactions({ limit: 10, since: 1_000, sourceId: refund.id, accountId })
  await payments.listEvents({ since: 1_000, limit: 2 })
  await payments.listEvents({ since: 1_000, limit: 10, accountId })
  return { recorded: recorder.recorded, called, all: Object.keys(product) }
}

test('the sandbox understands every call of ours', async (t) => {
  const { recorded, called, all } = await story(t)
  t.deepEqual(
    all.filter((name) => !SILENT.has(name) && !called.has(name)),
    [],
  )
  t.deepEqual(
    recorded.filter(({ status }) => status !== 200),
    [],
  )
})

type Answer = { status: number; body: unknown }
const askMock = async ({ method, path, form }: Omit<Wire, 'what'>, account = ''): Promise<Answer> => {
  const isRead = method === 'GET'
  const answer = await fetch(new URL(`${path}${isRead && form.size > 0 ? `?${form.toString()}` : ''}`, url), {
    method,
    headers: {
      authorization: 'Bearer sk_test_123',
      ...(account && { 'stripe-account': account }),
      ...(!isRead && { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    ...(!isRead && { body: form.toString() }),
  })
  return { status: answer.status, body: (await answer.json()) as unknown }
}

described("every request of ours is as the provider's description says, and is answered in its fields", async (t) => {
  const { recorded } = await story(t)
  for (const one of recorded) {
    const what = `${one.method} ${one.path} ${one.form.toString()}`
    const answer = await askMock(one, one.account)
    t.is(answer.status, 200, `${what}\n${JSON.stringify(answer.body)}`)
    t.deepEqual(undescribed(one.body, answer.body), [], what)
  }
})

/** In the description, but not in the examples that its mock answers with. */
const DESCRIBED_ELSEWHERE = [
  'account',
  'payment_intent',
  'pending_reason',
  'next_action.redirect_to_url',
  'controller.fees',
  'controller.losses',
  'controller.stripe_dashboard',
  'external_accounts.data[].account',
  'external_accounts.data[].default_for_currency',
]
/** Free of form: what people put there, and the object, of any kind, that an event or a change of the balance is about. */
const FREE = new Set(['metadata', 'capabilities', 'data.object', 'source'])

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)
const isObject = (value: unknown): value is Record<string, unknown> => kindOf(value) === 'object'

/** Fields of an answer that the example lacks or has in another type. What is null or empty in either says nothing. */
const undescribed = (answer: unknown, example: unknown, at = ''): string[] => {
  if (Array.isArray(answer) && Array.isArray(example)) {
    if (example.length === 0) return []
    return answer.flatMap((each) => undescribed(each, example[0], `${at}[]`))
  }
  if (!isObject(answer) || !isObject(example)) {
    const [left, right] = [kindOf(answer), kindOf(example)]
    return left === right || left === 'null' || right === 'null' ? [] : [`${at}: ${left}, not ${right}`]
  }
  return Object.entries(answer).flatMap(([name, value]) => {
    const path = at === '' ? name : `${at}.${name}`
    const plain = path.replace(/^data\[\]\./, '')
    if (FREE.has(name) || FREE.has(plain) || DESCRIBED_ELSEWHERE.includes(plain)) return []
    return name in example ? undescribed(value, example[name], path) : [`${path}: not known`]
  })
}

/** The description leaves these to the provider, who refuses them as the sandbox does. */
const isLenient = ({ what }: Wire): boolean =>
  what.endsWith('knows no such name') ||
  what.endsWith('created is an object') ||
  what === 'transfers.create: without amount'

/** Without a description one skipped test stands for all of them. */
const compared = url === undefined ? ROUTES.slice(0, 1) : ROUTES
for (const route of compared)
  described(`${route.name} takes what the description takes, and refuses what it refuses`, async (t) => {
    const { right, wrong } = requestsOf(route)
    for (const wire of right) {
      t.is(judged(wire), 'taken', `sandbox: ${wire.what}`)
      const { status, body } = await askMock(wire)
      t.is(status, 200, `description: ${wire.what} ${JSON.stringify(body)}`)
    }
    for (const wire of wrong) {
      t.is(judged(wire), 'refused', `sandbox: ${wire.what}`)
      const { status, body } = await askMock(wire)
      if (!isLenient(wire)) t.is(status, 400, `description: ${wire.what} ${JSON.stringify(body)}`)
    }
  })

described('a refusal looks the same', async (t) => {
  const { payments } = await open(t)
  const { port, secretKey } = payments.server
  const wires: [path: string, form: Record<string, string>][] = [
    ['/v1/payment_intents', { amount: 'abc', currency: 'usd' }],
    ['/v1/payment_intents', { amount: '100', currency: 'usd', nonsense: 'x' }],
    ['/v1/transfers', { amount: '100', currency: 'usd' }],
    ['/v1/refunds', { payment_intent: 'pi_1', reason: 'nonsense' }],
    ['/v1/nowhere', {}],
  ]
  for (const [path, form] of wires) {
    const body = new URLSearchParams(form)
    const ours = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    })
    const theirs = await askMock({ method: 'POST', path, form: body })
    t.is(ours.status, theirs.status, path)
    const { error } = (await ours.json()) as { error: { type: string; message: string } }
    const expected = (theirs.body as { error: { type: string; message: string } }).error
    t.is(error.type, expected.type, path)
    t.deepEqual([typeof error.message, typeof expected.message], ['string', 'string'])
  }
})

const openDescribed = () => {
  const { hostname, port } = new URL(String(url))
  const place = { host: hostname, port: Number(port), protocol: 'http' as const }
  return openStripe({ provider: 'stripe', secretKey: 'sk_test_123', webhookSecret: 'whsec_1', ...place, log: quiet })
}

described("the answers in the provider's description are understood", async (t) => {
  const payments = await openDescribed()
  const amount = usd(100)
  const metadata = { op: 'a' }
  const calls: Promise<unknown>[] = [
    payments.createPayment({ amount: usd(5_000), metadata, description: 'A logo' }, 'k'),
    confirm(payments, 'pi_1', 'pm_card_visa', 'k'),
    payments.cancelPayment('pi_1', 'k'),
    payments.retrievePayment('pi_1'),
    payments.refund({ paymentId: 'pi_1', amount, metadata }, 'k'),
    payments.retrieveRefund('re_1'),
    payments.findRefunds('pi_1'),
    payments.createAccount({ email: 'seller@example.test', country: 'DE', metadata }, 'k'),
    payments.retrieveAccount('acct_1'),
    payments.onboardingLink('acct_1', { refresh: returnUrl, return: returnUrl }),
    payments.transfer({ accountId: 'acct_1', amount, group: 'g', metadata }, 'k'),
    payments.retrieveTransfer('tr_1'),
    payments.reverseTransfer('tr_1', { amount, metadata }, 'k'),
    payments.findTransfers('g'),
    payments.payout({ accountId: 'acct_1', amount, metadata }, 'k'),
    payments.retrievePayout('acct_1', 'po_1'),
    payments.findPayouts('acct_1', 'a'),
    payments.retrieveDispute('dp_1'),
    payments.findDisputes('pi_1'),
    payments.submitEvidence('dp_1', { evidence: { text: 'a' }, metadata }, 'k'),
    payments.acceptDispute('dp_1', 'k'),
    payments.retrieveFraudWarning('issfr_1'),
    payments.balance(),
    payments.balance('acct_1'),
    payments.balanceTransactions({ after: 'txn_1', limit: 10 }),
    payments.listEvents({ since: 0, limit: 10, accountId: 'acct_1' }),
  ]
  t.deepEqual(
    (await Promise.all(calls.map(refusal))).filter(({ kind }) => kind !== 'none'),
    [],
  )
})

described('a request the description does not know is a mistake of ours', async (t) => {
  const payments = await openDescribed()
  const asked = payments.createPayment({ amount: usd(1.5), metadata: {}, description: 'A logo' }, 'k')
  t.is((await refusal(asked)).kind, 'bug')
})
