import test from 'ava'
import { setImmediate as turn } from 'node:timers/promises'
import { ClientError } from './failure.ts'
import type { Answer } from './link.ts'
import { topics, TOPICS_MAX } from './topics.ts'

/** A server that keeps the last `kept` of `count` events of one topic. */
const setup = (kept: number) => {
  let count = 0
  let rightAfter = 0
  let asking = 0
  const told: unknown[] = []
  const said: object[] = []
  const asked: object[] = []
  const frame = (seq: number) => ({ ev: 'news', topic: 'announcements', seq, data: seq })
  const parts = {
    tell: (_: string, data: unknown) => void told.push(data),
    say: (_: 'topic', data: object) => void said.push(data),
    isConnected: () => true,
    sleep: async () => undefined,
    ask: async (_: string, fields: object): Promise<Answer> => {
      asked.push(fields)
      asking++
      await turn()
      asking--
      const answer = answerTo(fields)
      // In one piece with what was said right after it, before anybody has looked at it.
      if (rightAfter-- > 0) one.came(frame(++count))
      return answer
    },
  }
  const answerTo = ({ after }: { after?: number }): Answer => {
    if (after === undefined) return { topic: 'announcements', seq: count, missed: [], recovered: true }
    const recovered = count - after <= kept
    const missed = recovered ? Array.from({ length: count - after }, (_, at) => frame(after + 1 + at)) : []
    return { topic: 'announcements', seq: count, missed, recovered }
  }
  const one = topics(parts)
  /** Every question is answered, and what the answers led to has happened. */
  const settled = async () => {
    do for (let turns = 0; turns < 5; turns++) await turn()
    while (asking > 0)
  }
  const sayAfterAnswers = (times: number) => {
    rightAfter = times
  }
  return { one, told, said, asked, happens: () => frame(++count), frame, sayAfterAnswers, settled }
}

test('events of a topic are told once each and in order, and a gap is asked for', async (t) => {
  const { one, told, asked, happens, frame, settled } = setup(10)
  one.add('announcements')
  const early = happens()
  one.came(early)
  await settled()
  one.came(happens())
  happens()
  one.came(happens())
  await settled()
  one.came(frame(2))
  t.deepEqual(told, [1, 2, 3, 4].slice(told[0] === 1 ? 0 : 1))
  t.deepEqual(asked.at(-1), { topic: 'announcements', after: 2 })
})

test('what comes in one piece with the answer to joining is not left out', async (t) => {
  const { one, told, sayAfterAnswers, happens, settled } = setup(10)
  happens()
  sayAfterAnswers(2)
  one.add('announcements')
  await settled()
  t.deepEqual(told, [2, 3])
  one.came(happens())
  t.deepEqual(told, [2, 3, 4])
})

test('after a break what was missed comes first, or it is said that too much was', async (t) => {
  const { one, told, said, happens, settled } = setup(2)
  one.add('announcements')
  await settled()
  one.came(happens())
  happens()
  one.joinAll()
  await settled()
  t.deepEqual(told, [1, 2])
  for (let nth = 0; nth < 3; nth++) happens()
  one.joinAll()
  await settled()
  t.deepEqual(told, [1, 2])
  t.deepEqual(said, [{ topic: 'announcements', missed: true }])
  one.came(happens())
  t.is(told.at(-1), 6)
})

test('no more topics are joined than the server takes', (t) => {
  const { one } = setup(1)
  for (let nth = 0; nth < TOPICS_MAX; nth++) one.add(`gig:${nth}`)
  t.throws(() => one.add('gig:more'), { instanceOf: ClientError, code: 'overloaded' })
})
