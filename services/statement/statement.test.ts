// Statements over real books: what a seller is told must be what the ledger says, at any time, to the cent.
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { startEverything } from '../../test/everything.ts'
import { startNode, type TestNode } from '../../test/node.ts'
import { isRefused } from '../errors.ts'
import {
  charged,
  cleared,
  completed,
  payoutPaid,
  payoutReturned,
  payoutSent,
  refundShared,
  released,
  reserved,
  tipped,
  transferred,
  type LedgerEntry,
  type Posting,
} from '../ledger/contract.ts'
import ledger from '../ledger/ledger.service.ts'
import type { Caller } from '../shapes.ts'
import { months, places } from './months.ts'
import { monthPaper, worded } from './paper.ts'
import { considerationOf, monthOf, nothing, plus, sumsOf } from './period.ts'
import statement from './statement.service.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const at = (iso: string) => Date.parse(iso)
const as = (id: string, ...roles: Caller['roles']) => ({
  meta: { caller: { id, username: id, roles: ['buyer' as const, ...roles], sessionId: 'ses' } },
})
const start = async (t: ExecutionContext): Promise<TestNode> => {
  const node = await startNode({ services: [ledger, statement] })
  t.teardown(() => node.stop())
  return node
}
const post = async (node: TestNode, entries: Posting[]) => {
  for (let from = 0; from < entries.length; from += 100)
    await node.call('ledger.post', { entries: entries.slice(from, from + 100) })
}

/** An order of 100.00: paid, completed with a commission of 20.00, cleared two weeks later. */
const order = (id: string, seller: string, day: string): Posting[] => [
  charged({ order: id, payment: `pi_${id}`, amount: usd(10_550), fee: usd(336), at: at(day) }),
  completed({ order: id, seller, currency: 'usd', subtotal: 10_000, serviceFee: 550, commission: 2000, at: at(day) }),
  cleared({ order: id, seller, amount: usd(8000), at: at(day) + 14 * 86_400_000 }),
]
const story = (): Posting[] => {
  const of = { payout: 'po_1', seller: 'usr_a', amount: usd(8000) }
  return [
    ...order('ord_1', 'usr_a', '2031-01-10T12:00:00.000Z'),
    ...order('ord_other', 'usr_b', '2031-01-10T12:00:00.000Z'),
    reserved({ ...of, at: at('2031-01-25T06:00:00.000Z') }),
    {
      ...transferred({ ...of, at: at('2031-01-25T06:00:01.000Z') }),
      about: { payout: 'po_1', seller: 'usr_a', transfer: 'tr_1' },
    },
    payoutSent({ ...of, at: at('2031-01-25T06:00:02.000Z') }),
    payoutPaid({ ...of, at: at('2031-01-27T10:00:00.000Z') }),
    ...order('ord_2', 'usr_a', '2031-02-20T12:00:00.000Z'),
    tipped({
      order: 'ord_2',
      tip: 'tip_1',
      seller: 'usr_a',
      payment: 'pi_t',
      amount: usd(500),
      fee: usd(44),
      commission: 0,
      at: at('2031-04-02T00:00:00.000Z'),
    }),
    refundShared({
      order: 'ord_2',
      refund: 'ref_1',
      seller: 'usr_a',
      from: 'available',
      amount: usd(5275),
      shares: { seller: 4000, commission: 1000, serviceFee: 275 },
      at: at('2031-04-03T00:00:00.000Z'),
    }),
  ]
}

test('a month is what was there before, every line, and what is there after', async (t) => {
  const node = await start(t)
  await post(node, story())
  const january = await node.call('statement.month', { month: '2031-01' }, as('usr_a', 'seller'))
  t.deepEqual(january.opening, { clearing: usd(0), available: usd(0), inPayout: usd(0), held: usd(0) })
  t.deepEqual(january.closing, { clearing: usd(0), available: usd(0), inPayout: usd(0), held: usd(0) })
  t.deepEqual(january.totals, {
    orders: 1,
    gross: usd(10_000),
    commission: usd(2000),
    earned: usd(8000),
    tips: usd(0),
    refunds: usd(0),
    paidOut: usd(8000),
    other: usd(0),
  })
  t.deepEqual(
    january.lines.map(({ kind, clearing, available, inPayout }) => [kind, clearing, available, inPayout]),
    [
      ['complete', 8000, 0, 0],
      ['clear', -8000, 8000, 0],
      ['reserve', 0, -8000, 8000],
      ['payout_paid', 0, 0, -8000],
    ],
  )
  const february = await node.call('statement.month', { month: '2031-02' }, as('usr_a'))
  t.deepEqual([february.opening.clearing, february.closing.clearing], [usd(0), usd(8000)])
  const april = await node.call('statement.month', { month: '2031-04' }, as('usr_a'))
  t.deepEqual(
    [april.opening.available, april.closing.available, april.closing.clearing],
    [usd(8000), usd(4000), usd(500)],
  )
  t.deepEqual((await node.call('statement.month', { month: '2031-04' }, as('usr_stranger'))).lines, [])
})

test('a year is its quarters, and its report has every seller, to the cent', async (t) => {
  const node = await start(t)
  await post(node, story())
  const year = await node.call('statement.year', { year: '2031' }, as('usr_a'))
  t.deepEqual(
    year.quarters.map(({ consideration, totals }) => [consideration.amount, totals.commission.amount, totals.orders]),
    [
      [16_000, 4000, 2],
      [-3500, -1000, 0],
      [0, 0, 0],
      [0, 0, 0],
    ],
  )
  t.deepEqual([year.consideration, year.totals.gross], [usd(12_500), usd(15_500)])
  const admin = as('usr_admin', 'admin')
  const first = await node.call('statement.sellers', { year: '2031', limit: 1 }, admin)
  t.deepEqual(
    first.data.map(({ seller, consideration }) => [seller, consideration]),
    [['usr_a', usd(12_500)]],
  )
  const second = await node.call('statement.sellers', { year: '2031', limit: 1, cursor: first.nextCursor! }, admin)
  t.deepEqual(
    second.data.map(({ seller, consideration }) => [seller, consideration]),
    [['usr_b', usd(8000)]],
  )
  t.is(second.nextCursor, null)
  t.deepEqual((await node.call('statement.sellers', { year: '2030' }, admin)).data, [])
  t.true(
    isRefused(
      await t.throwsAsync(node.call('statement.sellers', { year: '2031' }, as('usr_a', 'seller'))),
      'forbidden',
    ),
  )
})

test('the balances of any time are those the entries until then come to', async (t) => {
  const node = await start(t)
  await post(node, story())
  const then = (time: string) =>
    node
      .call('statement.balanceAt', { seller: 'usr_a', currency: 'usd', at: at(time) })
      .then(({ clearing, available, inPayout }) => [clearing.amount, available.amount, inPayout.amount])
  t.deepEqual(await then('2031-01-10T11:59:59.999Z'), [0, 0, 0])
  t.deepEqual(await then('2031-01-10T12:00:00.000Z'), [8000, 0, 0])
  t.deepEqual(await then('2031-01-24T12:00:00.000Z'), [0, 8000, 0])
  t.deepEqual(await then('2031-01-26T00:00:00.000Z'), [0, 0, 8000])
  t.deepEqual(await then('2031-02-01T00:00:00.000Z'), [0, 0, 0])
  t.deepEqual(await then('2031-12-01T00:00:00.000Z'), [500, 4000, 0])
})

test('a payout tells what it consists of and how far it has come, to its seller alone', async (t) => {
  const node = await start(t)
  await post(node, story().slice(0, 9))
  const paid = await node.call('statement.ofPayout', { id: 'po_1' }, as('usr_a'))
  t.deepEqual(
    [paid.amount, paid.opening, paid.closing, paid.lines.map(({ kind }) => kind), paid.status, paid.provider],
    [usd(8000), usd(0), usd(0), ['clear'], 'sent', { transfer: 'tr_1' }],
  )
  await post(node, story())
  t.is((await node.call('statement.ofPayout', { id: 'po_1' }, as('usr_a'))).status, 'paid')
  const second = { payout: 'po_2', seller: 'usr_a', amount: usd(3000), at: at('2031-05-01T06:00:00.000Z') }
  await post(node, [reserved(second), released(second)])
  const failed = await node.call('statement.ofPayout', { id: 'po_2' }, as('usr_a'))
  t.deepEqual(
    [failed.opening, failed.closing, failed.status, failed.lines.map(({ kind }) => kind)],
    [usd(0), usd(1000), 'failed', ['clear', 'refund']],
  )
  t.true(isRefused(await t.throwsAsync(node.call('statement.ofPayout', { id: 'po_1' }, as('usr_b'))), 'not_found'))
})

test('entries read again, by another node or after its place was lost, count once', async (t) => {
  const node = await start(t)
  const documents = await node.open('documents')
  await post(node, story())
  const before = await node.call('statement.year', { year: '2031' }, as('usr_a'))
  await documents.remove(places, 'journal')
  await Promise.all([1, 2, 3].map(() => node.call('statement.year', { year: '2031' }, as('usr_a'))))
  const after = await node.call('statement.year', { year: '2031' }, as('usr_a'))
  t.deepEqual({ ...after, asOf: '' }, { ...before, asOf: '' })
  t.is((await documents.scan(months)).docs.filter(({ seller }) => seller === 'usr_a').length, 4)
})

test('whatever happens to a seller, sums and balances agree', (t) => {
  const kinds = fc.constantFrom('order', 'tip', 'refund', 'payout', 'returned')
  fc.assert(
    fc.property(fc.array(fc.tuple(kinds, fc.integer({ min: 1, max: 100_000 })), { maxLength: 40 }), (steps) => {
      const of = { seller: 's', currency: 'usd' }
      const sums = steps
        .flatMap(([kind, amount], number) => entriesOf(kind, amount, number))
        .reduce((sum, entry) => plus(sum, sumsOf(entry as LedgerEntry, of)), nothing())
      const has = sums.clearing + sums.available + sums.inPayout + sums.held
      return (
        has === considerationOf(sums) - sums.paidOut + sums.other &&
        sums.gross - sums.commission === considerationOf(sums) &&
        sums.other === 0
      )
    }),
  )
  t.pass()
})
const entriesOf = (kind: string, amount: number, number: number): Posting[] => {
  const of = { order: `o${number}`, payout: `p${number}`, seller: 's', amount: usd(amount), at: number }
  if (kind === 'order')
    return [completed({ ...of, currency: 'usd', subtotal: amount * 2, serviceFee: 0, commission: amount }), cleared(of)]
  if (kind === 'tip') return [tipped({ ...of, tip: `t${number}`, payment: 'pi', fee: usd(0), commission: 0 })]
  if (kind === 'refund')
    return [
      refundShared({
        ...of,
        refund: `r${number}`,
        from: 'available',
        shares: { seller: amount, commission: 0, serviceFee: 0 },
      }),
    ]
  if (kind === 'payout') return [reserved(of), payoutPaid(of)]
  return [reserved(of), payoutPaid(of), payoutReturned(of)]
}

test('a paper shows amounts as people write them, and nothing on it is more than text', async (t) => {
  t.deepEqual([worded(usd(-123_456)), worded({ amount: 500, currency: 'jpy' })], ['-$1,234.56', '¥500'])
  const node = await start(t)
  await post(node, story())
  const month = await node.call('statement.month', { month: '2031-01' }, as('usr_a'))
  const page = monthPaper(month, '<script>alert(1)</script>')
  t.true(page.includes('$8,000.00') === false && page.includes('$80.00'))
  t.true(page.includes('&lt;script&gt;') && !page.includes('<script'))
  t.is(monthOf(at('2031-01-31T23:59:59.999Z')), '2031-01')
})

test('a statement comes as a page that runs nothing', async (t) => {
  const market = await startEverything()
  t.teardown(() => market.stop())
  const { body } = await market.request('POST', '/v1/auth/login', {
    body: { email: 'seller@demo.test', password: 'demo-password' },
  })
  const answer = await fetch(`${market.url}/v1/me/statements/print?month=2031-01`, {
    headers: { authorization: `Bearer ${body.accessToken}` },
  })
  t.deepEqual(
    [answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')],
    [200, 'text/html; charset=utf-8', 'no-store'],
  )
  t.regex(answer.headers.get('content-security-policy')!, /default-src 'none'.*sandbox/)
  t.regex(await answer.text(), /^<!doctype html>/)
  t.is((await fetch(`${market.url}/v1/me/statements/print`)).status, 401)
  const now = await market.request('GET', '/v1/me/balance', { token: body.accessToken })
  const then = await market.request('GET', `/v1/me/balance?at=${new Date().toISOString()}`, { token: body.accessToken })
  t.deepEqual(then.body, now.body)
  t.is((await market.request('GET', '/v1/me/balance?at=yesterday-or-so', { token: body.accessToken })).status, 400)
})
