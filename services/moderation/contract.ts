// Moderation: may this be seen? Rules decide what they are sure of and give their reasons; what they are not sure of, what
// they hold, and what people report waits as a case for a moderator.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Id, listOf, page, text, Time } from '../shapes.ts'

export { judge, MASK, TALKING, type Judgement, type Outcome } from './talk.ts'

/** Reports one person may make within a day. */
export const REPORTS_PER_DAY_MAX = 50
/** Reports a case shows, the latest; reporters it tells of its decision. */
export const REPORTS_SHOWN_MAX = 20
export const REPORTERS_MAX = 500
/** Past decisions a case keeps, the latest. */
export const HISTORY_MAX = 50
/** How long a claimed case is its moderator's to decide. */
export const CLAIM_MS = 15 * 60_000

export const TARGET_TYPES = ['gig', 'message', 'user', 'review'] as const
export type TargetType = (typeof TARGET_TYPES)[number]
const TargetType = Type.Unsafe<TargetType>(Type.Union(TARGET_TYPES.map((type) => Type.Literal(type))))
export const Target = closed({ type: TargetType, id: Id })
export type Target = Static<typeof Target>

/** approve: it may be seen. reject: it may not; of a person: they are out. suspend: it may not, and who made it is out. */
export const VERDICTS = ['approve', 'reject', 'suspend'] as const
export type Verdict = (typeof VERDICTS)[number]
/** What people call them, by what they decide about. */
export const MEANT = {
  approve: 'approve',
  release: 'approve',
  keep: 'approve',
  dismiss: 'approve',
  reject: 'reject',
  remove: 'reject',
  suspend: 'suspend',
} as const satisfies Record<string, Verdict>
export type Said = keyof typeof MEANT
const Verdict = Type.Unsafe<Verdict>(Type.Union(VERDICTS.map((verdict) => Type.Literal(verdict))))
const Decision = Type.Unsafe<Said>(Type.Union(Object.keys(MEANT).map((said) => Type.Literal(said))))

export const Report = Type.Object(
  { id: Id, target: Target, reason: Type.String(), text: Type.Optional(Type.String()), createdAt: Time },
  { $id: 'Report' },
)
export type Report = Static<typeof Report>

const Outcome = Type.Union([Type.Literal('flag'), Type.Literal('mask'), Type.Literal('hold')])
const Decided = Type.Object({ decision: Verdict, reason: Type.String(), by: Type.String(), at: Time })
const Facts = Type.Record(Type.String(), Type.Unknown())
/** Something that waits, or waited, for a moderator, with what there is to know about it. */
export const Case = Type.Object(
  {
    id: Id,
    target: Target,
    status: Type.Union([Type.Literal('waiting'), Type.Literal('decided')]),
    owner: Type.Object({ id: Id, username: Type.String(), displayName: Type.String() }),
    /** What the rules found; empty where only people did. */
    reasons: Type.Array(Type.String()),
    /** What the rules did with a message. */
    outcome: Type.Optional(Outcome),
    /** Nobody but its owner sees it until it is decided. */
    held: Type.Boolean(),
    reporters: Type.Integer(),
    reports: Type.Array(Type.Object({ by: Id, reason: Type.String(), text: Type.Optional(Type.String()), at: Time })),
    /** As it was when it began to wait; null where it is gone. */
    snapshot: Type.Union([Facts, Type.Null()]),
    openedAt: Time,
    claim: Type.Union([Type.Object({ by: Id, until: Time }), Type.Null()]),
    decision: Type.Union([Decided, Type.Null()]),
    /** Decisions about the same thing, the latest first. */
    history: Type.Array(Decided),
  },
  { $id: 'Case' },
)
export type Case = Static<typeof Case>
const LookedAt = Type.Object({
  ...Case.properties,
  /** As it is now; null when it is gone. */
  now: Type.Union([Facts, Type.Null()]),
  /** Cases about what the same person made, and how many of them were rejected last. */
  ownerRecord: Type.Object({ cases: Type.Integer(), rejected: Type.Integer() }),
})

export const moderation = contract({
  name: 'moderation',
  actions: {
    report: {
      rest: 'POST /v1/reports',
      auth: 'user',
      status: 201,
      result: Report,
      summary:
        'Tells moderators of something the caller can see: `target` is its id (`gig_…`, `usr_…`, `msg_…`, `rev_…`) or `{type, id}`. Once per person while it waits (200 when it was known). The reporter is notified of the decision.',
      params: closed({
        target: Type.Union([
          Target,
          Type.String({ pattern: '^(?:(?:gig|message|user|review):)?[A-Za-z0-9_-]{1,64}$' }),
        ]),
        reason: text(1, 100),
        text: Type.Optional(text(0, 4000)),
      }),
    },
    queue: {
      rest: 'GET /v1/admin/moderation',
      auth: 'moderator',
      result: Type.Object({ ...listOf(Case).properties, waiting: Type.Integer() }),
      summary:
        'What waits for a moderator, the longest waiting first; each reporter counts as an hour, what nobody sees meanwhile as a day. Or what was decided, the latest first. `waiting` is how many wait in all.',
      params: closed({
        status: Type.Optional(Type.Union([Type.Literal('waiting'), Type.Literal('decided')])),
        type: Type.Optional(TargetType),
        ...page,
      }),
    },
    look: {
      rest: 'GET /v1/admin/moderation/:id',
      auth: 'moderator',
      result: LookedAt,
      summary: 'One case, with the thing as it is now and how often its owner was in cases before.',
      params: closed({ id: Id }),
    },
    claim: {
      rest: 'POST /v1/admin/moderation/:id/claim',
      auth: 'moderator',
      key: 'id',
      result: Case,
      errors: ['conflict', 'invalid_transition'],
      summary: 'Takes a waiting case: for 15 minutes nobody else decides it.',
      params: closed({ id: Id }),
    },
    decide: {
      rest: 'POST /v1/admin/moderation/:id',
      auth: 'moderator',
      key: 'id',
      result: Case,
      errors: ['conflict', 'invalid_transition'],
      summary:
        'Decides a case, and it is done: `approve` (also `release`, `keep`, `dismiss`): it may be seen; `reject` (also `remove`): it may not; `suspend`: it may not, and who made it is out. The same decision again answers the same. All but `approve` need a reason, which its owner is told.',
      params: closed({ id: Id, decision: Decision, reason: Type.Optional(text(0, 2000)) }),
    },
    reportsOf: {
      auth: 'internal',
      result: listOf(Report),
      summary: 'What a person reported, the latest first: export.',
      params: closed({ user: Id, ...page }),
    },
    forget: {
      auth: 'internal',
      result: Type.Object({ removed: Type.Integer() }),
      summary:
        'Forgets what a person reported in their own words: erasure. What is being looked at stays until it is decided.',
      params: closed({ user: Id }),
    },
  },
  events: {
    'moderation.decided': Type.Object({
      case: Id,
      target: Target,
      owner: Id,
      verdict: Verdict,
      reason: Type.String(),
      by: Type.String(),
      /** Where a message is. */
      conversation: Type.Optional(Id),
      /** Which version of a gig waited to be seen; 0 for a held message. */
      held: Type.Union([Type.Integer(), Type.Null()]),
      reporters: Type.Array(Id),
    }),
  },
  hears: ['gig.submitted', 'message.suspected', 'moderation.decided'],
})
