// What is stored is also told, to whoever stays connected: also when the node that stored it died before it could say so.
import test from 'ava'
import WebSocket from 'ws'
import { eventually } from '../../test/node.ts'
import { accounts, person, startGateway, type People } from '../gateway/testing.ts'
import chat from './chat.service.ts'

// The sender of a message whose node died asks again until it is answered; that is the moment to tell it again. To the
// sockets it is the same seq once more, which a client drops.
test.failing('a message that is sent again under its clientId is told again', async (t) => {
  const people: People = new Map()
  for (const id of ['usr_a', 'usr_b']) person(people, id)
  const cards = ({ params }: { params: unknown }) =>
    (params as { ids: string[] }).ids.map((id) => ({ id, username: id, displayName: id }))
  const { ask, tokenOf, socketUrl, stop } = await startGateway({ services: [accounts(people, { cards }), chat] })
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
  for (let n = 0; n < 2; n++) await ask('POST', path, { token, body: { clientId: 'c', text: 'hello' } })
  await ping(2)
  t.deepEqual(
    heard.filter(({ ev }) => ev === 'message').map(({ data }) => data?.seq),
    [1, 1],
  )
})
