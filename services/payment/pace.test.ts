// The pace in virtual time: a provider that counts, people who call, and a background that asks whenever it may.
import test from 'ava'
import { background } from './background.ts'
import type { CallName } from './operation.ts'
import { paced, PROVIDER_PER_SECOND, RATE_MIN, ROOM_ALL_PER_SECOND, ROOM_PER_SECOND, type Pace } from './pace.ts'

const START = 1_000_000
type Sent = { at: number; how: 'taken' | 'limited' }

/** The background calls whenever the pace lets it, for so many seconds; the provider takes so many in any second. */
const asked = (pace: Pace, time: { now: number }, seconds: number, name: CallName, takes: number): Sent[] => {
  const sent: Sent[] = []
  for (const until = time.now + seconds * 1000; time.now < until;) {
    const waitMs = pace.wait(name)
    if (waitMs > 0) {
      time.now += waitMs
      continue
    }
    const lately = sent.filter(({ at, how }) => how === 'taken' && at > time.now - 1000).length
    const how = lately < takes ? 'taken' : 'limited'
    sent.push({ at: time.now, how })
    pace.told(name, how)
  }
  return sent
}
/** Chance from a seed. */
const chances = (seed: number) => () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
const clock = () => {
  const time = { now: START }
  return { time, pace: paced(() => time.now) }
}
const taken = (sent: readonly Sent[]) => sent.filter(({ how }) => how === 'taken').length
const share = (sent: readonly Sent[]) => sent.filter(({ how }) => how === 'limited').length / sent.length

test('the background uses what the provider takes, and no second has more calls than that', (t) => {
  const { time, pace } = clock()
  const sent = asked(pace, time, 60, 'transfer', PROVIDER_PER_SECOND)
  t.true(taken(sent) >= 60 * PROVIDER_PER_SECOND * 0.97, `${taken(sent)}`)
  t.true(share(sent) < 0.01, `${share(sent)}`)
})

test('calls that people wait for have their room before anybody asks for it', (t) => {
  const { time, pace } = clock()
  const sent = asked(pace, time, 30, 'refund', PROVIDER_PER_SECOND)
  const perSecond = PROVIDER_PER_SECOND - ROOM_PER_SECOND.refund!
  t.true(sent.length <= 30 * perSecond + 5 && sent.length >= 30 * perSecond * 0.95, `${sent.length}`)
})

test('every call of a person is one less of the background, and no kind takes the room of all', (t) => {
  const { time, pace } = clock()
  let went = 0
  for (let at = 0; at < 20_000; at += 10, time.now += 10) {
    if (at % 100 === 0) pace.live('transfer')
    if (pace.wait('transfer') === 0) went++
  }
  t.true(went <= 20 * 15 + 10 && went >= 20 * 13, `${went} beside ten a second of people`)
  const other = clock()
  let all = 0
  for (let at = 0; at < 10_000; at += 5, other.time.now += 5)
    for (const name of ['transfer', 'payout', 'look', 'reverse', 'account'] as const)
      if (other.pace.wait(name) === 0) all++
  t.true(all <= 10 * (100 - ROOM_ALL_PER_SECOND) + 10 && all > 500, `${all} of all kinds in ten seconds`)
})

test('a lower limit is found by halving and kept to by small steps', (t) => {
  const { time, pace } = clock()
  asked(pace, time, 60, 'transfer', 8)
  const sent = asked(pace, time, 300, 'transfer', 8)
  t.true(taken(sent) > 300 * 8 * 0.7, `${taken(sent)}`)
  t.true(share(sent) < 0.16, `${share(sent)}`)
  asked(pace, time, 60, 'transfer', 0)
  t.true(pace.rate('transfer') <= RATE_MIN + 1)
  const back = asked(pace, time, 120, 'transfer', PROVIDER_PER_SECOND)
  t.true(taken(back) > 60 * PROVIDER_PER_SECOND)
})

test('two nodes that know nothing of each other share what the provider takes', (t) => {
  const time = { now: START }
  const nodes = [paced(() => time.now), paced(() => time.now)]
  const sent: { at: number; node: number; how: 'taken' | 'limited' }[] = []
  const lot = chances(3)
  for (; time.now < START + 600_000; time.now += 5)
    // Whose call arrives first is chance.
    for (const node of lot() < 0.5 ? [0, 1] : [1, 0]) {
      const pace = nodes[node]!
      if (pace.wait('transfer') > 0) continue
      // It counts by whole seconds; in a rolling one whoever keeps exact time would shut the other out.
      const second = Math.floor(time.now / 1000)
      let lately = 0
      for (let at = sent.length - 1; at >= 0 && Math.floor(sent[at]!.at / 1000) === second; at--)
        if (sent[at]!.how === 'taken') lately++
      const how = lately < PROVIDER_PER_SECOND ? 'taken' : 'limited'
      sent.push({ at: time.now, node, how })
      pace.told('transfer', how)
    }
  const last = sent.filter(({ at, how }) => at > START + 300_000 && how === 'taken')
  const first = last.filter(({ node }) => node === 0).length / last.length
  t.true(last.length > 300 * PROVIDER_PER_SECOND * 0.8, `${last.length}`)
  t.true(first > 0.3 && first < 0.7, `${first} of it is the first one's`)
})

test('a little bad luck is no limit', (t) => {
  const { time, pace } = clock()
  const lot = chances(7)
  let went = 0
  for (; time.now < START + 400_000; time.now += 5)
    if (pace.wait('transfer') === 0) {
      went++
      pace.told('transfer', lot() < 0.05 ? 'limited' : 'taken')
    }
  t.true(went > 400 * PROVIDER_PER_SECOND * 0.95, `${went}`)
})

test('operations that wait go in the order they came, each once, and none after the process leaves', async (t) => {
  const time = { now: START }
  const pace = paced(() => time.now)
  const done: string[] = []
  const line = background({
    pace,
    nextCall: async () => 'transfer',
    drive: async (id, slot) => {
      if (await slot('transfer')) done.push(id)
    },
    sleep: async (ms) => {
      time.now += ms
    },
    warn: () => undefined,
  })
  const ids = Array.from({ length: 200 }, (_, at) => `po_${at}`)
  for (const id of [...ids, ...ids]) line.offer(id)
  while (line.size() > 0) await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual([...new Set(done)], ids)
  t.true(time.now - START > (180 / PROVIDER_PER_SECOND) * 1000)
  await line.stop()
  line.offer('late')
  t.is(line.size(), 0)
})

test('what waits for one kind of call does not stand in the way of another', async (t) => {
  const time = { now: START }
  const pace = paced(() => time.now)
  const done: string[] = []
  const line = background({
    pace,
    nextCall: async (id) => (id.startsWith('look') ? 'look' : 'transfer'),
    drive: async (id, slot) => {
      if (await slot(id.startsWith('look') ? 'look' : 'transfer')) done.push(id)
    },
    sleep: async (ms) => {
      await new Promise((resolve) => setImmediate(resolve))
      time.now += ms
    },
    warn: () => undefined,
  })
  for (let at = 0; at < 300; at++) line.offer(`look_${at}`)
  for (let at = 0; at < 50; at++) line.offer(`po_${at}`)
  while (done.filter((id) => id.startsWith('po')).length < 50) await new Promise((resolve) => setImmediate(resolve))
  t.true(done.filter((id) => id.startsWith('look')).length < 60, `${done.length}`)
  await line.stop()
})
