// The journal as an operator reads it.
import test from 'ava'
import { startNode } from '../../test/node.ts'
import { opsOf } from '../../mixins/ops.ts'
import { isRefused } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import { charged, completed, providerFee, reserved, transferred } from './contract.ts'
import { gauges } from './gauges.ts'
import { balances } from './balances.ts'
import ledger from './ledger.service.ts'

const usd = (amount: number) => ({ amount, currency: 'usd' })
const as = (role: Caller['roles'][number]) => ({
  meta: { caller: { id: 'usr_x', username: 'x', roles: ['buyer' as const, role], sessionId: 'ses' } },
})

test('entries are found by account, order and payout, newest first, in pages, and only by admins', async (t) => {
  const node = await startNode({ services: [ledger] })
  t.teardown(() => node.stop())
  const entries = Array.from({ length: 5 }, (_, number) => {
    const order = `ord_${number}`
    return [
      charged({ order, payment: `pi_${number}`, amount: usd(1000), fee: usd(30), at: number }),
      completed({
        order,
        seller: 'usr_a',
        currency: 'usd',
        subtotal: 1000,
        serviceFee: 0,
        commission: 200,
        at: number,
      }),
    ]
  }).flat()
  await node.call('ledger.post', { entries })
  const find = async (params: object) => (await node.call('ledger.entries', params, as('admin'))).data
  t.deepEqual(
    (await find({ order: 'ord_3' })).map(({ id, about, legs }) => [id, about.payment, legs.length]),
    [
      ['ord_3:completed', undefined, 3],
      ['ord_3:paid', 'pi_3', 3],
    ],
  )
  t.is((await find({ account: 'clearing:usr_a' })).length, 5)
  t.is((await find({ account: 'psp' })).length, 5)
  t.deepEqual(
    (await find({ limit: 3 })).map(({ seq }) => seq),
    [10, 9, 8],
  )
  const seen: number[] = []
  let cursor: string | null = null
  do {
    const page: { data: { seq: number }[]; nextCursor: string | null } = await node.call(
      'ledger.entries',
      { limit: 4, ...(cursor && { cursor }) },
      as('admin'),
    )
    seen.push(...page.data.map(({ seq }) => seq))
    cursor = page.nextCursor
  } while (cursor)
  t.deepEqual(seen, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
  t.deepEqual(await find({ payout: 'po_none' }), [])
  t.true(isRefused(await t.throwsAsync(find({ order: 'ord_1', account: 'psp' })), 'validation_failed'))
  t.true(isRefused(await t.throwsAsync(node.call('ledger.entries', {}, as('seller'))), 'forbidden'))
})

test('entries are read on in order from any place, and by their names', async (t) => {
  const node = await startNode({ services: [ledger] })
  t.teardown(() => node.stop())
  for (let batch = 0; batch < 3; batch++)
    await node.call('ledger.post', {
      entries: [0, 1].map((at) =>
        charged({ order: `ord_${batch}_${at}`, payment: 'pi', amount: usd(10), fee: usd(0), at: 1 }),
      ),
    })
  const after = async (seq: number) => (await node.call('ledger.after', { seq })).data.map((entry) => entry.seq)
  t.deepEqual(await after(0), [1, 2, 3, 4, 5, 6])
  t.deepEqual(await after(3), [4, 5, 6])
  t.deepEqual(await after(6), [])
  const { entries } = await node.call('ledger.named', { ids: ['ord_1_0:paid', 'nothing'], book: 'main' })
  t.deepEqual(
    entries.map((entry) => entry?.seq),
    [3, undefined],
  )
})

test('a fee that only the statement tells of is balanced, also one given back', async (t) => {
  const node = await startNode({ services: [ledger] })
  t.teardown(() => node.stop())
  const fee = (transaction: string, amount: number) => providerFee({ transaction, amount: usd(amount), at: 1 })
  await node.call('ledger.post', { entries: [fee('txn_1', 25), fee('txn_2', -5), fee('txn_1', 25)] })
  t.deepEqual(await node.call('ledger.balances', { accounts: ['psp', 'exp:psp_fee'] }), {
    psp: { usd: -20 },
    'exp:psp_fee': { usd: 20 },
  })
})

test('the numbers say what kinds of accounts hold and what sellers owe', async (t) => {
  const node = await startNode({ services: [ledger] })
  t.teardown(() => node.stop())
  const sums = balances()
  for (const { legs } of [
    charged({ order: 'o', payment: 'p', amount: usd(1000), fee: usd(0), at: 1 }),
    transferred({ payout: 'po', seller: 'usr_a', amount: usd(100), at: 1 }),
  ])
    sums.apply(legs)
  sums.apply(reserved({ payout: 'po', seller: 'usr_b', amount: usd(70), at: 1 }).legs)
  gauges(opsOf(node.broker).registry).show({ balances: sums, position: { seq: 3, hash: '' } })
  const text = opsOf(node.broker).registry.text()
  t.true(text.includes('gigwire_ledger_balance{account="psp",currency="usd"} 900\n'), text)
  t.true(text.includes('gigwire_money_sellers_negative{currency="usd"} 70\n'), text)
})
