// kill -9 while a request is on its way: asked again under the same key, it has been done exactly once.
import test from 'ava'
import { startMarket, type Answer, type Asked, type Market } from './market.ts'
import { checkMoney, freshMemory } from './story.ts'
import { gigBody } from './everything.ts'

/** When the process dies after the request left, in ms: before it is read, while it works, around its answer. */
const DEATHS_MS = [0, 3, 8, 15, 25, 40]
const ANSWER_WITHIN_MS = 20_000

test('a request cut off by a crash and asked again under its key is done once, and the books say so', async (t) => {
  t.timeout(240_000)
  const market = await startMarket()
  const memory = freshMemory()
  const person = async (name: string) =>
    (
      await market.ask('POST', '/v1/auth/register', {
        body: { email: `${name}@crash.test`, password: 'a-long-password', username: name, displayName: name },
      })
    ).body
  try {
    memory.tokens.admin = (
      await market.ask('POST', '/v1/auth/login', { body: { email: 'admin@demo.test', password: 'demo-password' } })
    ).body.accessToken
    const [seller, buyer] = [await person('crash-seller'), await person('crash-buyer')]
    memory.tokens.seller = seller.accessToken
    await market.ask('POST', '/v1/me/seller', { token: seller.accessToken, body: {} })
    const gig = (
      await market.ask('POST', '/v1/gigs', { token: seller.accessToken, body: { ...gigBody, requirements: [] } })
    ).body
    await market.ask('POST', `/v1/gigs/${gig.id}/publish`, { token: seller.accessToken, body: {} })

    for (const [round, after] of DEATHS_MS.entries()) {
      const post = (token: string, path: string, step: string, body: object = {}) =>
        untilDone(market, path, { token, key: `${step}-${round}`, body }, after)
      const placed = await post(buyer.accessToken, '/v1/orders', 'place', { gig: gig.id, package: 'basic' })
      t.is(placed.status, 201, JSON.stringify(placed.body))
      const order = `/v1/orders/${placed.body.id}`
      const steps: [token: string, move: string, body: object, to: string][] = [
        [buyer.accessToken, 'pay', { paymentMethod: 'pm_card_visa' }, 'in_progress'],
        [seller.accessToken, 'deliver', { message: 'Here.' }, 'delivered'],
        [buyer.accessToken, 'accept', {}, 'completed'],
      ]
      for (const [token, move, body, to] of steps) {
        const moved = await post(token, `${order}/${move}`, move, body)
        t.is(moved.status, 200, `${move} after ${after} ms: ${JSON.stringify(moved.body)}`)
        t.is(moved.body.status, to)
      }
      memory.seller.clearing += 4000
      await checkMoney({ t, market, memory })
      const events = (await market.ask('GET', `${order}/events`, { token: buyer.accessToken })).body.data
      t.deepEqual(
        events.map(({ type }: { type: string }) => type),
        ['placed', 'paid_and_started', 'delivered', 'accepted'],
      )
    }
    const orders = await market.ask('GET', '/v1/orders?role=buyer&limit=100', { token: buyer.accessToken })
    t.is(orders.body.data.length, DEATHS_MS.length)
  } catch (error) {
    t.log(market.output().slice(-4000))
    throw error
  } finally {
    await market.stop()
  }
})

/** Asks, kills the process so many ms later, starts it again and repeats the request until it has its answer. */
const untilDone = async (market: Market, path: string, asked: Asked, killAfterMs: number): Promise<Answer> => {
  const cut = market.ask('POST', path, asked).catch(() => null)
  await new Promise((resolve) => setTimeout(resolve, killAfterMs))
  await market.kill()
  await cut
  await market.start()
  const until = Date.now() + ANSWER_WITHIN_MS
  for (;;) {
    const answer = await market.ask('POST', path, asked)
    const again = answer.status === 503 || (answer.status === 409 && answer.body.code === 'conflict')
    if (!again || Date.now() > until) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
