// From a choice to an order that can be paid: the order is stored first, then its payment is begun. Both under names of
// their own, so that whoever asks again, or comes after a crash, finds the one order and the one payment.
import type { Decision } from '../../mixins/actor.ts'
import type { Call } from '../../mixins/node.ts'
import type { Ctx, Here } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import type { Policies } from './policies.ts'
import type { Agreement, order as contract, Order } from './contract.ts'
import { agreedOrder, placedOrder } from './placing.ts'
import type { OrderDoc, Party } from './state.ts'
import { publicOrder } from './view.ts'

type Turn = <R>(key: string, decide: (state: OrderDoc | null, now: number) => Decision<OrderDoc, R>) => Promise<R>
/** `policies`: the market's fees, as they are now. */
export type Checkout = { here: Here; turn: Turn; policies: Pick<Policies, 'current'> }

export const place = async (self: Checkout, ctx: Ctx<(typeof contract)['actions']['place']>): Promise<Order> => {
  const { here, turn, policies } = self
  const { gig, package: name, extras = [], quantity = 1 } = ctx.params
  const { command } = ctx.meta
  const id = here.newId('ord', command)
  const quote = await ctx.call('gig.quote', { id: gig })
  if (!quote) throw refuse('not_found', 'there is no such gig to order')
  if (quote.seller === ctx.caller.id) throw refuse('forbidden', 'nobody orders their own gig')
  const [buyer, seller] = await ctx.call('account.cards', { ids: [ctx.caller.id, quote.seller] })
  if (!buyer || !seller) throw refuse('unavailable', 'the parties of this order cannot be looked up right now')
  const parties = { buyer: partyCard(buyer), seller: partyCard(seller), sellerLevel: seller.level }
  const market = await policies.current()
  const placed = await turn(id, (state, now) => {
    // A repeated command finds the order it made the first time.
    if (state) return { result: state }
    const next = placedOrder(id, quote, { package: name, extras, quantity }, parties, now, command?.id, market)
    return { next, result: next }
  })
  return publicOrder(await withPayment(self, ctx, placed), ctx.caller, here.clock.now())
}

/** The order of an accepted offer: made by whoever comes first, the buyer who waits or the event that is sure to come. */
export const placeAgreed = async ({ turn, policies }: Checkout, agreed: Agreement): Promise<OrderDoc> => {
  const market = await policies.current()
  return turn(agreed.order, (state, now) => {
    if (state) return { result: state }
    const next = agreedOrder(agreed, now, market)
    return { next, result: next }
  })
}

/** The order with its payment begun; as it is when it has one, or can't be paid any more. */
export const withPayment = async (
  { turn }: Checkout,
  { call }: { call: Call },
  placed: OrderDoc,
): Promise<OrderDoc> => {
  if (placed.payment || placed.status !== 'awaiting_payment') return placed
  const { total, currency } = placed.price
  const intent = await call('payment.begin', {
    order: placed.id,
    buyer: placed.buyerId,
    amount: { amount: total, currency },
    description: `${placed.gig.title} (${placed.chosen.name})`.slice(0, 500),
  })
  const { provider, paymentId, clientSecret, status } = intent
  const payment = { provider, paymentId, clientSecret, status }
  return turn(placed.id, (state) =>
    state!.payment ? { result: state! } : { next: { ...state!, payment }, result: { ...state!, payment } },
  )
}

const partyCard = ({ id, username, displayName }: Party): Party => ({ id, username, displayName })
