import test from 'ava'
import type { ServiceSchema } from 'moleculer'
import { verifyAccess } from '../../mixins/token.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import { refusal } from '../errors.ts'
import type { Caller } from '../shapes.ts'
import account from './account.service.ts'
import type { Secured, Session } from './contract.ts'
import { sessionDocs } from './sessions.ts'

const heard: Secured[] = []
const audit = {
  name: 'audit',
  actions: { hear: (ctx: { params: { event: { data: Secured } } }) => heard.push(ctx.params.event.data) },
} as unknown as ServiceSchema

let node: TestNode
test.before(async () => {
  node = await startNode({ services: [account, audit] })
})
test.after.always(() => node.stop())

const admin: Caller = { id: 'usr_ada', username: 'ada', roles: ['buyer', 'admin'], sessionId: 'ses_1' }
const asAdmin = { meta: { caller: admin } }
let people = 0
const password = 'a long secret'
const join = async (): Promise<Session & { email: string; id: string }> => {
  const username = `Standing${++people}`
  const email = `${username}@example.com`
  const session = await node.call('account.register', { email, password, username, displayName: username })
  return { ...session, email, id: session.user.id }
}
const who = async ({ accessToken }: Session) => {
  const { userId, sessionId } = verifyAccess(node.settings.jwtSecret, accessToken, Date.now())!
  return (await node.call('account.who', { sessions: [{ userId, sessionId }] }))[0] as Caller | null
}
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )
const saidOf = (id: string, count: number) =>
  eventually(
    () => heard.filter(({ user }) => user === id).map(({ change, by }) => `${change} by ${by}`),
    (said) => said.length === count,
  )

test('who is suspended is nobody at once, has no session left and cannot sign in until restored', async (t) => {
  const person = await join()
  const { id, email } = person
  const answer = await node.call('account.suspend', { id, reason: 'sold stolen goods' }, asAdmin)
  t.is(answer.suspended?.reason, 'sold stolen goods')
  t.is(await who(person), null)
  const documents = await node.open('documents')
  t.is(await documents.count(sessionDocs, { index: 'byUser', equals: { user: id } }), 0)
  // As a sign-in that was under way leaves it behind.
  const session = { id: 'ses_late', version: 1, user: id, secretHash: 'x', createdAt: Date.now(), usedAt: Date.now() }
  await documents.insert(sessionDocs, session)
  t.deepEqual(await node.call('account.who', { sessions: [{ userId: id, sessionId: 'ses_late' }] }), [null])
  t.is(await codeOf(node.call('account.login', { email, password })), 'forbidden')
  t.is(await codeOf(node.call('account.login', { email, password: 'another one' })), 'unauthenticated')
  t.is(await codeOf(node.call('account.refresh', { refreshToken: person.refreshToken })), 'unauthenticated')
  t.deepEqual(await node.call('account.suspend', { id, reason: 'again' }, asAdmin), answer)
  t.is((await node.call('account.restore', { id, reason: 'a mistake' }, asAdmin)).suspended, null)
  t.is((await node.call('account.login', { email, password })).user.id, id)
  t.deepEqual(await saidOf(id, 2), ['suspended by usr_ada', 'restored by usr_ada'])
})

test('an admin makes others staff and no longer, nobody changes their own roles, and what was opted in to stays', async (t) => {
  const person = await join()
  const { id } = person
  const staff = (roles: ('moderator' | 'admin')[], caller = admin) =>
    node.call('account.staff', { id, roles }, { meta: { caller } })
  t.deepEqual((await staff(['moderator'])).roles, ['buyer', 'moderator'])
  t.deepEqual((await who(person))?.roles, ['buyer', 'moderator'])
  await staff(['moderator'])
  t.deepEqual((await staff([])).roles, ['buyer'])
  t.is(await codeOf(staff(['admin'], { ...admin, id })), 'forbidden')
  t.deepEqual(await saidOf(id, 2), ['roles by usr_ada', 'roles by usr_ada'])
})

test('an admin is suspended only after the role was taken away', async (t) => {
  const { id } = await join()
  await node.call('account.staff', { id, roles: ['admin'] }, asAdmin)
  const suspend = () => codeOf(node.call('account.suspend', { id, reason: 'x' }, asAdmin))
  t.is(await suspend(), 'forbidden')
  await node.call('account.staff', { id, roles: [] }, asAdmin)
  t.is(await suspend(), 'ok')
})

test('a person is found by id and by username', async (t) => {
  const { id, user } = await join()
  for (const one of [id, user.username.toUpperCase()])
    t.is((await node.call('account.person', { id: one }, asAdmin)).id, id)
  t.is(await codeOf(node.call('account.person', { id: 'nobody' }, asAdmin)), 'not_found')
})
