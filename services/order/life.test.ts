// The whole table over the running services: every row is taken by everybody who may, every other move is refused and
// changes nothing, and of two opposite moves at once exactly one wins.
import test from 'ava'
import { randomUUID } from 'node:crypto'
import { isMovable } from '../../adapters/clock/index.ts'
import { gigBody } from '../../test/everything.ts'
import { eventually, startNode, type TestNode } from '../../test/node.ts'
import type { ActionContract } from '../../mixins/contract.ts'
import account from '../account/account.service.ts'
import { contracts, type Actions } from '../contract.ts'
import { refusal } from '../errors.ts'
import gig from '../gig/gig.service.ts'
import ledger from '../ledger/ledger.service.ts'
import moderation from '../moderation/moderation.service.ts'
import payment from '../payment/payment.service.ts'
import search from '../search/search.service.ts'
import type { Caller } from '../shapes.ts'
import { ORDER_STATUSES, type Order, type OrderStatus } from './contract.ts'
import order from './order.service.ts'
import { steps, type Role, type Step } from './process.ts'
import {
  AUTO_COMPLETE_MS,
  CANCEL_SILENCE_MS,
  CLEARING_MS,
  DAY_MS,
  DISPUTE_ANSWER_MS,
  EXTENSION_SILENCE_MS,
  PAY_WITHIN_MS,
  REQUIREMENTS_WITHIN_MS,
  STUCK_MS,
} from './timing.ts'

type Who = 'buyer' | 'seller' | 'stranger' | 'admin'
const caller = (username: string, ...roles: Caller['roles']): Caller => ({
  id: `usr_0000000000000000000${username}`,
  username,
  roles: ['buyer', ...roles],
  sessionId: 'ses_1',
})
const PEOPLE: Record<Who, Caller> = {
  buyer: caller('buyer'),
  seller: caller('seller', 'seller'),
  stranger: caller('stranger', 'seller'),
  admin: caller('admin', 'admin'),
}
const usd = (amount: number) => ({ amount, currency: 'usd' })
const as = (who: Who) => ({ meta: { caller: PEOPLE[who] }, timeoutMs: 30_000 })

let node: TestNode
const gigs = { asking: '', plain: '' }
test.before(async () => {
  node = await startNode({ services: [account, gig, ledger, moderation, order, payment, search] })
  for (const { id, username, roles } of Object.values(PEOPLE))
    await node.call('account.ensure', {
      id,
      email: `${username}@life.test`,
      password: '',
      username,
      displayName: username,
      roles,
    })
  for (const [name, requirements] of [
    ['asking', gigBody.requirements],
    ['plain', []],
  ] as const) {
    const { id } = await node.call('gig.create', { ...gigBody, requirements: [...requirements] }, as('seller'))
    await node.call('gig.publish', { id }, as('seller'))
    await eventually(
      () => node.call('gig.get', { id }, as('seller')),
      ({ status }) => status === 'live',
    )
    gigs[name] = id
  }
})
test.after.always(() => node?.stop())

// ---- asking

/** What a move says besides its order. Every move of the contract is here. */
const BODIES: Record<string, object> = {
  pay: { paymentMethod: 'pm_card_visa' },
  requirements: { answers: [{ id: 'name', answer: 'Crumbs' }] },
  deliver: { message: 'Here it is.' },
  revision: { message: 'Bluer.' },
  accept: {},
  cancel: { reason: 'Because.' },
  extend: { days: 2, reason: 'Rain.' },
  decline: {},
  'refund-offer': { amount: usd(1000), reason: 'Sorry.' },
  tip: { amount: usd(500) },
  dispute: { reason: 'Not what was agreed.' },
  'dispute/answer': { agree: true },
  'dispute/withdraw': {},
}
/** Route's tail → action. */
const MOVES = new Map(
  Object.entries(contracts.order.actions as Record<string, ActionContract>).flatMap(([name, { rest }]) => {
    const tail = /^POST \/v1\/orders\/:id\/(.+)$/.exec(rest ?? '')?.[1]
    return tail ? [[tail, `order.${name}` as keyof Actions] as const] : []
  }),
)
const ask = (id: string, who: Who, move: string, body: object = BODIES[move]!): Promise<Order> =>
  node.call(MOVES.get(move) as 'order.accept', { id, ...body } as { id: string }, as(who))
const read = (id: string) => node.call('order.get', { id }, as('admin'))
const timeline = async (id: string) => (await node.call('order.events', { id }, as('admin'))).data
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'taken',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )
const advance = async (ms: number) => {
  if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + ms)
  await node.broker.call('payment.tick', {})
  // One order may have several timers due: each look wakes it once.
  while ((await node.broker.call<number, object>('order.wakeDue', {})) > 0);
}
const resolve = async (id: string, amount: number) =>
  node.call(
    'order.resolveDispute',
    { id: (await read(id)).dispute!.id, buyerAmount: usd(amount), reason: 'As it is.' },
    as('admin'),
  )
const giveBack =
  (amount: number): Path =>
  (id) =>
    node.call('order.refundByAdmin', { id, amount: usd(amount), reason: 'As it is.' }, as('admin'))
const hear = (name: string, data: object) =>
  node.broker.call('order.hear', { event: { id: randomUUID(), name, data, at: Date.now() } })
const settled = (id: string) =>
  eventually(
    () => timeline(id),
    (events) => events.some(({ type }) => type === 'refunded'),
  )

// ---- places

const place = async (gigId = gigs.plain) =>
  (await node.call('order.place', { gig: gigId, package: 'basic' }, as('buyer'))).id
type Path = (id: string) => Promise<unknown>
const at = async (...path: Path[]): Promise<string> => {
  const id = await place()
  for (const go of path) await go(id)
  return id
}
const by =
  (who: Who, move: string, body?: object): Path =>
  (id) =>
    ask(id, who, move, body)
const after =
  (ms: number): Path =>
  () =>
    advance(ms)
const paid = by('buyer', 'pay')
const delivered: Path[] = [paid, by('seller', 'deliver')]
const disputed: Path[] = [...delivered, by('buyer', 'dispute')]
const AT: Record<OrderStatus, () => Promise<string>> = {
  awaiting_payment: () => at(),
  awaiting_requirements: async () => {
    const id = await place(gigs.asking)
    await ask(id, 'buyer', 'pay')
    return id
  },
  in_progress: () => at(paid),
  delivered: () => at(...delivered),
  completed: () => at(...delivered, by('buyer', 'accept')),
  cancelled: () => at(by('buyer', 'cancel')),
  disputed: () => at(...disputed),
  expired: () => at(after(PAY_WITHIN_MS)),
}
const asking =
  (...path: Path[]) =>
  async () => {
    const id = await AT.awaiting_requirements()
    for (const go of path) await go(id)
    return id
  }
const going =
  (...path: Path[]) =>
  () =>
    at(...path)
const tooLate: Path = async (id) =>
  hear('payment.succeeded', {
    order: id,
    payment: `pi_${id}`,
    amount: (await read(id)).price.total,
    fee: usd(0),
    at: node.clock.now(),
  })

/** Paths that together take every row by everybody who may take it. */
const PATHS: Record<string, () => Promise<string>> = {
  'declined, then paid': going(
    (id) => codeOf(ask(id, 'buyer', 'pay', { paymentMethod: 'pm_card_visa_chargeDeclined' })),
    paid,
  ),
  'never paid': AT.expired,
  'cancelled unpaid, paid too late': going(by('buyer', 'cancel'), tooLate),
  'answered, delivered, revised': asking(by('buyer', 'requirements'), by('seller', 'deliver'), by('buyer', 'revision')),
  'cancelled before work': asking(by('buyer', 'cancel'), settled),
  accepted: going(...delivered, by('buyer', 'accept'), after(CLEARING_MS)),
  'completed by itself': going(...delivered, after(AUTO_COMPLETE_MS)),
  'late and cancelled': going(paid, after(2 * DAY_MS), after(DAY_MS), by('buyer', 'cancel')),
  'cancelled together, the seller first': going(paid, by('seller', 'cancel'), by('buyer', 'cancel')),
  'cancelled together, the buyer first': going(paid, by('buyer', 'cancel'), by('seller', 'cancel')),
  'cancelling declined': going(
    paid,
    by('buyer', 'cancel'),
    by('seller', 'decline'),
    by('seller', 'cancel'),
    by('buyer', 'decline'),
  ),
  'cancelled by silence': going(paid, by('seller', 'cancel'), after(CANCEL_SILENCE_MS)),
  'questions never answered': asking(after(REQUIREMENTS_WITHIN_MS)),
  'standing still': going(paid, after(STUCK_MS)),
  'more time agreed': going(paid, by('seller', 'extend'), by('buyer', 'extend', {})),
  'more time declined': going(paid, by('seller', 'extend'), by('buyer', 'decline')),
  'more time withdrawn': going(paid, by('seller', 'extend'), after(2 * DAY_MS), after(EXTENSION_SILENCE_MS)),
  'a refund agreed, another declined, another run out': going(
    paid,
    by('seller', 'refund-offer'),
    by('buyer', 'refund-offer', {}),
    by('seller', 'refund-offer'),
    by('buyer', 'decline'),
    by('seller', 'deliver'),
    by('buyer', 'revision'),
    by('seller', 'refund-offer'),
    after(2 * DAY_MS),
    after(2 * DAY_MS),
  ),
  'an admin gives back, before, after completion and after it has cleared': going(
    ...delivered,
    giveBack(1111),
    by('buyer', 'accept'),
    giveBack(333),
    after(CLEARING_MS),
    giveBack(77),
    async (id) => giveBack((await read(id)).price.total.amount - 1521)(id),
    settled,
  ),
  'tipped, declined, never confirmed': going(
    ...delivered,
    by('buyer', 'accept'),
    by('buyer', 'tip'),
    (id) => codeOf(ask(id, 'buyer', 'tip', { amount: usd(500), paymentMethod: 'pm_card_visa_chargeDeclined' })),
    by('buyer', 'tip', { amount: usd(700), paymentMethod: 'pm_card_authenticationRequired' }),
    after(PAY_WITHIN_MS),
    after(CLEARING_MS),
  ),
  'the buyer disputes, the seller agrees': going(...disputed, by('seller', 'dispute/answer')),
  'the buyer disputes, silence': going(...disputed, after(DISPUTE_ANSWER_MS)),
  'the buyer disputes and withdraws': going(...disputed, by('buyer', 'dispute/withdraw')),
  'the buyer disputes, contested, all of it back': going(
    ...disputed,
    by('seller', 'dispute/answer', { agree: false }),
    (id) => resolve(id, 5575),
  ),
  'the seller disputes, contested, split': going(
    paid,
    by('seller', 'dispute'),
    by('buyer', 'dispute/answer', { agree: false }),
    (id) => resolve(id, 1000),
  ),
  'the seller disputes, nothing back': going(paid, by('seller', 'dispute'), (id) => resolve(id, 0)),
  'the seller disputes, the buyer agrees': going(paid, by('seller', 'dispute'), by('buyer', 'dispute/answer')),
  'the seller disputes, silence': going(paid, by('seller', 'dispute'), after(DISPUTE_ANSWER_MS)),
  'the seller disputes and withdraws': going(paid, by('seller', 'dispute'), by('seller', 'dispute/withdraw')),
  'disputed while clearing': going(...delivered, by('buyer', 'accept'), by('buyer', 'dispute'), (id) =>
    resolve(id, 100),
  ),
}

test.serial('every row of the table is taken by everybody who may take it, and the books balance', async (t) => {
  t.timeout(120_000)
  const taken = new Set<string>()
  for (const [name, go] of Object.entries(PATHS)) {
    const events = await timeline(await go())
    t.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
      name,
    )
    for (const { type, actor } of events) taken.add(`${type} by ${actor.role}`)
  }
  const rows = Object.entries(steps).flatMap(([name, step]) => step.by.map((role) => `${name} by ${role}`))
  t.deepEqual(
    rows.filter((row) => !taken.has(row)),
    [],
  )
  const { problems } = await node.call('order.verify', {})
  t.deepEqual(problems, [])
  const { totals } = await node.call('ledger.trialBalance', {}, as('admin'))
  t.deepEqual(totals, [usd(0)])
  t.deepEqual(await node.call('ledger.verify', {}).then(({ problems: found }) => found), [])
})

test.serial('every move that the table forbids is refused, whoever asks, and changes nothing', async (t) => {
  t.timeout(120_000)
  t.deepEqual([...MOVES.keys()].sort(), Object.keys(BODIES).sort())
  const rows = Object.values(steps) as Step[]
  let tried = 0
  for (const status of ORDER_STATUSES) {
    const id = await AT[status]()
    const before = [await read(id), await timeline(id)]
    t.is((before[0] as Order).status, status)
    for (const who of ['buyer', 'seller', 'stranger', 'admin'] as const) {
      const allowed = ['buyer', 'seller'].includes(who)
        ? (await node.call('order.get', { id }, as(who))).allowedActions
        : []
      for (const move of MOVES.keys()) {
        if (allowed.includes(move)) continue
        const code = await codeOf(ask(id, who, move))
        t.true(expected(rows, move, who, status).includes(code), `${move} by ${who} while ${status}: ${code}`)
        tried++
      }
    }
    t.deepEqual([await read(id), await timeline(id)], before, status)
  }
  t.true(tried > 250, `${tried}`)
})

/** A stranger is told nothing (404), the wrong party no (403), the right one when it is the wrong time (409). */
const expected = (rows: readonly Step[], move: string, who: Who, status: OrderStatus): string[] => {
  if (who === 'stranger') return ['not_found']
  if (who === 'admin') return ['forbidden']
  const mine = (step: Step) => step.action === move && (step.by as readonly Role[]).includes(who)
  if (!rows.some(mine)) return ['forbidden']
  const here = rows.some((step) => step.action === move && step.from.includes(status))
  // Where the move is somebody's right now, it may be the other party's.
  return here ? ['forbidden', 'invalid_transition'] : ['invalid_transition']
}

test.serial('a tip is a payment of its own, once per key, and clears like the order', async (t) => {
  const id = await at(...delivered, by('buyer', 'accept'))
  const clearing = async () =>
    0 -
    ((await node.call('ledger.balances', { accounts: [`clearing:${PEOPLE.seller.id}`] }))[
      `clearing:${PEOPLE.seller.id}`
    ]?.['usd'] ?? 0)
  const before = await clearing()
  const command = { id: 'tip-once', at: node.clock.now() }
  const give = () =>
    node.call('order.tip', { id, amount: usd(2000) }, { meta: { caller: PEOPLE.buyer, command }, timeoutMs: 30_000 })
  const [first, again] = [await give(), await give()]
  t.deepEqual(
    first.tips.map(({ amount, status }) => [amount, status]),
    [[usd(2000), 'paid']],
  )
  t.deepEqual(again.tips, first.tips)
  t.is((await clearing()) - before, 2000)
  t.is(first.price.total.amount, (await read(id)).price.total.amount)
  t.is(await codeOf(ask(id, 'buyer', 'tip', { amount: usd(48_001) })), 'validation_failed')
  t.is(await codeOf(ask(id, 'buyer', 'tip', { amount: { amount: 500, currency: 'eur' } })), 'validation_failed')
  t.is(await codeOf(ask(id, 'seller', 'tip')), 'forbidden')
  t.is(
    await codeOf(ask(id, 'buyer', 'tip', { amount: usd(500), paymentMethod: 'pm_card_visa_chargeDeclined' })),
    'payment_declined',
  )
  const asked = await ask(id, 'buyer', 'tip', { amount: usd(600), paymentMethod: 'pm_card_authenticationRequired' })
  t.is(asked.payment?.status, 'requires_action')
  t.truthy(asked.payment?.clientSecret)
  t.truthy(asked.payment?.nextAction)
  await advance(CLEARING_MS)
  t.deepEqual(
    (await read(id)).tips.map(({ status }) => status),
    ['cleared'],
  )
})

test.serial('an admin gives back what was paid out already, and the seller owes their share', async (t) => {
  const id = await at(...delivered, by('buyer', 'accept'), after(CLEARING_MS))
  const { order: of, price } = await read(id).then((one) => ({ order: one, price: one.price }))
  const before = (await node.call('ledger.balances', { accounts: [`available:${of.seller.id}`] }))[
    `available:${of.seller.id}`
  ]
  await giveBack(price.total.amount)(id)
  const now = (await node.call('ledger.balances', { accounts: [`available:${of.seller.id}`] }))[
    `available:${of.seller.id}`
  ]
  t.is(now!['usd']! - before!['usd']!, 4000)
  t.is((await read(id)).status, 'cancelled')
  t.is(await codeOf(giveBack(1)(id) as Promise<unknown>), 'invalid_transition')
  t.is(await codeOf(giveBack(1)(await AT.disputed()) as Promise<unknown>), 'invalid_transition')
  t.is(await codeOf(giveBack(1)(await AT.awaiting_payment()) as Promise<unknown>), 'invalid_transition')
})

const OPPOSITES: Record<string, { to: Path[]; moves: [Who, string, object?][] }> = {
  'accepting and agreeing to cancel': {
    to: [...delivered, by('seller', 'cancel')],
    moves: [
      ['buyer', 'accept'],
      ['buyer', 'cancel'],
    ],
  },
  'agreeing to more time and declining it': {
    to: [paid, by('seller', 'extend')],
    moves: [
      ['buyer', 'extend', {}],
      ['buyer', 'decline'],
    ],
  },
  'accepting and disputing by the other': {
    to: delivered,
    moves: [
      ['buyer', 'accept'],
      ['seller', 'dispute'],
    ],
  },
  'withdrawing a dispute and agreeing to it': {
    to: disputed,
    moves: [
      ['buyer', 'dispute/withdraw'],
      ['seller', 'dispute/answer'],
    ],
  },
}
for (const [name, { to, moves }] of Object.entries(OPPOSITES))
  test.serial(`${name} at the same moment: exactly one wins`, async (t) => {
    t.timeout(120_000)
    for (let round = 0; round < 12; round++) {
      const id = await at(...to)
      const turned = round % 2 === 0 ? moves : moves.toReversed()
      const codes = await Promise.all(turned.map(([who, move, body]) => codeOf(ask(id, who, move, body))))
      t.deepEqual(codes.toSorted(), ['invalid_transition', 'taken'], `round ${round}`)
    }
    t.deepEqual((await node.call('order.verify', {})).problems, [])
  })
