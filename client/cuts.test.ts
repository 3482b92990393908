// Links that break at the worst moments: whatever happens to them, nothing is lost, doubled or out of order.
import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { chance } from '../services/sandbox/demo/chance.ts'
import { eventually } from '../test/node.ts'
import { ann, bob, cuttable, listening, startTalk, type Talk } from './testing.ts'

const SEEDS = [1, 2, 3]
const SENDS = 60
const range = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

let talk: Talk
test.before(async () => {
  talk = await startTalk()
})
test.after.always(() => talk?.stop())

for (const seed of SEEDS)
  test.serial(
    `over links cut at random every message is there once and in order for both (seed ${seed})`,
    async (t) => {
      const { next, whole, pick } = chance(seed)
      const links = [await cuttable(talk.socketUrl), await cuttable(talk.socketUrl)] as const
      t.teardown(() => Promise.all(links.map(({ stop }) => stop())))
      const conversation = await talk.meet(`usr_ann`, pick([bob]))
      const first = (await talk.call('chat.history', { id: conversation, limit: 1, before: 1_000_000 }, as(ann)))
        .messages
      const from = first.at(-1)?.seq ?? 0
      const clients = links.map(({ url }, at) => talk.client(at === 0 ? ann : bob, { url, answerMs: 700, pingMs: 200 }))
      const heard = clients.map((one) => listening(one))
      for (const one of clients) one.open(conversation, from)

      let cuts = 0
      const sent: Promise<{ seq: number; clientId: string; text: string }>[] = []
      for (let nth = 0; nth < SENDS; nth++) {
        const at = whole(0, 1)
        sent.push(clients[at]!.send(conversation, `${at} says ${nth}`, { clientId: `s${seed}-${nth}` }))
        await sleep(whole(0, 15))
        if (next() > 0.25) continue
        const link = pick(links)
        cuts++
        pick([link.cut, link.stall, link.deafen, () => (link.deafen(), setTimeout(link.cut, 10))])()
      }
      const acknowledged = await Promise.all(sent)
      const expected = range(SENDS).map((one) => one + from)
      for (const { seqs } of heard) await eventually(seqs, (all) => all.length >= SENDS)
      await sleep(100)

      t.true(cuts > 3)
      for (const { seqs } of heard) t.deepEqual(seqs(), expected)
      t.deepEqual(
        acknowledged.map(({ seq }) => seq).sort((one, other) => one - other),
        expected,
      )
      for (const at of [0, 1]) {
        const own = acknowledged.filter(({ text }) => text.startsWith(`${at} `)).map(({ seq }) => seq)
        t.deepEqual(
          own,
          own.toSorted((one, other) => one - other),
          "one client's messages are in the order it gave them",
        )
      }
      t.is(new Set(heard[0]!.messages.map(({ clientId }) => clientId)).size, SENDS)
      t.deepEqual(heard[0]!.messages, heard[1]!.messages)
      for (const one of clients) {
        t.is(one.position(conversation), from + SENDS)
        t.deepEqual(one.pending(), [])
        one.close()
      }
    },
  )

const as = (id: string) => ({ meta: { caller: talk.people.get(id)! } })
