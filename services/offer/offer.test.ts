import test from 'ava'
import { randomUUID } from 'node:crypto'
import type { ServiceSchema } from 'moleculer'
import { isMovable } from '../../adapters/clock/index.ts'
import { gigBody } from '../../test/everything.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import account from '../account/account.service.ts'
import chat from '../chat/chat.service.ts'
import { refusal } from '../errors.ts'
import gig from '../gig/gig.service.ts'
import ledger from '../ledger/ledger.service.ts'
import moderation from '../moderation/moderation.service.ts'
import order from '../order/order.service.ts'
import payment from '../payment/payment.service.ts'
import search from '../search/search.service.ts'
import type { Caller } from '../shapes.ts'
import { OPEN_OFFERS_MAX } from './contract.ts'
import offer from './offer.service.ts'

const ALL: ServiceSchema[] = [account, chat, gig, ledger, moderation, offer, order, payment, search]
const person = (username: string, ...roles: Caller['roles']): Caller => ({
  id: `usr_00000000000000000000${username}`,
  username,
  roles: ['buyer', ...roles],
  sessionId: 'ses_1',
})
const sam = person('sam', 'seller')
const [ann, eve] = [person('ann'), person('eve', 'seller')]
const usd = (amount: number) => ({ amount, currency: 'usd' })
const as = (caller: Caller, command?: string) => ({
  meta: { caller, ...(command && { command: { id: command, at: 1_800_000_000_000 } }) },
})
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'no refusal',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )

const start = async (services = ALL): Promise<TestNode> => {
  const node = await startNode({ services })
  for (const { id, username, roles } of [sam, ann, eve])
    await node.call('account.ensure', {
      id,
      email: `${username}@offer.test`,
      password: '',
      username,
      displayName: `The ${username}`,
      roles,
    })
  return node
}
const liveGig = async (node: TestNode, seller: Caller): Promise<string> => {
  const { id } = await node.call('gig.create', gigBody, as(seller))
  await node.call('gig.publish', { id }, as(seller))
  await eventually(
    () => node.call('gig.get', { id }, as(seller)),
    ({ status }) => status === 'live',
  )
  return id
}
/** A conversation of two who have not talked before: each test has its own bound on open offers. */
const talk = async (node: TestNode, one: Caller, other: Caller) =>
  (await node.call('chat.open', { with: other.id }, as(one))).id
const terms = { title: 'Ten islands', price: usd(40_000), deliveryDays: 9, revisions: 2 }
const make = (id: string, on = node, changes: object = {}, by = sam) =>
  on.call('offer.make', { id, gig: gigId, ...terms, ...changes }, as(by))
const accept = (id: string, command: string = randomUUID(), on = node) =>
  on.call('offer.accept', { id }, as(ann, command))
const shown = async (conversation: string, id: string, on = node) =>
  (await on.call('chat.history', { id: conversation, after: 0, limit: 100 }, as(ann))).messages.filter(
    (message) => message.offer?.id === id,
  )
const ordersOf = async (on = node) => (await on.call('order.list', { role: 'buyer', limit: 100 }, as(ann))).data

let node: TestNode
let gigId: string
let conversation: string
test.before(async () => {
  node = await start()
  gigId = await liveGig(node, sam)
  conversation = await talk(node, ann, sam)
})
test.after.always(() => node?.stop())
// One conversation for all: one after the other.
const serial = test.serial

serial('an offer is said in the conversation once, and is an order at its price once accepted', async (t) => {
  const made = await make(conversation, node, { description: 'All of the archipelago.' })
  t.deepEqual([made.status, made.seller.id, made.buyer.id, made.allowedActions], ['open', sam.id, ann.id, ['withdraw']])
  const [message, ...more] = await shown(conversation, made.id)
  t.deepEqual(more, [])
  t.like(message, { text: 'Ten islands', sender: sam.id, offer: { ...terms, status: 'open' } })
  const placed = await accept(made.id)
  t.like(placed, {
    status: 'awaiting_payment',
    offer: made.id,
    quantity: 1,
    package: { name: 'custom', ...terms, description: 'All of the archipelago.' },
    price: { subtotal: usd(40_000), serviceFee: usd(2200), total: usd(42_200) },
    buyer: { id: ann.id },
    seller: { id: sam.id },
    revisionsLeft: 2,
  })
  t.deepEqual(
    placed.requirements.map(({ id }) => id),
    gigBody.requirements.map(({ id }) => id),
  )
  t.truthy(placed.payment!.clientSecret)
  const [after] = await shown(conversation, made.id)
  t.like(after, { id: message!.id, seq: message!.seq, offer: { status: 'accepted', order: placed.id } })
  t.like(await node.call('offer.get', { id: made.id }, as(ann)), {
    status: 'accepted',
    order: placed.id,
    allowedActions: [],
  })
  const paid = await node.call('order.pay', { id: placed.id, paymentMethod: 'pm_card_visa' }, as(ann))
  t.is(paid.status, 'awaiting_requirements')
})

serial('accepted many times at once, under one key or many, it is one order with one payment', async (t) => {
  const before = (await ordersOf()).length
  const { id } = await make(conversation)
  const all = await Promise.all(Array.from({ length: 12 }, (_, at) => accept(id, `key-${at % 6}`)))
  t.is(new Set(all.map((one) => one.id)).size, 1)
  t.is(new Set(all.map((one) => one.payment!.clientSecret)).size, 1)
  t.is((await accept(id)).id, all[0]!.id)
  t.is((await ordersOf()).length, before + 1)
})

serial('of accepting, declining and withdrawing at once exactly one happens', async (t) => {
  for (let round = 0; round < 8; round++) {
    const before = (await ordersOf()).length
    const { id } = await make(conversation)
    const outcomes = await Promise.all([
      codeOf(accept(id)),
      codeOf(node.call('offer.withdraw', { id }, as(sam))),
      codeOf(node.call('offer.decline', { id }, as(ann))),
    ])
    t.deepEqual(outcomes.toSorted(), ['invalid_transition', 'invalid_transition', 'no refusal'])
    const { status, order: made } = await node.call('offer.get', { id }, as(ann))
    t.is(status, (['accepted', 'withdrawn', 'declined'] as const)[outcomes.indexOf('no refusal')]!)
    t.is(made !== undefined, status === 'accepted')
    t.is((await ordersOf()).length, before + (status === 'accepted' ? 1 : 0))
    t.is((await shown(conversation, id))[0]!.offer!.status, status)
  }
})

serial('an offer is for its two people, and each has their own say', async (t) => {
  const { id } = await make(conversation)
  for (const ask of ['get', 'accept', 'decline', 'withdraw'] as const)
    t.is(await codeOf(node.call(`offer.${ask}`, { id }, as(eve))), 'not_found', ask)
  t.is(await codeOf(node.call('offer.accept', { id }, as(sam))), 'forbidden')
  t.is(await codeOf(node.call('offer.decline', { id }, as(sam))), 'forbidden')
  t.is(await codeOf(node.call('offer.withdraw', { id }, as(ann))), 'forbidden')
  t.is(await codeOf(make(conversation, node, {}, eve)), 'not_found')
  t.is(await codeOf(make(conversation, node, {}, ann)), 'forbidden')
  t.is(await codeOf(make(await talk(node, eve, ann), node, {}, eve)), 'forbidden', "on somebody else's gig")
  t.is(await codeOf(make(conversation, node, { gig: 'gig_nobody' })), 'not_found')
  t.is(await codeOf(make(conversation, node, { price: { amount: 4000, currency: 'eur' } })), 'validation_failed')
  await node.call('offer.withdraw', { id }, as(sam))
  t.is(await codeOf(accept(id)), 'invalid_transition')
})

serial('the message of an offer is nobody’s to rewrite', async (t) => {
  const { id } = await make(conversation)
  const [message] = await shown(conversation, id)
  t.is(
    await codeOf(node.call('chat.edit', { id: conversation, message: message!.id, text: 'cheaper' }, as(sam))),
    'conflict',
  )
  t.is(await codeOf(node.call('chat.erase', { id: conversation, message: message!.id }, as(sam))), 'conflict')
  // A moderator's to take away, with all that it showed.
  await node.call('chat.remove', { id: conversation, message: message!.id })
  t.deepEqual(await shown(conversation, id), [])
  await node.call('offer.decline', { id }, as(ann))
})

serial('a conversation has only so many open offers, also when all are made at once', async (t) => {
  const outcomes = await Promise.all(Array.from({ length: OPEN_OFFERS_MAX + 3 }, () => codeOf(make(conversation))))
  t.is(outcomes.filter((code) => code === 'no refusal').length, OPEN_OFFERS_MAX)
  t.is(outcomes.filter((code) => code === 'conflict').length, 3)
  const { messages } = await node.call('chat.history', { id: conversation, after: 0, limit: 100 }, as(ann))
  const open = messages.flatMap((message) => (message.offer?.status === 'open' ? [message.offer.id] : []))
  t.is(open.length, OPEN_OFFERS_MAX)
  await node.call('offer.withdraw', { id: open[0]! }, as(sam))
  await t.notThrowsAsync(make(conversation))
  for (const { offer: one } of (await node.call('chat.history', { id: conversation, after: 0, limit: 100 }, as(ann)))
    .messages)
    if (one?.status === 'open') await node.call('offer.withdraw', { id: one.id }, as(sam))
})

serial('an offer made again under its key is the same offer, said once', async (t) => {
  const ask = () => node.call('offer.make', { id: conversation, gig: gigId, ...terms }, as(sam, 'made-once'))
  const [one, two] = await Promise.all([ask(), ask()])
  t.is(one.id, two.id)
  await node.call('offer.withdraw', { id: one.id }, as(sam))
  t.is((await ask()).status, 'withdrawn')
  t.is((await shown(conversation, one.id)).length, 1)
})

serial('an offer ends by itself when its time is over, and the conversation shows it', async (t) => {
  const expiresAt = new Date(node.clock.now() + 60_000).toISOString()
  const { id } = await make(conversation, node, { expiresAt })
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + 61_000)
  t.is(await codeOf(accept(id)), 'invalid_transition')
  t.is((await node.call('offer.get', { id }, as(ann))).status, 'expired')
  await eventually(
    () => shown(conversation, id),
    ([message]) => message?.offer?.status === 'expired',
  )
})

serial('who blocked a seller gets no offers of theirs', async (t) => {
  const other = await talk(node, eve, sam)
  await node.call('chat.block', { id: sam.id }, as(eve))
  t.is(await codeOf(make(other)), 'forbidden')
})

serial('what cannot be ordered any more cannot be accepted, and the offer stays as it was', async (t) => {
  const { id } = await make(conversation)
  await node.call('gig.pause', { id: gigId }, as(sam))
  t.is(await codeOf(accept(id)), 'conflict')
  t.is((await node.call('offer.get', { id }, as(ann))).status, 'open')
  await node.call('gig.publish', { id: gigId }, as(sam))
  t.is((await accept(id)).status, 'awaiting_payment')
})

serial('what is accepted while orders are away is one order when they are back', async (t) => {
  const fresh = await start(ALL.filter((one) => one !== order))
  t.teardown(fresh.stop)
  const own = await liveGig(fresh, sam)
  const { id } = await make(await talk(fresh, ann, sam), fresh, { gig: own })
  t.not(await codeOf(accept(id, 'cut-off', fresh)), 'no refusal')
  const cutOff = await fresh.call('offer.get', { id }, as(ann))
  t.is(cutOff.status, 'accepted')
  await fresh.broker.createService(order)
  await fresh.broker.waitForServices(['order'])
  // Nobody asks again: what was accepted is told to the orders when they are there.
  const [made, ...more] = await eventually(
    () => ordersOf(fresh),
    ({ length }) => length > 0,
  )
  t.is(made!.id, cutOff.order!)
  t.deepEqual(more, [])
  t.is(made!.price.subtotal.amount, terms.price.amount)
  // It has no payment yet; paying makes one.
  const paid = await fresh.call('order.pay', { id: made!.id, paymentMethod: 'pm_card_visa' }, as(ann))
  t.is(paid.status, 'awaiting_requirements')
  const asked = await accept(id, 'cut-off', fresh)
  t.deepEqual([asked.id, asked.status], [made!.id, 'awaiting_requirements'])
  t.is((await ordersOf(fresh)).length, 1)
})

serial('an offer made while the conversation is away is said when it is back', async (t) => {
  // Its own store: the conversation is opened first, then chat leaves and comes back.
  const fresh = await start()
  t.teardown(fresh.stop)
  const own = await liveGig(fresh, sam)
  const talked = await talk(fresh, ann, sam)
  const { id } = await make(talked, fresh, { gig: own })
  await fresh.broker.destroyService(fresh.broker.getLocalService('chat')!)
  await fresh.call('offer.withdraw', { id }, as(sam))
  await fresh.broker.createService(chat)
  await fresh.broker.waitForServices(['chat'])
  const [message, ...more] = await eventually(
    () => shown(talked, id, fresh),
    ([one]) => one?.offer?.status === 'withdrawn',
  )
  t.deepEqual([message!.seq, more.length], [1, 0])
})

serial('every accepted offer has its order, and the check notices one that has not', async (t) => {
  t.like(await node.call('offer.verify', {}), { problems: [] })
  t.deepEqual((await node.call('chat.verify', {})).problems, [])
  const documents = await node.open('documents')
  const { offers } = await import('./offer.ts')
  const found = (await documents.scan(offers, { limit: 100 })).docs.find(({ status }) => status === 'accepted')!
  const lost = { ...found, id: 'off_lost', version: 1, outbox: [], agreed: { ...found.agreed!, order: 'ord_lost' } }
  await documents.insert(offers, lost)
  t.deepEqual((await node.call('offer.verify', {})).problems, ['off_lost was accepted and has no order'])
})
