// The checker is shown histories with one fault each: it must see that one, and nothing in a history without.
import test from 'ava'
import { isClean, judge, type Counts } from './checker.ts'
import { printOf, type History, type Send, type Stored, type Told, type View } from './history.ts'

const CONVERSATION = 'cnv_1'
const printFor = (n: number) => printOf('usr_a', `c${n}`, `text ${n}`)
const told = (n: number, seq = n): Told => ({ id: `msg_${n}`, seq, print: printFor(n) })
const stored = (n: number, seq = n): Stored => ({
  ...told(n, seq),
  conversation: CONVERSATION,
  sender: 'usr_a',
  clientId: `c${n}`,
})
/** The n-th message, sent when the one before had been answered. */
const send = (n: number, changes: Partial<Send> = {}): Send => ({
  conversation: CONVERSATION,
  sender: 'usr_a',
  clientId: `c${n}`,
  print: printFor(n),
  askedAt: n * 10,
  answeredAt: n * 10 + 5,
  answers: [told(n)],
  ...changes,
})
const view = (device: string, list: readonly Told[]): View => {
  const known = new Map<number, Told[]>()
  for (const one of list) known.set(one.seq, [...(known.get(one.seq) ?? []), one])
  return { device, conversation: CONVERSATION, told: known }
}
const numbers = [1, 2, 3, 4]
const whole = (): History => ({
  sends: numbers.map((n) => send(n)),
  views: ['one', 'two'].map((device) =>
    view(
      device,
      numbers.map((n) => told(n)),
    ),
  ),
  stored: numbers.map((n) => stored(n)),
})

const seen = (changes: Partial<History>): Partial<Counts> => {
  const verdict = judge({ ...whole(), ...changes })
  const { acknowledged: _a, unknownAbsent: _b, unknownStored: _c, ...bad } = verdict.counts
  return Object.fromEntries(Object.entries(bad).filter(([, count]) => count > 0))
}

test('a history in which every promise was kept is clean, told twice or not', (t) => {
  const verdict = judge(whole())
  t.deepEqual(verdict.problems, [])
  t.true(isClean(verdict))
  t.is(verdict.counts.acknowledged, 4)
  t.deepEqual(
    seen({
      views: [
        view(
          'one',
          [...numbers, ...numbers].map((n) => told(n)),
        ),
      ],
    }),
    {},
  )
  t.deepEqual(seen({ sends: [send(1, { answers: [told(1), told(1)] })] }), {})
})

test('what was never answered may be stored or not, but not twice', (t) => {
  const unknown = send(5, { answeredAt: null, answers: [] })
  const sends = [...whole().sends, unknown]
  t.like(judge({ ...whole(), sends }).counts, { unknownAbsent: 1, unknownStored: 0, lost: 0 })
  const views = [
    view(
      'one',
      [...numbers, 5].map((n) => told(n)),
    ),
  ]
  const once = judge({ sends, views, stored: [...whole().stored, stored(5)] })
  t.like(once.counts, { unknownAbsent: 0, unknownStored: 1 })
  t.true(isClean(once))
  const again = { ...stored(5, 6), id: 'msg_again' }
  t.is(judge({ sends, views: [], stored: [...whole().stored, stored(5), again] }).counts.doubled, 1)
})

test('what was acknowledged and is not in the store is lost', (t) => {
  t.deepEqual(seen({ stored: [1, 2, 3].map((n) => stored(n)), views: [] }), { lost: 1 })
})

test('what somebody was told and is not in the store is lost, too', (t) => {
  t.deepEqual(
    seen({
      views: [
        view(
          'one',
          [...numbers, 5].map((n) => told(n)),
        ),
      ],
    }),
    { lost: 1 },
  )
})

test('a clientId that is stored twice, or answered as two messages, is doubled', (t) => {
  const twice = { ...stored(4, 5), id: 'msg_other' }
  t.deepEqual(seen({ stored: [...whole().stored, twice], views: [] }), { doubled: 1 })
  const answers = [told(4), { ...told(4), id: 'msg_other' }]
  t.deepEqual(seen({ sends: [send(4, { answers })] }), { doubled: 1 })
})

test('two messages under one number are doubled', (t) => {
  const other = { ...stored(4), id: 'msg_other', clientId: 'other', print: 'other' }
  t.deepEqual(seen({ stored: [...whole().stored, other] }), { doubled: 1 })
  const both = view('one', [...numbers.map((n) => told(n)), { id: 'msg_other', seq: 4, print: 'other' }])
  t.deepEqual(seen({ stored: [...whole().stored, other], views: [both] }), { doubled: 2 })
})

test('a device that was told another message at a number than the rest is seen', (t) => {
  const strange = { ...told(3), id: 'msg_strange' }
  t.deepEqual(seen({ views: [view('one', [told(1), told(2), strange, told(4)])] }), { reordered: 1 })
  const changed = { ...told(3), print: 'changed on the way' }
  t.deepEqual(seen({ views: [view('one', [told(1), told(2), changed, told(4)])] }), { reordered: 1 })
})

test('numbers that go against the order of asking and answering are seen', (t) => {
  const swapped = [stored(1), stored(2, 3), stored(3, 2), stored(4)]
  const sends = [send(1), send(2, { answers: [told(2, 3)] }), send(3, { answers: [told(3, 2)] }), send(4)]
  t.deepEqual(seen({ sends, stored: swapped, views: [] }), { reordered: 1 })
  const atOnce = [
    send(1),
    send(2, { answers: [told(2, 3)], answeredAt: 32 }),
    send(3, { answers: [told(3, 2)] }),
    send(4),
  ]
  t.deepEqual(seen({ sends: atOnce, stored: swapped, views: [] }), {})
})

test('an answer with another number than the store has is seen', (t) => {
  t.deepEqual(seen({ sends: [send(1, { answers: [{ ...told(1), seq: 2 }] })] }), { reordered: 1 })
})

test('a device that misses a number has a gap, wherever it is', (t) => {
  for (const missing of numbers) {
    const left = numbers.filter((n) => n !== missing).map((n) => told(n))
    t.deepEqual(seen({ views: [view('one', left)] }), { gaps: 1 })
  }
})

test('a number that nobody has is a gap in the store', (t) => {
  t.deepEqual(seen({ sends: [], stored: [1, 2, 4].map((n) => stored(n)), views: [] }), { gaps: 1 })
})

test('a text that came out changed is seen', (t) => {
  const changed = [...whole().stored.slice(0, 3), { ...stored(4), print: 'changed' }]
  t.deepEqual(seen({ stored: changed, views: [] }), { altered: 1 })
})
