// The frames of a socket: one table says what each operation takes, which action it asks, and what it answers.
import { Type, type TObject, type TSchema } from 'typebox'
import type { ActionName } from '../../mixins/node.ts'
import { checker } from '../../mixins/schema.ts'
import { User } from '../account/contract.ts'
import { chat, Message } from '../chat/contract.ts'
import { refuse } from '../errors.ts'
import { closed, Id, Time } from '../shapes.ts'
import type { Params } from './body.ts'
import { troubleOf } from './problem.ts'
import { TOKEN_LENGTH_MAX } from '../../mixins/token.ts'

export type FrameId = string | number
export type Frame = { id: FrameId; op: OpName; fields: Params }
type Asks = { action: ActionName; in: (fields: Params) => Params; out: (result: never) => object }
export type Op = {
  summary: string
  fields: TObject
  /** The action behind it; without one the gateway answers by itself. */
  asks?: Asks
  /** Which budget of the user it takes from. */
  budget: 'messages' | 'account' | 'none'
  /** Said in the answer beside `id` and `ok`. */
  answers: Readonly<Record<string, TSchema>>
}

/** Close codes, as the contract lists them. */
export const CLOSE = {
  badFrame: 4400,
  unauthenticated: 4401,
  noAuth: 4408,
  tooSlow: 4413,
  flooding: 4429,
  draining: 1001,
} as const
export const FRAME_BYTES_MAX = 64 * 1024
export const PRESENCE_USERS_MAX = 200
/** People that one token of the account's budget asks about. */
export const PRESENCE_USERS_PER_TOKEN = 25
export const TOPIC = '^(gig:[A-Za-z0-9_-]{1,64}|order:[A-Za-z0-9_-]{1,64}|announcements)$'

const { send, history, read, edit, sync } = chat.actions
const WhoAmI = Type.Object({ id: User.properties.id, username: User.properties.username, roles: User.properties.roles })
const conversation = { conversation: Id }
/** Actions of chat know the conversation as the actor's key, `id`. */
const ofConversation = ({ conversation: id, ...rest }: Params): Params => ({ id, ...rest })
const without = <P extends object>(properties: P): Omit<P, 'id'> => {
  const { id: _, ...rest } = properties as P & { id: unknown }
  return rest
}
const message = (result: object) => ({ message: result })
const same = (result: object) => result

export const OPS = {
  auth: {
    summary: 'Proves who this is; again on a live socket it lengthens the session.',
    budget: 'none',
    answers: { user: WhoAmI, expiresAt: Time },
    fields: closed({ token: Type.String({ minLength: 1, maxLength: TOKEN_LENGTH_MAX }) }),
  },
  send: {
    summary: 'Sends a message. The same clientId sent again gives the first message back.',
    budget: 'messages',
    answers: { message: Message },
    fields: closed({ ...conversation, ...without(send.params.properties) }),
    asks: { action: 'chat.send', in: ofConversation, out: message },
  },
  history: {
    summary: 'Messages after or before a seq, ascending.',
    budget: 'account',
    answers: history.result.properties,
    fields: closed({ ...conversation, ...without(history.params.properties) }),
    asks: { action: 'chat.history', in: ofConversation, out: same },
  },
  sync: {
    summary: 'What was missed in each conversation after the seq given.',
    budget: 'account',
    answers: sync.result.properties,
    fields: closed({ ...sync.params.properties }),
  },
  read: {
    summary: 'Moves the own read mark forward.',
    budget: 'account',
    answers: read.result.properties,
    fields: closed({ ...conversation, ...without(read.params.properties) }),
    asks: { action: 'chat.read', in: ofConversation, out: same },
  },
  typing: {
    summary: 'Tells the other member; kept nowhere.',
    budget: 'account',
    answers: {},
    fields: closed({ ...conversation }),
    asks: { action: 'chat.typing', in: ofConversation, out: () => ({}) },
  },
  edit: {
    summary: "Changes the own message's text.",
    budget: 'messages',
    answers: { message: Message },
    fields: closed({ ...conversation, ...without(edit.params.properties) }),
    asks: { action: 'chat.edit', in: ofConversation, out: message },
  },
  delete: {
    summary: 'Deletes the own message; its seq stays.',
    budget: 'messages',
    answers: { message: Message },
    fields: closed({ ...conversation, message: Id }),
    asks: { action: 'chat.erase', in: ofConversation, out: message },
  },
  presence: {
    summary:
      'Who of these people is connected now, anywhere; until then a `presence` event tells of changes, once a second at most. Asked again it replaces whom one looks at; an empty list ends it. People without a common conversation, and those who blocked the asker, are never shown.',
    budget: 'account',
    answers: { online: Type.Array(Id), until: Time },
    fields: closed({ users: Type.Array(Id, { maxItems: PRESENCE_USERS_MAX }) }),
  },
  subscribe: {
    summary:
      'Events of a topic: gig:<id>, order:<id> (parties only) or announcements, each numbered by `seq`. With `after`, the last seq seen, what was missed since comes along: all of it, or none with `recovered: false`, and then the thing itself must be read again. A gap between two frames is closed by subscribing again.',
    budget: 'account',
    answers: {
      topic: Type.String(),
      seq: Type.Integer(),
      missed: Type.Array(
        Type.Object({ ev: Type.String(), topic: Type.String(), seq: Type.Integer(), data: Type.Unknown() }),
      ),
      recovered: Type.Boolean(),
    },
    fields: closed({
      topic: Type.String({ pattern: TOPIC }),
      after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1 })),
    }),
  },
  unsubscribe: {
    summary: 'No more events of a topic.',
    budget: 'account',
    answers: { topic: Type.String() },
    fields: closed({ topic: Type.String({ pattern: TOPIC }) }),
  },
  ping: { summary: 'Is anybody there?', budget: 'none', answers: {}, fields: closed({}) },
} as const satisfies Record<string, Op>
export type OpName = keyof typeof OPS

const checks = new Map(Object.entries(OPS).map(([name, { fields }]) => [name, checker(fields)]))

/** What a text came to: a frame, an error to answer with, or null where it is no frame at all. */
export const parseFrame = (text: string): Frame | { id: FrameId | null; error: unknown } | null => {
  const value = parsed(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { id, op, ...fields } = value as Params
  if (!isFrameId(id))
    return { id: null, error: refuse('validation_failed', 'id: must be a number or up to 64 letters') }
  const check = typeof op === 'string' ? checks.get(op) : undefined
  if (!check) return { id, error: refuse('validation_failed', 'op: is not one of ours') }
  const [error] = check(fields) ?? []
  if (error) return { id, error: refuse('validation_failed', `${error.path || 'frame'}: ${error.message}`) }
  return { id, op: op as OpName, fields }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isFrameId = (id: unknown): id is FrameId =>
  (typeof id === 'number' && Number.isFinite(id)) || (typeof id === 'string' && id.length <= 64)

export const okFrame = (id: FrameId, answer: object): string => JSON.stringify({ id, ok: true, ...answer })

/** With a last field that is JSON already and is not encoded again. */
export const okFrameWith = (id: FrameId, answer: object, field: string, json: string): string =>
  `${okFrame(id, answer).slice(0, -1)},"${field}":${json}}`

export const errorFrame = (id: FrameId | null, error: unknown): string => {
  const { code, detail, retryAfterSeconds } = troubleOf(error)
  return JSON.stringify({
    id,
    error: { code, message: detail, ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }) },
  })
}
