// The audit log: what admins and moderators asked for and what came of it, and what changed who may do what. Append-only,
// numbered without a gap, every entry chained to the one before.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, page, Time } from '../shapes.ts'

/** Characters of JSON one entry's data may have; longer texts in it are cut. */
export const DATA_CHARS_MAX = 8000
/** Problems one look through the chain names. */
export const PROBLEMS_MAX = 100

/**
 * asked: somebody with a role is about to do something, stored before it is done. answered: what came of it; `data.of` is
 * the entry that asked. An `asked` nobody answered was cut short: it may have happened. event: a thing that happened.
 */
export const AuditKind = Type.Union([Type.Literal('asked'), Type.Literal('answered'), Type.Literal('event')])
const said = {
  kind: AuditKind,
  /** Whose doing it was; `system` where it was nobody's. */
  actor: Type.String({ minLength: 1, maxLength: 64 }),
  /** The action's or event's name: `order.resolveDispute`. */
  action: Type.String({ minLength: 1, maxLength: 100 }),
  /** What it was done to: an id; null where it is about no one thing. */
  target: Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()]),
  data: Type.Record(Type.String(), Type.Unknown()),
}
export const AuditDraft = closed(said)
export type AuditDraft = Static<typeof AuditDraft>

export const AuditEntry = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    at: Time,
    ...said,
    /** SHA-256 in hex of the JSON of `[previousHash, seq, at, kind, actor, action, target, data]`, names in data sorted. */
    hash: Type.String(),
    /** Of the entry before; empty for the first. */
    previousHash: Type.String(),
  },
  { $id: 'AuditEntry' },
)
export type AuditEntry = Static<typeof AuditEntry>

/** Written down elsewhere, it shows also that nothing was taken from the end. */
const Head = Type.Object({ seq: Type.Integer(), hash: Type.String() })
const Verified = Type.Object({ entries: Type.Integer(), head: Head, problems: Type.Array(Type.String()) })

export const audit = contract({
  name: 'audit',
  actions: {
    list: {
      rest: 'GET /v1/admin/audit',
      auth: 'admin',
      result: Type.Object({ ...listOf(AuditEntry).properties, head: Head }),
      summary:
        'The audit log, the latest first; `actor` and `target` narrow it to what somebody did, or was done to something. Each entry is chained to the one before by its hash; `head` is where the chain ends.',
      params: closed({ actor: Type.Optional(Id), target: Type.Optional(Type.String({ maxLength: 200 })), ...page }),
    },
    verification: {
      rest: 'GET /v1/admin/audit/verification',
      auth: 'admin',
      result: Verified,
      summary: 'Walks the whole chain: numbers without a gap, every hash as it was.',
      params: closed({}),
    },
    verify: {
      auth: 'internal',
      result: Verified,
      summary: 'What `verification` answers, for the operator.',
      params: closed({}),
    },
    record: {
      auth: 'internal',
      key: 'log',
      result: Type.Object({ seq: Type.Integer() }),
      summary: 'Appends an entry; the same `id` is appended once. Stored when answered.',
      params: closed({
        log: Type.Literal('main'),
        id: Type.String({ minLength: 1, maxLength: 400 }),
        entry: AuditDraft,
      }),
    },
  },
  events: {},
  hears: ['account.secured', 'moderation.decided'],
})
