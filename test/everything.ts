// Every service of the market in one process, and the people and things the checks of access and input need.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ServiceSchema } from 'moleculer'
import { ask, type Answer, type Asked } from './market.ts'
import { portOf, startNode, type TestNode } from './node.ts'

const folder = fileURLToPath(new URL('../services', import.meta.url))
const RATE_LIMITS =
  'account=100000/100000,address=100000/100000,auth=100000/100000,login=100000/100000,messages=100000/100000'

export type Everything = TestNode & {
  url: string
  request<T = any>(method: string, path: string, asked?: Asked): Promise<Answer<T>>
}

export const startEverything = async (env: Record<string, string> = {}): Promise<Everything> => {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  const services = await Promise.all(
    names.map(
      async (name) => ((await import(`../services/${name}/${name}.service.ts`)) as { default: ServiceSchema }).default,
    ),
  )
  const node = await startNode({ services, env: { RATE_LIMITS, LISTENER: 'node', ...env } })
  const url = `http://127.0.0.1:${await portOf(node)}`
  return { ...node, url, request: (method, path, asked) => ask(url, method, path, asked) }
}

export type Person = { id: string; username: string; token: string }
export type Cast = Record<'seller' | 'buyer' | 'otherSeller' | 'otherBuyer' | 'admin', Person>

const signUp = async (market: Everything, name: string, selling: boolean): Promise<Person> => {
  const { body } = await market.request('POST', '/v1/auth/register', {
    body: { email: `${name}@cast.test`, password: 'a-long-password', username: name, displayName: name },
  })
  if (selling) await market.request('POST', '/v1/me/seller', { token: body.accessToken, body: {} })
  return { id: body.user.id, username: name, token: body.accessToken }
}

export const castOf = async (market: Everything): Promise<Cast> => {
  const admin = await market.request('POST', '/v1/auth/login', {
    body: { email: 'admin@demo.test', password: 'demo-password' },
  })
  return {
    seller: await signUp(market, 'seller-one', true),
    buyer: await signUp(market, 'buyer-one', false),
    otherSeller: await signUp(market, 'seller-two', true),
    otherBuyer: await signUp(market, 'buyer-two', false),
    admin: { id: admin.body.user.id, username: 'admin', token: admin.body.accessToken },
  }
}

const usd = (amount: number) => ({ amount, currency: 'usd' })
export const gigBody = {
  title: 'I will draw a careful map of your island',
  description: 'A map drawn by hand, with every path and harbour, delivered as a file that prints well at any size.',
  category: 'design',
  subcategory: 'illustration',
  tags: ['map'],
  packages: {
    basic: {
      title: 'One island',
      description: 'One island, one colour.',
      price: usd(5000),
      deliveryDays: 2,
      revisions: 1,
      features: [],
    },
  },
  extras: [],
  faq: [],
  requirements: [{ id: 'name', question: 'What is it called?', type: 'text', required: true }],
  images: [],
}

export type Things = {
  gig: string
  draft: string
  order: string
  conversation: string
  message: string
  offer: string
  run: string
}

/** A live gig and a draft of the seller's, an order of the buyer's that waits for payment, a conversation of the two with an open offer. */
export const thingsOf = async (market: Everything, { seller, buyer, admin }: Cast): Promise<Things> => {
  const gig = await market.request('POST', '/v1/gigs', { token: seller.token, body: gigBody })
  const draft = await market.request('POST', '/v1/gigs', { token: seller.token, body: gigBody })
  await market.request('POST', `/v1/gigs/${gig.body.id}/publish`, { token: seller.token, body: {} })
  const order = await market.request('POST', '/v1/orders', {
    token: buyer.token,
    body: { gig: gig.body.id, package: 'basic' },
  })
  const conversation = await market.request('POST', '/v1/conversations', {
    token: buyer.token,
    body: { with: seller.id },
  })
  // Before anybody waits for the seller: an answer would change, a moment later, how fast they answer.
  const offer = await market.request('POST', `/v1/conversations/${conversation.body.id}/offers`, {
    token: seller.token,
    body: { gig: gig.body.id, title: 'Ten islands', price: usd(40_000), deliveryDays: 9, revisions: 2 },
  })
  const message = await market.request('POST', `/v1/conversations/${conversation.body.id}/messages`, {
    token: buyer.token,
    body: { clientId: 'one', text: 'Hello' },
  })
  const run = await market.request('POST', '/v1/admin/payout-runs', { token: admin.token, body: {} })
  return {
    gig: gig.body.id,
    draft: draft.body.id,
    order: order.body.id,
    conversation: conversation.body.id,
    message: message.body.id,
    offer: offer.body.id,
    run: run.body.id,
  }
}
