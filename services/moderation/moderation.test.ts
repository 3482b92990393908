import test from 'ava'
import { isMovable } from '../../adapters/clock/index.ts'
import { gigBody } from '../../test/everything.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import audit from '../audit/audit.service.ts'
import chat from '../chat/chat.service.ts'
import { refusal } from '../errors.ts'
import gig from '../gig/gig.service.ts'
import notification from '../notification/notification.service.ts'
import review from '../review/review.service.ts'
import search from '../search/search.service.ts'
import type { Caller, Role } from '../shapes.ts'
import { CLAIM_MS, REPORTS_PER_DAY_MAX, type Said } from './contract.ts'
import moderation from './moderation.service.ts'
import { reports } from './reports.ts'

let node: TestNode
const call: TestNode['call'] = (name, params, options) => node.call(name, params, options)
let people = 0
const join = async (name: string, roles: Role[] = ['buyer']): Promise<Caller> => {
  const username = `${name}${++people}`
  const id = `usr_${username}`
  const email = `${username}@moderation.test`
  await call('account.ensure', { id, email, password: '', username, displayName: username, roles })
  return { id, username, roles, sessionId: 'ses_1' }
}
const as = (caller: Caller) => ({ meta: { caller } })

let [seller, buyer, other, moderator, second] = [] as unknown as [Caller, Caller, Caller, Caller, Caller]
test.before(async () => {
  node = await startNode({ services: [account, audit, chat, gig, moderation, notification, review, search] })
})
test.after.always(() => node.stop())
test.beforeEach(async () => {
  seller = await join('seller', ['buyer', 'seller'])
  ;[buyer, other] = [await join('buyer'), await join('other')]
  ;[moderator, second] = [await join('mo', ['buyer', 'moderator']), await join('moo', ['buyer', 'moderator'])]
})

const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )
const published = async (more: object = {}) => {
  const { id } = await call('gig.create', { ...gigBody, ...more } as never, as(seller))
  await call('gig.publish', { id }, as(seller))
  return id
}
const statusOf = async (id: string) => (await call('gig.inspect', { id }))?.status
const report = (target: string, who = buyer, reason = 'spam') => call('moderation.report', { target, reason }, as(who))
const queue = async (status: 'waiting' | 'decided' = 'waiting') =>
  (await call('moderation.queue', { status, limit: 100 }, as(moderator))).data
const caseOf = (target: string) =>
  eventually(
    async () => [...(await queue()), ...(await queue('decided'))].find((one) => one.target.id === target)!,
    (found) => found !== undefined,
  )
const decide = async (target: string, decision: Said, reason = 'against the rules', by = moderator) =>
  call('moderation.decide', { id: (await caseOf(target)).id, decision, reason }, as(by))
const toldOf = async (who: Caller) =>
  (await call('notification.list', {}, as(who))).data.map(({ title, text = '' }) => `${title}. ${text}`)
const talk = async (text: string) => {
  const { id } = await call('chat.open', { with: buyer.id }, as(seller))
  const message = await call('chat.send', { id, clientId: 'one', text }, as(seller))
  const seen = async () => (await call('chat.history', { id }, as(buyer))).messages[0]!
  return { id, message, seen }
}
const DOUBTFUL = { title: 'I will write honest reviews of every online casino' }

test.serial('what several people report is one case with what it said then, and each is counted once', async (t) => {
  const id = await published()
  const first = await report(id)
  t.deepEqual(await report(id), first)
  await report(id, other, 'stolen')
  await call('gig.update', { id, title: 'I will draw something quite else' }, as(seller))
  const one = await caseOf(id)
  t.like(one, { target: { type: 'gig', id }, status: 'waiting', reporters: 2, held: false, reasons: [] })
  t.deepEqual(
    one.reports.map(({ by, reason }) => [by, reason]),
    [
      [buyer.id, 'spam'],
      [other.id, 'stolen'],
    ],
  )
  t.is(one.snapshot!.title, gigBody.title)
  const looked = await call('moderation.look', { id: one.id }, as(moderator))
  t.is(looked.now!.title, 'I will draw something quite else')
  t.deepEqual(looked.ownerRecord, { cases: 1, rejected: 0 })
})

test.serial(
  'a reported gig that is rejected is gone with its reason, and its owner and reporters are told',
  async (t) => {
    const id = await published()
    await report(id)
    await report(id, other)
    const decided = await decide(id, 'reject', 'not your own drawings')
    t.like(decided, { status: 'decided', decision: { decision: 'reject', by: moderator.id } })
    t.deepEqual((await call('gig.inspect', { id }))!.reasons, ['not your own drawings'])
    t.is(await statusOf(id), 'rejected')
    await eventually(
      () => toldOf(seller),
      (told) => told[0]?.includes('not your own drawings') === true,
    )
    for (const who of [buyer, other])
      t.deepEqual(await toldOf(who), ['What you reported was looked at. It was against the rules. Thank you.'])
    const log = (await call('audit.list', { target: id }, as({ ...moderator, roles: ['admin'] }))).data
    t.deepEqual(
      log.map(({ actor, action }) => [actor, action]),
      [[moderator.id, 'moderation.reject']],
    )
  },
)

test.serial('what may stay stays, and can be reported again', async (t) => {
  const id = await published()
  const first = await report(id)
  t.is((await decide(id, 'approve', '')).decision?.decision, 'approve')
  t.is(await statusOf(id), 'live')
  t.deepEqual(await toldOf(buyer), ['What you reported was looked at. It is within the rules and stays. Thank you.'])
  t.not((await report(id)).id, first.id)
  const again = await caseOf(id)
  t.like(again, { status: 'waiting', reporters: 1, decision: null })
  t.is(again.history.length, 1)
})

test.serial('a gig that the rules are not sure of waits for a person, who lets it be seen or not', async (t) => {
  const [good, bad] = [await published(DOUBTFUL), await published(DOUBTFUL)]
  t.is(await statusOf(good), 'pending')
  t.like(await caseOf(good), { held: true, reasons: ['gambling'], reporters: 0 })
  await decide(good, 'approve', '')
  t.is(await statusOf(good), 'live')
  await decide(bad, 'reject', 'we have enough of these')
  t.is(await statusOf(bad), 'rejected')
})

test.serial('what a person approved is not asked about again for the same words, for others it is', async (t) => {
  const id = await published(DOUBTFUL)
  await decide(id, 'approve', '')
  await call('gig.update', { id, description: `${gigBody.description} Also about bonus rounds.` }, as(seller))
  t.is(await statusOf(id), 'live')
  await call('gig.update', { id, description: `${gigBody.description} Also love spells.` }, as(seller))
  t.is(await statusOf(id), 'pending')
})

test.serial('what a person rejected is looked at by a person when it is published again', async (t) => {
  const id = await published()
  await report(id)
  await decide(id, 'reject')
  await call('gig.publish', { id }, as(seller))
  t.is(await statusOf(id), 'pending')
  t.deepEqual((await caseOf(id)).reasons, ['rejected by a moderator before'])
})

test.serial('a held gig whose seller takes the doubtful words out waits no longer', async (t) => {
  const id = await published(DOUBTFUL)
  await caseOf(id)
  await call('gig.update', { id, title: 'I will write honest reviews of every library' }, as(seller))
  t.is(await statusOf(id), 'live')
  t.false((await queue()).some(({ target }) => target.id === id))
})

test.serial('a held message is released or removed, and its sender is told', async (t) => {
  const one = await talk('I will kill you')
  await caseOf(one.message.id)
  await decide(one.message.id, 'release', '')
  t.is((await one.seen()).text, 'I will kill you')
  t.true((await toldOf(seller))[0]!.startsWith('A message of yours was looked at'))
})

test.serial('a message is reported by who had it, by nobody else, and its removal is told its sender', async (t) => {
  const { message, seen } = await talk('Pay me outside, it is cheaper')
  t.is(await codeOf(report(message.id, other)), 'not_found')
  t.is(await codeOf(report(message.id, seller)), 'validation_failed')
  await report(message.id)
  t.is((await caseOf(message.id)).snapshot!.text, 'Pay me outside, it is cheaper')
  await decide(message.id, 'remove', 'payment stays here')
  t.true((await seen()).deleted)
  t.deepEqual(await toldOf(seller), ['A message of yours was removed. payment stays here'])
})

test.serial('a reported person is suspended, an admin is not', async (t) => {
  await report(other.id)
  await decide(other.id, 'suspend', 'a hundred complaints')
  t.is((await call('account.person', { id: other.id }, as(moderator))).suspended?.reason, 'a hundred complaints')
  const admin = await join('admin', ['buyer', 'admin'])
  await report(admin.id)
  t.is(await codeOf(decide(admin.id, 'suspend')), 'forbidden')
  t.like(await caseOf(admin.id), { status: 'waiting' })
})

test.serial('suspending over a gig takes the gig away and its seller out', async (t) => {
  const [id, more] = [await published(), await published()]
  await report(id)
  await decide(id, 'suspend', 'stolen')
  t.is(await statusOf(id), 'rejected')
  t.truthy((await call('account.person', { id: seller.id }, as(moderator))).suspended)
  await eventually(
    () => statusOf(more),
    (status) => status === 'paused',
  )
  t.pass()
})

test.serial('a review that is removed is shown and counted no more', async (t) => {
  const id = `gig_reviewed${people}`
  const seeded = { ...gigBody, id, seller: seller.id, createdAt: 1, rating: 3, reviewCount: 2, orderCount: 2 }
  await call('gig.ensureMany', { gigs: [seeded as never] })
  const review = (order: string, rating: number) => ({
    id: `rev_${order}`,
    order: `ord_${order}`,
    gig: id,
    buyer: buyer.id,
    seller: seller.id,
    rating,
    text: 'Horrible, and so is his mother',
    createdAt: 1,
  })
  await call('review.ensureMany', { reviews: [review(`a${people}`, 1), review(`b${people}`, 5)] })
  const shown = async () => (await call('review.ofGig', { id }, {})).data.map(({ rating }) => rating)
  t.deepEqual((await shown()).toSorted(), [1, 5])
  const target = `rev_a${people}_buyer`
  await report(target, seller)
  t.is((await caseOf(target)).owner.id, buyer.id)
  await decide(target, 'remove', 'insults')
  t.deepEqual(await shown(), [5])
  t.like(await call('gig.inspect', { id }), { rating: 5, reviewCount: 1 })
  t.like(await call('account.profile', { username: seller.username }), { rating: 0, reviewCount: 0 })
  t.deepEqual(await toldOf(buyer), ['A review of yours was removed. insults'])
  t.is(await codeOf(report(target, seller)), 'not_found')
})

test.serial('a claimed case is its moderator’s for so long, and anybody’s after', async (t) => {
  const id = await published()
  await report(id)
  const { id: one } = await caseOf(id)
  t.is((await call('moderation.claim', { id: one }, as(moderator))).claim?.by, moderator.id)
  t.is(await codeOf(call('moderation.claim', { id: one }, as(second))), 'conflict')
  t.is(await codeOf(decide(id, 'approve', '', second)), 'conflict')
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + CLAIM_MS + 1)
  t.is((await decide(id, 'approve', '', second)).decision?.by, second.id)
})

test.serial(
  'the same decision again answers the same, another is refused, and nobody decides about their own',
  async (t) => {
    const id = await published()
    await report(id)
    t.is(await codeOf(decide(id, 'reject', ' ')), 'validation_failed')
    const own = { ...seller, roles: [...seller.roles, 'moderator' as const] }
    t.is(await codeOf(decide(id, 'approve', '', own)), 'forbidden')
    const decided = await decide(id, 'reject', 'stolen')
    t.deepEqual(await decide(id, 'reject', 'something else', second), decided)
    t.is(await codeOf(decide(id, 'approve')), 'invalid_transition')
  },
)

test.serial(
  'what nobody sees meanwhile comes first, then what more people reported, then what waits longer',
  async (t) => {
    const [one, two, three] = [await published(), await published(), await published(DOUBTFUL)]
    await report(one)
    await report(two)
    await report(two, other)
    await caseOf(three)
    const mine = (await queue()).map(({ target }) => target.id).filter((id) => [one, two, three].includes(id))
    t.deepEqual(mine, [three, two, one])
    const { data } = await call('moderation.queue', { type: 'message', limit: 100 }, as(moderator))
    t.true(data.every(({ target }) => target.type === 'message'))
  },
)

test.serial('what is not there cannot be reported, nor more than so much a day', async (t) => {
  for (const target of ['gig_none', 'usr_none', 'msg_none', 'rev_none_buyer', 'gig:none'])
    t.is(await codeOf(report(target)), 'not_found', target)
  t.is(await codeOf(report('ord_1')), 'validation_failed')
  const draft = await call('gig.create', gigBody as never, as(seller))
  t.is(await codeOf(report(draft.id)), 'not_found', 'a draft is private')
  const documents = await node.open('documents')
  await documents.insertMany(
    reports,
    Array.from({ length: REPORTS_PER_DAY_MAX }, (_, at) => ({
      id: `rep_${other.id}_${at}`,
      version: 1,
      user: other.id,
      target: { type: 'gig' as const, id: `gig_${at}` },
      reason: 'spam',
      at: node.clock.now(),
    })),
  )
  const id = await published()
  t.is(await codeOf(report(id, other)), 'rate_limited')
  t.is(await codeOf(report(id)), 'ok')
})
