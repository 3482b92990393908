// Who stops reading while its conversation gets thousands of messages is shown out, having missed nothing in between; and
// after coming back and asking `sync` until there is no more, it has them all.
import test from 'ava'
import { eventually } from '../../test/node.ts'
import chat from '../chat/chat.service.ts'
import { accounts, LISTENERS, person, startGateway, type People } from './testing.ts'
import { frame, handshake, wire, type Wire } from './wire.fixture.ts'

/** Together more than a socket may have waiting and the kernel holds on both sides. */
const MESSAGES = 2000
const TEXT = 'and so on '.repeat(750)
const AT_ONCE = 100

type Message = { seq: number; id: string }
type Answer = {
  id?: number
  ok?: true
  ev?: string
  data?: Message
  conversations?: Record<string, { messages: Message[]; hasMore: boolean }>
}
const heard = ({ texts }: Wire): Answer[] => texts.map((text) => JSON.parse(text) as Answer)
const answered = (one: Wire, id: number): Promise<Answer> =>
  eventually(() => heard(one).find((answer) => answer.id === id)!, Boolean, 60_000)

for (const listener of LISTENERS) {
  test.serial(
    `${listener}: a reader that stops is closed, and after coming back and asking it has every message`,
    async (t) => {
      t.timeout(240_000)
      const people: People = new Map()
      for (const id of ['usr_a', 'usr_b']) person(people, id)
      const cards = ({ params }: { params: unknown }) =>
        (params as { ids: string[] }).ids.map((id) => ({ id, username: id, displayName: id }))
      const gateway = await startGateway({
        env: { LISTENER: listener, RATE_LIMITS: 'messages=100000/100000,account=100000/100000' },
        services: [accounts(people, { cards }), chat],
      })
      t.teardown(gateway.stop)
      const [reading, writing] = [await gateway.tokenOf('usr_a'), await gateway.tokenOf('usr_b')]
      const opened = await gateway.ask('POST', '/v1/conversations', { token: writing, body: { with: 'usr_a' } })
      const { id: conversation } = opened.json as { id: string }
      const join = async (token: string): Promise<Wire> => {
        const one = await wire(Number(new URL(gateway.base).port))
        one.send(handshake(token))
        await eventually(() => one.isOpen, Boolean)
        one.send(frame('{"id":-1,"op":"presence","users":[]}'))
        await answered(one, -1)
        return one
      }

      const [slow, writer] = [await join(reading), await join(writing)]
      slow.socket.pause()
      for (let from = 1; from <= MESSAGES; from += AT_ONCE) {
        const ids = Array.from({ length: AT_ONCE }, (_, n) => from + n)
        writer.texts.length = 0
        writer.send(
          ...ids.map((id) => frame(JSON.stringify({ id, op: 'send', conversation, clientId: String(id), text: TEXT }))),
        )
        await eventually(
          () => heard(writer).filter(({ ok }) => ok).length,
          (count) => count === AT_ONCE,
          60_000,
        )
      }
      slow.socket.resume()
      const code = await eventually(
        () => slow.closed,
        (closed) => closed !== null,
      )
      t.true(code === 4413 || code === 1006, String(code))
      const live = heard(slow).flatMap(({ ev, data }) => (ev === 'message' ? [data!.seq] : []))
      t.deepEqual(
        live,
        live.map((_, at) => at + 1),
        'what came before the end has no hole',
      )
      t.true(live.length < MESSAGES)

      const back = await join(reading)
      const had = new Map<number, string>()
      let [after, hasMore] = [live.length, true]
      for (let id = 1; hasMore; id++) {
        back.send(frame(JSON.stringify({ id, op: 'sync', conversations: { [conversation]: after } })))
        const answer = (await answered(back, id)).conversations![conversation]!
        for (const message of answer.messages) had.set(message.seq, message.id)
        after = Math.max(after, ...answer.messages.map(({ seq }) => seq))
        hasMore = answer.hasMore
        t.is(back.closed, null, 'an answer is never too large for who reads it')
        back.texts.length = 0
      }
      t.deepEqual(
        [...had.keys()],
        Array.from({ length: MESSAGES - live.length }, (_, n) => live.length + 1 + n),
      )
      t.is(new Set(had.values()).size, had.size)
    },
  )
}
