// What a card's bank does to an order, from the provider's webhook to the books: the whole market, over HTTP.
import test, { type ExecutionContext } from 'ava'
import type { Sandbox } from '../adapters/payments/sandbox.ts'
import { castOf, startEverything, thingsOf, type Cast, type Everything } from './everything.ts'
import { eventually } from './node.ts'

type World = { market: Everything; cast: Cast; gig: string; provider: Sandbox }

const start = async (t: ExecutionContext): Promise<World> => {
  const market = await startEverything()
  t.teardown(market.stop)
  const cast = await castOf(market)
  const { gig } = await thingsOf(market, cast)
  return { market, cast, gig, provider: (await market.open('payments')) as Sandbox }
}

/** An order of the buyer's, paid with a card that brings trouble. */
const ordered = async ({ market, cast: { buyer }, gig }: World, paymentMethod: string): Promise<string> => {
  const { token } = buyer
  const { body } = await market.request('POST', '/v1/orders', { token, body: { gig, package: 'basic' } })
  await market.request('POST', `/v1/orders/${body.id}/pay`, { token, body: { paymentMethod } })
  return body.id
}

const stepsOf = async ({ market, cast }: World, order: string): Promise<string[]> => {
  const { body } = await market.request('GET', `/v1/orders/${order}/events`, { token: cast.buyer.token })
  return body.data.map(({ type }: { type: string }) => type)
}
const happens = (world: World, order: string, step: string) =>
  eventually(
    () => stepsOf(world, order),
    (steps) => steps.includes(step),
  )
const chargebackOf = async ({ market, cast }: World, order: string) => {
  const { body } = await market.request('GET', '/v1/admin/chargebacks', { token: cast.admin.token })
  return body.data.find((one: { order: string }) => one.order === order)
}
const said = ({ market, cast }: World, id: string, verb: 'answer' | 'accept', body: object) =>
  market.request('POST', `/v1/admin/chargebacks/${id}/${verb}`, { token: cast.admin.token, body })
const advance = ({ market, cast }: World, advanceSeconds: number) =>
  market.request('POST', '/v1/sandbox/clock', { token: cast.admin.token, body: { advanceSeconds } })

/** All accounts together are zero, and what the books say the provider has is what it has. */
const booksAgree = async (t: ExecutionContext, { market, cast, provider }: World) => {
  const sums = async () => {
    const { body } = await market.request('GET', '/v1/admin/ledger/trial-balance', { token: cast.admin.token })
    const accounts = body.data as { account: string; balance: { amount: number } | number }[]
    const of = ({ balance }: (typeof accounts)[number]) => (typeof balance === 'number' ? balance : balance.amount)
    const { available, pending } = await provider.balance()
    return {
      all: accounts.reduce((sum, one) => sum + of(one), 0),
      psp: accounts.filter(({ account }) => account === 'psp').reduce((sum, one) => sum + of(one), 0),
      provider: (available.usd ?? 0) + (pending.usd ?? 0),
    }
  }
  const { all, psp, provider: has } = await eventually(sums, (one) => one.psp === one.provider)
  t.is(all, 0)
  t.is(psp, has)
}

test('a payment taken back stands still, is answered by an admin, and goes on when its money is back', async (t) => {
  const world = await start(t)
  const order = await ordered(world, 'pm_card_createDispute')
  await happens(world, order, 'charged_back')
  await booksAgree(t, world)
  const chargeback = await chargebackOf(world, order)
  t.like(chargeback, { order, status: 'needs_response', inquiry: false, canAnswer: true })
  const { market, cast } = world
  const refused = await market.request('POST', `/v1/admin/chargebacks/${chargeback.id}/accept`, {
    token: cast.seller.token,
    body: {},
  })
  t.is(refused.status, 403)
  const answer = await said(world, chargeback.id, 'answer', { evidence: { text: 'winning_evidence' } })
  t.is(answer.status, 200)
  t.like(answer.body, { status: 'under_review', canAnswer: false, sending: false })
  t.is((await said(world, chargeback.id, 'answer', { evidence: { text: 'more' } })).status, 409)
  await advance(world, 120)
  await happens(world, order, 'chargeback_won')
  t.like(await chargebackOf(world, order), { status: 'won', restored: chargeback.taken })
  await booksAgree(t, world)
})

test('a chargeback that an admin accepts is lost, and the books still agree', async (t) => {
  const world = await start(t)
  const order = await ordered(world, 'pm_card_createDispute')
  await happens(world, order, 'charged_back')
  const { id } = await chargebackOf(world, order)
  t.is((await said(world, id, 'accept', {})).status, 200)
  await eventually(
    () => stepsOf(world, order),
    (steps) => steps.some((step) => step === 'chargeback_lost' || step === 'cancelled_by_chargeback'),
  )
  await booksAgree(t, world)
})

test('a payment that its issuer reports as fraud is given back before it becomes a chargeback', async (t) => {
  const world = await start(t)
  // The provider keeps its fee, so the refund needs money from elsewhere too.
  await ordered(world, 'pm_card_visa')
  const order = await ordered(world, 'pm_card_createIssuerFraudRecord')
  await happens(world, order, 'refunded')
  await booksAgree(t, world)
})
