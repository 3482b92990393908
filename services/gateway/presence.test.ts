import test, { type ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { localFanout } from '../../adapters/fanout/local.ts'
import type { Socket } from '../../adapters/listener/index.ts'
import { eventually } from '../../test/node.ts'
import { refusal } from '../errors.ts'
import { connection, type Connection } from './connection.ts'
import { BUFFERED_MAX, presence, type Pace } from './presence.ts'

type Told = { user: string; online: boolean; changes: { user: string; online: boolean }[] }

/** People who come and go at a gateway, and lookers whose sockets write down what they are told. */
const setup = (t: ExecutionContext, pace: Partial<Pace> = {}) => {
  const fanout = localFanout()
  const gateway = fanout.attach({ users: () => {}, topic: () => {} })
  let frames = 0
  const shown = presence({ fanout, told: () => frames++, pace: { everyMs: 50, graceMs: 300, ...pace } })
  t.teardown(() => {
    shown.stop()
    return fanout.close()
  })
  const looker = (userId: string) => {
    const one: Connection = connection(userId, null)
    one.verified = { userId, sessionId: 'ses', expiresAt: Infinity }
    const told: Told[] = []
    const state = { buffered: 0 }
    one.socket = {
      send: (text: string) => told.push((JSON.parse(text) as { data: Told }).data) > 0,
      buffered: () => state.buffered,
      closed: false,
    } as unknown as Socket<Connection>
    return {
      one,
      told,
      state,
      changes: () => told.flatMap(({ changes }) => changes.map((c) => `${c.user} ${c.online}`)),
    }
  }
  return { ...gateway, shown, looker, frames: () => frames }
}

test('who looks is told who is there, and of changes for as long as it looks', async (t) => {
  const { hold, release, shown, looker } = setup(t)
  hold('ann')
  const a = looker('usr_a')
  t.deepEqual(shown.look(a.one, ['ann', 'bob', 'ann']).online, ['ann'])
  t.is(shown.watched(), 2)
  hold('bob')
  hold('cid')
  await eventually(a.changes, (changes) => changes.length === 1)
  t.deepEqual(a.told, [{ user: 'bob', online: true, changes: [{ user: 'bob', online: true }] }])
  release('ann')
  await eventually(a.changes, (changes) => changes.length === 2)
  t.deepEqual(a.changes(), ['bob true', 'ann false'])
  t.deepEqual(shown.look(a.one, ['cid']).online, ['cid'], 'another question replaces the people looked at')
  release('bob')
  release('cid')
  await eventually(a.changes, (changes) => changes.length === 3)
  t.is(a.changes().at(-1), 'cid false')
  shown.look(a.one, [])
  t.is(shown.watched(), 0)
})

test('who goes and is back within the grace was never away, and many changes are one frame', async (t) => {
  const { hold, release, shown, looker, frames } = setup(t, { graceMs: 5000 })
  const users = Array.from({ length: 200 }, (_, n) => `usr_${n}`)
  for (const user of users) hold(user)
  const all = Array.from({ length: 10 }, (_, n) => looker(`looker_${n}`))
  for (const { one } of all) shown.look(one, users)
  // Half of the market reconnects, and one of them stays away.
  for (const user of users.slice(0, 100)) release(user)
  await sleep(100)
  for (const user of users.slice(1, 100)) hold(user)
  await eventually(all[9]!.changes, (changes) => changes.length > 0)
  await sleep(100)
  for (const { changes } of all) t.deepEqual(changes(), ['usr_0 false'])
  t.is(frames(), 10)
  for (const user of users.slice(0, 100)) release(user)
  await eventually(all[9]!.changes, (changes) => changes.length === 100)
  t.true(all[9]!.told.length <= 3, `${all[9]!.told.length} frames`)
})

test('a look ends after its time, with its connection, and where one is blocked', async (t) => {
  const { hold, shown, looker } = setup(t, { lookMs: 1000 })
  const [a, b, c] = [looker('usr_a'), looker('usr_b'), looker('usr_c')]
  for (const { one } of [a, b, c]) shown.look(one, ['ann', 'bob'])
  shown.remove(b.one)
  shown.blocked('ann', 'usr_c')
  hold('ann')
  hold('bob')
  await eventually(
    () => a.changes().length + c.changes().length,
    (count) => count === 3,
  )
  t.deepEqual(c.changes(), ['bob true'])
  t.deepEqual(b.changes(), [])
  await eventually(shown.watched, (count) => count === 0)
})

test('a socket with much to read hears of presence later, and then as it is by then', async (t) => {
  const { hold, release, shown, looker } = setup(t, { graceMs: 0 })
  const a = looker('usr_a')
  a.state.buffered = BUFFERED_MAX + 1
  shown.look(a.one, ['ann', 'bob'])
  hold('ann')
  hold('bob')
  await sleep(150)
  t.deepEqual(a.told, [])
  release('ann')
  await sleep(150)
  a.state.buffered = 0
  await eventually(a.changes, (changes) => changes.length > 0)
  await sleep(120)
  t.deepEqual(a.changes(), ['bob true'])
})

test('a gateway looks at so many and no more', (t) => {
  const { shown, looker } = setup(t)
  const users = Array.from({ length: 200 }, (_, n) => `usr_${n}`)
  for (let n = 0; n < 2500; n++) shown.look(looker(`l${n}`).one, users)
  const error = t.throws(() => shown.look(looker('one more').one, users))
  t.is(refusal(error)?.code, 'overloaded')
})
