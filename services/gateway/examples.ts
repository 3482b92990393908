// One example of every frame, for the AsyncAPI document. test/frames.test.ts sends those that ask to a real server, with the
// ids of things that are there, and holds what comes back against the same document.
import type { Json } from './schemas.ts'

/** Things the examples speak of. */
export const EXAMPLE = {
  conversation: 'cnv_01k0examplecnv000000000000',
  message: 'msg_01k0examplemsg000000000000',
  order: 'ord_01k0exampleord000000000000',
  gig: 'gig_01k0examplegig000000000000',
  buyer: 'usr_01k0examplebuyer0000000000',
  seller: 'usr_01k0exampleseller000000000',
  token: 'eyJhbGciOiJIUzI1NiJ9.example.token',
} as const

const { conversation, order, gig, buyer, seller, token } = EXAMPLE
const at = '2026-03-01T09:30:00.000Z'
const message = {
  id: EXAMPLE.message,
  conversation,
  seq: 1,
  clientId: 'f3b1c2',
  sender: buyer,
  text: 'Can you start on Monday?',
  attachments: ['https://gigs.example/map.png'],
  sentAt: at,
  version: 1,
}
const edited = { ...message, text: 'Can you start on Tuesday?', editedAt: at, version: 2, change: 1 }
const deleted = { ...edited, text: '', attachments: [], deleted: true, version: 3, change: 2 }
const moved = { seq: 2, type: 'paid', at, actor: { role: 'buyer', id: buyer }, data: {} }
const topicFrame = { topic: `order:${order}`, seq: 2 }

/** By the document's names of messages: `op`, `op.ok`, `ev.name`. Whatever the table does not know (yet) is left out. */
const PAYLOADS: Readonly<Record<string, Json>> = {
  auth: { id: 1, op: 'auth', token },
  'auth.ok': { id: 1, ok: true, user: { id: buyer, username: 'bela', roles: ['buyer'] }, expiresAt: at },
  send: {
    id: 2,
    op: 'send',
    conversation,
    clientId: 'f3b1c2',
    text: 'Can you start on Monday?',
    attachments: ['https://gigs.example/map.png'],
  },
  'send.ok': { id: 2, ok: true, message },
  history: { id: 3, op: 'history', conversation, after: 0, limit: 20 },
  'history.ok': { id: 3, ok: true, messages: [message], hasMore: false, lastChange: 2 },
  sync: { id: 4, op: 'sync', conversations: { [conversation]: 0 }, changes: { [conversation]: 0 } },
  'sync.ok': {
    id: 4,
    ok: true,
    conversations: {
      [conversation]: { messages: [edited], lastSeq: 1, hasMore: false, changed: [edited], lastChange: 1 },
    },
  },
  read: { id: 5, op: 'read', conversation, seq: 1 },
  'read.ok': { id: 5, ok: true, seq: 1 },
  typing: { id: 6, op: 'typing', conversation },
  'typing.ok': { id: 6, ok: true },
  edit: { id: 7, op: 'edit', conversation, message: message.id, text: edited.text },
  'edit.ok': { id: 7, ok: true, message: edited },
  delete: { id: 8, op: 'delete', conversation, message: message.id },
  'delete.ok': { id: 8, ok: true, message: deleted },
  presence: { id: 9, op: 'presence', users: [seller] },
  'presence.ok': { id: 9, ok: true, online: [seller], until: at },
  subscribe: { id: 10, op: 'subscribe', topic: topicFrame.topic, after: 1 },
  'subscribe.ok': {
    id: 10,
    ok: true,
    topic: topicFrame.topic,
    seq: 2,
    missed: [{ ev: 'order', ...topicFrame, data: { order, status: 'in_progress', ...moved } }],
    recovered: true,
  },
  unsubscribe: { id: 11, op: 'unsubscribe', topic: topicFrame.topic },
  'unsubscribe.ok': { id: 11, ok: true, topic: topicFrame.topic },
  ping: { id: 12, op: 'ping' },
  'ping.ok': { id: 12, ok: true },
  error: { id: 13, error: { code: 'rate_limited', message: 'too many messages', retryAfter: 2 } },
  'ev.message': { ev: 'message', data: message },
  'ev.message.edited': { ev: 'message.edited', data: edited },
  'ev.message.deleted': { ev: 'message.deleted', data: deleted },
  'ev.read': { ev: 'read', data: { conversation, user: seller, seq: 1 } },
  'ev.typing': { ev: 'typing', data: { conversation, user: seller } },
  'ev.presence': { ev: 'presence', data: { user: seller, online: true, changes: [{ user: seller, online: true }] } },
  'ev.order': { ev: 'order', ...topicFrame, data: { order, status: 'in_progress', ...moved } },
  'ev.gig': { ev: 'gig', topic: `gig:${gig}`, seq: 3, data: { gig, version: 3, live: true } },
  'ev.announcement': {
    ev: 'announcement',
    topic: 'announcements',
    seq: 1,
    data: { id: 'ann_01k0exampleann000000000000', seq: 1, text: 'We move on Sunday at noon.', at },
  },
  'ev.notification': {
    ev: 'notification',
    data: {
      id: 'ntf_01k0examplentf000000000000',
      kind: 'order',
      title: 'Your order was paid',
      about: { type: 'order', id: order },
      data: { step: 'paid' },
      createdAt: at,
      updatedAt: at,
      readAt: null,
    },
  },
  'ev.missed': { ev: 'missed', data: {} },
  'ev.draining': { ev: 'draining', data: { retryAfter: 1.5 } },
}

type MessageObject = Json & { payload: { properties: Json } }
export const withExamples = (messages: Json): Json =>
  Object.fromEntries(
    Object.entries(messages as Record<string, MessageObject>).map(([name, one]) => {
      const payload = PAYLOADS[name]
      return [name, payload ? { ...one, examples: [{ payload: known(payload, one.payload.properties) }] } : one]
    }),
  )

const known = (payload: Json, properties: Json): Json =>
  Object.fromEntries(Object.entries(payload).filter(([field]) => field in properties))
