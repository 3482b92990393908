import test from 'ava'
import fc from 'fast-check'
import { Packets } from './packets.ts'

const packets = new Packets()
const received = (packet: object, type = 'RES') => packets.deserialize(packets.serialize(packet, type))

test('an answer arrives as it was said, however long its text is and whatever is in it', (t) => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json()).map((some) => some.repeat(100))
  fc.assert(
    fc.property(fc.record({ text, more: fc.jsonValue() }), fc.constantFrom('RES', 'REQ', 'EVENT'), (data, type) => {
      const packet = { id: 'ü1', meta: { a: 1 }, data }
      t.deepEqual(received(packet, type), JSON.parse(JSON.stringify(packet)))
    }),
    { numRuns: 50 },
  )
  for (const data of [{ text: 'half a pair \ud800'.repeat(200) }, null, 'a text', 7, { text: 7 }, { text: '' }])
    t.deepEqual(received({ id: 1, data }), { id: 1, data })
})

test('a long text of an answer takes no more bytes than it has', (t) => {
  const text = JSON.stringify(Array.from({ length: 500 }, (_, at) => ({ quoted: '"'.repeat(20), at })))
  t.true(packets.serialize({ id: 1, data: { text } }, 'RES').length < Buffer.byteLength(text) + 100)
})
