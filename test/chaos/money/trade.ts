// People who trade over public HTTP while harm is done: everything that moves money is asked under a key, and asked again until
// it is answered. What each order came to is what the judge expects of the money.
import { ask, type Answer } from '../../market.ts'
import { gigBody } from '../../everything.ts'
import type { Random } from '../random.ts'

export type Person = { id: string; token: string }
export type Seller = Person & { gig: string; account: string }
export type Way = 'plain' | 'tipped' | 'called off' | 'part given back' | 'part given back by admin'
/** Minor units. `back`: what was agreed to give back. */
export type Deal = {
  name: string
  order: string
  seller: Seller
  way: Way
  tip: number
  back: number
  total: number
  serviceFee: number
}
export type Trade = {
  admin: Person
  sellers: readonly Seller[]
  /** Lives one order to its end. */
  deal(name: string, way: Way): Promise<Deal>
  post(token: string, path: string, key: string, body?: object): Promise<Answer>
  get(token: string, path: string): Promise<any>
  /** Lets time pass for the market. */
  advance(seconds: number): Promise<void>
  /** Requests that had to be asked again. */
  repeats(): number
}

const ANSWER_WITHIN_MS = 60_000
const AGAIN_MS = 150
export const WAYS: readonly Way[] = [
  'plain',
  'plain',
  'tipped',
  'called off',
  'part given back',
  'part given back by admin',
]
const usd = (amount: number) => ({ amount, currency: 'usd' })

export const openTrade = async (
  url: string,
  { random, sellers: count, buyers: buyerCount }: { random: Random; sellers: number; buyers: number },
): Promise<Trade> => {
  let repeats = 0
  /** Asked until it is answered for good: what is unavailable, under way or cut off is asked again as it was. */
  const until = async (method: string, path: string, asked: Parameters<typeof ask>[3]): Promise<Answer> => {
    for (const last = Date.now() + ANSWER_WITHIN_MS; ; repeats++) {
      const answer = await ask(url, method, path, asked).catch(() => null)
      const again =
        answer === null || answer.status >= 500 || (answer.status === 409 && answer.body.code === 'conflict')
      if (!again) return answer
      if (Date.now() > last)
        throw new Error(`no answer to ${method} ${path}: ${answer?.status} ${JSON.stringify(answer?.body)}`)
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
  const good = (answer: Answer, what: string): Answer => {
    if (answer.status >= 400) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }
  const post = async (token: string, path: string, key: string, body: object = {}) =>
    good(await until('POST', path, { token, key, body }), `${path} (${key})`)
  const get = async (token: string, path: string) => good(await until('GET', path, { token }), path).body

  const register = async (name: string): Promise<Person> => {
    const body = { email: `${name}@chaos.test`, password: 'a-long-password', username: name, displayName: name }
    const { body: made } = good(await until('POST', '/v1/auth/register', { body }), name)
    return { id: made.user.id, token: made.accessToken }
  }
  const seller = async (n: number): Promise<Seller> => {
    const person = await register(`chaos-seller-${n}`)
    const { body } = await post(person.token, '/v1/me/seller', `seller-${n}`)
    const account = /acct_[A-Za-z0-9]+/.exec(body.onboardingUrl)?.[0] ?? ''
    const price = usd(random.whole(30, 400) * 100)
    const basic = { ...gigBody.packages.basic, price, deliveryDays: 5 }
    const draft = { ...gigBody, requirements: [], packages: { basic } }
    const gig = (await post(person.token, '/v1/gigs', `gig-${n}`, draft)).body.id as string
    await post(person.token, `/v1/gigs/${gig}/publish`, `publish-${n}`)
    return { ...person, gig, account }
  }
  const login = { email: 'admin@demo.test', password: 'demo-password' }
  const admin = {
    id: 'admin',
    token: good(await until('POST', '/v1/auth/login', { body: login }), 'admin').body.accessToken,
  }
  const numbers = (n: number) => Array.from({ length: n }, (_, at) => at + 1)
  const sellers = await Promise.all(numbers(count).map(seller))
  const buyers = await Promise.all(numbers(buyerCount).map((n) => register(`chaos-buyer-${n}`)))

  const deal = async (name: string, way: Way): Promise<Deal> => {
    const [from, buyer] = [random.pick(sellers), random.pick(buyers)]
    const tip = way === 'tipped' ? random.whole(1, 20) * 100 : 0
    const share = random.whole(10, 50)
    const { body: placed } = await post(buyer.token, '/v1/orders', `${name}-place`, { gig: from.gig, package: 'basic' })
    const order = `/v1/orders/${placed.id}`
    const move = (who: Person, what: string, body: object = {}) =>
      post(who.token, `${order}/${what}`, `${name}-${what}-${who === buyer ? 'buyer' : 'seller'}`, body)
    await move(buyer, 'pay', { paymentMethod: 'pm_card_visa' })
    const total = placed.price.total.amount as number
    const part = usd(Math.floor((total * share) / 100))
    const back = way === 'called off' ? total : way.startsWith('part') ? part.amount : 0
    const came = {
      name,
      order: placed.id,
      seller: from,
      way,
      tip,
      back,
      total,
      serviceFee: placed.price.serviceFee.amount,
    }
    if (way === 'called off') {
      await move(from, 'cancel', { reason: 'I am ill.' })
      await move(buyer, 'cancel', { reason: 'Get well.' })
      return came
    }
    if (way === 'part given back') {
      await move(from, 'refund-offer', { amount: part, reason: 'It is smaller.' })
      await move(buyer, 'refund-offer')
    }
    await move(from, 'deliver', { message: 'Here it is.' })
    await move(buyer, 'accept')
    if (way === 'tipped') await move(buyer, 'tip', { amount: usd(tip) })
    if (way === 'part given back by admin')
      await post(admin.token, `/v1/admin/orders/${placed.id}/refund`, `${name}-refund`, {
        amount: part,
        reason: 'Fair.',
      })
    return came
  }

  const advance = async (seconds: number) => {
    const clock = async () => Number((await get(admin.token, '/v1/sandbox/clock')).offsetSeconds)
    for (const target = (await clock()) + seconds; ;) {
      const left = target - (await clock())
      if (left <= 0) return
      await ask(url, 'POST', '/v1/sandbox/clock', { token: admin.token, body: { advanceSeconds: left } }).catch(
        () => null,
      )
    }
  }
  return { admin, sellers, deal, post, get, advance, repeats: () => repeats }
}
