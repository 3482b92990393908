// Several gateway processes of one machine on one port: the system spreads connections, and a person whose devices sit on
// different processes hears everything on each.
import test from 'ava'
import { freePort, hasNats, startNats } from '../adapters/fanout/nats-server.ts'
import { startMarket, type Market } from './market.ts'
import { eventually } from './node.ts'

const DEVICES = 24

const openSockets = async ({ opsPorts }: Market): Promise<number[]> =>
  Promise.all(
    opsPorts.map(async (port) => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      return Number(/^gigwire_ws_connections (\d+)$/m.exec(text)?.[1] ?? -1)
    }),
  )

const signUp = async (market: Market, username: string) => {
  const { body } = await market.ask('POST', '/v1/auth/register', {
    body: { email: `${username}@port.test`, password: 'a long secret', username, displayName: username },
  })
  return { id: body.user.id as string, token: body.accessToken as string }
}

;(hasNats ? test : test.skip)(
  'two gateways share a port; both get connections, and every device of a person hears each message once, in order',
  async (t) => {
    t.timeout(120_000)
    const nats = await freePort()
    await startNats(t, nats)
    const market = await startMarket({
      env: { NATS_URL: `nats://127.0.0.1:${nats}`, SHARE_PORT: '1' },
      processes: [{ NODE_ID: 'one' }, { NODE_ID: 'two', SERVICES: 'gateway' }],
    })
    t.teardown(market.stop)
    const [ann, bob] = [await signUp(market, 'ann'), await signUp(market, 'bob')]
    const { body: conversation } = await market.ask('POST', '/v1/conversations', {
      token: ann.token,
      body: { with: bob.id },
    })
    const devices = await Promise.all(Array.from({ length: DEVICES }, () => market.socket(bob.token)))
    t.teardown(() => devices.forEach((device) => device.close()))
    await Promise.all(devices.map((device) => device.op('ping')))
    const open = await openSockets(market)
    t.is(open[0]! + open[1]!, DEVICES)
    t.true(
      open.every((count) => count > 0),
      `${open.join(' and ')} of ${DEVICES} connections`,
    )
    const sent = Array.from({ length: 20 }, (_, at) => at + 1)
    for (const at of sent)
      t.is(
        (
          await market.ask('POST', `/v1/conversations/${conversation.id}/messages`, {
            token: ann.token,
            body: { clientId: `m${at}`, text: `message ${at}` },
          })
        ).status,
        201,
      )
    for (const device of devices) {
      const heard = () =>
        device.events.filter(({ ev }) => ev === 'message').map(({ data }) => (data as { seq: number }).seq)
      await eventually(heard, ({ length }) => length >= sent.length)
      t.deepEqual(heard(), sent)
    }
    const looked = await eventually(
      () => devices[0]!.op('presence', { users: [ann.id, bob.id] }),
      ({ online }) => online.length === 1,
    )
    t.deepEqual(looked.online, [bob.id])
  },
)
