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
  version: 1,
  ...more,
})
const changed = (seq: number, change: number, version = 2) =>
  message(seq, { change, version, text: `text ${seq}, ${version}` })
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
    fc.property(
      fc.array(fc.integer({ min: 1, max: size }), { maxLength: 150, size: 'max' }),
      fc.nat(size),
      (events, from) => {
        const one = arrivals({ seq: from, change: 0 })
        const told: number[] = []
        let highest = from
        for (const seq of events) {
          one.put(message(seq))
          told.push(...seqs(taken(one)))
          highest = Math.max(highest, seq)
          if (highest > one.position().seq !== one.isBehind()) return false
        }
        one.know(size, true)
        for (const seq of range(one.position().seq + 1, size)) one.put(message(seq))
        told.push(...seqs(taken(one)))
        return !one.isBehind() && told.join() === range(from + 1, size).join()
      },
    ),
  )
  t.pass()
})

/** A conversation as the server has it: numbered messages, numbered changes, and what `sync` answers. */
const server = () => {
  const all: Message[] = []
  let lastChange = 0
  return {
    all,
    sends: () => all[all.push(message(all.length + 1)) - 1]!,
    changes: (pick: number) => {
      const at = pick % all.length
      return (all[at] = changed(at + 1, ++lastChange, all[at]!.version + 1))
    },
    /** Of both at most `limit`; the messages read after the changes, with whatever `meanwhile` does in between. */
    sync: (seq: number, change: number, limit: number, meanwhile: () => void) => {
      const later = all.filter((one) => (one.change ?? 0) > change).sort((one, other) => one.change! - other.change!)
      meanwhile()
      const messages = all.slice(seq, seq + limit)
      const hasMore = later.length > limit || seq + messages.length < all.length
      return { changed: later.slice(0, limit), messages, lastSeq: all.length, hasMore }
    },
  }
}
type Answer = ReturnType<ReturnType<typeof server>['sync']>

/** An application: the latest version it was told of each message, and what was wrong with how. */
const application = (one: Arrivals) => {
  const known = new Map<number, Message>()
  const wrong: string[] = []
  let lastChange = 0
  const hear = () => {
    for (const told of taken(one)) {
      if (known.has(told.seq)) wrong.push(`#${told.seq} twice`)
      known.set(told.seq, told)
    }
  }
  const change = (message: Message, isLive: boolean) => {
    if (one.change(message, isLive)) {
      const { seq, version } = message
      if (!(version > known.get(seq)!.version)) wrong.push(`#${seq} again at version ${version}`)
      if (message.change! <= lastChange) wrong.push(`change ${message.change} after ${lastChange}`)
      lastChange = message.change!
      known.set(seq, message)
    }
    hear()
  }
  const answered = ({ changed, messages, lastSeq, hasMore }: Answer) => {
    for (const message of changed) change(message, false)
    for (const message of messages) {
      one.put(message)
      hear()
    }
    hear()
    one.know(lastSeq, !hasMore)
    return hasMore
  }
  return { known, wrong, hear, change, answered }
}

const step = fc.record({
  kind: fc.constantFrom('sends', 'changes', 'changes', 'syncs'),
  pick: fc.nat(1000),
  /** How much later than it happened it is heard; lost where negative. */
  late: fc.integer({ min: -2, max: 5 }),
  limit: fc.integer({ min: 1, max: 4 }),
})

test('messages and changes in any order, late, lost, doubled and in old answers: each is told once, in order, up to the last version', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const one = arrivals({})
      const app = application(one)
      const real = server()
      /** What is on its way, by when it is heard. */
      const coming: { at: number; heard: () => void }[] = []
      const happens = (message: Message, at: number, isLost: boolean) => {
        const heard = () => {
          if (message.change) app.change(message, true)
          else {
            one.put(message)
            app.hear()
          }
        }
        if (!isLost) coming.push({ at, heard }, { at: at + (message.seq % 3), heard })
      }
      const ask = (limit: number, meanwhile = () => {}) => {
        const { seq, change } = one.position()
        return real.sync(seq, change, limit, meanwhile)
      }
      const hear = (until: number) => {
        for (const next of coming.toSorted((a, b) => a.at - b.at)) {
          if (next.at > until) continue
          coming.splice(coming.indexOf(next), 1)
          next.heard()
        }
      }
      steps.forEach(({ kind, pick, late, limit }, at) => {
        if (kind === 'sends' || real.all.length === 0) happens(real.sends(), at + late, late < 0)
        else if (kind === 'changes') happens(real.changes(pick), at + late, late < 0)
        else {
          const answer = ask(limit, () => happens(real.changes(pick), at + late, late < 0))
          coming.push({ at: at + late, heard: () => app.answered(answer) })
        }
        hear(at)
      })
      hear(Infinity)
      for (let more = true; more || one.isBehind();) more = app.answered(ask(3))
      t.deepEqual(app.wrong, [])
      t.deepEqual(
        [...app.known.values()].sort((a, b) => a.seq - b.seq),
        real.all,
      )
      t.deepEqual(one.position(), { seq: real.all.length, change: Math.max(0, ...real.all.map((m) => m.change ?? 0)) })
    }),
    { numRuns: 1000 },
  )
})

test('what is held ahead of a gap is bounded, and the rest is known to be missing', (t) => {
  const one = arrivals({ seq: 0, change: 0 })
  for (const seq of range(2, HOLD_MAX + 100)) one.put(message(seq))
  one.put(message(1))
  t.deepEqual(seqs(taken(one)), range(1, HOLD_MAX + 1))
  t.true(one.isBehind())
  for (const seq of range(one.position().seq + 1, HOLD_MAX + 100)) one.put(message(seq))
  t.is(taken(one).length, 99)
  t.false(one.isBehind())
})

test('a message that was changed while it was held is told as it is now, also when an older answer comes after', (t) => {
  const one = arrivals({ seq: 0, change: 0 })
  one.put(message(2))
  t.false(one.change(changed(2, 1), true))
  one.put(message(2))
  one.put(message(1))
  t.deepEqual(
    taken(one).map(({ text }) => text),
    ['text 1', 'text 2, 2'],
  )
  t.true(one.change(changed(2, 2, 3), true), 'it was told: its next change is an event of its own')
})

test('a change ahead of a gap is not told, and is asked for', (t) => {
  const one = arrivals({ seq: 3, change: 4 })
  t.false(one.change(changed(1, 6), true))
  t.true(one.isBehind())
  t.deepEqual(one.position(), { seq: 3, change: 4 })
  t.deepEqual(
    [changed(2, 5), changed(1, 6)].map((message) => one.change(message, false)),
    [true, true],
  )
  t.false(one.isBehind())
  t.false(one.change(changed(2, 5), true))
})

test('without a change to begin from, what was changed before is not told, and what comes by itself from then on is', (t) => {
  const one = arrivals({ seq: 3 })
  t.true(one.isBehind(), 'which changes came before is not known yet')
  t.false(one.change(changed(3, 8), true))
  t.deepEqual(
    [changed(1, 5), changed(2, 7), changed(3, 8)].map((message) => one.change(message, false)),
    [false, false, true],
  )
  one.know(3, true)
  t.false(one.isBehind())
  t.true(one.change(changed(1, 9, 3), true))
})

test('versions told before their change are bounded: past that messages wait until the changes are there', (t) => {
  const one = arrivals({})
  const size = HOLD_MAX + 100
  // The last change first, so that none of these numbers was reached when its message is told.
  const all = range(1, size).map((seq) => changed(seq, size - seq + 1))
  for (const message of all.slice(0, HOLD_MAX)) one.put(message)
  t.is(taken(one).length, HOLD_MAX)
  for (const message of all.slice(HOLD_MAX)) one.put(message)
  t.is(taken(one).length, 0)
  t.true(one.isBehind())
  for (const message of all.toReversed()) t.false(one.change(message, false))
  t.is(taken(one).length, 100)
  t.deepEqual([one.position(), one.isBehind()], [{ seq: size, change: size }, false])

  // Then there is room again.
  for (const seq of range(1, 100)) one.put(changed(size + seq, size + 101 - seq))
  t.is(taken(one).length, 100)
})
