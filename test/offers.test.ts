// A custom offer over public HTTP and WebSocket only: from the message that shows it to the order that is worked on, and
// with the process killed while it is accepted.
import test from 'ava'
import { gigBody } from './everything.ts'
import { startMarket, type Answer, type Market } from './market.ts'
import { eventually } from './node.ts'
import { checkMoney, freshMemory } from './story.ts'

const TERMS = {
  title: 'Ten islands',
  description: 'The whole archipelago, one sheet each.',
  price: { amount: 40_000, currency: 'usd' },
  deliveryDays: 9,
  revisions: 2,
}
type Person = { id: string; token: string }
type Stage = { market: Market; seller: Person; buyer: Person; gig: string; conversation: string }

const stage = async (): Promise<Stage> => {
  const market = await startMarket()
  const person = async (name: string): Promise<Person> => {
    const { body } = await market.ask('POST', '/v1/auth/register', {
      body: { email: `${name}@offers.test`, password: 'a-long-password', username: name, displayName: name },
    })
    return { id: body.user.id, token: body.accessToken }
  }
  const [seller, buyer] = [await person('offer-seller'), await person('offer-buyer')]
  await market.ask('POST', '/v1/me/seller', { token: seller.token, body: {} })
  const { body: gig } = await market.ask('POST', '/v1/gigs', {
    token: seller.token,
    body: { ...gigBody, requirements: [] },
  })
  await market.ask('POST', `/v1/gigs/${gig.id}/publish`, { token: seller.token, body: {} })
  const { body: conversation } = await market.ask('POST', '/v1/conversations', {
    token: buyer.token,
    body: { with: seller.id, gig: gig.id },
  })
  return { market, seller, buyer, gig: gig.id, conversation: conversation.id }
}
const make = ({ market, seller, gig, conversation }: Stage, key?: string) =>
  market.ask('POST', `/v1/conversations/${conversation}/offers`, {
    token: seller.token,
    body: { gig, ...TERMS },
    ...(key && { key }),
  })
const problems = async ({ opsPort }: Market): Promise<string[]> => {
  const { checks } = (await (await fetch(`http://127.0.0.1:${opsPort}/verify`)).json()) as {
    checks: { problems: string[] }[]
  }
  return checks.flatMap((check) => check.problems)
}

test('an offer in a conversation is accepted, paid and worked on, and every device sees what became of it', async (t) => {
  t.timeout(120_000)
  const on = await stage()
  const { market, buyer, seller, conversation } = on
  t.teardown(market.stop)
  const [phone, desk] = [await market.socket(buyer.token), await market.socket(seller.token)]
  const made = await make(on, 'make')
  t.is(made.status, 201, JSON.stringify(made.body))
  for (const device of [phone, desk]) {
    const { data } = await eventually(
      () => device.events.find(({ ev }) => ev === 'message')!,
      (event) => event !== undefined,
    )
    t.like(data, { seq: 1, conversation, sender: seller.id, text: TERMS.title })
    t.like(data.offer, { id: made.body.id, price: TERMS.price, deliveryDays: 9, revisions: 2, status: 'open' })
  }
  const offer = `/v1/offers/${made.body.id}`
  t.is((await market.ask('POST', `${offer}/accept`, { token: seller.token, body: {} })).status, 403)
  t.is((await market.ask('POST', `${offer}/accept`, { token: buyer.token, body: { price: TERMS.price } })).status, 400)
  const accepted = await market.ask('POST', `${offer}/accept`, { token: buyer.token, body: {}, key: 'accept' })
  t.is(accepted.status, 201, JSON.stringify(accepted.body))
  t.like(accepted.body, { status: 'awaiting_payment', offer: made.body.id, package: { name: 'custom' } })
  t.is(accepted.body.price.total.amount, 42_200)
  t.truthy(accepted.body.payment.clientSecret)
  t.is(accepted.body.payment.provider, 'sandbox')
  const replayed = await market.ask('POST', `${offer}/accept`, { token: buyer.token, body: {}, key: 'accept' })
  t.is(replayed.headers.get('idempotency-replayed'), 'true')
  const again = await market.ask('POST', `${offer}/accept`, { token: buyer.token, body: {}, key: 'another' })
  t.deepEqual([again.status, again.body.id, replayed.body.id], [200, accepted.body.id, accepted.body.id])
  for (const device of [phone, desk]) {
    const { data } = await eventually(
      () => device.events.find(({ ev }) => ev === 'message.edited')!,
      (event) => event !== undefined,
    )
    t.like(data, { seq: 1, text: TERMS.title })
    t.like(data.offer, { id: made.body.id, status: 'accepted', order: accepted.body.id })
  }
  const page = await market.ask('GET', `/v1/conversations/${conversation}/messages`, { token: buyer.token })
  t.deepEqual(
    page.body.data.map(({ offer: one }: { offer: { status: string } }) => one.status),
    ['accepted'],
  )
  const order = `/v1/orders/${accepted.body.id}`
  const paid = await market.ask('POST', `${order}/pay`, {
    token: buyer.token,
    body: { paymentMethod: 'pm_card_visa' },
    key: 'pay',
  })
  t.deepEqual([paid.status, paid.body.status], [200, 'in_progress'])
  t.is(paid.body.revisionsLeft, 2)
  t.is(Date.parse(paid.body.dueAt) - Date.parse(paid.body.createdAt) >= 9 * 86_400_000, true)
  t.is(
    (await market.ask('POST', `${offer}/withdraw`, { token: seller.token, body: {} })).body.code,
    'invalid_transition',
  )
  const listed = await market.ask('GET', '/v1/orders?role=seller', { token: seller.token })
  t.deepEqual(
    listed.body.data.map(({ package: { name } }: { package: { name: string } }) => name),
    ['custom'],
  )
  t.deepEqual(await problems(market), [])
  phone.close()
  desk.close()
})

/** When the process dies after the request left, in ms. */
const DEATHS_MS = [0, 4, 8, 12, 20, 35]

test('an offer accepted while the process is killed is one order, also when nobody asks again', async (t) => {
  t.timeout(240_000)
  const on = await stage()
  const { market, buyer } = on
  t.teardown(market.stop)
  let accepted = 0
  for (const [round, after] of DEATHS_MS.entries()) {
    const { body } = await make(on, `make-${round}`)
    const ask = () =>
      market.ask('POST', `/v1/offers/${body.id}/accept`, { token: buyer.token, body: {}, key: `accept-${round}` })
    const cut = ask().catch(() => null)
    await new Promise((resolve) => setTimeout(resolve, after))
    await market.kill()
    await cut
    await market.start()
    const offer = (await market.ask('GET', `/v1/offers/${body.id}`, { token: buyer.token })).body
    if (offer.status === 'accepted') {
      accepted++
      // Nobody asks: what was said with the change makes the order.
      await eventually(
        () => market.ask('GET', `/v1/orders/${offer.order}`, { token: buyer.token }),
        ({ status }) => status === 200,
      )
    }
    const answer = await eventually<Answer>(ask, ({ status }) => status !== 503 && status !== 409)
    t.is(answer.status, 201, JSON.stringify(answer.body))
    if (offer.order) t.is(answer.body.id, offer.order)
    t.truthy(answer.body.payment.clientSecret)
    const orders = await market.ask('GET', '/v1/orders?role=buyer&limit=100', { token: buyer.token })
    t.is(orders.body.data.length, round + 1)
  }
  t.log(`${accepted} of ${DEATHS_MS.length} were accepted when the process died`)
  const paid = await market.ask('POST', '/v1/auth/login', {
    body: { email: 'admin@demo.test', password: 'demo-password' },
  })
  const memory = freshMemory()
  memory.tokens.admin = paid.body.accessToken
  await checkMoney({ t, market, memory })
  t.deepEqual(await problems(market), [])
})
