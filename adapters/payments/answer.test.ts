// Answers as they come over the wire, and what the caller is told: success only for the object that was asked for, and for
// every refusal the class that says what may be done next.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { quiet, refusal, usd } from './fixture.ts'
import type { Payments } from './index.ts'
import { openStripe } from './stripe.ts'

type Wire = { status: number; body: string }

/** A client of somebody who always answers what `wire` says now. */
const answering = async (t: ExecutionContext, wire: Wire): Promise<Payments> => {
  const server = createServer((_request, response) => {
    response.writeHead(wire.status, { 'content-type': 'application/json' }).end(wire.body)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const place = { host: '127.0.0.1', port: (server.address() as AddressInfo).port, protocol: 'http' as const }
  return openStripe({ provider: 'stripe', secretKey: 'sk_test_1', webhookSecret: 'whsec_1', ...place, log: quiet })
}

const transfer = (payments: Payments) =>
  payments.transfer({ accountId: 'acct_1', amount: usd(100), group: 'g', metadata: {} }, 'k')

const whole = {
  id: 'tr_1',
  object: 'transfer',
  amount: 100,
  amount_reversed: 0,
  currency: 'usd',
  destination: 'acct_1',
}

test('an answer counts only when it is the object that was asked for', async (t) => {
  const wire: Wire = { status: 200, body: JSON.stringify(whole) }
  const payments = await answering(t, wire)
  t.is((await transfer(payments)).id, 'tr_1')
  const others = [
    '{}',
    '[]',
    'null',
    '<html>',
    '',
    JSON.stringify({ ...whole, object: 'refund' }),
    JSON.stringify({ ...whole, id: 'xx_1' }),
    JSON.stringify({ ...whole, id: undefined }),
  ]
  for (const body of others) {
    wire.body = body
    t.is((await refusal(transfer(payments))).kind, 'unknown', body)
  }
  for (const status of [302, 404, 502]) {
    Object.assign(wire, { status, body: JSON.stringify(whole) })
    t.is((await refusal(transfer(payments))).kind, 'unknown', String(status))
  }
})

test('a search counts only when every object in it is what was searched for', async (t) => {
  const list = (data: unknown) => JSON.stringify({ object: 'list', has_more: false, url: '/v1/transfers', data })
  const wire: Wire = { status: 200, body: list([whole]) }
  const payments = await answering(t, wire)
  t.is((await payments.findTransfers('g')).length, 1)
  for (const body of [
    '{}',
    '{"object":"list"}',
    list([{ ...whole, object: 'refund' }]),
    list([whole, null]),
    list({}),
  ]) {
    wire.body = body
    t.is((await refusal(payments.findTransfers('g'))).kind, 'unknown', body)
  }
})

test('a search that finds no end says so instead of "not there"', async (t) => {
  const body = JSON.stringify({ object: 'list', has_more: true, url: '/v1/transfers', data: [whole] })
  const payments = await answering(t, { status: 200, body })
  t.deepEqual(await refusal(payments.findTransfers('g')), { kind: 'unknown', code: 'search_incomplete' })
})

const CLASSES: [status: number, error: { type: string; code?: string; param?: string }, kind: string][] = [
  [429, { type: 'rate_limit_error', code: 'rate_limit' }, 'rate'],
  [429, { type: 'invalid_request_error' }, 'rate'],
  [429, { type: 'invalid_request_error', code: 'lock_timeout' }, 'rate'],
  [409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }, 'in_use'],
  [400, { type: 'idempotency_error' }, 'bug'],
  [400, { type: 'invalid_request_error', code: 'parameter_missing', param: 'amount' }, 'bug'],
  [400, { type: 'invalid_request_error', param: 'amount' }, 'definitive'],
  [400, { type: 'invalid_request_error' }, 'bug'],
  [401, { type: 'invalid_request_error' }, 'bug'],
  [403, { type: 'invalid_request_error' }, 'bug'],
  [403, { type: 'invalid_request_error', code: 'account_invalid' }, 'definitive'],
  [404, { type: 'invalid_request_error', code: 'resource_missing' }, 'definitive'],
  [400, { type: 'invalid_request_error', code: 'balance_insufficient' }, 'definitive_later'],
  [400, { type: 'invalid_request_error', code: 'payouts_not_allowed' }, 'definitive'],
  [402, { type: 'card_error', code: 'card_declined' }, 'definitive'],
  [500, { type: 'api_error' }, 'unknown'],
  [500, { type: 'invalid_request_error', code: 'resource_missing' }, 'unknown'],
  [503, { type: 'api_error', code: 'balance_insufficient' }, 'unknown'],
  [418, { type: 'invalid_request_error' }, 'unknown'],
]

test('every refusal has its class, and nothing unclear passes for definitive', async (t) => {
  const wire: Wire = { status: 200, body: '' }
  const payments = await answering(t, wire)
  for (const [status, error, kind] of CLASSES) {
    Object.assign(wire, { status, body: JSON.stringify({ error: { message: 'No.', ...error } }) })
    t.is((await refusal(transfer(payments))).kind, kind, `${status} ${wire.body}`)
  }
})

const dispute = {
  id: 'du_1',
  object: 'dispute',
  amount: 1_000,
  balance_transactions: [{ amount: -900, fee: 1_350, currency: 'eur' }],
  created: 1_700_000_000,
  currency: 'usd',
  evidence_details: { due_by: 1_700_000_100 },
  payment_intent: 'pi_1',
  reason: 'fraudulent',
  status: 'needs_response',
}

test('a dispute settled in another currency took what the cardholder disputed, in the currency of the payment', async (t) => {
  const payments = await answering(t, { status: 200, body: JSON.stringify(dispute) })
  t.like(await payments.retrieveDispute('du_1'), { amount: usd(1_000), taken: 1_000, restored: 0, fees: 0 })
})

test('the second round of a dispute is one that can be answered again; a word nobody knows is an unknown outcome', async (t) => {
  const wire = { status: 200, body: JSON.stringify({ ...dispute, status: 'appeal_needs_response' }) }
  const payments = await answering(t, wire)
  t.like(await payments.retrieveDispute('du_1'), { status: 'needs_response', evidenceDueAt: 1_700_000_100_000 })
  wire.body = JSON.stringify({ ...dispute, status: 'news' })
  t.is((await refusal(payments.retrieveDispute('du_1'))).kind, 'unknown')
})
