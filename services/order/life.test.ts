// The whole table over the running services: every row is taken by everybody who may, and wherever an order is, every move
// that is not offered is refused and changes nothing.
import test from 'ava'
import { as, BODIES, codeOf, MOVES, openLife, PEOPLE, usd, type Life, type Who } from '../../test/living.ts'
import { eventually } from '../../test/node.ts'
import { waysOf } from '../../test/ways.ts'
import { ORDER_STATUSES, type OrderStatus } from './contract.ts'
import { steps, type Role, type Step } from './process.ts'
import { CLEARING_MS } from './timing.ts'

let life: Life
/** Where orders ended that took the ways. */
const ended: Record<string, string> = {}
test.before(async () => {
  life = await openLife()
})
test.after.always(() => life?.stop())

test.serial('every row of the table is taken by everybody who may take it, and the books balance', async (t) => {
  t.timeout(120_000)
  const { node, timeline } = life
  const taken = new Set<string>()
  for (const [name, go] of Object.entries(waysOf(life))) {
    const id = (ended[name] = await go())
    const events = await timeline(id)
    t.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
      name,
    )
    for (const { type, actor } of events) taken.add(`${type} by ${actor.role}`)
  }
  const rows = Object.entries(steps).flatMap(([name, step]) => step.by.map((role) => `${name} by ${role}`))
  t.deepEqual(
    rows.filter((row) => !taken.has(row)),
    [],
  )
  const { problems } = await node.call('order.verify', {})
  t.deepEqual(problems, [])
  const { totals } = await node.call('ledger.trialBalance', {}, as('admin'))
  t.deepEqual(totals, [usd(0)])
  t.deepEqual(await node.call('ledger.verify', {}).then(({ problems: found }) => found), [])
})

test.serial('every move that the table forbids is refused, whoever asks, and changes nothing', async (t) => {
  t.timeout(120_000)
  t.deepEqual([...MOVES.keys()].sort(), Object.keys(BODIES).sort())
  const { node, ask, read, timeline, places, giveBack } = life
  const found: Record<string, string> = { ...ended }
  for (const status of ORDER_STATUSES) {
    found[status] = await places[status]()
    t.is((await read(found[status])).status, status)
  }
  const books = async () => {
    const { data, entries } = await node.call('ledger.trialBalance', {}, as('admin'))
    return { data, entries }
  }
  const sums = await books()
  let tried = 0
  for (const [where, id] of Object.entries(found)) {
    const before = [await read(id), await timeline(id)] as const
    const { status } = before[0]
    for (const who of ['buyer', 'seller', 'stranger', 'admin'] as const) {
      const offered = ['buyer', 'seller'].includes(who)
        ? (await node.call('order.get', { id }, as(who))).allowedActions
        : []
      for (const move of MOVES.keys()) {
        if (offered.includes(move)) continue
        const code = await codeOf(ask(id, who, move))
        t.true(expected(move, who, status as OrderStatus).includes(code), `${where}: ${move} by ${who}: ${code}`)
        tried++
      }
    }
    if (!steps.partly_refunded.from.some((from) => from === status)) {
      t.is(await codeOf(giveBack(1)(id)), 'invalid_transition', where)
      tried++
    }
    t.deepEqual([await read(id), await timeline(id)], [...before], where)
  }
  t.deepEqual(await books(), sums)
  t.true(tried > Object.keys(found).length * 30, `${tried}`)
})

/** A stranger is told nothing (404), the wrong party no (403), the right one when it is the wrong time (409). */
const expected = (move: string, who: Who, status: OrderStatus): string[] => {
  if (who === 'stranger') return ['not_found']
  if (who === 'admin') return ['forbidden']
  const rows = (Object.values(steps) as Step[]).filter(({ action }) => action === move)
  if (!rows.some((step) => (step.by as readonly Role[]).includes(who))) return ['forbidden']
  // Where the move is somebody's right now, it may be the other party's.
  return rows.some((step) => step.from.includes(status)) ? ['forbidden', 'invalid_transition'] : ['invalid_transition']
}

test.serial('a tip is a payment of its own, once per key, and clears like the order', async (t) => {
  const { node, at, ask, by, delivered, read, advance, owed } = life
  const id = await at(...delivered, by('buyer', 'accept'))
  const clearing = () => owed(`clearing:${PEOPLE.seller.id}`)
  const before = await clearing()
  const command = { id: 'tip-once', at: node.clock.now() }
  const give = () =>
    node.call('order.tip', { id, amount: usd(2000) }, { meta: { caller: PEOPLE.buyer, command }, timeoutMs: 30_000 })
  const [first, again] = [await give(), await give()]
  t.deepEqual(
    first.tips.map(({ amount, status }) => [amount, status]),
    [[usd(2000), 'paid']],
  )
  t.deepEqual(again.tips, first.tips)
  t.is((await clearing()) - before, 2000)
  t.is(first.price.total.amount, (await read(id)).price.total.amount)
  t.is(await codeOf(ask(id, 'buyer', 'tip', { amount: usd(48_001) })), 'validation_failed')
  t.is(await codeOf(ask(id, 'buyer', 'tip', { amount: { amount: 500, currency: 'eur' } })), 'validation_failed')
  t.is(await codeOf(ask(id, 'seller', 'tip')), 'forbidden')
  t.is(
    await codeOf(ask(id, 'buyer', 'tip', { amount: usd(500), paymentMethod: 'pm_card_visa_chargeDeclined' })),
    'payment_declined',
  )
  const asked = await ask(id, 'buyer', 'tip', { amount: usd(600), paymentMethod: 'pm_card_authenticationRequired' })
  t.is(asked.payment?.status, 'requires_action')
  t.truthy(asked.payment?.clientSecret)
  t.truthy(asked.payment?.nextAction)
  await advance(CLEARING_MS)
  t.deepEqual(
    (await read(id)).tips.map(({ status }) => status),
    ['cleared'],
  )
})

test.serial('an admin gives back what was paid out already, and the seller owes their share', async (t) => {
  const { at, by, after, delivered, read, giveBack, owed, places } = life
  const id = await at(...delivered, by('buyer', 'accept'), after(CLEARING_MS))
  const { price } = await read(id)
  const available = `available:${PEOPLE.seller.id}`
  const before = await owed(available)
  await giveBack(price.total.amount)(id)
  t.is(before - (await owed(available)), 4000)
  t.is((await read(id)).status, 'cancelled')
  t.is(await codeOf(giveBack(1)(id)), 'invalid_transition')
  t.is(await codeOf(giveBack(1)(await places.disputed())), 'invalid_transition')
})

test.serial("money that moved behind an order's back is found", async (t) => {
  const { node, at, paid, delivered, by, takenBack } = life
  const [held, done, back] = [
    await at(paid),
    await at(...delivered, by('buyer', 'accept')),
    await at(paid, takenBack()),
  ]
  await at(paid, by('seller', 'refund-offer'), by('buyer', 'refund-offer', {}))
  const problems = () => node.call('order.verify', {}).then((verified) => verified.problems)
  t.deepEqual(await problems(), [])
  const posting = (id: string, amount: number, debit: string) => ({
    id: `stray:${id}`,
    kind: debit.startsWith('dispute') ? 'chargeback' : 'charge',
    about: {},
    at: node.clock.now(),
    legs: [
      { account: debit, amount, currency: 'usd' },
      { account: 'psp', amount: 0 - amount, currency: 'usd' },
    ],
  })
  const [claim] = (await life.read(back)).chargebacks!
  const entries = [
    posting(held, 100, `escrow:${held}`),
    posting(done, -100, `escrow:${done}`),
    posting(back, 1, `dispute:${claim!.id}`),
  ]
  await node.call('ledger.post', { entries })
  const found = await eventually(problems, ({ length }) => length === 3)
  for (const id of [held, done, back])
    t.true(
      found.some((problem) => problem.startsWith(`${id}: `)),
      id,
    )
})
