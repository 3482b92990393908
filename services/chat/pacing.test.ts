import test from 'ava'
import { eventually } from '../../test/node.ts'
import { MARKS_WAITING_MAX, pacing, PRESSURE_TURNS } from './pacing.ts'
import { numbersTo } from './testing.ts'

const paced = (turns = { waiting: 0 }) => {
  const told: { to: readonly string[]; ev: string; data: { user: string; seq?: number } }[] = []
  const pace = pacing(
    (to, ev, data) => void told.push({ to, ev, data: data as never }),
    () => turns.waiting,
  )
  return { told, pace, turns }
}

test('somebody who goes on typing is told of once in a while, everybody for themselves', (t) => {
  const { told, pace } = paced()
  for (const _ of numbersTo(50)) pace.typing('cnv_1', 'ann', ['bob'])
  pace.typing('cnv_1', 'bob', ['ann'])
  pace.typing('cnv_2', 'ann', ['eve'])
  t.deepEqual(
    told.map(({ to, data }) => [data.user, to[0]]),
    [
      ['ann', 'bob'],
      ['bob', 'ann'],
      ['ann', 'eve'],
    ],
  )
  pace.stop()
})

test('of many read marks the first is told at once and then the latest, none backwards', async (t) => {
  const { told, pace } = paced()
  for (const seq of numbersTo(500)) pace.read('cnv_1', 'ann', seq, ['ann', 'bob'])
  pace.read('cnv_1', 'bob', 7, ['ann', 'bob'])
  await eventually(
    () => told.length,
    (count) => count >= 3,
  )
  t.deepEqual(
    told.map(({ data: { user, seq } }) => [user, seq]),
    [
      ['ann', 1],
      ['bob', 7],
      ['ann', 500],
    ],
  )
  pace.stop()
})

test('under pressure typing is dropped and read marks wait, bounded, until it is over', async (t) => {
  const { told, pace, turns } = paced({ waiting: PRESSURE_TURNS + 1 })
  pace.typing('cnv_1', 'ann', ['bob'])
  for (const at of numbersTo(MARKS_WAITING_MAX + 100)) pace.read(`cnv_${at}`, 'ann', 1, ['bob'])
  pace.read('cnv_1', 'ann', 2, ['bob'])
  t.is(told.length, 0)
  turns.waiting = 0
  await eventually(
    () => told.length,
    (count) => count > 0,
  )
  t.is(told.length, MARKS_WAITING_MAX)
  t.deepEqual([told[0]!.ev, told[0]!.data.seq], ['read', 2])
  pace.stop()
})

test('marks that wait when the node stops are told before it goes', (t) => {
  const { told, pace } = paced()
  pace.read('cnv_1', 'ann', 1, ['bob'])
  pace.read('cnv_1', 'ann', 9, ['bob'])
  pace.stop()
  t.deepEqual(
    told.map(({ data: { seq } }) => seq),
    [1, 9],
  )
})
