// What is paid beyond the first price: tips, and extras bought during work.
import type { Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import type { order as contract, Order } from './contract.ts'
import { charge, type World } from './charging.ts'
import * as moves from './moves.ts'
import { purchasesOf, type OrderDoc } from './state.ts'
import { partyOf } from './view.ts'

type Actions = (typeof contract)['actions']

export const tip = (world: World, ctx: Ctx<Actions['tip']>): Promise<Order> => {
  const { id: order, amount, paymentMethod } = ctx.params
  const id = world.here.newId('tip', ctx.meta.command)
  return charge(world, ctx, {
    id,
    order,
    paymentMethod,
    description: 'A tip',
    find: (state) => moves.tipsOf(state).find((one) => one.id === id),
    amount: () => amount,
    begin: (state, by, now, command) => moves.beginTip(state, by, { id, amount }, now, command),
    declined: (state, by, now, code) => moves.dropTip(state, id, { step: 'tip_declined', by, now, data: { code } }),
  })
}

/** `read`: the order, for who may see it. */
export const extras = async (
  world: World & { read(id: string): Promise<OrderDoc> },
  ctx: Ctx<Actions['extras']>,
): Promise<Order> => {
  const { id: orderId, extras: wanted, paymentMethod } = ctx.params
  const id = world.here.newId('ext', ctx.meta.command)
  const find = (state: OrderDoc) => purchasesOf(state).find((one) => one.id === id)
  const order = await world.read(orderId)
  partyOf(order, ctx.caller, ['buyer'])
  // What was begun keeps the price it was begun at.
  const offered = find(order) || !moves.mayAddExtras(order) ? [] : await offeredNow(ctx, order)
  return charge(world, ctx, {
    id,
    order: orderId,
    paymentMethod,
    description: 'Extras',
    find,
    amount: (state) => moves.amountOf(state, find(state)!),
    begin: (state, by, now, command) => moves.beginExtras(state, by, { id, wanted, offered }, now, command),
    declined: (state, by, now, code) =>
      moves.dropExtras(state, id, { step: 'extras_declined', by, now, data: { code } }),
  })
}

const offeredNow = async ({ call }: Pick<Ctx, 'call'>, { gig }: OrderDoc) => {
  const quote = await call('gig.quote', { id: gig.id })
  if (!quote) throw refuse('conflict', 'the gig offers no extras right now')
  return quote.extras
}
