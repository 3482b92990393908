// Orders over the running services, brought to every place of their life, for the tests of the whole table.
import { isMovable } from '../adapters/clock/index.ts'
import type { Sandbox } from '../adapters/payments/sandbox.ts'
import type { ServiceSchema } from 'moleculer'
import type { ActionContract } from '../mixins/contract.ts'
import { gigBody } from './everything.ts'
import { eventually, startNode } from './node.ts'
import account from '../services/account/account.service.ts'
import { contracts, type Actions } from '../services/contract.ts'
import { refusal } from '../services/errors.ts'
import gateway from '../services/gateway/gateway.service.ts'
import gig from '../services/gig/gig.service.ts'
import ledger from '../services/ledger/ledger.service.ts'
import moderation from '../services/moderation/moderation.service.ts'
import payment from '../services/payment/payment.service.ts'
import search from '../services/search/search.service.ts'
import type { Caller } from '../services/shapes.ts'
import type { Order, OrderStatus } from '../services/order/contract.ts'
import order from '../services/order/order.service.ts'
import { PAY_WITHIN_MS } from '../services/order/timing.ts'

export type Who = 'buyer' | 'seller' | 'stranger' | 'admin'
const caller = (username: string, ...roles: Caller['roles']): Caller => ({
  id: `usr_0000000000000000000${username}`,
  username,
  roles: ['buyer', ...roles],
  sessionId: 'ses_1',
})
export const PEOPLE: Record<Who, Caller> = {
  buyer: caller('buyer'),
  seller: caller('seller', 'seller'),
  stranger: caller('stranger', 'seller'),
  admin: caller('admin', 'admin'),
}
export const usd = (amount: number) => ({ amount, currency: 'usd' })
export const as = (who: Who) => ({ meta: { caller: PEOPLE[who] }, timeoutMs: 30_000 })

/** What a move says besides its order. Every move of the contract is here. */
export const BODIES: Record<string, object> = {
  pay: { paymentMethod: 'pm_card_visa' },
  requirements: { answers: [{ id: 'name', answer: 'Crumbs' }] },
  deliver: { message: 'Here it is.' },
  revision: { message: 'Bluer.' },
  accept: {},
  cancel: { reason: 'Because.' },
  extend: { days: 2, reason: 'Rain.' },
  decline: {},
  'refund-offer': { amount: usd(1000), reason: 'Sorry.' },
  extras: { extras: ['colour'] },
  tip: { amount: usd(500) },
  dispute: { reason: 'Not what was agreed.' },
  'dispute/answer': { agree: true },
  'dispute/withdraw': {},
}
/** What the gigs offer besides. */
export const EXTRAS = [{ id: 'colour', title: 'A colour more', price: usd(1500), addedDays: 1 }]
/** Route's tail → action. */
export const MOVES = new Map(
  Object.entries(contracts.order.actions as Record<string, ActionContract>).flatMap(([name, { rest }]) => {
    const tail = /^POST \/v1\/orders\/:id\/(.+)$/.exec(rest ?? '')?.[1]
    return tail ? [[tail, `order.${name}` as keyof Actions] as const] : []
  }),
)

export const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'taken',
    (error: unknown) => refusal(error)?.code ?? String(error),
  )

export type Path = (id: string) => Promise<unknown>
export type Life = Awaited<ReturnType<typeof openLife>>

export const openLife = async (also: readonly ServiceSchema[] = []) => {
  const services = [account, gateway, gig, ledger, moderation, order, payment, search, ...also]
  const node = await startNode({ services })
  for (const { id, username, roles } of Object.values(PEOPLE))
    await node.call('account.ensure', {
      id,
      email: `${username}@life.test`,
      password: '',
      username,
      displayName: username,
      roles,
    })
  const live = async (requirements: typeof gigBody.requirements) => {
    const { id } = await node.call('gig.create', { ...gigBody, requirements, extras: EXTRAS }, as('seller'))
    await node.call('gig.publish', { id }, as('seller'))
    await eventually(
      () => node.call('gig.get', { id }, as('seller')),
      ({ status }) => status === 'live',
    )
    return id
  }
  const gigs = { asking: await live(gigBody.requirements), plain: await live([]) }

  // ---- asking

  const ask = (id: string, who: Who, move: string, body: object = BODIES[move]!): Promise<Order> =>
    node.call(MOVES.get(move) as 'order.accept', { id, ...body } as { id: string }, as(who))
  const read = (id: string) => node.call('order.get', { id }, as('admin'))
  const timeline = async (id: string) => (await node.call('order.events', { id }, as('admin'))).data
  const advance = async (ms: number) => {
    if (isMovable(node.clock)) node.clock.moveTo(node.clock.offsetMs() + ms)
    await node.broker.call('payment.tick', {})
    // One order may have several timers due: each look wakes it once.
    while ((await node.broker.call<number, object>('order.wakeDue', {})) > 0);
  }
  /** What accounts hold in dollars: what the platform owes is positive. */
  const owed = async (account: string) =>
    0 - ((await node.call('ledger.balances', { accounts: [account] }))[account]?.['usd'] ?? 0)

  // ---- ways

  const by =
    (who: Who, move: string, body?: object): Path =>
    (id) =>
      ask(id, who, move, body)
  const after =
    (ms: number): Path =>
    () =>
      advance(ms)
  const seen =
    (step: string): Path =>
    (id) =>
      eventually(
        () => timeline(id),
        (events) => events.some(({ type }) => type === step),
      )
  const resolve =
    (amount: number): Path =>
    async (id) =>
      node.call(
        'order.resolveDispute',
        { id: (await read(id)).dispute!.id, buyerAmount: usd(amount), reason: 'As it is.' },
        as('admin'),
      )
  const giveBack =
    (amount: number): Path =>
    (id) =>
      node.call('order.refundByAdmin', { id, amount: usd(amount), reason: 'As it is.' }, as('admin'))
  const hear = (id: string, name: string, data: object) =>
    node.broker.call('order.hear', { event: { id, name, data, at: Date.now() } })

  // ---- what banks do

  const provider = (await node.open('payments')) as Sandbox
  const { outside } = provider.server
  const paymentOf = async (id: string, step: string) =>
    (await timeline(id)).findLast(({ type }) => type.startsWith(step))!.data['payment'] as string
  /** The card's bank takes back the payment that a step told of, or asks about it; goes on when the order has heard. */
  const takenBack =
    (step = 'paid', told: Parameters<typeof outside.dispute>[1] = {}): Path =>
    async (id) => {
      await outside.dispute(await paymentOf(id, step), told)
      await seen(told.inquiry ? 'payment_questioned' : 'charged_back')(id)
    }
  const bankDecides =
    (outcome: 'won' | 'lost'): Path =>
    async (id) => {
      const { length } = await timeline(id)
      const { chargebacks = [] } = await read(id)
      await outside.decideDispute(chargebacks.find(({ status }) => ['asked', 'open'].includes(status))!.id, outcome)
      await eventually(
        () => timeline(id),
        (events) => events.length > length,
      )
    }
  const warned: Path = async (id) => {
    const { length } = await timeline(id)
    await outside.warnOfFraud(await paymentOf(id, 'paid'))
    await eventually(
      () => timeline(id),
      (events) => events.length > length,
    )
  }

  /** Asks for what the buyer's bank wants to confirm; the buyer does so after other things have happened. */
  const confirmedAfter =
    (move: string, ...meanwhile: Path[]): Path =>
    async (id) => {
      const asked = await ask(id, 'buyer', move, { ...BODIES[move], paymentMethod: 'pm_card_authenticationRequired' })
      for (const go of meanwhile) await go(id)
      const body = new URLSearchParams({ answer: 'approve' })
      await fetch(asked.payment!.nextAction!.url, { method: 'POST', body, redirect: 'manual' })
    }

  // ---- places

  const place = async (gigId = gigs.plain) =>
    (await node.call('order.place', { gig: gigId, package: 'basic' }, as('buyer'))).id
  /** A new order, gone these ways one after the other. */
  const at = async (...path: Path[]): Promise<string> => walked(await place(), path)
  const walked = async (id: string, path: readonly Path[]): Promise<string> => {
    for (const go of path) await go(id)
    return id
  }
  const paid = by('buyer', 'pay')
  const delivered: Path[] = [paid, by('seller', 'deliver')]
  const disputed: Path[] = [...delivered, by('buyer', 'dispute')]
  /** The same, of a gig with a question that must be answered. */
  const asking = async (...path: Path[]) => walked(await place(gigs.asking), [paid, ...path])
  const places: Record<OrderStatus, () => Promise<string>> = {
    awaiting_payment: () => at(),
    awaiting_requirements: () => asking(),
    in_progress: () => at(paid),
    delivered: () => at(...delivered),
    completed: () => at(...delivered, by('buyer', 'accept')),
    cancelled: () => at(by('buyer', 'cancel')),
    disputed: () => at(...disputed),
    expired: () => at(after(PAY_WITHIN_MS)),
  }

  return {
    node,
    provider,
    ask,
    read,
    timeline,
    advance,
    owed,
    by,
    after,
    seen,
    resolve,
    giveBack,
    hear,
    takenBack,
    bankDecides,
    warned,
    confirmedAfter,
    at,
    asking,
    paid,
    delivered,
    disputed,
    places,
    stop: () => node.stop(),
  }
}
