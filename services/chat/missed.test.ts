import test from 'ava'
import type { TestNode } from '../../test/node.ts'
import { MISSED_MAX } from './contract.ts'
import { ANSWER_BYTES_MAX } from './messages.ts'
import { as, codeOf, numbersTo, open, person, send, signUp, startChat } from './testing.ts'

const [ann, bob] = [person('ann'), person('bob')]

let node: TestNode
test.before(async () => {
  node = await startChat([ann, bob])
})
test.after.always(() => node?.stop())

type Asked = { user: string; conversations: Record<string, number> }
/** What each of many is answered; null where there was no room. */
const missed = async (asked: Asked[]) => {
  const { text, parts } = await node.call('chat.missed', { asked })
  let from = 0
  return parts.map((part) => part && { ...part, conversations: JSON.parse(text.slice(from, (from += part.letters))) })
}

test('many who come back are answered in one, each as a sync of their own would', async (t) => {
  const id = await open(node, ann, bob)
  for (const at of numbersTo(5)) await send(node, id, at % 2 ? ann : bob, `m${at}`, 'ü"\\'.repeat(at))
  const cem = person('cem')
  const asked = [ann, bob, cem].flatMap((who) =>
    [0, 3, 9].map((after) => ({ who, conversations: { [id]: after, cnv_nothing: 0 } })),
  )
  const answers = await missed(asked.map(({ who, conversations }) => ({ user: who.id, conversations })))
  for (const [at, { who, conversations }] of asked.entries()) {
    const alone = await node.call('chat.sync', { conversations }, as(who))
    t.deepEqual(answers[at]!.conversations, alone.conversations)
    t.is(answers[at]!.messages, alone.conversations[id]?.messages.length ?? 0)
  }
  t.deepEqual(answers.at(-1)!.conversations, {}, 'to a stranger a conversation does not exist')
})

test('all answers together have the size of one; whom there is no room for asks again and has everything then', async (t) => {
  const long = 'x'.repeat(7000)
  const people = numbersTo(40).map((at) => person(`away-${at}`))
  const asked: Asked[] = []
  for (const who of people) {
    await signUp(node, who)
    const id = await open(node, ann, who)
    for (const at of numbersTo(4)) await send(node, id, ann, `m${at}`, long)
    asked.push({ user: who.id, conversations: { [id]: 0 } })
  }
  let rounds = 0
  for (let left = asked; left.length > 0; rounds++) {
    const answers = await missed(left)
    t.truthy(answers[0])
    t.true(Buffer.byteLength(JSON.stringify(answers)) < ANSWER_BYTES_MAX * 1.1)
    for (const answer of answers) if (answer) t.deepEqual([answer.messages, answer.hasMore], [4, false])
    left = left.filter((_, at) => answers[at] === null)
  }
  t.is(rounds, 3)
})

test('one question names so many people and no more', async (t) => {
  const asked = numbersTo(MISSED_MAX + 1).map(() => ({ user: ann.id, conversations: {} }))
  t.is(await codeOf(node.call('chat.missed', { asked })), 'validation_failed')
  t.is((await missed(asked.slice(1))).length, MISSED_MAX)
})
