// What a card's bank takes back after everything was paid out, over the running services and the provider's own books.
import test from 'ava'
import { as, codeOf, openLife, PEOPLE, usd, type Life } from '../../test/living.ts'
import { eventually } from '../../test/node.ts'
import payout from '../payout/payout.service.ts'
import { CLEARING_MS } from './timing.ts'

let life: Life
test.before(async () => {
  life = await openLife([payout])
})
test.after.always(() => life?.stop())

const balance = () => life.node.call('payout.balance', {}, as('seller'))
const advance = async (ms: number) => {
  await life.advance(ms)
  for (const name of ['payout', 'payment']) await life.node.broker.call(`${name}.wakeDue`, {}, { timeout: 60_000 })
}
/** What we believe to have at the provider, and what it says. */
const atProvider = async () => {
  const { available, pending } = await life.provider.balance()
  return [0 - (await life.owed('psp')), (available['usd'] ?? 0) + (pending['usd'] ?? 0)]
}

test.serial(
  'taken back after the payout: the seller owes it, the next earnings pay it, and our books agree with the provider',
  async (t) => {
    const { node, at, by, paid, delivered, takenBack, bankDecides, provider, read } = life
    await node.call('payment.onboard', { user: PEOPLE.seller.id, email: 'seller@life.test', country: 'US' })
    // The provider keeps its fee of a charge, so what is paid out and taken back needs money from elsewhere too.
    for (let more = 0; more < 3; more++) await at(paid)
    const id = await at(...delivered, by('buyer', 'accept'))
    await advance(CLEARING_MS)
    await eventually(
      async () => (await advance(60_000), node.call('payout.list', {}, as('seller'))),
      ({ data }) => data[0]?.status === 'paid',
    )
    t.deepEqual((await balance()).available, usd(0))

    provider.server.faults.add({ kind: 'webhook_duplicated', count: 20 })
    await takenBack()(id)
    t.deepEqual(await balance(), { clearing: usd(0), available: usd(-4000), inPayout: usd(0), held: usd(4000) })
    t.is(await codeOf(node.call('payout.request', {}, as('seller'))), 'insufficient_balance')
    await bankDecides('lost')(id)
    t.is((await read(id)).status, 'cancelled')
    t.deepEqual(await balance(), { clearing: usd(0), available: usd(-4000), inPayout: usd(0), held: usd(0) })

    await at(...delivered, by('buyer', 'accept'))
    await at(...delivered, by('buyer', 'accept'))
    await advance(CLEARING_MS)
    const { data } = await eventually(
      async () => (await advance(60_000), node.call('payout.list', {}, as('seller'))),
      ({ data: all }) => all.length === 2 && all[0]!.status === 'paid',
    )
    t.deepEqual(
      data.map(({ amount }) => amount),
      [usd(4000), usd(4000)],
    )
    const [ours, theirs] = await atProvider()
    t.is(ours, theirs)
    t.deepEqual((await node.call('ledger.trialBalance', {}, as('admin'))).totals, [usd(0)])
    t.deepEqual((await node.call('order.verify', {})).problems, [])
  },
)

test.serial('what was bought during work goes back to the payment it came with', async (t) => {
  const { at, by, paid, timeline } = life
  for (let more = 0; more < 3; more++) await at(paid)
  const id = await at(paid, by('buyer', 'extras'), by('seller', 'cancel'), by('buyer', 'cancel'))
  const sent = await eventually(
    async () => (await timeline(id)).filter(({ type }) => type === 'refunded' || type === 'refund_failed'),
    ({ length }) => length === 2,
  )
  t.deepEqual(sent.map(({ type, data }) => [type, (data['amount'] as { amount: number }).amount]).toSorted(), [
    ['refunded', 1583],
    ['refunded', 5575],
  ])
  const [ours, theirs] = await atProvider()
  t.is(ours, theirs)
})

test.serial('a buyer who takes a payment back and has it refunded gets it once', async (t) => {
  const { at, by, paid, seen, takenBack, bankDecides, timeline, owed, node } = life
  for (let more = 0; more < 3; more++) await at(paid)
  const id = await at(paid)
  const credit = `buyer_credit:${PEOPLE.buyer.id}`
  const [before] = [await owed(credit)]
  await takenBack()(id)
  // The bank has it: neither side can give it back now.
  t.is(await codeOf(by('seller', 'cancel')(id)), 'invalid_transition')
  await bankDecides('won')(id)
  await by('seller', 'cancel')(id)
  await by('buyer', 'cancel')(id)
  await seen('refunded')(id)
  t.is(await owed(credit), before)
  t.is((await timeline(id)).filter(({ type }) => type === 'refunded').length, 1)
  const [ours, theirs] = await atProvider()
  t.is(ours, theirs)
  t.deepEqual((await node.call('ledger.trialBalance', {}, as('admin'))).totals, [usd(0)])
})
