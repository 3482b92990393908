import test from 'ava'
import { isMovable } from '../../adapters/clock/index.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import type { Caller } from '../shapes.ts'
import chat from './chat.service.ts'
import type { Unseen } from './contract.ts'
import { inbox, rowId, type InboxRow } from './inbox.ts'
import { afterNotice, afterReading, dueAfterHearing, GRACE_MS, isSettled } from './unseen.ts'

const row = (more: Partial<InboxRow> = {}): InboxRow => ({
  id: 'cnv_1-usr_1',
  version: 1,
  user: 'usr_1',
  conversation: 'cnv_1',
  lastAt: 0,
  readSeq: 0,
  ...more,
})

test('the first unheard message sets the date, later ones do not move it', (t) => {
  t.is(dueAfterHearing(row(), 1000), 1000 + GRACE_MS)
  t.is(dueAfterHearing(row({ dueAt: 5 }), 1000), 5)
})

const LAST = { seq: 3, sentAt: 0 }

test('who has read everything is not told; who was told before is looked at again at once', (t) => {
  const dueAfter = (more: Partial<InboxRow>, reached = 3, last = LAST) =>
    afterReading(row(more), { reached, last, now: 10 }).dueAt
  t.is(dueAfter({ dueAt: 50_000 }), null)
  t.is(dueAfter({ dueAt: 50_000, lastAt: 9 }), 50_000, 'a later message is on its way')
  t.is(dueAfter({ dueAt: 50_000 }, 2), 50_000)
  t.is(dueAfter({ dueAt: null, noticed: 3 }), 10)
  t.is(dueAfter({ dueAt: null, noticed: 3, readSeq: 3 }, 4, { seq: 4, sentAt: 0 }), null)
})

test('who reads while they are being told is looked at again, so that what they are told ends', (t) => {
  const read = afterReading(row({ dueAt: 9 }), { reached: 3, last: LAST, now: 10 })
  t.like(read, { readSeq: 3, dueAt: 10 })
  t.false(isSettled(read, 0, 3))
  t.true(isSettled(afterNotice(read, 0), 0, 3))
})

test('there is something to tell when more is unread than was told, or what was told is read', (t) => {
  t.true(isSettled(row(), 0, 4))
  t.false(isSettled(row(), 1, 4))
  t.true(isSettled(row({ noticed: 4 }), 2, 4))
  t.false(isSettled(row({ noticed: 4 }), 3, 5))
  t.false(isSettled(row({ noticed: 4, readSeq: 4 }), 0, 4))
  t.false(isSettled(row({ noticed: 4, readSeq: 4 }), 1, 5))
})

const caller = (name: string): Caller => ({ id: `usr_${name}`, username: name, roles: ['buyer'], sessionId: 'ses_1' })
const [ann, bob] = ['annunseen', 'bobunseen'].map(caller) as [Caller, Caller]
const as = (who: Caller) => ({ meta: { caller: who } })

let node: TestNode
let id: string
test.before(async () => {
  node = await startNode({ services: [account, chat] })
  for (const { id: user, username } of [ann, bob])
    await node.call('account.ensure', {
      id: user,
      email: `${username}@unseen.test`,
      password: '',
      username,
      displayName: username,
      roles: ['buyer'],
    })
  id = (await node.call('chat.open', { with: bob.id }, as(ann))).id
})
test.after.always(() => node.stop())

const say = (clientId: string, who = ann) => node.call('chat.send', { id, clientId, text: clientId }, as(who))
const due = () => node.call('chat.unseen', { limit: 200 }).then(({ data }) => data)
const wait = async () => {
  // The list's answer comes after what waits for the inbox was written.
  await node.call('chat.list', {}, as(ann))
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + GRACE_MS + 1000)
}
const told = ({ conversation, user, version }: Unseen, seq: number) =>
  node.call('chat.noticed', { rows: [{ conversation, user, version, seq }] })

test.serial('who does not read is due after a while, once, until there is more or it is read', async (t) => {
  await say('one')
  await say('two')
  await node.call('chat.list', {}, as(ann))
  const own = await (await node.open('documents')).get(inbox, rowId(id, ann.id))
  t.is(own!.dueAt ?? null, null, 'nobody looks for what the sender has not read')
  t.deepEqual(await due(), [], 'not before the reader had a while')
  await wait()
  const [first, ...others] = await due()
  t.like(first, { user: bob.id, from: ann.id, count: 2, lastSeq: 2, readSeq: 0, noticed: 0 })
  t.deepEqual(others, [], 'the sender is told of nothing')
  t.deepEqual(await due(), [first], 'nobody said yet that they were told')

  await say('three')
  await wait()
  t.deepEqual(await told(first!, 2), { done: 0 }, 'the row moved on')
  const [again] = await due()
  t.like(again, { count: 3, lastSeq: 3 })
  t.deepEqual(await told(again!, 3), { done: 1 })
  t.deepEqual(await due(), [])

  await node.call('chat.read', { id, seq: 3 }, as(bob))
  const [read] = await due()
  t.like(read, { count: 0, readSeq: 3, noticed: 3 })
  await told(read!, 0)
  t.deepEqual(await due(), [])

  await say('four')
  await node.call('chat.read', { id, seq: 4 }, as(bob))
  await wait()
  t.deepEqual(await due(), [], 'read in time')
  t.deepEqual(await node.call('chat.readMarks', { user: bob.id, conversations: [id, 'cnv_none'] }), { [id]: 4 })
})

test.serial('an own answer is nothing to be told of, also when it is the last word', async (t) => {
  const before = await eventually(due, ({ length }) => length === 0)
  t.deepEqual(before, [])
  await say('five')
  await say('an answer without looking', bob)
  await wait()
  const rows = await due()
  t.deepEqual(
    rows
      .map(({ user, count, lastSeq }) => ({ user, count, lastSeq }))
      .sort((one, other) => (one.user < other.user ? -1 : 1)),
    [
      { user: ann.id, count: 1, lastSeq: 6 },
      { user: bob.id, count: 1, lastSeq: 6 },
    ],
  )
})
