// An order: one purchase of one package. Key: the order's id. Money never moves here; what must move is said with the
// change, to the ledger and to the payment actor, and the command is answered once both have heard it.
import { service, type Ctx } from '../../mixins/service.ts'
import type { Decision } from '../../mixins/actor.ts'
import type { Events } from '../contract.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT, type Caller } from '../shapes.ts'
import { orderTopic, TAIL_MAX, topicFrame } from '../topic.ts'
import { place, placeAgreed, withPayment, type Checkout } from './checkout.ts'
import { order as contract } from './contract.ts'
import { forgetParty } from './erasure.ts'
import { heardMove, type HeardName } from './hearing.ts'
import { listDisputes, listOrders, withDispute } from './listing.ts'
import * as moves from './moves.ts'
import type { By, Moved } from './moves.ts'
import { verifyOrders } from './verification.ts'
import { openPolicies } from './policies.ts'
import { extras, tip } from './further.ts'
import { PAY_TIMEOUT_MS } from './timing.ts'
import { orders, purchasesOf, refundsOf, type OrderDoc } from './state.ts'
import { publicDispute, publicEvent, partyOf, publicOrder, roleOf, toldEvents, type PartyRole } from './view.ts'

/** A party's answer comes after the ledger and the provider have what the move says, so that balances read true at once. */
const SETTLED_WITH = ['ledger', 'payment', 'order'] as const

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const fanout = await here.open('fanout')
  /** Tells both parties' open connections, and who joined the order's topic, what is new; the timeline is the record. */
  const tell = (before: OrderDoc | null, order: OrderDoc) => {
    for (const event of toldEvents(order, before?.timeline.length ?? 0)) {
      fanout.toUsers([order.buyerId, order.sellerId], JSON.stringify({ ev: 'order', data: event.data }))
      fanout.toTopic(orderTopic(order.id), topicFrame('order', orderTopic(order.id), event), event.seq)
    }
  }
  const book = await here.actor<OrderDoc>({
    of: orders,
    wake: (state, now) => decided(moves.wake(state, now)),
    stored: tell,
  })
  const policies = await openPolicies(documents)
  const checkout: Checkout = { here, turn: book.turn, policies }

  /** One party's move: theirs to see (404), theirs to make (403), and only then a question of time (409). */
  const move = async (
    ctx: Ctx & { caller: Caller },
    who: readonly PartyRole[],
    decide: (order: OrderDoc, by: By, now: number, command?: string) => Moved,
  ) => {
    const command = ctx.meta.command?.id
    const options = { deadlineAt: ctx.deadlineAt, settle: SETTLED_WITH }
    const order = await book.turn<OrderDoc>(
      (ctx.params as { id: string }).id,
      (state, now) => {
        const by = partyOf(state, ctx.caller, who)
        if (command && state!.commands.includes(command)) return { result: state! }
        const moved = decide(state!, by, now, command)
        return { ...moved, result: moved.next }
      },
      options,
    )
    return publicOrder(order, ctx.caller, here.clock.now())
  }

  /** An admin's move, in an order that is none of theirs. */
  const decide = (
    id: string,
    { caller, meta, deadlineAt }: Ctx & { caller: Caller },
    decideOn: (order: OrderDoc, by: By, now: number, command?: string) => Moved,
  ): Promise<OrderDoc> =>
    book.turn<OrderDoc>(
      id,
      (state, now) => {
        if (!state) throw refuse('not_found', 'there is no such order')
        if (roleOf(state, caller)) throw refuse('forbidden', 'nobody decides about their own order')
        const command = meta.command?.id
        if (command && state.commands.includes(command)) return { result: state }
        const moved = decideOn(state, { role: 'admin', id: caller.id }, now, command)
        return { ...moved, result: moved.next }
      },
      { deadlineAt, settle: SETTLED_WITH },
    )

  const read = async (id: string, caller: Caller): Promise<OrderDoc> => {
    const order = await book.read(id)
    if (!order || (roleOf(order, caller) === null && !caller.roles.includes('admin')))
      throw refuse('not_found', 'there is no such order')
    return order
  }

  /** The order once it has heard what it waits for; as it is when that takes too long. */
  const heard = async (id: string, fits: (order: OrderDoc) => boolean): Promise<OrderDoc> => {
    const until = Date.now() + HEARD_MS
    for (;;) {
      const order = await book.read(id)
      if (!order) throw refuse('not_found', 'there is no such order')
      if (fits(order) || Date.now() > until) return order
      await new Promise<void>((resolve) => setTimeout(resolve, HEARD_PAUSE_MS))
    }
  }

  /** Moves an order as told by another actor; nothing happens when it was told before. */
  const told = async (id: string, decide: (order: OrderDoc, now: number) => Moved | null) => {
    await book.turn(
      id,
      (state, now) => {
        if (!state) throw refuse('not_found', `there is no order ${id}`)
        const moved = decide(state, now)
        return moved ? { ...moved, result: undefined } : { result: undefined }
      },
      { settle: SETTLED_WITH },
    )
  }

  const hears =
    <E extends HeardName>(name: E) =>
    ({ data }: { data: Events[E] & { order: string } }) =>
      told(data.order, (order, now) => heardMove(name, order, data, now))

  /** A payment asked again after a crash must find that it is the one that paid. */
  const remember = (id: string, command: string) =>
    book.turn(id, (state) =>
      !state || state.commands.includes(command)
        ? { result: null }
        : { next: moves.remembering(state, command), result: null },
    )

  return {
    actions: {
      place: (ctx) => place(checkout, ctx),
      placeOffer: async (ctx) => {
        const placed = await withPayment(checkout, ctx, await placeAgreed(checkout, ctx.params))
        return publicOrder(placed, ctx.params.buyer, here.clock.now())
      },
      pay: async (ctx) => {
        const { id, paymentMethod } = ctx.params
        const order = await read(id, ctx.caller)
        partyOf(order, ctx.caller, ['buyer'])
        const command = ctx.meta.command?.id
        if (command && order.commands.includes(command) && order.paidAt !== null)
          return publicOrder(order, ctx.caller, here.clock.now())
        if (order.status !== 'awaiting_payment')
          throw refuse('invalid_transition', `the order is ${order.status}, there is nothing to pay`)
        if (command) await remember(id, command)
        // A process that died between the two left an order without a payment.
        if (!order.payment) await withPayment(checkout, ctx, order)
        const outcome = await ctx.call('payment.confirm', { order: id, paymentMethod }, { timeoutMs: PAY_TIMEOUT_MS })
        if (outcome.declined) {
          await told(id, (state, now) =>
            state.status === 'awaiting_payment'
              ? moves.declined(state, { role: 'buyer', id: ctx.caller.id }, outcome.declined!.code, now)
              : null,
          )
          throw refuse('payment_declined', outcome.declined.message, { data: { declineCode: outcome.declined.code } })
        }
        const now =
          outcome.status === 'succeeded' ? await heard(id, ({ paidAt }) => paidAt !== null) : await read(id, ctx.caller)
        if (now.paidAt !== null && refundsOf(now).length > 0)
          throw refuse('invalid_transition', `the order was ${now.status} meanwhile; what was paid goes back in full`)
        const answered = now.payment ? { ...now, payment: { ...now.payment, status: outcome.status } } : now
        return publicOrder(answered, ctx.caller, here.clock.now(), outcome.nextAction)
      },
      requirements: (ctx) =>
        move(ctx, ['buyer'], (order, by, now, command) => moves.answer(order, by, ctx.params.answers, now, command)),
      deliver: (ctx) => {
        const { message, files = [] } = ctx.params
        return move(ctx, ['seller'], (order, by, now, command) =>
          moves.deliver(order, by, { message, files }, now, command),
        )
      },
      revision: (ctx) =>
        move(ctx, ['buyer'], (order, by, now, command) => moves.revise(order, by, ctx.params.message, now, command)),
      accept: (ctx) => move(ctx, ['buyer'], moves.accept),
      cancel: (ctx) =>
        move(ctx, ['buyer', 'seller'], (order, by, now, command) =>
          moves.cancel(order, by, ctx.params.reason, now, command),
        ),
      extend: (ctx) =>
        move(ctx, ['buyer', 'seller'], (order, by, now, command) => {
          const { days, reason } = ctx.params
          return moves.extend(order, by, { days, reason }, now, command)
        }),
      decline: (ctx) =>
        move(ctx, ['buyer', 'seller'], (order, by, now, command) =>
          moves.decline(order, by, ctx.params.proposal, now, command),
        ),
      extras: (ctx) => extras({ ...checkout, heard, read: (id) => read(id, ctx.caller) }, ctx),
      tip: (ctx) => tip({ ...checkout, heard }, ctx),
      offerRefund: (ctx) =>
        move(ctx, ['buyer', 'seller'], (order, by, now, command) => {
          const { amount, reason } = ctx.params
          return moves.offerRefund(order, by, { amount, reason }, now, command)
        }),
      refundByAdmin: async (ctx) => {
        const { id, amount, reason } = ctx.params
        const refunded = await decide(id, ctx, (order, by, now, command) =>
          moves.refundByAdmin(order, by, { amount, reason }, now, command),
        )
        return publicOrder(refunded, ctx.caller, here.clock.now())
      },
      dispute: (ctx) => {
        const { reason, text } = ctx.params
        const id = here.newId('dsp', ctx.meta.command)
        return move(ctx, ['buyer', 'seller'], (order, by, now, command) =>
          moves.dispute(order, by, { id, reason, text }, now, command),
        )
      },
      answerDispute: (ctx) =>
        move(ctx, ['buyer', 'seller'], (order, by, now, command) =>
          moves.answerDispute(order, by, { agree: ctx.params.agree, text: ctx.params.text }, now, command),
        ),
      withdrawDispute: (ctx) => move(ctx, ['buyer', 'seller'], moves.withdrawDispute),
      disputes: ({ params }) => listDisputes(documents, params),
      resolveDispute: async (ctx) => {
        const { id, buyerAmount, reason } = ctx.params
        const disputed = await withDispute(documents, id)
        const resolved = await decide(disputed.id, ctx, (order, by, now, command) => {
          if (order.disputeId !== id) throw refuse('invalid_transition', 'there is a newer dispute of that order')
          return moves.resolve(order, by, { buyerAmount, reason }, now, command)
        })
        return publicDispute(resolved)!
      },
      feePolicies: ({ params }) => policies.list(params),
      setFeePolicy: ({ params, caller }) => policies.set(params, caller.id, here.clock.now()),
      list: async (ctx) => {
        const { role, status, limit = LIMIT_DEFAULT, cursor } = ctx.params
        const { docs, next } = await listOrders(documents, { user: ctx.caller.id, role, status, limit, cursor })
        return { data: docs.map((order) => publicOrder(order, ctx.caller, here.clock.now())), nextCursor: next }
      },
      get: async (ctx) => publicOrder(await read(ctx.params.id, ctx.caller), ctx.caller, here.clock.now()),
      events: async (ctx) => ({ data: (await read(ctx.params.id, ctx.caller)).timeline.map(publicEvent) }),
      tail: async (ctx) => {
        const order = await book.read(ctx.params.id)
        const seq = order?.timeline.length ?? 0
        return order && { seq, events: toldEvents(order, Math.max(0, seq - TAIL_MAX)) }
      },
      reviewable: async (ctx) => {
        const order = await book.read(ctx.params.id)
        if (!order || order.status !== 'completed' || order.completedAt === null) return null
        return {
          order: order.id,
          gig: order.gig.id,
          buyer: order.buyerId,
          seller: order.sellerId,
          at: order.completedAt,
          completedAt: order.completedAt,
        }
      },
      offered: async ({ params }) =>
        (await documents.getMany(orders, params.ids)).map(
          (order) => order && { offer: order.offer ?? null, subtotal: order.price.subtotal - boughtLater(order) },
        ),
      forget: async ({ params: { user } }) => ({ changed: await forgetParty(documents, book, user) }),
      verify: ({ call }) => verifyOrders(documents, call),
    },
    hears: {
      'payment.succeeded': hears('payment.succeeded'),
      'payment.refunded': hears('payment.refunded'),
      'payment.refund.failed': hears('payment.refund.failed'),
      'payment.disputed': hears('payment.disputed'),
      'payment.dispute.closed': hears('payment.dispute.closed'),
      'payment.warned': hears('payment.warned'),
      // Whoever accepted usually has the order by now; a crash in between loses nothing.
      'offer.accepted': async ({ data }) => void (await placeAgreed(checkout, data)),
      'review.written': ({ data: { order, by } }) =>
        book.turn(order, (state) =>
          !state || state.reviewedBy.includes(by)
            ? { result: undefined }
            : { next: { ...state, reviewedBy: [...state.reviewedBy, by] }, result: undefined },
        ),
    },
  }
})

/** Somebody else's confirmation may have made the payment; the order hears of it a moment later. */
const HEARD_MS = 3000
const HEARD_PAUSE_MS = 20

/** What extras bought during work have added to the subtotal. */
const boughtLater = (order: OrderDoc): number =>
  purchasesOf(order).reduce((sum, { status, subtotal }) => sum + (status === 'paid' ? subtotal : 0), 0)

const decided = (moved: Moved | null): Decision<OrderDoc, undefined> =>
  moved ? { ...moved, result: undefined } : { result: undefined }
