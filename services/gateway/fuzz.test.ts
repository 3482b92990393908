// What clients send that mean no good, or were written in a hurry: the process goes on, a neighbour is served meanwhile, who
// is shown out is told why, and whoever asked properly is answered.
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Value } from 'typebox/value'
import { random } from '../../test/chaos/random.ts'
import { eventually } from '../../test/node.ts'
import chat from '../chat/chat.service.ts'
import { FRAME_BYTES_MAX, OPS, parseFrame, PRESENCE_USERS_MAX, type OpName } from './frames.ts'
import { accounts, LISTENERS, person, startGateway, type People } from './testing.ts'
import { BINARY, CLOSE_FRAME, frame, handshake, PING, TEXT, wire, type Wire } from './wire.fixture.ts'

const SEED = 20_261_125
/** The contract's, and what the protocol itself says of frames that are none: protocol error, not UTF-8, too much, too big, ended. */
const AGREED = new Set([1000, 1001, 1002, 1005, 1006, 1007, 1008, 1009, 4400, 4401, 4408, 4413, 4429])
const DEEP = 10_000
/** What three more rounds of everything may leave on the heap: pools and compiled code, nothing that grows with each. */
const HEAP_GROWTH_MAX = 24 * 1024 * 1024

const ping = (id: unknown, more = '') => `{"id":${JSON.stringify(id)},"op":"ping"${more}}`
const padded = (bytes: number) => {
  const start = '{"id":1,"op":"ping","pad":"'
  return `${start}${'x'.repeat(bytes - start.length - 2)}"}`
}
const said = (fields: string) => `{"id":1,"op":"send","conversation":"cnv_1","clientId":"c","text":"t",${fields}}`

/** No JSON objects: 4400. */
const NO_FRAMES: Readonly<Record<string, string>> = {
  nothing: '',
  'half an object': '{"id":1',
  'an object and more': '{"id":1,"op":"ping"}}',
  'no JSON': 'hello',
  null: 'null',
  'a number': '17',
  'a text': '"ping"',
  'a list': '[{"id":1,"op":"ping"}]',
  NUL: '\0',
  'a deep list': '['.repeat(DEEP) + ']'.repeat(DEEP),
  'a deep list without an end': '['.repeat(FRAME_BYTES_MAX),
  'a lone surrogate outside of a text': '\\ud800',
  'one byte too many': padded(FRAME_BYTES_MAX + 1),
}

/** JSON objects that ask for something impossible: an error under their id, or under null where that is none, and they stay. */
const NO_OPERATIONS: Readonly<Record<string, [text: string, id: unknown]>> = {
  'the largest frame': [padded(FRAME_BYTES_MAX), 1],
  'no id': ['{"op":"ping"}', null],
  'an id of null': [ping(null), null],
  'an id of true': [ping(true), null],
  'an id that is an object': [ping({ a: 1 }), null],
  'an id that is a list': [ping([1]), null],
  'a long id': [ping('x'.repeat(65)), null],
  'an id past all numbers': ['{"id":1e400,"op":"ping"}', null],
  'two ids': ['{"id":1,"id":2,"op":"pong"}', 2],
  'an id of half a character': ['{"id":"\\ud800","op":"pong"}', '\ud800'],
  'no operation': ['{"id":1}', 1],
  'an operation of the language': ['{"id":1,"op":"__proto__"}', 1],
  'another operation of the language': ['{"id":1,"op":"constructor"}', 1],
  'an operation that is a list': ['{"id":1,"op":["ping"]}', 1],
  'a prototype': [ping(1, ',"__proto__":{"op":"ping"}'), 1],
  'a constructor': [ping(1, ',"constructor":{"prototype":{}}'), 1],
  'a deep object': [ping(1, `,"a":${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`), 1],
  'a deep conversation': [
    `{"id":1,"op":"send","conversation":${'['.repeat(DEEP)}${']'.repeat(DEEP)},"clientId":"c","text":"t"}`,
    1,
  ],
  'a text that is a number': [said('"text":7'), 1],
  'a text of half a character': [said('"text":"\\ud800"'), 1],
  'a text with NUL': [said('"text":"a\\u0000b"'), 1],
  'a clientId with NUL': [said('"clientId":"\\u0000"'), 1],
  'attachments that are none': [said('"attachments":[null,{},7]'), 1],
  'a seq past all numbers': ['{"id":1,"op":"history","conversation":"cnv_1","after":1e400}', 1],
  'a seq that is no seq': ['{"id":1,"op":"history","conversation":"cnv_1","after":-0.5}', 1],
  'a seq past what can be counted': ['{"id":1,"op":"read","conversation":"cnv_1","seq":9007199254740993}', 1],
  'a conversation that is not there': ['{"id":1,"op":"read","conversation":"cnv_none","seq":1}', 1],
  'a conversation with NUL': ['{"id":1,"op":"typing","conversation":"\\u0000"}', 1],
  'conversations that are a list': ['{"id":1,"op":"sync","conversations":[1]}', 1],
  'a topic of control characters': ['{"id":1,"op":"subscribe","topic":"gig:\\n"}', 1],
  'more people than may be asked for': [
    `{"id":1,"op":"presence","users":${JSON.stringify(new Array(PRESENCE_USERS_MAX + 1).fill('usr_a'))}}`,
    1,
  ],
}

/** Well formed, however odd they look: answered with ok. */
const ODD_BUT_RIGHT: Readonly<Record<string, (string | Uint8Array)[]>> = {
  'an empty id': [frame(ping(''))],
  'a huge id': [frame(ping(1.7976931348623157e308))],
  'an id below zero': [frame(ping(-1.5))],
  'white space around': [frame(` \n\t${ping(1)}\r\n`)],
  'a sync of the language': [frame('{"id":1,"op":"sync","conversations":{"__proto__":0,"constructor":1}}')],
  'a message letter by letter': [...ping('ü')].map((letter, at, all) =>
    frame(letter, { code: at === 0 ? TEXT : 0, isLast: at === all.length - 1 }),
  ),
  'a letter in two fragments': (() => {
    const bytes = Buffer.from(ping('ü'))
    const at = bytes.indexOf(0xc3) + 1
    return [frame(bytes.subarray(0, at), { isLast: false }), frame(bytes.subarray(at), { code: 0 })]
  })(),
  'a ping between fragments': [
    frame('{"id":1,', { isLast: false }),
    frame('are you there', { code: PING }),
    frame('"op":"ping"}', { code: 0 }),
  ],
  'empty fragments': [frame('', { isLast: false }), frame('', { code: 0, isLast: false }), frame(ping(1), { code: 0 })],
}

/** Not WebSocket, or not ours: the connection ends, with an agreed code. */
const BROKEN: Readonly<Record<string, (string | Uint8Array)[]>> = {
  'a binary message': [frame(ping(1), { code: BINARY })],
  'bytes that are no UTF-8': [frame(Buffer.from([0x22, 0xc3, 0x28, 0x22]))],
  'half a character at the end': [frame(Buffer.from([0x22, 0xe2, 0x82]))],
  'a surrogate in bytes': [frame(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
  'a reserved bit': [frame(ping(1), { reserved: 4 })],
  'all reserved bits': [frame(ping(1), { reserved: 7 })],
  'an unknown operation': [frame(ping(1), { code: 3 })],
  'an unknown control frame': [frame('', { code: 11 })],
  'a continuation of nothing': [frame(ping(1), { code: 0 })],
  'a message within a message': [frame('{"id":1,', { isLast: false }), frame(ping(1))],
  'a control frame in fragments': [frame('a', { code: PING, isLast: false }), frame('b', { code: 0 })],
  'a control frame too large': [frame('x'.repeat(126), { code: PING })],
  'a length past all memory': [frame('', { length: 2n ** 63n - 1n })],
  'a length with its first bit set': [frame('', { length: 2n ** 64n - 1n })],
  'a length of four gigabytes': [frame('', { length: 2n ** 32n })],
  'fragments without an end': [
    frame('x', { isLast: false }),
    ...Array.from({ length: 40 }, () => frame('x'.repeat(8192), { code: 0, isLast: false })),
  ],
  'a close without a whole code': [frame(Buffer.from([3]), { code: CLOSE_FRAME })],
  'a close with a code that is none': [frame(Buffer.from([3, 237]), { code: CLOSE_FRAME })],
  // uWebSockets takes the first bytes of the text for the mask; what comes out is not UTF-8.
  'frames without a mask': Array.from({ length: 20 }, () =>
    frame(Buffer.from('x\xf0\x80zabcd', 'latin1'), { isMasked: false }),
  ),
  'another protocol': ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20)],
}

const setup = async (t: ExecutionContext, listener: string) => {
  const people: People = new Map()
  for (const id of ['usr_a', 'usr_b', 'usr_c']) person(people, id)
  const cards = ({ params }: { params: unknown }) =>
    (params as { ids: string[] }).ids.map((id) => ({ id, username: id, displayName: id }))
  const gateway = await startGateway({
    env: { LISTENER: listener, RATE_LIMITS: 'address=100000/100000,account=100000/100000' },
    services: [accounts(people, { cards }), chat],
  })
  t.teardown(gateway.stop)
  const port = Number(new URL(gateway.base).port)
  const [bad, good] = await Promise.all([gateway.tokenOf('usr_a'), gateway.tokenOf('usr_b')])
  const opened = await gateway.ask('POST', '/v1/conversations', { token: good, body: { with: 'usr_c' } })
  const { id: conversation } = opened.json as { id: string }
  const join = async (token: string): Promise<Wire> => {
    const one = await wire(port)
    one.send(handshake(token))
    await eventually(() => one.isOpen, Boolean)
    return one
  }
  const neighbour = await join(good)
  let messages = 0
  return {
    port,
    bad,
    join: () => join(bad),
    /** Somebody else sends, and is answered. */
    neighbourly: async (while_: string) => {
      const id = ++messages
      neighbour.send(frame(JSON.stringify({ id, op: 'send', conversation, clientId: `c${id}`, text: while_ })))
      const answer = await answerTo(neighbour, id)
      t.like(answer, { ok: true, message: { seq: id } }, `${while_}: ${JSON.stringify(answer)}`)
    },
  }
}

const answerTo = (one: Wire, id: unknown): Promise<Record<string, unknown>> =>
  eventually(
    () => one.texts.map((text) => JSON.parse(text) as Record<string, unknown>).find((answer) => answer['id'] === id)!,
    Boolean,
  )
const ended = (one: Wire) =>
  eventually(
    () => one.closed,
    (code) => code !== null,
  )

for (const listener of LISTENERS) {
  test(`${listener}: what is no frame is shown out with 4400, what is no operation is told so and stays`, async (t) => {
    const { join, neighbourly } = await setup(t, listener)
    for (const [what, text] of Object.entries(NO_FRAMES)) {
      const one = await join()
      one.send(frame(text))
      t.is(await ended(one), 4400, what)
      await neighbourly(what)
    }
    const one = await join()
    for (const [what, [text, id]] of Object.entries(NO_OPERATIONS)) {
      one.texts.length = 0
      one.send(frame(text))
      const answer = await answerTo(one, id)
      t.regex(String((answer['error'] as { code?: string })?.code), /^(validation_failed|not_found)$/, what)
      t.is(one.closed, null, what)
      await neighbourly(what)
    }
    one.end()
  })

  test(`${listener}: what looks odd and is right is answered, what is broken ends its own connection only`, async (t) => {
    const { join, neighbourly } = await setup(t, listener)
    for (const [what, parts] of Object.entries(ODD_BUT_RIGHT)) {
      const one = await join()
      one.send(...parts)
      const [answer] = await eventually(
        () => one.texts,
        (texts) => texts.length > 0,
      )
      t.like(JSON.parse(answer!), { ok: true }, what)
      one.end()
    }
    for (const [what, parts] of Object.entries(BROKEN)) {
      const one = await join()
      one.send(...parts)
      const code = await ended(one)
      t.true(AGREED.has(code!), `${what}: ${code}`)
      t.deepEqual(
        one.texts.filter((text) => (JSON.parse(text) as { ok?: boolean }).ok),
        [],
        what,
      )
      await neighbourly(what)
    }
  })

  test(`${listener}: a thousand operations in one segment get a thousand answers; a flood is shown out`, async (t) => {
    const { join, neighbourly } = await setup(t, listener)
    const numbers = Array.from({ length: 1000 }, (_, id) => id)
    for (const op of [
      (id: number) => ping(id),
      (id: number) => `{"id":${id},"op":"history","conversation":"cnv_${id % 7}"}`,
      (id: number) => `{"id":${id},"op":"send","conversation":"cnv_1","clientId":"${id}","text":"t"}`,
    ]) {
      const one = await join()
      one.send(...numbers.map((id) => frame(op(id))))
      await eventually(
        () => one.texts.length,
        (count) => count === numbers.length,
      )
      const ids = new Set(one.texts.map((text) => (JSON.parse(text) as { id: number }).id))
      t.deepEqual(
        numbers.filter((id) => !ids.has(id)),
        [],
        one.texts[0],
      )
      one.end()
    }
    const flood = await join()
    flood.send(...Array.from({ length: 30_000 }, (_, id) => frame(ping(id))))
    t.is(await ended(flood), 4429)
    // ws ends who has more than 60 pongs to come, uWebSockets answers them all.
    const pings = await join()
    pings.send(...Array.from({ length: 5000 }, () => frame('', { code: PING })), frame(ping('after')))
    await eventually(
      () => pings.closed !== null || pings.texts.length > 0,
      (isOver) => isOver,
    )
    t.true(pings.closed === null ? pings.pongs === 5000 : AGREED.has(pings.closed))
    pings.end()
    await neighbourly('a flood')
  })

  test(`${listener}: handshakes that stop anywhere, and hundreds that never end, keep nobody out`, async (t) => {
    const { port, bad, join, neighbourly } = await setup(t, listener)
    const whole = handshake(bad)
    const chance = random(SEED)
    const halves = await Promise.all(
      Array.from({ length: 300 }, async (_, at) => {
        const one = await wire(port)
        one.send(whole.slice(0, at < 10 ? at : chance.whole(0, whole.length - 1)))
        return one
      }),
    )
    await neighbourly('half-open handshakes')
    const one = await join()
    one.send(frame(ping(1)))
    t.like(await answerTo(one, 1), { ok: true })
    for (const half of halves.slice(0, 150)) half.socket.end()
    for (const half of halves.slice(150)) half.end()
    await neighbourly('ended handshakes')
    one.end()
  })

  test(`${listener}: bytes changed by chance end at most their own connection, and nothing of them is kept`, async (t) => {
    const { join, neighbourly } = await setup(t, listener)
    const chance = random(SEED)
    const good = [...Object.values(ODD_BUT_RIGHT), ...Object.values(NO_OPERATIONS).map(([text]) => [frame(text)])]
    const all = [...good, ...Object.values(BROKEN), ...Object.values(NO_FRAMES).map((text) => [frame(text)])]
    const round = async () => {
      await Promise.all(
        all.map(async (parts) => {
          const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
          for (let n = chance.whole(1, 8); n > 0 && bytes.length > 0; n--)
            bytes[chance.whole(0, bytes.length - 1)] = chance.whole(0, 255)
          const one = await join()
          one.send(bytes.subarray(0, chance.whole(1, bytes.length)))
          // Whoever is still there hangs up: what is half received is thrown away, too.
          await Promise.race([ended(one), new Promise((resolve) => setTimeout(resolve, 200))])
          if (one.closed !== null) t.true(AGREED.has(one.closed), String(one.closed))
          one.end()
        }),
      )
      await neighbourly('chance')
    }
    for (let n = 0; n < 2; n++) await round()
    const before = heap()
    for (let n = 0; n < 3; n++) await round()
    t.true(heap() - before < HEAP_GROWTH_MAX, `${heap() - before} bytes more`)
  })
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const heap = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const names = Object.keys(OPS) as OpName[]
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'cnv_1',
    'announcements',
    'gig:1',
    '\0',
    '\ud800',
    null,
    true,
    0,
    1,
    -1,
    1.5,
    2 ** 53,
    1e300,
  ),
  fc.string({ unit: 'binary', maxLength: 110 }),
  fc.integer(),
)
const field = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 12 }),
  fc.dictionary(fc.oneof(fc.constantFrom('__proto__', 'constructor', 'cnv_1'), fc.string()), scalar, { maxKeys: 5 }),
)
/** Mostly the fields of the operation, so that many come close. */
const asked = fc.constantFrom(...names).chain((op) => {
  const own = Object.keys(OPS[op].fields.properties)
  const keys = own.length > 0 ? fc.subarray(own, { minLength: Math.max(0, own.length - 2) }) : fc.constant([])
  const more = fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, fc.array(fc.string(), { maxLength: 2 }))
  return fc
    .tuple(keys, more)
    .chain(([some, strange]) =>
      fc.tuple(fc.constant([...some, ...strange]), fc.array(field, { minLength: some.length + strange.length })),
    )
    .map(([keys, values]) => ({
      op,
      fields: Object.fromEntries(keys.map((key, at) => [key, values[at]])) as Record<string, unknown>,
    }))
})

test('whatever the text is, reading it as a frame does not throw', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.anything().map(textOf)), (text) => {
      const read = parseFrame(text)
      return read === null || 'error' in read || typeof read.op === 'string'
    }),
    { seed: SEED, numRuns: 3000 },
  )
  t.pass()
})

test('a frame is let through exactly when the schema of its operation takes its fields', (t) => {
  const seen = { let: 0, refused: 0 }
  fc.assert(
    fc.property(asked, ({ op, fields }) => {
      const text = JSON.stringify({ ...fields, id: 1, op })
      const { id: _id, op: _op, ...arrived } = JSON.parse(text) as Record<string, unknown>
      const read = parseFrame(text)
      const isLet = read !== null && !('error' in read)
      seen[isLet ? 'let' : 'refused'] += 1
      // The interpreter of schemas is another program than the compiled check.
      return isLet === Value.Check(OPS[op].fields, arrived)
    }),
    { seed: SEED, numRuns: 5000 },
  )
  t.true(seen.let > 100 && seen.refused > 100, JSON.stringify(seen))
})

const textOf = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return String(typeof value)
  }
}
