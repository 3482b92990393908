// Moderation: looks at every gig before others do; keeps what rules or people found something about as cases until a
// moderator has decided, and carries the decision out. Key: the case, which follows from what it is about.
import { service, type Ctx, type Heard, type Here } from '../../mixins/service.ts'
import type { Actor } from '../../mixins/actor.ts'
import type { Documents } from '../../adapters/documents/index.ts'
import { every } from '../../mixins/every.ts'
import { inParallel } from '../../mixins/timers.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import {
  cases,
  claimed,
  decided,
  found,
  isCleared,
  isDistrusted,
  publicCase,
  reported,
  settledByRules,
  unsaid,
  type CaseDoc,
  type Facts,
} from './case.ts'
import { MEANT, moderation as contract, type Case, type Target } from './contract.ts'
import { doubtsAbout } from './doubts.ts'
import { keepReport, publicReport, reports } from './reports.ts'
import { reasonsAgainst } from './rules.ts'
import { carryOut, gigFacts, look, targetOf } from './targets.ts'

type Moderation = { here: Here; documents: Documents; book: Actor<CaseDoc>; caseOf(target: Target): string }
type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([reports] as never)
  const self: Moderation = {
    here,
    documents,
    book: await here.actor({ of: cases }),
    caseOf: ({ type, id }) => here.newId('cas', { id: `${type}/${id}`, at: 0 }),
  }
  const shown = async (one: CaseDoc, ctx: Ctx) => (await showAll(self, ctx, [one]))[0]!
  return {
    actions: {
      report: (ctx) => report(self, ctx),
      reportsOf: async ({ params: { user, limit = LIMIT_DEFAULT, cursor = null } }) => {
        const query = { index: 'byUser', equals: { user }, order: 'desc' as const, limit, cursor }
        const { docs, next } = await documents.find(reports, query)
        return { data: docs.map(publicReport), nextCursor: next }
      },
      forget: async ({ params: { user } }) => ({ removed: await forgetReports(self, user) }),
      queue: (ctx) => queue(self, ctx),
      look: async (ctx) => {
        const one = await self.book.read(ctx.params.id)
        if (!one) throw refuse('not_found', 'there is no such case')
        const [now, ownerRecord] = await Promise.all([
          look(one.target, here.call, null),
          recordOf(documents, one.owner),
        ])
        return { ...(await shown(one, ctx)), now: now?.facts ?? null, ownerRecord }
      },
      claim: async (ctx) =>
        shown(await self.book.turn(ctx.params.id, (one, now) => claimed(one, ctx.caller.id, now), ctx), ctx),
      decide: async (ctx) => shown(await decide(self, ctx), ctx),
    },
    hears: {
      'gig.submitted': (event) => submitted(self, event),
      'message.suspected': async ({ id: event, data, at }) => {
        const { message, conversation, sender: owner, outcome, reasons } = data
        const target: Target = { type: 'message', id: message }
        const subject = { id: self.caseOf(target), target, owner, conversation, facts: null }
        const finding = { event, at, reasons, outcome, held: outcome === 'hold' ? 0 : null }
        await self.book.turn(subject.id, (known) => found(known, subject, finding))
      },
      'moderation.decided': ({ data, call }) => carryOut(call, data),
    },
  }
})

const report = async (self: Moderation, { params, caller, meta, call, deadlineAt }: Action<'report'>) => {
  const { here, documents, book } = self
  const target = targetOf(params.target)
  const id = self.caseOf(target)
  const known = await book.read(id)
  const at = here.clock.now()
  const seen = await look(target, call, caller.id)
  if (!seen) throw refuse('not_found', 'there is no such thing to report')
  if (seen.owner === caller.id)
    throw refuse('validation_failed', 'target: is your own', { errors: [{ path: 'target', message: 'is your own' }] })
  const { isNew, report: kept } = await keepReport(documents, {
    id: here.newId('rep', { id: `${caller.id}/${id}/${known?.round ?? 0}`, at: 0 }),
    version: 1,
    user: caller.id,
    target,
    reason: params.reason,
    ...(params.text && { text: params.text }),
    at,
  })
  const { reason, text } = kept
  const said = { by: caller.id, reason, ...(text !== undefined && { text }), at: kept.at }
  await book.turn(id, (one) => reported(one, { id, target, ...seen }, said), { deadlineAt })
  if (!isNew) meta.$statusCode = 200
  return publicReport(kept)
}

/** What was reported is still looked at; how its reporter put it is forgotten. */
const forgetReports = ({ documents, book, caseOf }: Moderation, user: string): Promise<number> =>
  every(documents, reports, [{ index: 'byUser', equals: { user } }], async ({ id, target }) => {
    await book.turn(caseOf(target), (one) => unsaid(one, user))
    await documents.remove(reports, id)
  })

const queue = async (self: Moderation, ctx: Action<'queue'>) => {
  const { status = 'waiting', type, limit = LIMIT_DEFAULT, cursor = null } = ctx.params
  const isWaiting = status === 'waiting'
  const index = isWaiting ? (type ? 'byTypeRank' : 'byRank') : type ? 'byTypeDecided' : 'byDecided'
  const equals = type ? { [isWaiting ? 'waitingType' : 'decidedType']: type } : {}
  const order = isWaiting ? ('asc' as const) : ('desc' as const)
  const [{ docs, next }, waiting] = await Promise.all([
    self.documents.find(cases, { index, equals, order, limit, cursor }),
    self.documents.count(cases, { index: 'byRank' }),
  ])
  return { data: await showAll(self, ctx, docs), nextCursor: next, waiting }
}

const LOOKS_AT_ONCE = 8

/** With who made it, and what the message says where only a rule has seen it yet. */
const showAll = async ({ here }: Moderation, { call }: Ctx, all: readonly CaseDoc[]): Promise<Case[]> => {
  const facts = new Map<string, Facts | null>()
  const [owners] = await Promise.all([
    call('account.cards', { ids: all.map(({ owner }) => owner) }),
    inParallel(
      all.filter((one) => one.facts === null),
      LOOKS_AT_ONCE,
      async ({ id, target }) => void facts.set(id, (await look(target, here.call, null))?.facts ?? null),
    ),
  ])
  const now = here.clock.now()
  return all.map((one, at) => publicCase(one, owners[at], now, facts.get(one.id) ?? one.facts))
}

const decide = async ({ book }: Moderation, { params, caller, call, deadlineAt }: Action<'decide'>) => {
  const { id, decision, reason = '' } = params
  const verdict = MEANT[decision]
  if (verdict !== 'approve' && reason.trim() === '')
    throw refuse('validation_failed', 'reason: is needed', { errors: [{ path: 'reason', message: 'is needed' }] })
  const known = await book.read(id)
  const takesOut = verdict === 'suspend' || (verdict === 'reject' && known?.target.type === 'user')
  if (known && takesOut && (await isAdmin(call, known.owner)))
    throw refuse('forbidden', 'an admin is suspended only after somebody took that role away')
  const deciding = { verdict, reason: reason.trim(), by: caller.id }
  const settle = ['moderation', 'notification', 'audit']
  return book.turn(id, (one, now) => decided(one, deciding, now), { deadlineAt, settle })
}

const isAdmin = async (call: Ctx['call'], user: string): Promise<boolean> =>
  (await call('account.cards', { ids: [user] }))[0]?.roles.includes('admin') ?? false

/** Heard twice it decides twice alike, and the gig takes only the first. */
const submitted = async (self: Moderation, { id: event, at, data, call }: Heard<'gig.submitted'>) => {
  const { id, version, seller: owner, content } = data
  const { book, caseOf } = self
  const target: Target = { type: 'gig', id }
  const subject = { id: caseOf(target), target, owner, facts: gigFacts(content) }
  const reasons = reasonsAgainst(content)
  const known = await book.read(subject.id)
  const doubts = reasons.length > 0 ? [] : doubtsOf(known, doubtsAbout(content))
  if (doubts.length > 0) {
    await book.turn(subject.id, (one) =>
      found(one, subject, { event, at, reasons: doubts, outcome: null, held: version }),
    )
    return
  }
  if (known) await book.turn(subject.id, (one) => settledByRules(one, event))
  await call('gig.decide', { id, version, approved: reasons.length === 0, reasons })
}

const doubtsOf = (known: CaseDoc | null, doubts: readonly string[]): string[] => {
  if (isDistrusted(known)) return ['rejected by a moderator before', ...doubts]
  return isCleared(known, doubts) ? [] : [...doubts]
}

/** Cases looked at for an owner's record. */
const RECORD_MAX = 100
const recordOf = async (documents: Documents, owner: string) => {
  const { docs } = await documents.find(cases, {
    index: 'byOwner',
    equals: { owner },
    order: 'desc',
    limit: RECORD_MAX,
  })
  return { cases: docs.length, rejected: docs.filter(isDistrusted).length }
}
