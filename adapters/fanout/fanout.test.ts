import test, { type ExecutionContext } from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Attachment, type Fanout, FRAME_BYTES_MAX, USERS_PER_FRAME_MAX } from './index.ts'
import { fanoutHub, localFanout } from './local.ts'
import { natsFanout } from './nats.ts'
import { freePort, hasNats, natsUrl, quiet, startNats, until } from './nats-server.ts'

type Net = (t: ExecutionContext) => Promise<(nodeId: string) => Promise<Fanout>>

const nets: Record<string, Net> = {
  local: async (t) => {
    const hub = fanoutHub(quiet)
    return async () => closedAfter(t, localFanout({ hub, log: quiet }))
  },
}
const overNats = (t: ExecutionContext, url: string) => {
  const prefix = `test${Math.random().toString(36).slice(2)}`
  return async (nodeId: string) => closedAfter(t, await natsFanout({ url, nodeId, log: quiet, prefix }))
}
if (natsUrl) nets['nats by URL'] = async (t) => overNats(t, natsUrl!)
if (hasNats) {
  nets['nats'] = async (t) => {
    const port = await freePort()
    await startNats(t, port)
    return overNats(t, `nats://127.0.0.1:${port}`)
  }
}

const closedAfter = (t: ExecutionContext, fanout: Fanout): Fanout => {
  t.teardown(() => fanout.close())
  return fanout
}

/** A gateway that writes down what reaches it. */
const gateway = (fanout: Fanout) => {
  const heard: string[] = []
  const attachment: Attachment = fanout.attach({
    users: (userIds, frame) => heard.push(`${userIds.join()}: ${frame}`),
    topic: (topic, frame, seq) => heard.push(`#${topic}${seq > 0 ? ` ${seq}` : ''}: ${frame}`),
  })
  return { heard, ...attachment }
}

/** Sends last frames until they arrive, which also proves that everything sent before either has arrived or never will. */
const passed = async (sender: Fanout, to: { heard: string[]; hold(userId: string): void }): Promise<string[]> => {
  const mark = `mark ${Math.random()}`
  to.hold(mark)
  await until(async () => {
    sender.toUsers([mark], 'here')
    await sleep(5)
    return to.heard.includes(`${mark}: here`)
  })
  return to.heard.filter((line) => !line.startsWith('mark'))
}

for (const [name, net] of Object.entries(nets)) {
  test(`${name}: a frame reaches each gateway that holds the user, once, and no other`, async (t) => {
    const node = await net(t)
    const [sender, a, b, c] = [
      await node('sender'),
      gateway(await node('a')),
      gateway(await node('b')),
      gateway(await node('c')),
    ]
    a.hold('ann')
    b.hold('ann')
    b.hold('bob')
    c.hold('cid')
    for (const one of [a, b, c]) await passed(sender, one)
    sender.toUsers(['ann', 'bob', 'ann', 'nobody'], '{"seq":1}')
    sender.toUsers([], 'to nobody')
    t.deepEqual(await passed(sender, a), ['ann: {"seq":1}'])
    t.deepEqual(await passed(sender, b), ['ann,bob: {"seq":1}'])
    t.deepEqual(await passed(sender, c), [])
  })

  test(`${name}: a user with two connections is held until the second is gone`, async (t) => {
    const node = await net(t)
    const [sender, a] = [await node('sender'), gateway(await node('a'))]
    a.hold('ann')
    a.hold('ann')
    a.release('ann')
    a.release('stranger')
    await passed(sender, a)
    sender.toUsers(['ann', 'stranger'], 'one')
    t.deepEqual(await passed(sender, a), ['ann: one'])
    a.release('ann')
    await passed(sender, a)
    sender.toUsers(['ann'], 'two')
    t.deepEqual(await passed(sender, a), ['ann: one'])
  })

  test(`${name}: the sender's own gateway hears before the call returns`, async (t) => {
    const sender = await (await net(t))('a')
    const a = gateway(sender)
    a.hold('ann')
    a.join('news')
    sender.toUsers(['ann'], 'one')
    sender.toTopic('news', 'two')
    t.deepEqual(a.heard, ['ann: one', '#news: two'])
    await sleep(50)
    t.is(a.heard.length, 2)
  })

  test(`${name}: a frame of a topic brings the number its sender gave it`, async (t) => {
    const node = await net(t)
    const [sender, a] = [await node('sender'), gateway(await node('a'))]
    a.join('news')
    await passed(sender, a)
    for (const seq of [1, 2, Number.MAX_SAFE_INTEGER]) sender.toTopic('news', `frame ${seq}`, seq)
    sender.toTopic('news', 'no number')
    t.deepEqual(await passed(sender, a), [
      '#news 1: frame 1',
      '#news 2: frame 2',
      `#news ${Number.MAX_SAFE_INTEGER}: frame ${Number.MAX_SAFE_INTEGER}`,
      '#news: no number',
    ])
  })

  test(`${name}: every node knows who is held anywhere, and hears of whom it may have changed for`, async (t) => {
    const node = await net(t)
    const looker = await node('looker')
    const changed = new Set<string>()
    const stop = looker.onHeld((userIds) => {
      for (const userId of userIds) changed.add(userId)
    })
    const [a, b] = [gateway(await node('a')), gateway(await node('b'))]
    a.hold('ann')
    b.hold('ann')
    b.hold('bob')
    await until(() => looker.held(['bob', 'cid', 'ann']).join() === 'bob,ann')
    t.true(changed.has('ann') && changed.has('bob') && !changed.has('cid'))
    a.release('ann')
    await passed(looker, a)
    t.deepEqual(looker.held(['ann']), ['ann'], 'the other gateway has her still')
    changed.clear()
    b.release('ann')
    await until(() => looker.held(['ann']).length === 0)
    t.deepEqual(
      [...changed].filter((userId) => userId === 'ann'),
      ['ann'],
    )
    changed.clear()
    await b.detach()
    await until(() => looker.held(['bob']).length === 0)
    await until(() => changed.has('bob'))
    stop()
    changed.clear()
    a.hold('dan')
    await until(() => looker.held(['dan']).length === 1)
    t.is(changed.size, 0)
  })

  test(`${name}: a topic reaches those who joined it, until they leave`, async (t) => {
    const node = await net(t)
    const [sender, a, b] = [await node('sender'), gateway(await node('a')), gateway(await node('b'))]
    a.join('news.of/*')
    a.join('news.of/*')
    b.join('other')
    a.leave('news.of/*')
    for (const one of [a, b]) await passed(sender, one)
    sender.toTopic('news.of/*', 'one\ntwo')
    t.deepEqual(await passed(sender, a), ['#news.of/*: one\ntwo'])
    t.deepEqual(await passed(sender, b), [])
    a.leave('news.of/*')
    await passed(sender, a)
    sender.toTopic('news.of/*', 'three')
    t.is((await passed(sender, a)).length, 1)
  })

  test(`${name}: a notice reaches every node once, its own at once`, async (t) => {
    const node = await net(t)
    const nodes = await Promise.all(['a', 'b.with dots', 'c'].map(node))
    const heard: unknown[][] = nodes.map(() => [])
    const stops = nodes.map((one, n) => one.onNodes('clock.*', (data) => heard[n]!.push(data)))
    nodes[0]!.onNodes('clock', () => t.fail())
    // what a node hears of another shows that the line is there
    const ready = nodes.map((one, n) => one.onNodes('ready', () => (seen[n] = true)))
    const seen = [false, false, false]
    await until(async () => {
      nodes[0]!.toNodes('ready', null)
      await sleep(5)
      return seen.every(Boolean)
    })
    const data = { offsetMs: 5, at: ['x'] }
    nodes[0]!.toNodes('clock.*', data)
    t.deepEqual(heard[0], [{ offsetMs: 5, at: ['x'] }])
    t.not(heard[0]![0], data)
    await until(() => heard.every((one) => one.length > 0))
    stops[2]!()
    ready.forEach((stop) => stop())
    nodes[1]!.toNodes('clock.*', undefined)
    await until(() => heard[0]!.length > 1)
    await sleep(50)
    t.deepEqual(heard, [[data, null], [data, null], [data]])
  })

  test(`${name}: ten thousand frames of one sender arrive in their order`, async (t) => {
    const node = await net(t)
    const [sender, a] = [await node('sender'), gateway(await node('a'))]
    a.hold('ann')
    a.join('news')
    await passed(sender, a)
    for (let n = 0; n < 10_000; n++) {
      if (n % 10 === 0) sender.toTopic('news', String(n))
      else sender.toUsers(['ann', `other ${n}`], String(n))
      if (n % 500 === 0) await sleep(1)
    }
    const frames = (await passed(sender, a)).map((line) => line.split(': ')[1])
    t.deepEqual(
      frames,
      Array.from({ length: 10_000 }, (_, n) => String(n)),
    )
  })

  test(`${name}: what is too large or has no proper name is refused`, async (t) => {
    const fanout = await (await net(t))('a')
    const tooMany = Array.from({ length: USERS_PER_FRAME_MAX + 1 }, (_, n) => `u${n}`)
    const tooLarge = 'ö'.repeat(FRAME_BYTES_MAX / 2 + 1)
    const a = gateway(fanout)
    a.hold('ann')
    fanout.toUsers(['ann'], 'x'.repeat(FRAME_BYTES_MAX))
    t.is(a.heard.length, 1)
    t.throws(() => fanout.toUsers(tooMany, 'x'), { instanceOf: RangeError })
    t.throws(() => fanout.toUsers(['ann'], tooLarge), { instanceOf: RangeError })
    t.throws(() => fanout.toTopic('news', tooLarge), { instanceOf: RangeError })
    t.throws(() => fanout.toNodes('news', tooLarge), { instanceOf: RangeError })
    for (const bad of ['', 'a b', 'a\nb', 'x'.repeat(201)]) {
      t.throws(() => fanout.toTopic(bad, 'x'), { instanceOf: RangeError })
      t.throws(() => fanout.toNodes(bad, 'x'), { instanceOf: RangeError })
      t.throws(() => fanout.onNodes(bad, () => {}), { instanceOf: RangeError })
    }
    t.is(a.heard.length, 1)
  })

  test(`${name}: a detached gateway hears nothing and harms nobody; its successor starts clean`, async (t) => {
    const node = await net(t)
    const [sender, home] = [await node('sender'), await node('a')]
    const [old, stays] = [gateway(home), gateway(home)]
    for (const one of [old, stays]) {
      one.hold('ann')
      one.join('news')
    }
    await passed(sender, stays)
    await old.detach()
    await old.detach()
    old.release('ann')
    old.hold('ann')
    sender.toUsers(['ann'], 'one')
    sender.toTopic('news', 'two')
    t.deepEqual(await passed(sender, stays), ['ann: one', '#news: two'])
    await stays.detach()
    const next = gateway(home)
    await passed(sender, next)
    sender.toUsers(['ann'], 'three')
    sender.toTopic('news', 'four')
    t.deepEqual(await passed(sender, next), [])
    t.deepEqual(old.heard, [])
  })

  test(`${name}: a receiver that throws costs the others nothing`, async (t) => {
    const node = await net(t)
    const [sender, home] = [await node('sender'), await node('a')]
    const broken = home.attach({
      users: () => {
        throw new Error('broken')
      },
      topic: () => {},
    })
    broken.hold('ann')
    home.onNodes('note', () => {
      throw new Error('broken')
    })
    const whole = gateway(home)
    whole.hold('ann')
    await passed(sender, whole)
    t.notThrows(() => home.toNodes('note', 1))
    sender.toUsers(['ann'], 'one')
    t.deepEqual(await passed(sender, whole), ['ann: one'])
  })

  test(`${name}: a closed node neither sends nor hears`, async (t) => {
    const node = await net(t)
    const [sender, leaving] = [await node('sender'), await node('a')]
    const [stays, gone] = [gateway(await node('b')), gateway(leaving)]
    for (const one of [stays, gone]) one.hold('ann')
    await passed(sender, stays)
    await leaving.close()
    t.is(leaving.state(), 'down')
    leaving.toUsers(['ann'], 'from the dead')
    leaving.toNodes('note', 1)
    sender.toUsers(['ann'], 'one')
    t.deepEqual(await passed(sender, stays), ['ann: one'])
    t.deepEqual(
      gone.heard.filter((line) => line.startsWith('ann')),
      [],
    )
  })
}
