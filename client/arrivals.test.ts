import test from 'ava'
import fc from 'fast-check'
import { arrivals, HOLD_MAX, type Arrivals } from './arrivals.ts'
import type { Message } from './wire.ts'

const message = (seq: number, more: Partial<Message> = {}): Message => ({
  id: `msg_${seq}`,
  conversation: 'cnv_1',
  seq,
  clientId: `c${seq}`,
  sender: 'usr_a',
  text: `text ${seq}`,
  attachments: [],
  sentAt: '2026-01-01T00:00:00.000Z',
  ...more,
})
const taken = (one: Arrivals): Message[] => {
  const all: Message[] = []
  for (let next; (next = one.next());) all.push(next)
  return all
}
const seqs = (messages: Message[]) => messages.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

test('whatever is lost, doubled and mixed up: what is told is 1, 2, 3 … once each, and a sync closes every gap', (t) => {
  const size = 40
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: size }), { maxLength: 150 }), fc.nat(size), (events, from) => {
      const one = arrivals(from)
      const told: number[] = []
      let highest = from
      for (const seq of events) {
        one.put(message(seq))
        told.push(...seqs(taken(one)))
        highest = Math.max(highest, seq)
        if (highest > one.position() !== one.isBehind()) return false
      }
      one.know(size)
      for (const seq of range(one.position() + 1, size)) one.put(message(seq))
      told.push(...seqs(taken(one)))
      return !one.isBehind() && told.join() === range(from + 1, size).join()
    }),
  )
  t.pass()
})

test('what is held ahead of a gap is bounded, and the rest is known to be missing', (t) => {
  const one = arrivals(0)
  for (const seq of range(2, HOLD_MAX + 100)) one.put(message(seq))
  one.put(message(1))
  t.deepEqual(seqs(taken(one)), range(1, HOLD_MAX + 1))
  t.true(one.isBehind())
  for (const seq of range(one.position() + 1, HOLD_MAX + 100)) one.put(message(seq))
  t.is(taken(one).length, 99)
  t.false(one.isBehind())
})

test('a message that was edited while it was held is told as it is now, also when an older answer comes after', (t) => {
  const one = arrivals(0)
  one.put(message(2))
  t.true(one.amend(message(2, { text: 'better', editedAt: '2026-01-01T00:00:01.000Z' })))
  one.put(message(2))
  one.put(message(1))
  t.deepEqual(
    taken(one).map(({ text }) => text),
    ['text 1', 'better'],
  )
  t.false(one.amend(message(2, { text: 'best' })), 'it was told: its edit is an event of its own')
})

test('a deleted message stays deleted whatever comes after', (t) => {
  const one = arrivals(0)
  one.amend(message(2, { deleted: true, text: '' }))
  one.put(message(2, { editedAt: '2026-01-01T00:00:01.000Z' }))
  one.put(message(1))
  t.deepEqual(
    taken(one).map(({ deleted }) => deleted),
    [undefined, true],
  )
})
