// Links that break at the worst moments: whatever happens to them, nothing is lost, doubled or out of order, and what was
// edited or deleted meanwhile is known at the end.
import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { chance } from '../services/sandbox/demo/chance.ts'
import { eventually } from '../test/node.ts'
import type { Client, Message } from './index.ts'
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
    `over links cut at random every message and every change is there once and in order for both (seed ${seed})`,
    async (t) => {
      const { next, whole, pick } = chance(seed)
      let changes = 0
      /** Some of what is stored, by its sender, now and then twice in a row. */
      const change = async (id: string, nth: number) => {
        for (; next() < 0.4; changes++) {
          const { messages } = await talk.call('chat.history', { id, before: 1_000_000, limit: 20 }, as(ann))
          const open = messages.filter(({ deleted }) => !deleted)
          if (open.length === 0) return
          const { id: message, sender } = pick(open)
          if (next() < 0.2) await talk.call('chat.erase', { id, message }, as(sender))
          else await talk.call('chat.edit', { id, message, text: `edited at ${nth}` }, as(sender))
        }
      }
      const links = [await cuttable(talk.socketUrl), await cuttable(talk.socketUrl)] as const
      t.teardown(() => Promise.all(links.map(({ stop }) => stop())))
      const conversation = await talk.meet(`usr_ann`, pick([bob]))
      const { messages: first, lastChange } = await talk.call(
        'chat.history',
        { id: conversation, limit: 1, before: 1_000_000 },
        as(ann),
      )
      const from = { seq: first.at(-1)?.seq ?? 0, change: lastChange }
      const clients = links.map(({ url }, at) => talk.client(at === 0 ? ann : bob, { url, answerMs: 700, pingMs: 200 }))
      const heard = clients.map((one) => listening(one))
      const shown = clients.map(screen)
      for (const one of clients) one.open(conversation, from)

      let cuts = 0
      const sent: Promise<{ seq: number; clientId: string; text: string }>[] = []
      for (let nth = 0; nth < SENDS; nth++) {
        const at = whole(0, 1)
        sent.push(clients[at]!.send(conversation, `${at} says ${nth}`, { clientId: `s${seed}-${nth}` }))
        await sleep(whole(0, 15))
        await change(conversation, nth)
        if (next() > 0.25) continue
        const link = pick(links)
        cuts++
        pick([link.cut, link.stall, link.deafen, () => (link.deafen(), setTimeout(link.cut, 10))])()
      }
      const acknowledged = await Promise.all(sent)
      const expected = range(SENDS).map((one) => one + from.seq)
      for (const { seqs } of heard) await eventually(seqs, (all) => all.length >= SENDS)
      const at = { seq: from.seq + SENDS, change: from.change + changes }
      for (const one of clients)
        await eventually(
          () => one.position(conversation)!,
          ({ seq, change }) => seq >= at.seq && change >= at.change,
        )
      await sleep(100)

      t.true(cuts > 3)
      t.true(changes > 10)
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
      const stored = await talk.call('chat.history', { id: conversation, after: from.seq, limit: 100 }, as(ann))
      for (const { texts, wrong } of shown) {
        t.deepEqual(wrong, [])
        t.deepEqual(texts(from.seq), stored.messages, 'what is on both screens is what is stored')
      }
      for (const one of clients) {
        t.deepEqual(one.position(conversation), at)
        t.deepEqual(one.pending(), [])
        one.close()
      }
    },
  )

/** What a person sees who believes what the client tells, and what was told twice or in the wrong order. */
const screen = (client: Client) => {
  const shown = new Map<number, Message>()
  const wrong: string[] = []
  let lastChange = 0
  client.on('message', (message) => void shown.set(message.seq, message))
  for (const event of ['message.edited', 'message.deleted'] as const)
    client.on(event, (message) => {
      const { seq, version, change, deleted } = message
      const before = shown.get(seq)?.version ?? 0
      if (version <= before) wrong.push(`#${seq} is told at ${version} after ${before}`)
      if (change! <= lastChange) wrong.push(`change ${change} after ${lastChange}`)
      if ((event === 'message.deleted') !== Boolean(deleted)) wrong.push(`${event} of #${seq}`)
      lastChange = change!
      shown.set(seq, message)
    })
  const texts = (after: number) =>
    [...shown.values()].filter(({ seq }) => seq > after).sort((one, other) => one.seq - other.seq)
  return { texts, wrong }
}
const as = (id: string) => ({ meta: { caller: talk.people.get(id)! } })
