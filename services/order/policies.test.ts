// Fees set by an admin, over the running services: new orders are placed under them, old ones never.
import test from 'ava'
import { as, codeOf, openLife, PEOPLE, usd, type Life } from '../../test/living.ts'

let life: Life
test.before(async () => {
  life = await openLife()
})
test.after.always(() => life?.stop())

const TERMS = {
  serviceFee: { basisPoints: 1000, smallOrderFee: 0, smallOrderBelow: 0 },
  commission: {
    basisPoints: 2000,
    fixed: 0,
    tipBasisPoints: 1000,
    rules: [{ category: 'design', basisPoints: 1000, fixed: 100 }],
  },
  tax: { jurisdiction: 'de', serviceFeeBasisPoints: 1900, commissionBasisPoints: 1900 },
}
const set = (version: number, terms: object = {}) =>
  life.node.call('order.setFeePolicy', { version, note: 'a try', ...TERMS, ...terms }, as('admin'))

test.serial('a new policy is for new orders; one under way keeps its fees to the end', async (t) => {
  const { node, at, ask, delivered, by, owed, read } = life
  const old = await at(...delivered)
  const policy = await set(1)
  t.like(policy, { version: 2, by: PEOPLE.admin.id, commission: TERMS.commission })
  const young = await at(...delivered)
  const clearing = `clearing:${PEOPLE.seller.id}`
  const before = await owed(clearing)
  await ask(old, 'buyer', 'accept')
  t.deepEqual([(await read(old)).price.total, (await owed(clearing)) - before], [usd(5575), 4000])
  t.is(await owed('tax:de'), 0)
  await ask(young, 'buyer', 'accept')
  // 10 % and 1.00, with 19 % of it on top: 600 + 114. The fee of 500 has 80 inside.
  t.deepEqual([(await read(young)).price.total, (await owed(clearing)) - before - 4000], [usd(5500), 4286])
  t.is(await owed('tax:de'), 194)
  t.deepEqual((await node.call('order.get', { id: young }, as('seller'))).fees, {
    policy: 2,
    commission: usd(600),
    tax: usd(114),
    earnings: usd(4286),
  })
  t.is((await node.call('order.get', { id: young }, as('buyer'))).fees, undefined)
  await by('buyer', 'tip')(young)
  // 500 with 10 % and its tax: 50 + 9.5, rounded up once.
  t.is((await owed(clearing)) - before - 8286, 440)
  t.deepEqual((await node.call('ledger.trialBalance', {}, as('admin'))).totals, [usd(0)])
})

test.serial('policies are versions that admins add, each to the one they have seen', async (t) => {
  const { node } = life
  const { data } = await node.call('order.feePolicies', {}, as('admin'))
  t.deepEqual(
    data.map(({ version, at }) => [version, at === null]),
    [
      [2, false],
      [1, true],
    ],
  )
  for (const version of [1, 3]) t.is(await codeOf(set(version)), 'conflict')
  const codes = await Promise.all([codeOf(set(2)), codeOf(set(2)), codeOf(set(2))])
  t.deepEqual(codes.toSorted(), ['conflict', 'conflict', 'taken'])
  const hidden = {
    commission: {
      ...TERMS.commission,
      rules: [
        { basisPoints: 1, fixed: 0 },
        { level: 'new', basisPoints: 0, fixed: 0 },
      ],
    },
  }
  t.is(await codeOf(set(3, hidden)), 'validation_failed')
  t.is(await codeOf(set(3, { commission: { ...TERMS.commission, basisPoints: 10_001 } })), 'validation_failed')
  t.is(await codeOf(node.call('order.feePolicies', {}, as('seller'))), 'forbidden')
  const page = await node.call('order.feePolicies', { limit: 1 }, as('admin'))
  t.deepEqual(
    page.data.map(({ version }) => version),
    [3],
  )
  const rest = await node.call('order.feePolicies', { limit: 5, cursor: page.nextCursor! }, as('admin'))
  t.deepEqual(
    rest.data.map(({ version }) => version),
    [2, 1],
  )
})
