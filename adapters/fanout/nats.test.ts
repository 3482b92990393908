import test, { type ExecutionContext } from 'ava'
import { connect, type NatsConnection } from 'nats'
import { setTimeout as sleep } from 'node:timers/promises'
import { USERS_PER_ANNOUNCEMENT } from './announcement.ts'
import type { Fanout } from './index.ts'
import { BEAT_MS, natsFanout, TOPIC_SHARDS } from './nats.ts'
import { freePort, hasNats, quiet, startNats, until } from './nats-server.ts'

const given = hasNats ? test : test.skip

const net = async (t: ExecutionContext) => {
  const port = await freePort()
  const url = `nats://127.0.0.1:${port}`
  return {
    port,
    node: async (nodeId: string): Promise<Fanout> => {
      const fanout = await natsFanout({ url, nodeId, log: quiet })
      t.teardown(() => fanout.close())
      return fanout
    },
    /** Which subjects frames travel on. */
    spy: async (): Promise<string[]> => {
      const connection: NatsConnection = await connect({ servers: url })
      t.teardown(() => connection.close())
      const subjects: string[] = []
      connection.subscribe('gigwire.>', { callback: (_, message) => subjects.push(message.subject) })
      await connection.flush()
      return subjects
    },
  }
}

const gateway = (fanout: Fanout) => {
  const heard: string[] = []
  const attachment = fanout.attach({ users: (_, frame) => heard.push(frame), topic: (_, frame) => heard.push(frame) })
  return { heard, ...attachment }
}

/** Sends numbered frames until the sender knows who holds whom; answers how many there were. */
const sendUntilKnown = async (sender: Fanout, subjects: string[], known: string): Promise<number> => {
  let sent = 0
  await until(() => {
    for (let n = 0; n < 20; n++) sender.toUsers(['ann'], String(sent++))
    return subjects.includes(known)
  })
  return sent
}

const isFrame = (subject: string): boolean => subject === 'gigwire.gateways' || subject.startsWith('gigwire.gw.')

/** Becomes true when what is sent travels on these subjects and no others. */
const travels = (subjects: string[], send: () => void, expected: string[]): Promise<void> =>
  until(async () => {
    subjects.length = 0
    send()
    await sleep(25)
    return subjects.filter(isFrame).sort().join() === expected.join()
  })

given(
  'a sender first tells everyone, soon only the holders, and no frame is lost, doubled or overtaken between',
  async (t) => {
    const { port, node, spy } = await net(t)
    await startNats(t, port)
    const [subjects, sender, a, b] = [
      await spy(),
      await node('sender'),
      gateway(await node('a')),
      gateway(await node('b')),
    ]
    a.hold('ann')
    b.hold('bob')
    const sent = await sendUntilKnown(sender, subjects, 'gigwire.gw.a')
    t.true(subjects.includes('gigwire.gateways'))
    await until(() => a.heard.length >= sent)
    t.deepEqual(
      a.heard,
      Array.from({ length: sent }, (_, n) => String(n)),
    )
    t.deepEqual(b.heard, [])

    const send = (): void => {
      sender.toUsers(['ann', 'nobody'], 'for ann')
      sender.toUsers(['nobody'], 'for nobody')
      sender.toUsers(['ann', 'bob'], 'for both')
    }
    await travels(subjects, send, ['gigwire.gw.a', 'gigwire.gw.a', 'gigwire.gw.b'])
    await until(() => a.heard.at(-1) === 'for both' && b.heard.at(-1) === 'for both')

    // who comes, goes and moves afterwards is followed by small changes
    b.hold('ann')
    a.release('ann')
    await travels(subjects, () => sender.toUsers(['ann'], 'moved'), ['gigwire.gw.b'])
    await b.detach()
    await travels(subjects, () => sender.toUsers(['ann', 'bob'], 'gone'), [])
  },
)

given('a sender that starts later learns of many holders at once', async (t) => {
  const { port, node, spy } = await net(t)
  await startNats(t, port)
  const a = gateway(await node('a'))
  for (let n = 0; n < USERS_PER_ANNOUNCEMENT * 2.5; n++) a.hold(`user ${n}`)
  a.hold('ann')
  const [subjects, sender] = [await spy(), await node('sender')]
  sender.toUsers(['ann'], 'at once')
  await until(() => a.heard.includes('at once'))
  await sendUntilKnown(sender, subjects, 'gigwire.gw.a')
  a.heard.length = 0
  for (let n = 0; n < USERS_PER_ANNOUNCEMENT * 2.5; n++) sender.toUsers([`user ${n}`, `stranger ${n}`], `for user ${n}`)
  const reached = (): number => new Set(a.heard.filter((frame) => frame.startsWith('for user'))).size
  await until(() => reached() >= USERS_PER_ANNOUNCEMENT * 2.5)
  const send = (): void => {
    for (let n = 0; n < 100; n++) sender.toUsers([`stranger ${n}`], 'x')
    sender.toUsers(['ann'], 'last')
  }
  await travels(subjects, send, ['gigwire.gw.a'])
  await until(() => a.heard.at(-1) === 'last')
  t.is(reached(), USERS_PER_ANNOUNCEMENT * 2.5)
})

given(
  'NATS killed and started again: all is delivered as before, and everyone hears that something was missed',
  async (t) => {
    const { port, node, spy } = await net(t)
    const server = await startNats(t, port)
    const [early, senderNode, home] = [await spy(), await node('sender'), await node('a')]
    const a = gateway(home)
    a.hold('ann')
    a.hold('leaver')
    a.join('news')
    const missed = { sender: 0, a: 0 }
    senderNode.onMissed(() => (missed.sender += 1))
    home.onMissed(() => (missed.a += 1))
    const notices: unknown[] = []
    home.onNodes('note', (data) => notices.push(data))
    await sendUntilKnown(senderNode, early, 'gigwire.gw.a')
    t.deepEqual(missed, { sender: 0, a: 0 })

    server.kill('SIGKILL')
    await until(() => senderNode.state() === 'down' && home.state() === 'down')
    senderNode.toUsers(['ann'], 'into the void')
    a.hold('newcomer')
    a.release('leaver')
    a.join('later')
    home.toUsers(['ann'], 'own gateway')
    t.is(a.heard.at(-1), 'own gateway')

    await startNats(t, port)
    await until(() => senderNode.state() === 'up' && home.state() === 'up')
    const subjects = await spy()
    await until(() => missed.sender > 0 && missed.a > 0)
    for (const send of [
      () => senderNode.toUsers(['newcomer'], 'to newcomer'),
      () => senderNode.toTopic('news', 'news'),
      () => senderNode.toTopic('later', 'later'),
    ])
      send()
    senderNode.toNodes('note', 1)
    await until(() => ['to newcomer', 'news', 'later'].every((frame) => a.heard.includes(frame)) && notices.length > 0)
    t.false(a.heard.includes('into the void'))
    await sendUntilKnown(senderNode, subjects, 'gigwire.gw.a')
    const send = (): void => {
      senderNode.toUsers(['leaver'], 'x')
      senderNode.toUsers(['newcomer'], 'y')
    }
    await travels(subjects, send, ['gigwire.gw.a'])
  },
)

given('a start without NATS serves the own gateway and joins the others when NATS comes', async (t) => {
  const { port, node } = await net(t)
  const [one, two] = [await node('one'), await node('two')]
  const [a, b] = [gateway(one), gateway(two)]
  a.hold('ann')
  b.hold('ann')
  b.join('news')
  one.toUsers(['ann'], 'alone')
  t.deepEqual([one.state(), a.heard, b.heard], ['down', ['alone'], []])
  let missed = 0
  two.onMissed(() => (missed += 1))
  await startNats(t, port)
  await until(() => one.state() === 'up' && two.state() === 'up' && missed > 0)
  one.toUsers(['ann'], 'together')
  one.toTopic('news', 'news')
  await until(() => b.heard.length >= 2)
  t.deepEqual(b.heard, ['together', 'news'])
})

given('closing while NATS is away ends at once and leaves nothing behind', async (t) => {
  const { port, node } = await net(t)
  const never = await node('never')
  await never.close()
  const server = await startNats(t, port)
  const lost = await node('lost')
  server.kill('SIGKILL')
  await until(() => lost.state() === 'down')
  await lost.close()
  t.is(lost.state(), 'down')
})

given('a gateway says that it is there, again and again, for as long as it is', async (t) => {
  const { port, node, spy } = await net(t)
  await startNats(t, port)
  const subjects = await spy()
  const a = gateway(await node('a'))
  await until(() => subjects.filter((subject) => subject === 'gigwire.holders').length >= 3)
  await a.detach()
  await sleep(50)
  const said = subjects.length
  await sleep(BEAT_MS + 500)
  t.is(subjects.length, said)
})

given('interest that ends leaves no subscription behind', async (t) => {
  const { port, node } = await net(t)
  const monitorPort = await freePort()
  await startNats(t, port, monitorPort)
  const subscriptions = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${monitorPort}/subsz`)
    return ((await answer.json()) as { num_subscriptions: number }).num_subscriptions
  }
  const home = await node('a')
  await sleep(50)
  const before = await subscriptions()
  const a = gateway(home)
  for (let n = 0; n < 5_000; n++) {
    a.hold(`user ${n}`)
    a.join(`topic ${n}`)
    a.join(`topic ${n}`)
  }
  const stop = home.onNodes('note', () => {})
  await until(async () => (await subscriptions()) > before + 500)
  t.true((await subscriptions()) < before + TOPIC_SHARDS + 10, 'not one for each user or topic')
  for (let n = 0; n < 5_000; n++) a.leave(`topic ${n}`)
  for (let n = 0; n < 5_000; n++) a.leave(`topic ${n}`)
  await until(async () => (await subscriptions()) <= before + 5)
  a.join('news')
  stop()
  await a.detach()
  await until(async () => (await subscriptions()) === before)
  await home.close()
  await until(async () => (await subscriptions()) < before)
})

given('a stalled NATS costs frames, which is said afterwards, not memory', async (t) => {
  const { port, node } = await net(t)
  const server = await startNats(t, port)
  const [sender, home] = [await node('sender'), await node('a')]
  const a = gateway(home)
  a.hold('ann')
  let missed = 0
  home.onMissed(() => (missed += 1))
  await until(() => {
    sender.toUsers(['ann'], 'ready')
    return a.heard.length > 0
  })
  server.kill('SIGSTOP')
  const large = 'x'.repeat(200_000)
  for (let n = 0; n < 400; n++) sender.toUsers(['ann'], large)
  server.kill('SIGCONT')
  await until(() => missed > 0)
  const arrived = a.heard.filter((frame) => frame === large).length
  t.true(arrived < 200, `${arrived} of 400 frames of 200 kB`)
  await until(() => {
    sender.toUsers(['ann'], 'well again')
    return a.heard.includes('well again')
  })
})

test('a NATS address that is none is refused at the start', async (t) => {
  await t.throwsAsync(natsFanout({ url: 'not an address', nodeId: 'a', log: quiet }), { instanceOf: TypeError })
})
