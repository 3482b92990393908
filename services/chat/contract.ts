// Chat: conversations of two people, numbered messages, read marks.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { OfferCard } from '../offer/contract.ts'
import { closed, Id, listOf, page, Time } from '../shapes.ts'

/** After trimming; measured in UTF-16 code units. */
export const TEXT_MAX = 8000
export const ATTACHMENTS_MAX = 10
/** Conversations one sync frame may name. */
export const SYNC_MAX = 100
/** People one question about what they missed names. */
export const MISSED_MAX = 64
/** People one question about peers names. */
export const PEERS_MAX = 200
/** A seq that can still be counted on from, exactly, on every store. */
export const SEQ_MAX = Number.MAX_SAFE_INTEGER - 1
/** Any text a client calls its message by, without control characters; half a surrogate pair is no character. */
const CLIENT_ID = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]+$'

export const Message = Type.Object(
  {
    id: Id,
    conversation: Id,
    seq: Type.Integer(),
    clientId: Type.String(),
    sender: Id,
    text: Type.String(),
    attachments: Type.Array(Type.String()),
    sentAt: Time,
    editedAt: Type.Optional(Time),
    deleted: Type.Optional(Type.Boolean()),
    /** 1 as sent, more with every change: of two copies of a message the greater version is the later one. */
    version: Type.Integer(),
    /** The conversation's number of the change that made it so; absent while it is as it was sent. */
    change: Type.Optional(Type.Integer()),
    /** Contact details were replaced by a marker before it was stored. */
    masked: Type.Optional(Type.Boolean()),
    /** Waits for a moderator: its sender sees it, the other an empty text in its place. */
    held: Type.Optional(Type.Boolean()),
    /** What its sender offers here; `message.edited` tells every change of its status. */
    offer: Type.Optional(OfferCard),
  },
  { $id: 'Message' },
)
export type Message = Static<typeof Message>

export const Conversation = Type.Object(
  {
    id: Id,
    members: Type.Array(Type.Object({ id: Id, username: Type.String(), displayName: Type.String() })),
    gig: Type.Union([Id, Type.Null()]),
    lastSeq: Type.Integer(),
    lastMessage: Type.Union([Message, Type.Null()]),
    /** Messages of the other after the own read mark. */
    unread: Type.Integer(),
    /** Read marks: user id → seq. */
    read: Type.Record(Type.String(), Type.Integer()),
    createdAt: Time,
  },
  { $id: 'Conversation' },
)
export type Conversation = Static<typeof Conversation>

const Blocked = Type.Object({ id: Id, username: Type.String(), displayName: Type.String(), at: Time })

/** Rows one look at what is unseen takes at most. */
export const UNSEEN_MAX = 200

/** What a person has not read in a conversation, and has not been told of. */
export const Unseen = Type.Object({
  conversation: Id,
  user: Id,
  /** The row as it was looked at: handed back when the person was told. */
  version: Type.Integer(),
  readSeq: Type.Integer(),
  lastSeq: Type.Integer(),
  /** Messages of the other after the read mark; 0 when all that was told of has been read. */
  count: Type.Integer(),
  /** All messages of the other, read or not: grows with each. */
  heard: Type.Integer(),
  /** The last seq they were told of before; 0: none. */
  noticed: Type.Integer(),
  /** Epoch ms of the first unread and of the last message. */
  firstAt: Type.Integer(),
  lastAt: Type.Integer(),
  /** Who wrote to them. */
  from: Id,
})
export type Unseen = Static<typeof Unseen>

const Seq = Type.Integer({ minimum: 0, maximum: SEQ_MAX })
/** The last change of a message that this answer already holds: later ones come as events, or by sync. */
const LastChange = Type.Integer()
const Messages = Type.Object({
  messages: Type.Array(Message),
  hasMore: Type.Boolean(),
  lastChange: LastChange,
})
const Positions = Type.Record(Type.String({ maxLength: 64 }), Seq, { maxProperties: SYNC_MAX })
const Missed = Type.Object({
  messages: Type.Array(Message),
  lastSeq: Type.Integer(),
  /** Ask again, from the last message and `lastChange` of this answer. */
  hasMore: Type.Boolean(),
  /** Only where `changes` named the conversation: messages as they are now that changed after that, in order of change. */
  changed: Type.Optional(Type.Array(Message)),
  lastChange: Type.Optional(LastChange),
})
const send = {
  clientId: Type.String({ minLength: 1, maxLength: 100, pattern: CLIENT_ID }),
  text: Type.String({ minLength: 1, maxLength: TEXT_MAX * 2 }),
  attachments: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: ATTACHMENTS_MAX })),
}

export const chat = contract({
  name: 'chat',
  timers: true,
  actions: {
    open: {
      rest: 'POST /v1/conversations',
      auth: 'user',
      status: 201,
      result: Conversation,
      summary:
        'Opens the conversation with a person; the same pair gives the same conversation (200 when it was there).',
      params: closed({ with: Id, gig: Type.Optional(Id) }),
    },
    list: {
      rest: 'GET /v1/conversations',
      auth: 'user',
      result: listOf(Conversation),
      summary: 'The own conversations, the latest first.',
      params: closed({ ...page }),
    },
    get: {
      rest: 'GET /v1/conversations/:id',
      auth: 'user',
      result: Conversation,
      summary: 'One conversation.',
      params: closed({ id: Id }),
    },
    messages: {
      rest: 'GET /v1/conversations/:id/messages',
      auth: 'user',
      result: Type.Object({
        data: Type.Array(Message),
        nextCursor: Type.Union([Type.String(), Type.Null()]),
        hasMore: Type.Boolean(),
        lastChange: LastChange,
      }),
      summary:
        'Messages in order of seq: from the first, after a seq, or the last ones before a seq. `nextCursor` goes on forward.',
      params: closed({
        id: Id,
        after: Type.Optional(Seq),
        before: Type.Optional(Seq),
        cursor: page.cursor,
        limit: page.limit,
      }),
    },
    send: {
      rest: 'POST /v1/conversations/:id/messages',
      auth: 'user',
      key: 'id',
      status: 201,
      result: Message,
      summary: 'Sends a message; 200 and the first message when the clientId was known.',
      params: closed({ id: Id, ...send }),
    },
    read: {
      rest: 'POST /v1/conversations/:id/read',
      auth: 'user',
      key: 'id',
      result: Type.Object({ seq: Type.Integer() }),
      summary: 'Moves the own read mark forward; never back, never past the last message.',
      params: closed({ id: Id, seq: Seq }),
    },
    history: {
      auth: 'user',
      result: Messages,
      summary: "The socket's history.",
      params: closed({ id: Id, after: Type.Optional(Seq), before: Type.Optional(Seq), limit: page.limit }),
    },
    sync: {
      auth: 'user',
      summary:
        'What was missed after a seq, per conversation, and with `changes` what was changed after a change; unknown or foreign ones are left out.',
      result: Type.Object({ conversations: Type.Record(Type.String(), Missed) }),
      params: closed({ conversations: Positions, changes: Type.Optional(Positions) }),
    },
    missed: {
      auth: 'internal',
      summary:
        'What sync answers to each of many, encoded: `text` has the JSON of their `conversations` one after the other. Null: there was no room, ask again; never for the first.',
      result: Type.Object({
        text: Type.String(),
        parts: Type.Array(
          Type.Union([
            Type.Object({ letters: Type.Integer(), messages: Type.Integer(), hasMore: Type.Boolean() }),
            Type.Null(),
          ]),
        ),
      }),
      params: closed({
        asked: Type.Array(closed({ user: Id, conversations: Positions, changes: Type.Optional(Positions) }), {
          minItems: 1,
          maxItems: MISSED_MAX,
        }),
      }),
    },
    edit: {
      auth: 'user',
      key: 'id',
      result: Message,
      summary: "Changes the own message's text; id and seq stay.",
      params: closed({ id: Id, message: Id, text: send.text }),
    },
    erase: {
      auth: 'user',
      key: 'id',
      result: Message,
      summary: 'Deletes the own message; its seq stays.',
      params: closed({ id: Id, message: Id }),
    },
    typing: {
      auth: 'user',
      key: 'id',
      result: Type.Object({}),
      summary: 'Tells the other member; kept nowhere.',
      params: closed({ id: Id }),
    },
    block: {
      rest: 'POST /v1/users/:id/block',
      auth: 'user',
      result: Type.Object({ blocked: Type.Boolean() }),
      summary: 'Refuses further messages from a person.',
      params: closed({ id: Id }),
    },
    unblock: {
      rest: 'DELETE /v1/users/:id/block',
      auth: 'user',
      result: Type.Object({ blocked: Type.Boolean() }),
      summary: 'Takes messages from a person again.',
      params: closed({ id: Id }),
    },
    blocked: {
      rest: 'GET /v1/me/blocks',
      auth: 'user',
      result: listOf(Blocked),
      summary: 'Whom one has blocked, the latest first.',
      params: closed({ ...page }),
    },
    blockChanged: {
      auth: 'internal',
      key: 'id',
      result: Type.Object({}),
      summary: 'The members of a conversation block each other otherwise than before.',
      params: closed({ id: Id }),
    },
    peers: {
      auth: 'internal',
      summary: 'Of these people, those with whom a person has a conversation and who have not blocked the person.',
      result: Type.Object({ peers: Type.Array(Id) }),
      params: closed({ user: Id, users: Type.Array(Id, { maxItems: PEERS_MAX }) }),
    },
    release: {
      auth: 'internal',
      key: 'id',
      result: Message,
      summary: 'A moderator lets a held message be seen.',
      params: closed({ id: Id, message: Id }),
    },
    remove: {
      auth: 'internal',
      key: 'id',
      result: Message,
      summary: 'A moderator takes a message away; its seq stays.',
      params: closed({ id: Id, message: Id }),
    },
    message: {
      auth: 'internal',
      summary: "One message as it is, or as a member sees it; null when it is not that one's to see.",
      result: Type.Union([Message, Type.Null()]),
      params: closed({ id: Id, user: Type.Optional(Id) }),
    },
    partner: {
      auth: 'internal',
      summary: "The other member, and whether they blocked this one; null when it is not this one's conversation.",
      result: Type.Union([Type.Object({ id: Id, blocked: Type.Boolean() }), Type.Null()]),
      params: closed({ id: Id, user: Id }),
    },
    showOffer: {
      auth: 'internal',
      key: 'id',
      summary: 'Shows an offer as it is now: one message, made once and changed as its status does.',
      result: Type.Object({}),
      params: closed({ id: Id, seller: Id, card: OfferCard }),
    },
    unseen: {
      auth: 'internal',
      summary:
        'Who has had unread messages for a while, or has read what they were told of: the longest waiting first.',
      result: Type.Object({ data: Type.Array(Unseen), hasMore: Type.Boolean() }),
      params: closed({ limit: Type.Integer({ minimum: 1, maximum: UNSEEN_MAX }) }),
    },
    noticed: {
      auth: 'internal',
      summary: 'They were told up to a seq (0: it is read); rows that moved since they were looked at stay unseen.',
      result: Type.Object({ done: Type.Integer() }),
      params: closed({
        rows: Type.Array(closed({ conversation: Id, user: Id, version: Type.Integer(), seq: Seq }), {
          maxItems: UNSEEN_MAX,
        }),
      }),
    },
    readMarks: {
      auth: 'internal',
      summary: 'How far a person has read in each conversation; those that are not theirs are left out.',
      result: Type.Record(Type.String(), Type.Integer()),
      params: closed({ user: Id, conversations: Type.Array(Id, { maxItems: 100 }) }),
    },
    verify: {
      auth: 'internal',
      summary: 'Numbers of messages and of changes, per conversation, have no gap and no two alike.',
      result: Type.Object({
        conversations: Type.Integer(),
        messages: Type.Integer(),
        problems: Type.Array(Type.String()),
      }),
      params: closed({}),
    },
  },
  events: {
    /** The median minutes in which somebody answers who is written to; null when it is long ago that they did. */
    'chat.responded': Type.Object({ user: Id, minutes: Type.Union([Type.Integer(), Type.Null()]) }),
    /** Said before the message is stored: it may come to nothing, it is never left out. */
    'message.suspected': Type.Object({
      message: Id,
      conversation: Id,
      sender: Id,
      outcome: Type.Union([Type.Literal('flag'), Type.Literal('mask'), Type.Literal('hold')]),
      reasons: Type.Array(Type.String()),
    }),
  },
  hears: ['offer.changed'],
})
