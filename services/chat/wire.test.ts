import test from 'ava'
import fc from 'fast-check'
import type { MessageDoc } from './messages.ts'
import { wiredDoc, wiredText } from './wire.ts'

const words = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom('"', '\\', '\\"', ',"sentAt":5,"editedAt":null,"deleted":false}', '"senderSeq":1,"clientId":"', '\n'),
)
const optional = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined })
const time = fc.integer({ min: 0, max: 4e12 })
const docs = fc
  .record({
    version: fc.integer({ min: 1, max: 3 }),
    clientId: words,
    text: fc.array(words, { minLength: 1 }).map((some) => some.join('')),
    attachments: fc.array(words, { maxLength: 2 }),
    sentAt: time,
    runAt: optional(time),
    editedAt: fc.option(time),
    deleted: fc.boolean(),
    change: optional(fc.nat()),
    masked: optional(fc.constant(true as const)),
    held: optional(fc.constant(true as const)),
  })
  .map(({ version, clientId, text, attachments, sentAt, runAt, editedAt, deleted, ...later }) => ({
    id: 'msg_1',
    version,
    conversation: 'cnv_1',
    seq: 12,
    sender: 'usr_1',
    senderSeq: 7,
    clientId,
    text,
    attachments,
    sentAt,
    runAt,
    editedAt,
    deleted,
    ...later,
  }))

test('a message goes out alike from its text in the store and from what the text says, whatever is in it', (t) => {
  fc.assert(
    fc.property(fc.oneof(docs, docs.map(asSent)), (doc) => {
      const [told, decoded] = [wiredText(JSON.stringify(doc)), wiredDoc(doc as MessageDoc)]
      t.deepEqual(JSON.parse(told.json), JSON.parse(decoded.json))
      t.deepEqual({ ...told, json: '', bytes: 0 }, { ...decoded, json: '', bytes: 0 })
      t.is(told.bytes, Buffer.byteLength(told.json))
    }),
    { numRuns: 1000 },
  )
})

function asSent(doc: object): object {
  return { ...doc, version: 1, editedAt: null, deleted: false, change: undefined, masked: undefined, held: undefined }
}
