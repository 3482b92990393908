// The people and things that a checker of the public contract needs, made as anybody would make them: over HTTP.
import type { Answer, Asked, Market } from '../market.ts'
import type { Witness } from './witness.ts'

export type Ask = <T = any>(method: string, path: string, asked?: Asked) => Promise<Answer<T>>
export type Person = { id: string; username: string; email: string; token: string; refreshToken: string }
export type World = { ask: Ask; admin: Person; seller: Person; buyer: Person; stranger: Person; gig: string }

export const PASSWORD = 'a-long-password'
export const usd = (amount: number) => ({ amount, currency: 'usd' })

export const GIG = {
  title: 'I will paint a small portrait of your dog',
  description: 'A portrait in watercolour from a photo of yours, scanned at print quality and sent as a file.',
  category: 'design',
  subcategory: 'illustration',
  tags: ['portrait', 'dog'],
  packages: {
    basic: {
      title: 'Head',
      description: 'The head only.',
      price: usd(5000),
      deliveryDays: 2,
      revisions: 1,
      features: ['Print quality'],
    },
    premium: {
      title: 'The whole dog',
      description: 'From nose to tail.',
      price: usd(15_000),
      deliveryDays: 5,
      revisions: 2,
      features: [],
    },
  },
  extras: [{ id: 'frame', title: 'A painted frame', price: usd(2500), addedDays: 1 }],
  faq: [{ question: 'Cats too?', answer: 'Cats too.' }],
  requirements: [{ id: 'name', question: 'What is the dog called?', type: 'text', required: true }],
  images: [],
}
export const PLAIN_GIG = { ...GIG, title: 'I will send you a finished drawing of a lighthouse', requirements: [] }

export const watched =
  ({ ask }: Pick<Market, 'ask'>, { see }: Witness): Ask =>
  async (method, path, asked) => {
    const answer = await ask(method, path, asked)
    see({ method, path, answer })
    return answer
  }

let people = 0
export const register = async (ask: Ask, name: string): Promise<Person> => {
  const username = `${name}-${++people}`
  const email = `${username}@people.test`
  const { status, body } = await ask('POST', '/v1/auth/register', {
    body: { email, password: PASSWORD, username, displayName: `The ${name}` },
  })
  if (status !== 201) throw new Error(`registering ${username}: ${status} ${JSON.stringify(body)}`)
  return { id: body.user.id, username, email, token: body.accessToken, refreshToken: body.refreshToken }
}

export const registerSeller = async (ask: Ask, name: string): Promise<Person> => {
  const person = await register(ask, name)
  await ask('POST', '/v1/me/seller', { token: person.token, body: {} })
  return person
}

export const liveGig = async (ask: Ask, seller: Person, content: object = GIG): Promise<string> => {
  const { body } = await ask('POST', '/v1/gigs', { token: seller.token, body: content })
  const published = await ask('POST', `/v1/gigs/${body.id}/publish`, { token: seller.token, body: {} })
  if (published.body.status !== 'live') throw new Error(`publishing: ${JSON.stringify(published.body)}`)
  return body.id
}

export const populate = async (ask: Ask): Promise<World> => {
  const { body } = await ask('POST', '/v1/auth/login', {
    body: { email: 'admin@demo.test', password: 'demo-password' },
  })
  const [seller, buyer, stranger] = await Promise.all([
    registerSeller(ask, 'seller'),
    register(ask, 'buyer'),
    register(ask, 'stranger'),
  ])
  return {
    ask,
    admin: { id: body.user.id, username: 'admin', email: '', token: body.accessToken, refreshToken: body.refreshToken },
    seller,
    buyer,
    stranger,
    gig: await liveGig(ask, seller),
  }
}

type Stage = 'awaiting_payment' | 'awaiting_requirements' | 'in_progress' | 'delivered' | 'completed'
const STAGES: readonly Stage[] = ['awaiting_payment', 'awaiting_requirements', 'in_progress', 'delivered', 'completed']

let orders = 0
/** A new order, as far as asked; its last answer. */
export const orderUpTo = async ({ ask, buyer, seller, gig }: World, stage: Stage, own: object = {}): Promise<any> => {
  const placed = await ask('POST', '/v1/orders', {
    token: buyer.token,
    key: `contract-order-${++orders}`,
    body: { gig, package: 'basic', ...own },
  })
  const moves: [Person, string, object][] = [
    [buyer, 'pay', { paymentMethod: 'pm_card_visa' }],
    [buyer, 'requirements', { answers: [{ id: 'name', answer: 'Rex' }] }],
    [seller, 'deliver', { message: 'Here he is.' }],
    [buyer, 'accept', {}],
  ]
  let answer = placed
  for (const [who, move, body] of moves.slice(0, STAGES.indexOf(stage)))
    answer = await ask('POST', `/v1/orders/${placed.body.id}/${move}`, { token: who.token, body })
  if (answer.body.status !== stage) throw new Error(`an order up to ${stage}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
