import test from 'ava'
import { type Announcement, announcer } from './announcement.ts'
import { GATEWAY_SILENT_MS_MAX, GATEWAYS_KNOWN_MAX, holders } from './holders.ts'

/** A gateway and a sender joined by a wire that can lose things; time stands still until moved. */
const pair = (usersMax?: number) => {
  const held = new Set<string>()
  const time = { ms: 0 }
  const wire = { lost: false, asked: 0 }
  const changes: string[] = []
  const known = holders({
    now: () => time.ms,
    changed: (userIds) => {
      for (const userId of userIds) changes.push(userId)
    },
    askForList: () => {
      wire.asked += 1
      queueMicrotask(() => gateway.list(say))
    },
    ...(usersMax === undefined ? {} : { usersMax }),
  })
  const say = (announcement: Announcement): void => {
    if (!wire.lost) known.hear(JSON.parse(JSON.stringify(announcement)) as Announcement)
  }
  const gateway = announcer({ node: 'a', epoch: 'one', userIds: () => held, count: () => held.size, say })
  const change = async (userId: string, on: boolean): Promise<void> => {
    if (on) held.add(userId)
    else held.delete(userId)
    gateway.changed(userId, on)
    await new Promise(setImmediate)
  }
  const beat = async (): Promise<void> => {
    time.ms += 5_000
    gateway.beat()
    await new Promise(setImmediate)
  }
  const goes = (...userIds: string[]) => Object.fromEntries(known.targets(userIds) ?? [['everyone', userIds]])
  return { held, time, wire, known, say, gateway, change, beat, goes, changes }
}

test('after the first list only changes travel', async (t) => {
  const { change, beat, goes, wire } = pair()
  await change('ann', true)
  await beat()
  await change('bob', true)
  await change('ann', false)
  await beat()
  t.deepEqual([goes('ann'), goes('ann', 'bob'), wire.asked], [{}, { a: ['bob'] }, 1])
})

test('what changes within one turn is said once, as it is at its end', async (t) => {
  const { held, gateway, beat, goes, known, say } = pair()
  await beat()
  let said = 0
  const counting = announcer({
    node: 'a',
    epoch: 'two',
    userIds: () => held,
    count: () => 0,
    say: (one) => (say(one), said++),
  })
  for (let n = 0; n < 1_000; n++) counting.changed(`u${n % 10}`, n % 2 === 0)
  await new Promise(setImmediate)
  t.is(said, 1)
  t.is(known.usersKnown(), 0)
  gateway.beat()
  t.deepEqual(goes(), {})
})

test('a lost change is noticed with the next one, and until the list is here the gateway gets everything', async (t) => {
  const { change, beat, goes, wire, time } = pair()
  await beat()
  wire.lost = true
  await change('ann', true)
  t.deepEqual(goes('ann'), {}, 'not known yet')
  wire.lost = false
  time.ms += 1_000
  const changed = change('bob', true)
  await changed
  t.deepEqual(goes('ann', 'bob', 'cid'), { a: ['ann', 'bob'] })
  wire.lost = true
  await change('cid', true)
  await change('dan', true)
  wire.lost = false
  time.ms += 1_000
  await change('eve', true)
  t.deepEqual(goes('cid', 'dan', 'eve'), { a: ['cid', 'dan', 'eve'] })
})

test('a list that loses a part is not believed', async (t) => {
  const { known, goes } = pair()
  const part = (at: number, version = 3): Announcement => ({
    kind: 'list',
    node: 'a',
    epoch: 'one',
    version,
    part: at,
    parts: 3,
    userIds: [`user ${at}`],
  })
  known.hear({ kind: 'beat', node: 'a', epoch: 'one', version: 3, count: 3 })
  known.hear(part(0))
  known.hear(part(2))
  t.deepEqual(goes('stranger'), { a: ['stranger'] })
  known.hear(part(0))
  known.hear(part(1, 4))
  known.hear(part(2, 4))
  t.deepEqual(goes('stranger'), { a: ['stranger'] })
  for (const at of [0, 1, 2]) known.hear(part(at))
  t.deepEqual(goes('stranger', 'user 1'), { a: ['user 1'] })
})

test('a node that lives again under its name starts with an empty page', async (t) => {
  const { known, change, beat, goes } = pair()
  await change('ann', true)
  await beat()
  t.deepEqual(goes('ann'), { a: ['ann'] })
  known.hear({ kind: 'list', node: 'a', epoch: 'two', version: 0, part: 0, parts: 1, userIds: ['bob'] })
  t.deepEqual(goes('ann', 'bob'), { a: ['bob'] })
  known.hear({ kind: 'gone', node: 'a', epoch: 'one' })
  t.deepEqual(goes('bob'), { a: ['bob'] }, 'the farewell of the earlier life comes late')
  known.hear({ kind: 'gone', node: 'a', epoch: 'two' })
  t.deepEqual(goes('bob'), {})
})

test('a gateway that fell silent is forgotten, one that speaks is not', async (t) => {
  const { known, change, beat, goes, time } = pair()
  await change('ann', true)
  await beat()
  time.ms += GATEWAY_SILENT_MS_MAX - 1_000
  known.forgetSilent()
  t.deepEqual(goes('ann'), { a: ['ann'] })
  time.ms += 2_000
  known.forgetSilent()
  t.deepEqual(goes('ann'), {})
  await beat()
  t.deepEqual(goes('ann'), { a: ['ann'] })
})

test('a gateway too large to remember gets every frame and costs no memory', async (t) => {
  const { known, change, beat, goes } = pair(10)
  for (let n = 0; n < 20; n++) await change(`u${n}`, true)
  await beat()
  t.deepEqual(goes('stranger'), { a: ['stranger'] })
  t.is(known.usersKnown(), 0)
  for (let n = 0; n < 15; n++) await change(`u${n}`, false)
  await beat()
  t.deepEqual(goes('stranger', 'u19'), { a: ['u19'] })
  for (let n = 0; n < 20; n++) {
    await change(`v${n}`, true)
    t.true(known.usersKnown() <= 10)
  }
  t.deepEqual(goes('stranger'), { a: ['stranger'] })
})

test('more gateways than can be remembered means telling everyone', (t) => {
  const { known, goes } = pair()
  for (let n = 0; n <= GATEWAYS_KNOWN_MAX; n++)
    known.hear({ kind: 'beat', node: `g${n}`, epoch: 'one', version: 0, count: 0 })
  t.deepEqual(goes('ann'), { everyone: ['ann'] })
})

test('who went while the list was out of step is among the changes once the next list is here', async (t) => {
  const { change, beat, changes, known, wire } = pair()
  await change('ann', true)
  await change('bob', true)
  await beat()
  t.deepEqual([known.holds('ann'), known.holds('bob'), known.holds('cid')], [true, true, false])
  wire.lost = true
  await change('ann', false)
  wire.lost = false
  changes.length = 0
  await beat()
  t.false(known.holds('ann'))
  t.true(changes.includes('ann'))
})

test('who was held by a gateway that falls silent is among the changes', async (t) => {
  const { change, beat, changes, known, time } = pair()
  await change('ann', true)
  await beat()
  changes.length = 0
  time.ms += GATEWAY_SILENT_MS_MAX + 1
  known.forgetSilent()
  t.deepEqual(changes, ['ann'])
  t.false(known.holds('ann'))
})
