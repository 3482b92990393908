import test from 'ava'
import fc from 'fast-check'
import { isMovable } from '../../adapters/clock/index.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import type { Caller } from '../shapes.ts'
import chat from './chat.service.ts'
import { ANSWERS_MAX, ANSWERS_WITHIN_MS, medianMinutes, responded, waitedMs, type ResponseDoc } from './response.ts'

const MINUTE_MS = 60_000
const answer = (minutes: number, at = 0) => ({ at, ms: minutes * MINUTE_MS })
const of = (...minutes: number[]) => medianMinutes(minutes.map((one) => answer(one)))

test('the median is what half of the answers took at most, in whole minutes, never none', (t) => {
  t.is(of(), null)
  t.is(of(7), 7)
  t.is(of(1, 100, 3), 3)
  t.is(of(10, 2), 6)
  t.is(of(0.01), 1)
  t.is(of(2.5), 3)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 60 }), (minutes) => {
      const median = of(...minutes)!
      t.true(Number.isInteger(median))
      t.true(minutes.filter((one) => one <= median).length >= minutes.length / 2)
      t.true(minutes.filter((one) => one >= median - 1).length >= minutes.length / 2)
    }),
  )
})

test('only an answer ends a wait, and the wait began with the first unanswered message', (t) => {
  t.is(waitedMs(null, { sender: 'sam', sentAt: 9 }), null)
  t.is(waitedMs({ sender: 'sam', runAt: 1 }, { sender: 'sam', sentAt: 9 }), null)
  t.is(waitedMs({ sender: 'ann', runAt: 1 }, { sender: 'sam', sentAt: 9 }), 8)
  t.is(waitedMs({ sender: 'ann', runAt: 10 }, { sender: 'sam', sentAt: 9 }), 0)
})

test('the last answers of the last months count, and it is said only what is new', (t) => {
  const now = ANSWERS_WITHIN_MS * 2
  const many = Array.from({ length: ANSWERS_MAX + 10 }, (_, at) => answer(at < 10 ? 999 : 5, now - 1000 + at))
  const first = responded(null, 'usr_s', many, now)
  t.is(first.next!.answers.length, ANSWERS_MAX)
  t.deepEqual(first.say, [{ name: 'chat.responded', data: { user: 'usr_s', minutes: 5 } }])
  const same = responded(first.next!, 'usr_s', [answer(5, now)], now)
  t.deepEqual(same.say, [])
  const state: ResponseDoc = { ...same.next!, version: 1 }
  t.is(state.wakeAt, now + ANSWERS_WITHIN_MS)
  t.deepEqual(responded(state, 'usr_s', [], state.wakeAt!).say, [
    { name: 'chat.responded', data: { user: 'usr_s', minutes: null } },
  ])
})

const [sam, ann] = (['sam', 'ann'] as const).map((username): Caller => ({
  id: `usr_00000000000000000000${username}`,
  username,
  roles: ['buyer', 'seller'],
  sessionId: 'ses_1',
})) as [Caller, Caller]

const move = (node: TestNode, minutes: number) => {
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + minutes * MINUTE_MS)
}
const start = async (): Promise<TestNode> => {
  const node = await startNode({ services: [account, chat] })
  for (const { id, username, roles } of [sam, ann])
    await node.call('account.ensure', {
      id,
      email: `${username}@response.test`,
      password: '',
      username,
      displayName: username,
      roles,
    })
  return node
}
const minutesOf = async (node: TestNode, username: string) =>
  (await node.call('account.profile', { username })).responseMinutes

test('a profile shows how long its seller lets others wait, also after chat was started again in between', async (t) => {
  const node = await start()
  t.teardown(node.stop)
  const as = (caller: Caller) => ({ meta: { caller } })
  const { id } = await node.call('chat.open', { with: sam.id }, as(ann))
  let count = 0
  const say = (caller: Caller) => node.call('chat.send', { id, clientId: `m${count++}`, text: 'Hello' }, as(caller))
  t.is(await minutesOf(node, 'sam'), null)
  await say(ann)
  move(node, 4)
  await say(ann)
  move(node, 6)
  // What is known of a wait is in the messages, not in a process.
  await node.broker.destroyService(node.broker.getLocalService('chat')!)
  node.broker.createService(chat)
  await node.broker.waitForServices('chat')
  await say(sam)
  await say(sam)
  await eventually(
    () => minutesOf(node, 'sam'),
    (minutes) => minutes === 10,
  )
  move(node, 300)
  await say(ann)
  move(node, 30)
  await say(sam)
  await eventually(
    () => minutesOf(node, 'sam'),
    (minutes) => minutes === 20,
  )
  // Who opened the conversation wanted something: that she sells elsewhere does not matter here.
  t.is(await minutesOf(node, 'ann'), null)
  move(node, ANSWERS_WITHIN_MS / MINUTE_MS)
  await eventually(
    () => minutesOf(node, 'sam'),
    (minutes) => minutes === null,
  )
})
