// What is stored is also told, to whoever stays connected: also when the node that stored it died before it could say so.
import test from 'ava'
import WebSocket from 'ws'
import { eventually } from '../../test/node.ts'
import { accounts, person, startGateway, type People } from '../gateway/testing.ts'
import chat from './chat.service.ts'

// The sender of a message whose node died asks again until it is answered; that is the moment to tell it again. To the
// sockets it is the same seq once more, which a client drops.
test('a message that is sent again is told again by a node that did not tell it, and only once', async (t) => {
  const people: People = new Map()
  for (const id of ['usr_a', 'usr_b']) person(people, id)
  const cards = ({ params }: { params: unknown }) =>
    (params as { ids: string[] }).ids.map((id) => ({ id, username: id, displayName: id }))
  const { ask, tokenOf, socketUrl, stop, broker } = await startGateway({
    services: [accounts(people, { cards }), chat],
  })
  t.teardown(stop)
  const [token, listening] = [await tokenOf('usr_a'), await tokenOf('usr_b')]
  const opened = await ask('POST', '/v1/conversations', { token, body: { with: 'usr_b' } })
  const path = `/v1/conversations/${(opened.json as { id: string }).id}/messages`
  const socket = new WebSocket(socketUrl, ['gigwire.v1'], { headers: { authorization: `Bearer ${listening}` } })
  const heard: { ev?: string; id?: number; data?: { seq: number } }[] = []
  socket.on('message', (text) => heard.push(JSON.parse(String(text)) as (typeof heard)[number]))
  await new Promise((resolve) => socket.once('open', resolve))
  const ping = async (id: number) => {
    socket.send(JSON.stringify({ id, op: 'presence', users: [] }))
    await eventually(() => heard.some((frame) => frame.id === id), Boolean)
  }
  await ping(1)
  const send = () => ask('POST', path, { token, body: { clientId: 'c', text: 'hello' } })
  const seqs = () => heard.filter(({ ev }) => ev === 'message').map(({ data }) => data?.seq)
  await send()
  await send()
  await ping(2)
  t.deepEqual(seqs(), [1])
  // What takes over knows the store, and not who was told what.
  await broker.destroyService('chat')
  broker.createService(chat)
  await broker.waitForServices('chat')
  await send()
  await send()
  await ping(3)
  t.deepEqual(seqs(), [1, 1])
})
