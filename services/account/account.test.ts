import test from 'ava'
import type { ServiceSchema } from 'moleculer'
import { verifyAccess } from '../../mixins/token.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import account from './account.service.ts'
import type { Session } from './contract.ts'
import { sessionDocs, SESSIONS_PER_USER_MAX } from './sessions.ts'

/** Another actor at the end of the wire: answers as the payment provider would. */
const payments: ServiceSchema = {
  name: 'payment',
  actions: { onboard: (ctx: { params: { user: string } }) => ({ url: `https://pay.test/${ctx.params.user}` }) },
}
let node: TestNode
test.before(async () => {
  node = await startNode({ services: [account] })
})
test.after.always(() => node.stop())

let people = 0
const newcomer = (more = {}) => ({
  email: `P${++people}@Example.com`,
  password: 'a long secret',
  username: `Person${people}`,
  displayName: 'A Person',
  ...more,
})
const join = (more = {}): Promise<Session> => node.call('account.register', newcomer(more))
const who = async (userId: string, sessionId: string) =>
  (await node.call('account.who', { sessions: [{ userId, sessionId }] }))[0] as Caller | null
const callerOf = async (session: Session): Promise<Caller> => {
  const token = verifyAccess(node.settings.jwtSecret, session.accessToken, Date.now())!
  return (await who(token.userId, token.sessionId))!
}
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )

test('a new person is signed in and can sign in again, whatever the case of the e-mail', async (t) => {
  const asked = newcomer()
  const { user } = await node.call('account.register', asked)
  t.deepEqual(user, { id: user.id, username: asked.username, displayName: 'A Person', roles: ['buyer'] })
  const again = await node.call('account.login', { email: ` ${asked.email.toLowerCase()} `, password: asked.password })
  t.is(again.user.id, user.id)
  const caller = await callerOf(again)
  t.is(caller.username, asked.username)
})

test('an e-mail or username that is taken is named, also in other letters', async (t) => {
  const asked = newcomer()
  await node.call('account.register', asked)
  const errors = async (more: object) =>
    refusal(await node.call('account.register', newcomer(more)).catch((error: unknown) => error))
  const byEmail = await errors({ email: asked.email.toUpperCase() })
  const byName = await errors({ username: asked.username.toUpperCase() })
  t.deepEqual([byEmail?.code, byEmail?.extra.errors?.[0]?.path], ['conflict', 'email'])
  t.deepEqual([byName?.code, byName?.extra.errors?.[0]?.path], ['conflict', 'username'])
})

test('of two who register one username at once, one gets it', async (t) => {
  const codes = await Promise.all([1, 2, 3].map(() => codeOf(join({ username: 'Wanted' }))))
  t.deepEqual(codes.toSorted(), ['conflict', 'conflict', 'ok'])
})

test('a wrong password and an unknown e-mail get the same answer', async (t) => {
  const asked = newcomer()
  await node.call('account.register', asked)
  const said = (email: string) =>
    node.call('account.login', { email, password: 'not it at all' }).catch((error: unknown) => refusal(error))
  t.deepEqual(await said(asked.email), await said('nobody@example.com'))
  t.is(await codeOf(node.call('account.login', { email: asked.email, password: 'nope' })), 'unauthenticated')
})

test('names with control characters are refused and spaces around them dropped', async (t) => {
  t.is(await codeOf(join({ displayName: 'two\u0000parts' })), 'validation_failed')
  t.is(await codeOf(join({ displayName: 'a\u202egig' })), 'validation_failed')
  t.is(await codeOf(join({ displayName: '   ' })), 'validation_failed')
  t.is((await join({ displayName: '  Zoë  ' })).user.displayName, 'Zoë')
})

test('a refresh token is good once; used again it ends the session for all who hold one of its family', async (t) => {
  const first = await join()
  const second = await node.call('account.refresh', { refreshToken: first.refreshToken })
  const caller = await callerOf(second)
  t.is(caller.id, first.user.id)
  t.is(await codeOf(node.call('account.refresh', { refreshToken: first.refreshToken })), 'unauthenticated')
  t.is(await codeOf(node.call('account.refresh', { refreshToken: second.refreshToken })), 'unauthenticated')
  t.is(await who(caller.id, caller.sessionId), null)
})

test('one refresh token used twice at the same moment ends the session', async (t) => {
  const { refreshToken } = await join()
  const answers = await Promise.all([1, 2].map(() => node.call('account.refresh', { refreshToken }).catch(() => null)))
  const winner = answers.find((answer) => answer !== null)
  if (winner) t.is(await codeOf(node.call('account.refresh', { refreshToken: winner.refreshToken })), 'unauthenticated')
  t.true(answers.includes(null))
})

test('after logout neither the refresh token nor the access token speaks for anybody', async (t) => {
  const session = await join()
  const caller = await callerOf(session)
  await node.call('account.logout', { refreshToken: session.refreshToken })
  t.is(await codeOf(node.call('account.refresh', { refreshToken: session.refreshToken })), 'unauthenticated')
  t.is(await who(caller.id, caller.sessionId), null)
  t.is(await codeOf(node.call('account.logout', { refreshToken: 'nonsense' })), 'ok')
})

test('another session of the same person does not open with a foreign session id', async (t) => {
  const [one, other] = [await callerOf(await join()), await callerOf(await join())]
  t.is(await who(one.id, other.sessionId), null)
})

test('only the hash of a refresh token is stored', async (t) => {
  const { refreshToken } = await join()
  const [family, secret] = refreshToken.split('.') as [string, string]
  const stored = await (await node.open('documents')).get(sessionDocs, family)
  t.false(JSON.stringify(stored).includes(secret))
})

test('who signs in more often than there may be sessions loses the longest unused', async (t) => {
  const documents = await node.open('documents')
  const asked = newcomer()
  const first = await node.call('account.register', asked)
  const others = Array.from({ length: SESSIONS_PER_USER_MAX }, (_, at) => ({
    id: `ses_other${at}`,
    version: 1,
    user: first.user.id,
    secretHash: 'x',
    createdAt: Date.now() + at,
    usedAt: Date.now() + 1000 + at,
  }))
  await documents.insertMany(sessionDocs, others)
  await node.call('account.login', { email: asked.email, password: asked.password })
  t.is(await documents.count(sessionDocs, { index: 'byUser', equals: { user: first.user.id } }), SESSIONS_PER_USER_MAX)
  t.is(await codeOf(node.call('account.refresh', { refreshToken: first.refreshToken })), 'unauthenticated')
})

test('a changed profile shows at once, and every node is told to forget its copy', async (t) => {
  const caller = await callerOf(await join())
  const heard: unknown[] = []
  const stop = (await node.open('fanout')).onNodes('hot.changed', (data) => heard.push(data))
  const me = await node.call(
    'account.update',
    { displayName: 'New Name', bio: 'Hello\nthere', languages: ['en', 'de'] },
    { meta: { caller } },
  )
  const profile = await node.call('account.profile', { username: caller.username.toUpperCase() })
  stop()
  t.deepEqual([me.displayName, me.bio], ['New Name', 'Hello\nthere'])
  t.deepEqual(
    [profile.displayName, profile.languages, profile.level, profile.rating],
    ['New Name', ['en', 'de'], 'new', 0],
  )
  t.false('email' in profile)
  t.true(
    heard.some(
      (notice) => JSON.stringify(notice) === JSON.stringify({ tags: [`user:${caller.username.toLowerCase()}`] }),
    ),
  )
})

test('an unknown username is not found', async (t) => {
  t.is(await codeOf(node.call('account.profile', { username: 'nobody-here' })), 'not_found')
})

test.serial(
  'becoming a seller changes nothing while payments are away, and is true at the next request once it worked',
  async (t) => {
    const session = await join()
    const caller = await callerOf(session)
    t.is(await codeOf(node.call('account.becomeSeller', {}, { meta: { caller } })), 'unavailable')
    t.deepEqual((await callerOf(session)).roles, ['buyer'])
    const payment = node.broker.createService(payments)
    await node.broker.waitForServices('payment')
    const answer = await node.call('account.becomeSeller', {}, { meta: { caller } })
    t.is(answer.onboardingUrl, `https://pay.test/${caller.id}`)
    t.deepEqual((await callerOf(session)).roles, ['buyer', 'seller'])
    await node.call('account.becomeSeller', {}, { meta: { caller } })
    t.deepEqual((await callerOf(session)).roles, ['buyer', 'seller'])
    await node.broker.destroyService(payment)
  },
)

test('a review by a buyer counts once however often it is delivered; one by the seller does not', async (t) => {
  const { user } = await join()
  const hear = (id: string, rating: number, by = 'buyer') => {
    const data = { order: 'ord_1', gig: 'gig_1', seller: user.id, buyer: 'usr_b', by, rating, at: 1 }
    return node.broker.call('account.hear', { event: { id, name: 'review.published', data, at: 1 } })
  }
  await hear('one', 5)
  await hear('one', 5)
  await hear('two', 4)
  await hear('three', 1, 'seller')
  const [card, none] = await node.call('account.cards', { ids: [user.id, 'usr_nobody'] })
  t.deepEqual([card?.rating, card?.reviewCount, none], [4.5, 2, null])
})

test('an ensured account is made once, and without a password nobody signs in', async (t) => {
  const asked = {
    id: 'usr_demo',
    email: 'demo@demo.test',
    password: '',
    username: 'demo-person',
    displayName: 'Demo',
    roles: ['seller' as const],
    level: 'top_rated' as const,
  }
  t.deepEqual((await node.call('account.ensure', asked)).roles, ['buyer', 'seller'])
  t.is((await node.call('account.ensure', { ...asked, displayName: 'Other' })).displayName, 'Demo')
  t.is(await codeOf(node.call('account.login', { email: asked.email, password: 'x' })), 'unauthenticated')
  t.is((await node.call('account.profile', { username: 'demo-person' })).level, 'top_rated')
  t.deepEqual(await node.call('account.contact', { id: 'usr_demo' }), { email: 'demo@demo.test', displayName: 'Demo' })
})

test('accounts and sessions survive a restart', async (t) => {
  const session = await join()
  const restarted = await startNode({ services: [account], env: { DATA_DIR: node.dataDir, NODE_ID: 'again' } })
  const again = await eventually(
    () => restarted.call('account.refresh', { refreshToken: session.refreshToken }),
    () => true,
  )
  t.is(again.user.id, session.user.id)
  await restarted.stop()
})
