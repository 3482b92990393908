import test from 'ava'
import { chat } from '../chat/contract.ts'
import { gig } from '../gig/contract.ts'
import { refuse } from '../errors.ts'
import { addressKey, limit } from './limits.ts'
import { accounts, actorOf, person, startGateway, type Handlers, type People } from './testing.ts'

const setup = async (limits: string, handlers: Handlers = {}) => {
  const people: People = new Map()
  person(people, 'usr_1')
  person(people, 'usr_2')
  const gateway = await startGateway({
    env: { RATE_LIMITS: limits },
    services: [
      accounts(people, { me: () => ({}), logout: () => ({}), ...handlers }),
      actorOf(gig, { get: () => ({ status: 'live' }) }),
      actorOf(chat, { send: () => ({ seq: 1 }) }),
    ],
  })
  return { ...gateway, one: await gateway.tokenOf('usr_1'), two: await gateway.tokenOf('usr_2') }
}
const times = <T>(count: number, ask: () => Promise<T>) => Promise.all(Array.from({ length: count }, ask))

test('a bucket refills with time and never holds more than its burst', (t) => {
  const bucket = limit('account', { rate: 5, burst: 2 })
  t.deepEqual(
    [1, 2, 3].map(() => bucket.take('a').refused),
    [false, false, true],
  )
  t.false(bucket.take('b').refused)
  const until = performance.now() + 500
  while (performance.now() < until);
  t.deepEqual(
    [1, 2, 3].map(() => bucket.take('a').refused),
    [false, false, true],
  )
})

test('IPv6 hosts count by their /64, IPv4 by themselves', (t) => {
  t.is(addressKey('192.0.2.1'), '192.0.2.1')
  t.is(addressKey('2001:db8:0:1::1'), addressKey('2001:0db8::1:ffff:2:3:4'))
  t.not(addressKey('2001:db8:0:1::1'), addressKey('2001:db8:0:2::1'))
  t.is(addressKey('::1'), '0:0:0:0')
})

test('one account over its budget is told when to come back, another is served', async (t) => {
  const { ask, stop, one, two } = await setup('account=0.001/3')
  t.teardown(stop)
  const answers = await times(5, () => ask('GET', '/v1/me', { token: one }))
  t.is(answers.filter(({ status }) => status === 200).length, 3)
  const refused = answers.find(({ status }) => status === 429)!
  t.like(refused.json, { code: 'rate_limited' })
  t.true(Number(refused.headers.get('retry-after')) > 100)
  t.is(refused.headers.get('ratelimit-policy'), '"account";q=3;w=3000')
  t.regex(refused.headers.get('ratelimit')!, /^"account";r=0;t=\d+$/)
  const served = await ask('GET', '/v1/me', { token: two })
  t.is(served.status, 200)
  t.regex(served.headers.get('ratelimit')!, /^"account";r=2;t=\d+$/)
})

test('an address over its budget is refused prepared answers too', async (t) => {
  const { ask, stop } = await setup('address=0.001/4')
  t.teardown(stop)
  const statuses: number[] = []
  for (let n = 0; n < 6; n++) statuses.push((await ask('GET', '/v1/gigs/gig_1')).status)
  t.deepEqual(statuses, [200, 200, 200, 200, 429, 429])
})

test('a forwarded address is believed only from a trusted proxy', async (t) => {
  const spoofed = await setup('address=0.001/2')
  t.teardown(spoofed.stop)
  const ask = (gateway: typeof spoofed, n: number) =>
    gateway.ask('GET', '/v1/gigs/gig_1', { headers: { 'x-forwarded-for': `198.51.100.${n}` } })
  const statuses = [await ask(spoofed, 1), await ask(spoofed, 2), await ask(spoofed, 3)].map(({ status }) => status)
  t.deepEqual(statuses, [200, 200, 429])
})

test('auth routes have a budget of their own', async (t) => {
  const { ask, stop } = await setup('auth=0.001/2')
  t.teardown(stop)
  const answers = await times(3, () => ask('POST', '/v1/auth/logout', { body: { refreshToken: 'x' } }))
  t.deepEqual(answers.map(({ status }) => status).sort(), [204, 204, 429])
  t.is(answers[0]!.headers.get('ratelimit-policy'), '"auth";q=2;w=2000')
})

test('failed logins of one e-mail are few, however they are spelled and however many at once; good ones do not count', async (t) => {
  const { ask, stop } = await setup('login=0.001/3', {
    login: ({ params }) => {
      const { password } = params as { password: string }
      if (password === 'right') return {}
      throw refuse('unauthenticated')
    },
  })
  t.teardown(stop)
  const login = (email: string, password: string) => ask('POST', '/v1/auth/login', { body: { email, password } })
  for (let n = 0; n < 5; n++) t.is((await login('a@b.test', 'right')).status, 200)
  const answers = await Promise.all(
    ['a@b.test', 'A@b.test', ' a@B.test', 'a@b.test', 'a@b.test'].map((email) => login(email, 'wrong')),
  )
  t.deepEqual(answers.map(({ status }) => status).sort(), [401, 401, 401, 429, 429])
  t.is((await login('a@b.test', 'right')).status, 429)
  t.is((await login('other@b.test', 'wrong')).status, 401)
})

test('messages have a budget of their own', async (t) => {
  const { ask, stop, one } = await setup('messages=0.001/2')
  t.teardown(stop)
  const answers = await times(3, () =>
    ask('POST', '/v1/conversations/cnv_1/messages', { token: one, body: { clientId: '1', text: 'hi' } }),
  )
  t.deepEqual(answers.map(({ status }) => status).sort(), [201, 201, 429])
})
