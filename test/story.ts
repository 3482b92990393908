// The story of the marketplace, as steps anybody could take over public HTTP and WebSocket: from signing up to being paid,
// with the money checked after every step. The same steps are told to one process, to one that is killed between any two,
// and to several with the real servers behind them.
import type { ExecutionContext } from 'ava'
import type { Market } from './market.ts'
import { eventually } from './node.ts'

/** What the story remembers between steps: plain ids and tokens, so that it survives the death of the process. */
export type Memory = {
  tokens: Record<'admin' | 'seller' | 'buyer', string>
  ids: Record<string, string>
  /** What the books should say, minor units of usd. */
  seller: { clearing: number; available: number; inPayout: number }
}
export type Teller = { t: ExecutionContext; market: Market; memory: Memory }
export type Step = { name: string; take(teller: Teller): Promise<void> }

const usd = (amount: number) => ({ amount, currency: 'usd' })
const DAY_SECONDS = 86_400
export const freshMemory = (): Memory => ({
  tokens: { admin: '', seller: '', buyer: '' },
  ids: {},
  seller: { clearing: 0, available: 0, inPayout: 0 },
})

const GIG = {
  title: 'I will draw a fine logo for your bakery',
  description:
    'Hand drawn, vector files included, three ideas to choose from. Made for small shops that want to be remembered.',
  category: 'design',
  subcategory: 'logo-design',
  tags: ['logo', 'bakery'],
  packages: {
    basic: {
      title: 'One idea',
      description: 'One logo idea with vector files.',
      price: usd(10_000),
      deliveryDays: 3,
      revisions: 1,
      features: ['Vector file'],
    },
    premium: {
      title: 'Three ideas',
      description: 'Three logo ideas with vector files.',
      price: usd(25_000),
      deliveryDays: 5,
      revisions: 3,
      features: ['Vector file', 'Source file'],
    },
  },
  extras: [{ id: 'fast', title: 'A day faster', price: usd(2000), addedDays: 0 }],
  faq: [{ question: 'Do you print?', answer: 'No, only drawing.' }],
  requirements: [{ id: 'name', question: 'What is your shop called?', type: 'text', required: true }],
  images: [],
}
/** basic: 100.00, fee 5.50, commission 20.00. */
const TOTAL = 10_550
const EARNED = 8000

const expectStatus = (t: ExecutionContext, answer: { status: number; body: unknown }, status: number, what: string) =>
  t.is(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`)

/** Tells the whole story to a market, with the books checked after every step and after what happens between two. */
export const tell = async (t: ExecutionContext, market: Market, between?: () => Promise<void>): Promise<void> => {
  const teller = { t, market, memory: freshMemory() }
  try {
    for (const step of story) {
      t.log(step.name)
      await step.take(teller)
      await checkMoney(teller)
      if (!between) continue
      await between()
      await checkMoney(teller)
    }
  } catch (error) {
    t.log(market.output().slice(-4000))
    throw error
  }
}

/** The books balance, and the seller's balances are what the story says. */
export const checkMoney = async ({ t, market, memory }: Teller) => {
  const { body } = await market.ask('GET', '/v1/admin/ledger/trial-balance', { token: memory.tokens.admin })
  for (const total of body.totals) t.is(total.amount, 0, `the books are out by ${total.amount} ${total.currency}`)
  const sum = body.data.reduce((all: number, { balance }: { balance: { amount: number } }) => all + balance.amount, 0)
  t.is(sum, 0)
  if (!memory.tokens.seller) return
  const balance = await market.ask('GET', '/v1/me/balance', { token: memory.tokens.seller })
  const { clearing, available, inPayout } = balance.body
  t.deepEqual(
    { clearing, available, inPayout },
    {
      clearing: usd(memory.seller.clearing),
      available: usd(memory.seller.available),
      inPayout: usd(memory.seller.inPayout),
    },
  )
}

const login = async ({ t, market, memory }: Teller, who: keyof Memory['tokens'], email: string, password: string) => {
  const answer = await market.ask('POST', '/v1/auth/login', { body: { email, password } })
  expectStatus(t, answer, 200, `login of ${email}`)
  memory.tokens[who] = answer.body.accessToken
}

const order = async ({ t, market, memory }: Teller, name: string, body: Record<string, unknown> = {}) => {
  const placed = await market.ask('POST', '/v1/orders', {
    token: memory.tokens.buyer,
    key: `place-${name}`,
    body: { gig: memory.ids.gig, package: 'basic', ...body },
  })
  expectStatus(t, placed, 201, `order ${name}`)
  t.is(placed.body.status, 'awaiting_payment')
  t.truthy(placed.body.payment.clientSecret)
  memory.ids[name] = placed.body.id
  return placed.body
}

type Moved = { who: 'buyer' | 'seller'; move: string; body?: Record<string, unknown>; to: string; key?: string }
const move = async ({ t, market, memory }: Teller, name: string, { who, move: what, body = {}, to, key }: Moved) => {
  const answer = await market.ask('POST', `/v1/orders/${memory.ids[name]}/${what}`, {
    token: memory.tokens[who],
    body,
    ...(key && { key }),
  })
  expectStatus(t, answer, 200, `${what} of ${name}`)
  t.is(answer.body.status, to)
  return answer.body
}
const pay = (teller: Teller, name: string, to = 'awaiting_requirements') =>
  move(teller, name, { who: 'buyer', move: 'pay', body: { paymentMethod: 'pm_card_visa' }, to, key: `pay-${name}` })
const answerQuestions = (teller: Teller, name: string) =>
  move(teller, name, {
    who: 'buyer',
    move: 'requirements',
    body: { answers: [{ id: 'name', answer: 'Crumbs' }] },
    to: 'in_progress',
  })
const deliver = (teller: Teller, name: string) =>
  move(teller, name, { who: 'seller', move: 'deliver', body: { message: 'Here it is.' }, to: 'delivered' })

const advance = async ({ t, market, memory }: Teller, seconds: number) =>
  expectStatus(
    t,
    await market.ask('POST', '/v1/sandbox/clock', { token: memory.tokens.admin, body: { advanceSeconds: seconds } }),
    200,
    `advance ${seconds} s`,
  )

const statusIs = ({ t, market, memory }: Teller, name: string, status: string) =>
  eventually(
    () => market.ask('GET', `/v1/orders/${memory.ids[name]}`, { token: memory.tokens.buyer }),
    ({ body }) => body.status === status,
  ).then(({ body }) => t.is(body.status, status))

export const story: Step[] = [
  {
    name: 'people sign up',
    take: async (teller) => {
      const { t, market, memory } = teller
      await login(teller, 'admin', 'admin@demo.test', 'demo-password')
      for (const who of ['seller', 'buyer'] as const) {
        const body = {
          email: `${who}@story.test`,
          password: 'a-long-password',
          username: `story-${who}`,
          displayName: `The ${who}`,
        }
        const registered = await market.ask('POST', '/v1/auth/register', { body })
        expectStatus(t, registered, 201, `register ${who}`)
        memory.tokens[who] = registered.body.accessToken
        memory.ids[who] = registered.body.user.id
        expectStatus(t, await market.ask('POST', '/v1/auth/register', { body }), 409, 'the same again')
      }
    },
  },
  {
    name: 'one becomes a seller, true at the next request with the same token',
    take: async ({ t, market, memory }) => {
      const token = memory.tokens.seller
      expectStatus(t, await market.ask('POST', '/v1/gigs', { token, body: GIG }), 403, 'a gig before selling')
      const seller = await market.ask('POST', '/v1/me/seller', { token, body: {} })
      expectStatus(t, seller, 200, 'become a seller')
      t.true(seller.body.user.roles.includes('seller'))
      const opened = await market.ask('GET', seller.body.onboardingUrl)
      t.true(opened.status < 400, `onboarding page: ${opened.status}`)
    },
  },
  {
    name: 'a gig is written, published and found',
    take: async ({ t, market, memory }) => {
      const token = memory.tokens.seller
      const draft = await market.ask('POST', '/v1/gigs', { token, body: GIG })
      expectStatus(t, draft, 201, 'draft')
      t.is(draft.body.status, 'draft')
      memory.ids.gig = draft.body.id
      expectStatus(t, await market.ask('GET', `/v1/gigs/${draft.body.id}`), 404, 'a draft is private')
      expectStatus(
        t,
        await market.ask('POST', `/v1/gigs/${draft.body.id}/publish`, { token, body: {} }),
        200,
        'publish',
      )
      await eventually(
        () => market.ask('GET', `/v1/gigs/${draft.body.id}`),
        ({ status, body }) => status === 200 && body.status === 'live',
      )
      const found = await eventually(
        () => market.ask('GET', '/v1/gigs?q=bakery%20logo'),
        ({ body }) => body.data?.some(({ id }: { id: string }) => id === draft.body.id),
      )
      t.true(found.body.total >= 1)
    },
  },
  {
    name: 'a gig with contact details is rejected with reasons',
    take: async ({ t, market, memory }) => {
      const token = memory.tokens.seller
      const draft = await market.ask('POST', '/v1/gigs', {
        token,
        body: { ...GIG, description: `${GIG.description} Write to me at someone@example.com or call +1 555 010 9999.` },
      })
      await market.ask('POST', `/v1/gigs/${draft.body.id}/publish`, { token, body: {} })
      const rejected = await eventually(
        () => market.ask('GET', `/v1/gigs/${draft.body.id}`, { token }),
        ({ body }) => body.status === 'rejected',
      )
      t.true(rejected.body.reasons.length > 0)
    },
  },
  {
    name: 'buyer and seller talk',
    take: async ({ t, market, memory }) => {
      const opened = await market.ask('POST', '/v1/conversations', {
        token: memory.tokens.buyer,
        body: { with: memory.ids.seller, gig: memory.ids.gig },
      })
      expectStatus(t, opened, 201, 'open a conversation')
      memory.ids.conversation = opened.body.id
      const same = await market.ask('POST', '/v1/conversations', {
        token: memory.tokens.seller,
        body: { with: memory.ids.buyer },
      })
      t.is(same.body.id, opened.body.id)
      const buyer = await market.socket(memory.tokens.buyer)
      const seller = await market.socket(memory.tokens.seller)
      const sent = await buyer.op('send', {
        conversation: opened.body.id,
        clientId: 'hello-1',
        text: 'Do you draw bread?',
      })
      t.is(sent.message?.seq, 1, JSON.stringify(sent))
      await eventually(
        () => seller.events.filter(({ ev }) => ev === 'message').length,
        (count) => count === 1,
      )
      const again = await market.ask('POST', `/v1/conversations/${opened.body.id}/messages`, {
        token: memory.tokens.buyer,
        body: { clientId: 'hello-1', text: 'Do you draw bread?' },
      })
      expectStatus(t, again, 200, 'the same clientId over HTTP')
      t.is(again.body.id, sent.message.id)
      const reply = await seller.op('send', {
        conversation: opened.body.id,
        clientId: 'hello-2',
        text: 'All day long.',
      })
      t.is(reply.message?.seq, 2)
      buyer.close()
      seller.close()
    },
  },
  {
    name: "the market's very first payment is given back in full",
    take: async (teller) => {
      await order(teller, 'first')
      await pay(teller, 'first')
      await move(teller, 'first', { who: 'buyer', move: 'cancel', body: { reason: 'too early' }, to: 'cancelled' })
      await refunded(teller, 'first')
    },
  },
  {
    name: 'an order is placed at the price of the gig, once per key',
    take: async (teller) => {
      const { t, market, memory } = teller
      const placed = await order(teller, 'main')
      t.deepEqual(placed.price, { subtotal: usd(10_000), serviceFee: usd(550), total: usd(TOTAL) })
      const again = await market.ask('POST', '/v1/orders', {
        token: memory.tokens.buyer,
        key: 'place-main',
        body: { gig: memory.ids.gig, package: 'basic' },
      })
      t.is(again.body.id, placed.id)
      t.is(again.headers.get('idempotency-replayed'), 'true')
      const other = await market.ask('POST', '/v1/orders', {
        token: memory.tokens.buyer,
        key: 'place-main',
        body: { gig: memory.ids.gig, package: 'premium' },
      })
      expectStatus(t, other, 409, 'the same key for something else')
      t.is(other.body.code, 'idempotency_key_reused')
    },
  },
  {
    name: 'a declined card leaves it payable',
    take: async ({ t, market, memory }) => {
      const declined = await market.ask('POST', `/v1/orders/${memory.ids.main}/pay`, {
        token: memory.tokens.buyer,
        key: 'pay-declined',
        body: { paymentMethod: 'pm_card_visa_chargeDeclined' },
      })
      expectStatus(t, declined, 402, 'declined')
      t.is(declined.body.code, 'payment_declined')
      const still = await market.ask('GET', `/v1/orders/${memory.ids.main}`, { token: memory.tokens.buyer })
      t.is(still.body.status, 'awaiting_payment')
    },
  },
  {
    name: 'a good card pays',
    take: async (teller) => {
      const { t, market, memory } = teller
      await pay(teller, 'main')
      const again = await market.ask('POST', `/v1/orders/${memory.ids.main}/pay`, {
        token: memory.tokens.buyer,
        key: 'pay-main',
        body: { paymentMethod: 'pm_card_visa' },
      })
      t.is(again.headers.get('idempotency-replayed'), 'true')
    },
  },
  {
    name: 'a card that needs 3-D Secure pays when the buyer agreed',
    take: async (teller) => {
      const { t, market, memory } = teller
      await order(teller, 'secure')
      const answer = await market.ask('POST', `/v1/orders/${memory.ids.secure}/pay`, {
        token: memory.tokens.buyer,
        key: 'pay-secure',
        body: { paymentMethod: 'pm_card_threeDSecure2Required' },
      })
      expectStatus(t, answer, 200, '3-D Secure')
      t.is(answer.body.status, 'awaiting_payment')
      memory.ids.secureUrl = answer.body.payment.nextAction.url
    },
  },
  {
    name: "the buyer agrees on the bank's page",
    take: async (teller) => {
      const { t, market, memory } = teller
      const approved = await approve(market, memory.ids.secureUrl!)
      t.true(approved < 400, `the bank's page answered ${approved}`)
      await statusIs(teller, 'secure', 'awaiting_requirements')
    },
  },
  {
    name: 'the buyer cancels before work and has everything back',
    take: async (teller) => {
      await move(teller, 'secure', {
        who: 'buyer',
        move: 'cancel',
        body: { reason: 'changed my mind' },
        to: 'cancelled',
      })
      await refunded(teller, 'secure')
    },
  },
  { name: 'the buyer answers the questions', take: async (teller) => void (await answerQuestions(teller, 'main')) },
  { name: 'the seller delivers', take: async (teller) => void (await deliver(teller, 'main')) },
  {
    name: 'the buyer asks for a revision',
    take: async (teller) =>
      void (await move(teller, 'main', {
        who: 'buyer',
        move: 'revision',
        body: { message: 'A little bluer, please.' },
        to: 'in_progress',
      })),
  },
  { name: 'the seller delivers again', take: async (teller) => void (await deliver(teller, 'main')) },
  {
    name: "the buyer accepts and the money is the seller's, clearing",
    take: async (teller) => {
      await move(teller, 'main', { who: 'buyer', move: 'accept', to: 'completed', key: 'accept-main' })
      teller.memory.seller.clearing += EARNED
    },
  },
  {
    name: 'a second order completes itself after three days',
    take: async (teller) => {
      await order(teller, 'silent')
      await pay(teller, 'silent')
      await answerQuestions(teller, 'silent')
      await deliver(teller, 'silent')
      await advance(teller, 3 * DAY_SECONDS + 60)
      await statusIs(teller, 'silent', 'completed')
      teller.memory.seller.clearing += EARNED
    },
  },
  {
    name: 'an order nobody pays expires',
    take: async (teller) => {
      await order(teller, 'unpaid')
      await advance(teller, 31 * 60)
      await statusIs(teller, 'unpaid', 'expired')
      const { t, market, memory } = teller
      const late = await market.ask('POST', `/v1/orders/${memory.ids.unpaid}/pay`, {
        token: memory.tokens.buyer,
        body: { paymentMethod: 'pm_card_visa' },
      })
      expectStatus(t, late, 409, 'paying too late')
    },
  },
  {
    name: 'once work began it takes both to cancel',
    take: async (teller) => {
      await order(teller, 'agreed')
      await pay(teller, 'agreed')
      await answerQuestions(teller, 'agreed')
      await move(teller, 'agreed', { who: 'seller', move: 'cancel', body: { reason: 'ill' }, to: 'in_progress' })
      await move(teller, 'agreed', { who: 'buyer', move: 'cancel', body: { reason: 'get well' }, to: 'cancelled' })
      await refunded(teller, 'agreed')
    },
  },
  {
    name: 'both review, and only then is anything shown',
    take: async ({ t, market, memory }) => {
      const review = (who: 'buyer' | 'seller', rating: number) =>
        market.ask('POST', `/v1/orders/${memory.ids.main}/review`, {
          token: memory.tokens[who],
          body: { rating, text: `Said the ${who}.` },
        })
      expectStatus(t, await review('buyer', 5), 201, 'the buyer reviews')
      t.is((await market.ask('GET', `/v1/gigs/${memory.ids.gig}/reviews`)).body.data.length, 0)
      expectStatus(t, await review('buyer', 1), 409, 'twice')
      expectStatus(t, await review('seller', 4), 201, 'the seller reviews')
      const shown = await eventually(
        () => market.ask('GET', `/v1/gigs/${memory.ids.gig}/reviews`),
        ({ body }) => body.data.length === 1,
      )
      t.is(shown.body.data[0].rating, 5)
      const gig = await eventually(
        () => market.ask('GET', `/v1/gigs/${memory.ids.gig}`),
        ({ body }) => body.reviewCount === 1,
      )
      t.is(gig.body.rating, 5)
    },
  },
  {
    name: 'after fourteen days the money is available',
    take: async (teller) => {
      // Before the daily run at six, so that nothing is paid out on the way: the run below is by hand.
      await advance(teller, 14 * DAY_SECONDS)
      const { memory, market } = teller
      const balance = await market.ask('GET', '/v1/me/balance', { token: memory.tokens.seller })
      // The daily run may have found the first order's money available already.
      const paidOut =
        2 * EARNED - balance.body.available.amount - balance.body.clearing.amount - balance.body.inPayout.amount
      memory.seller = {
        clearing: balance.body.clearing.amount,
        available: balance.body.available.amount,
        inPayout: balance.body.inPayout.amount,
      }
      teller.t.true(paidOut === 0 || paidOut === EARNED || paidOut === 2 * EARNED)
      teller.t.is(memory.seller.clearing, 0)
    },
  },
  {
    name: 'a payout run pays the seller, and the same date is the same run',
    take: async (teller) => {
      const { t, market, memory } = teller
      const run = await market.ask('POST', '/v1/admin/payout-runs', { token: memory.tokens.admin, body: {} })
      t.true(run.status === 201 || run.status === 200, JSON.stringify(run.body))
      const again = await market.ask('POST', '/v1/admin/payout-runs', { token: memory.tokens.admin, body: {} })
      t.is(again.body.id, run.body.id)
      const paidSum = async () => {
        const { body } = await market.ask('GET', '/v1/payouts', { token: memory.tokens.seller })
        return body.data
          .filter(({ status }: { status: string }) => status === 'paid')
          .reduce((sum: number, { amount }: { amount: { amount: number } }) => sum + amount.amount, 0)
      }
      await advance(teller, 2 * DAY_SECONDS)
      t.is(await eventually(paidSum, (sum) => sum === 2 * EARNED), 2 * EARNED)
      memory.seller = { clearing: 0, available: 0, inPayout: 0 }
    },
  },
  {
    name: 'each was told what the other did, once, and nothing of their own doing',
    take: async ({ t, market, memory }) => {
      type Told = { kind: string; about: { id: string }; data: Record<string, unknown> }
      const told = async (who: 'buyer' | 'seller'): Promise<Told[]> =>
        (await market.ask('GET', '/v1/notifications?limit=100', { token: memory.tokens[who]! })).body.data
      const payouts = (all: Told[]) => all.filter(({ kind }) => kind === 'payout').length
      const seller = await eventually(
        () => told('seller'),
        (all) => payouts(all) >= 1,
      )
      const buyer = await told('buyer')
      const steps = (all: Told[], order: string) =>
        all
          .filter(({ kind, about }) => kind === 'order' && about.id === memory.ids[order])
          .map(({ data }) => data.step)
          .toSorted()
      t.deepEqual(steps(buyer, 'main'), ['delivered', 'delivered'])
      t.deepEqual(steps(seller, 'main'), ['accepted', 'cleared', 'paid', 'requirements_answered', 'revision_requested'])
      t.deepEqual(steps(buyer, 'unpaid'), ['expired'])
      const reviews = (all: Told[]) => all.filter(({ kind }) => kind === 'review').map(({ data }) => data.hidden)
      t.deepEqual(reviews(seller).toSorted(), [false, true])
      t.deepEqual(reviews(buyer), [false])
      t.true(seller.some(({ kind, data }) => kind === 'gig' && data.status === 'live'))
      t.true(seller.some(({ kind, data }) => kind === 'gig' && data.status === 'rejected'))
    },
  },
  {
    name: "every order's timeline counts from one without a gap",
    take: async ({ t, market, memory }) => {
      for (const name of ['first', 'main', 'secure', 'silent', 'unpaid', 'agreed']) {
        const { body } = await market.ask('GET', `/v1/orders/${memory.ids[name]}/events`, {
          token: memory.tokens.seller,
        })
        t.deepEqual(
          body.data.map(({ seq }: { seq: number }) => seq),
          body.data.map((_: unknown, at: number) => at + 1),
        )
      }
      const messages = await market.ask('GET', `/v1/conversations/${memory.ids.conversation}/messages`, {
        token: memory.tokens.seller,
      })
      t.deepEqual(
        messages.body.data.map(({ seq }: { seq: number }) => seq),
        [1, 2],
      )
    },
  },
]

/** Everything the buyer paid is on its way back: nothing is held for the order any more. */
const refunded = async ({ t, market, memory }: Teller, name: string) => {
  const held = await eventually(
    () =>
      market.ask('GET', `/v1/admin/ledger/trial-balance?account=escrow:${memory.ids[name]}`, {
        token: memory.tokens.admin,
      }),
    ({ body }) => body.data.every(({ balance }: { balance: { amount: number } }) => balance.amount === 0),
  )
  t.is(held.status, 200)
  await eventually(
    () => market.ask('GET', `/v1/orders/${memory.ids[name]}/events`, { token: memory.tokens.buyer }),
    ({ body }) => body.data.some(({ type }: { type: string }) => type === 'refunded'),
  )
}

/** Opens the bank's page as a browser would and presses the button that agrees. */
const approve = async (market: Market, url: string): Promise<number> => {
  const page = await market.ask<string>('GET', url)
  const [, name, value] = /<button name="([^"]+)" value="(approve)"/.exec(page.body) ?? []
  if (!name || !value) return page.status
  return (
    await market.ask('POST', url, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${name}=${value}`,
    })
  ).status
}
