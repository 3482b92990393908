import test, { type ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServiceSchema } from 'moleculer'
import { freePort, hasNats, startNats } from '../../adapters/fanout/nats-server.ts'
import { nodeOf } from '../../mixins/node.ts'
import { eventually, startNode } from '../../test/node.ts'
import accountService from '../account/account.service.ts'
import { CALLER_LEASE_MS } from '../account/contract.ts'
import { callers, KNOWN_AFTER_MS } from './callers.ts'
import { accounts, person, startGateway, type People } from './testing.ts'

const UP = { state: () => 'up' as const }

/** Callers over accounts whose answers the test holds back; `asked` counts the questions. */
const setup = async (t: ExecutionContext, fanout = UP as Parameters<typeof callers>[1]) => {
  const people: People = new Map()
  const counted = { questions: 0, gate: Promise.resolve() as Promise<unknown> }
  const node = await startNode({
    services: [
      accounts(people, {
        who: async ({ params }) => {
          counted.questions++
          const found = (params as { sessions: { userId: string }[] }).sessions.map(
            ({ userId }) => people.get(userId) ?? null,
          )
          await counted.gate
          return found
        },
      }),
    ],
  })
  t.teardown(node.stop)
  const known = callers(nodeOf(node.broker, node.log), fanout)
  await sleep(KNOWN_AFTER_MS + 10)
  const verified = (userId: string) => ({ userId, sessionId: `ses_${userId}`, expiresAt: Infinity })
  return { people, counted, known, ask: async (userId: string) => known.of(verified(userId)) }
}

test('what many ask in one turn is one question, and what was answered is remembered for its lease', async (t) => {
  const { people, counted, ask } = await setup(t)
  for (let n = 0; n < 300; n++) person(people, `usr_${n}`)
  const found = await Promise.all(Array.from({ length: 300 }, (_, n) => ask(`usr_${n}`)))
  t.deepEqual(
    found.map((one) => one?.id),
    Array.from({ length: 300 }, (_, n) => `usr_${n}`),
  )
  t.is(counted.questions, 1)
  t.is((await ask('usr_7'))?.id, 'usr_7')
  t.is(counted.questions, 1)
  t.is(await ask('usr_gone'), null)
  t.is(await ask('usr_gone'), null, 'that somebody is nobody is not remembered')
  t.is(counted.questions, 3)
  await sleep(CALLER_LEASE_MS)
  await ask('usr_7')
  t.is(counted.questions, 4)
})

test('who is forgotten is looked up anew, also while an answer from before is under way', async (t) => {
  const { people, counted, known, ask } = await setup(t)
  person(people, 'usr_a', ['buyer'])
  const gate = Promise.withResolvers<void>()
  counted.gate = gate.promise
  const before = ask('usr_a')
  await eventually(
    () => counted.questions,
    (count) => count === 1,
  )
  person(people, 'usr_a', ['buyer', 'seller'])
  known.forget('usr_a')
  const after = ask('usr_a')
  await eventually(
    () => counted.questions,
    (count) => count === 2,
  )
  gate.resolve()
  t.deepEqual((await before)?.roles, ['buyer'])
  t.deepEqual((await after)?.roles, ['buyer', 'seller'])
  t.deepEqual((await ask('usr_a'))?.roles, ['buyer', 'seller'])
})

test('a gateway that the others may not know of remembers nothing', async (t) => {
  const { people, counted, known, ask } = await setup(t, { state: () => 'down' })
  person(people, 'usr_a')
  await ask('usr_a')
  await ask('usr_a')
  t.is(counted.questions, 2)
  known.stop()
  await ask('usr_a')
  t.is(counted.questions, 3)
})

/** Another actor at the end of the wire: answers as the payment provider would. */
const payments: ServiceSchema = { name: 'payment', actions: { onboard: () => ({ url: 'https://pay.test/' }) } }

;(hasNats ? test : test.skip)(
  'a changed role, a logout and a stolen refresh token count at the next request, also at another gateway',
  async (t) => {
    const port = await freePort()
    await startNats(t, port)
    const secret = 'the same secret of all nodes, 32 letters'
    const env = { NATS_URL: `nats://127.0.0.1:${port}`, JWT_SECRET: secret, LISTENER: 'node' }
    const one = await startGateway({ services: [accountService, payments], env: { ...env, NODE_ID: 'one' } })
    t.teardown(one.stop)
    const other = await startGateway({ env: { ...env, NODE_ID: 'other' } })
    t.teardown(other.stop)
    await other.broker.waitForServices(['account'])
    await eventually(
      () => one.placement.nodes('gateway').length,
      (count) => count === 2,
    )
    await sleep(KNOWN_AFTER_MS)
    const join = async (username: string) =>
      (
        await one.ask('POST', '/v1/auth/register', {
          body: { email: `${username}@test.test`, password: 'a long secret', username, displayName: username },
        })
      ).json as { accessToken: string; refreshToken: string }
    const me = async (at: typeof one, token: string) => (await at.ask('GET', '/v1/me', { token })).status
    const mine = async (at: typeof one, token: string) => (await at.ask('GET', '/v1/me/gigs', { token })).status

    for (let round = 0; round < 5; round++) {
      const ann = await join(`ann${round}`)
      for (const at of [one, other, other]) t.is(await me(at, ann.accessToken), 200)
      t.is(await mine(other, ann.accessToken), 403)
      t.is((await one.ask('POST', '/v1/me/seller', { token: ann.accessToken, body: {} })).status, 200)
      // Seller now: what is wrong is only that no gig service runs here.
      t.not(await mine(other, ann.accessToken), 403)
      t.is((await other.ask('POST', '/v1/auth/logout', { body: { refreshToken: ann.refreshToken } })).status, 204)
      t.is(await me(one, ann.accessToken), 401)
      t.is(await me(other, ann.accessToken), 401)

      const bob = await join(`bob${round}`)
      t.is(await me(other, bob.accessToken), 200)
      const renew = () => one.ask('POST', '/v1/auth/refresh', { body: { refreshToken: bob.refreshToken } })
      const { accessToken } = (await renew()).json as { accessToken: string }
      t.is(await me(other, accessToken), 200)
      t.is((await renew()).status, 401)
      t.is(await me(other, accessToken), 401)
    }
  },
)
