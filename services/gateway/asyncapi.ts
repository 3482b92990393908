// AsyncAPI 3.1 of the socket, made from the frames' own table.
import type { Settings } from '../../mixins/node.ts'
import { CLOSE, OPS, type Op } from './frames.ts'
import { EVENTS } from './events.ts'
import { withExamples } from './examples.ts'
import { REALTIME_PATH } from './mounts.ts'
import { schemas, type Json, type Schemas } from './schemas.ts'
import { SUBPROTOCOL } from './door.ts'

const ID = {
  description: 'Chosen by the client, echoed in the answer.',
  oneOf: [{ type: 'number' }, { type: 'string', maxLength: 64 }],
}

const NUMBERED = {
  topic: { type: 'string' },
  seq: { type: 'integer', minimum: 1, description: 'Counts 1, 2, 3 … within the topic.' },
}

export const asyncapi = ({ publicUrl }: Settings): Json => {
  const known = schemas()
  const ops = Object.entries(OPS) as [string, Op][]
  const events = Object.entries(EVENTS)
  const messages: Json = {
    ...Object.fromEntries(
      ops.flatMap(([op, one]) => [
        [op, asked(op, one, known)],
        [`${op}.ok`, answered(op, one, known)],
      ]),
    ),
    ...Object.fromEntries(
      events.map(([ev, { summary, data, topic }]) => [
        `ev.${ev}`,
        {
          name: ev,
          summary,
          payload: {
            type: 'object',
            required: ['ev', ...(topic === 'always' ? ['topic', 'seq'] : []), 'data'],
            properties: { ev: { const: ev }, ...(topic && NUMBERED), data: known.of(data) },
          },
        },
      ]),
    ),
    error: ERROR,
  }
  const ref = (name: string) => ({ $ref: `#/channels/realtime/messages/${pointer(name)}` })
  return {
    asyncapi: '3.1.0',
    info: { title: 'Gigwire realtime', version: '1', description: DESCRIPTION },
    servers: { here: serverOf(publicUrl) },
    channels: {
      realtime: {
        address: REALTIME_PATH,
        description: 'Every connection of a user gets every event of its conversations.',
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${pointer(name)}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: { Authorization: { type: 'string' }, 'Sec-WebSocket-Protocol': { const: SUBPROTOCOL } },
            },
          },
        },
      },
    },
    operations: {
      ...Object.fromEntries(
        ops.map(([op, { summary }]) => [
          op,
          {
            action: 'receive',
            summary,
            channel: { $ref: '#/channels/realtime' },
            messages: [ref(op)],
            reply: { channel: { $ref: '#/channels/realtime' }, messages: [ref(`${op}.ok`), ref('error')] },
          },
        ]),
      ),
      events: {
        action: 'send',
        summary: 'What happened, as it happens.',
        channel: { $ref: '#/channels/realtime' },
        messages: events.map(([ev]) => ref(`ev.${ev}`)),
      },
    },
    components: { messages: withExamples(messages), schemas: known.named },
  }
}

/** As JSON pointers inside a $ref want it. */
const pointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

const serverOf = (publicUrl: string): Json => {
  const { host, protocol } = new URL(publicUrl || 'http://localhost')
  return { host, protocol: protocol === 'https:' ? 'wss' : 'ws' }
}

const asked = (op: string, { summary, fields }: Op, known: Schemas): Json => {
  const { properties = {}, required = [] } = known.of(fields) as { properties?: Json; required?: string[] }
  return {
    name: op,
    summary,
    payload: {
      type: 'object',
      additionalProperties: false,
      required: ['id', 'op', ...required],
      properties: { id: ID, op: { const: op }, ...properties },
    },
  }
}

const answered = (op: string, { answers }: Op, known: Schemas): Json => ({
  name: `${op}.ok`,
  summary: `The answer to ${op}.`,
  payload: {
    type: 'object',
    required: ['id', 'ok', ...Object.keys(answers)],
    properties: {
      id: ID,
      ok: { const: true },
      ...Object.fromEntries(Object.entries(answers).map(([name, schema]) => [name, known.of(schema)])),
    },
  },
})

const ERROR = {
  name: 'error',
  summary: 'The operation was refused; the connection lives.',
  payload: {
    type: 'object',
    required: ['id', 'error'],
    properties: {
      id: { oneOf: [...ID.oneOf, { type: 'null' }] },
      error: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: { type: 'string' },
          message: { type: 'string' },
          retryAfter: { type: 'number', description: 'Seconds.' },
        },
      },
    },
  },
}

const DESCRIPTION = `One JSON object per text frame, at most 64 KiB. Authenticate by Authorization on the upgrade, or with a first frame \`auth\` within 10 seconds.
Close codes: ${Object.entries(CLOSE)
  .map(([why, code]) => `${code} ${why}`)
  .join(', ')} (1006 where a full socket cannot take the close frame). Reconnect with jitter, then \`sync\`.`
