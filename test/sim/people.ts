// Buyers, sellers and admins: each hears of an order's step and does something about it, or nothing, sooner or later, twice,
// or at the same moment as the other. What is not possible the table refuses; people ask for that all the time.
import { placedOrder } from '../../services/order/placing.ts'
import * as moves from '../../services/order/moves.ts'
import { isTip, purchasesOf, type OrderDoc } from '../../services/order/state.ts'
import { CURRENCY, decided, type Market } from './market.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
type Decide = (order: OrderDoc, now: number, command: string) => moves.Moved | null
type Person = 'buyer' | 'seller' | 'admin'
/** Never hears of anything again: for orders nobody moves. */
const GONE = 0.03
const AGAIN = 0.15
/** The last day on which an order may be placed. */
export const LAST_DAY = 45

export const people = (here: World, of: () => Market, sellers: number) => {
  const { random } = here
  const gone = new Set<string>()
  /** Commands that moved an order: asked again they must change nothing. */
  const accepted: (() => Promise<unknown>)[] = []
  let commands = 0

  const moveNow = async (id: string, name: string, decide: Decide, command: string) => {
    const ask = () =>
      of().orders.turn(id, (state, now) =>
        state!.commands.includes(command) ? { result: null } : decided(decide(state!, now, command)),
      )
    try {
      await ask()
      here.count(name)
      accepted.push(ask)
    } catch (error) {
      if (!REFUSALS.has((error as { type?: string }).type ?? '')) throw error
      here.count('refused')
    }
  }
  /** One person's command; who gets no answer asks again under the same name. */
  const act = (id: string, name: string, ms: number, decide: Decide) => {
    const command = `cmd-${++commands}`
    const at = (after: number) =>
      here.later(after, `${id}: ${name}`, () => moveNow(id, name, decide, command), { left: () => at(MINUTE) })
    at(ms)
    if (random.chance(AGAIN)) at(ms + random.whole(0, 5000))
  }
  const by = (order: OrderDoc, role: Person): moves.By =>
    role === 'admin' ? { role, id: 'admin' } : { role, id: order[role].id }
  const money = (amount: number) => ({ amount, currency: CURRENCY })
  const other = (role: string): 'buyer' | 'seller' => (role === 'buyer' ? 'seller' : 'buyer')
  const soon = () => random.whole(MINUTE, 3 * DAY)

  // ---- one move each
  const cancel = (id: string, role: 'buyer' | 'seller', ms: number) =>
    act(id, 'cancel', ms, (order, now, command) => moves.cancel(order, by(order, role), 'r', now, command))
  const decline = (id: string, role: 'buyer' | 'seller', proposal: 'cancel' | 'extension' | 'refund', ms: number) =>
    act(id, 'decline', ms, (order, now, command) => moves.decline(order, by(order, role), proposal, now, command))
  const deliver = (id: string, ms: number) =>
    act(id, 'deliver', ms, (order, now, command) =>
      moves.deliver(order, by(order, 'seller'), { message: 'm', files: [] }, now, command),
    )
  const accept = (id: string, ms: number) =>
    act(id, 'accept', ms, (order, now, command) => moves.accept(order, by(order, 'buyer'), now, command))
  const revise = (id: string, ms: number) =>
    act(id, 'revise', ms, (order, now, command) => moves.revise(order, by(order, 'buyer'), 'm', now, command))
  const answer = (id: string, ms: number) =>
    act(id, 'answer', ms, (order, now, command) =>
      moves.answer(order, by(order, 'buyer'), [{ id: 'q', answer: 'a' }], now, command),
    )
  const extend = (id: string, role: 'buyer' | 'seller', ms: number) => {
    const asked = role === 'seller' ? { days: random.whole(1, 10), reason: 'r' } : {}
    act(id, 'extend', ms, (order, now, command) => moves.extend(order, by(order, role), asked, now, command))
  }
  const offerRefund = (id: string, role: 'buyer' | 'seller', ms: number) => {
    const share = random.next() * 0.7
    act(id, 'refund offer', ms, (order, now, command) => {
      const asked = role === 'seller' ? { amount: money(Math.round(order.price.total * share)), reason: 'r' } : {}
      return moves.offerRefund(order, by(order, role), asked, now, command)
    })
  }
  const refundByAdmin = (id: string, ms: number) => {
    const share = random.chance(0.15) ? 1 : random.next()
    act(id, 'refund by admin', ms, (order, now, command) => {
      const amount = money(Math.ceil((order.price.total - gaveBack(order)) * share))
      return moves.refundByAdmin(order, by(order, 'admin'), { amount, reason: 'r' }, now, command)
    })
  }
  const dispute = (id: string, role: 'buyer' | 'seller', ms: number) => {
    const claim = { id: `dsp_${id}_${++commands}`, reason: 'quality' }
    act(id, 'dispute', ms, (order, now, command) => moves.dispute(order, by(order, role), claim, now, command))
  }
  const answerDispute = (id: string, role: 'buyer' | 'seller', agree: boolean, ms: number) =>
    act(id, agree ? 'agree to dispute' : 'contest', ms, (order, now, command) =>
      moves.answerDispute(order, by(order, role), { agree }, now, command),
    )
  const withdrawDispute = (id: string, role: 'buyer' | 'seller', ms: number) =>
    act(id, 'withdraw dispute', ms, (order, now, command) =>
      moves.withdrawDispute(order, by(order, role), now, command),
    )
  const resolve = (id: string, ms: number) => {
    const share = random.pick([0, 1, random.next()])
    act(id, 'resolve', ms, (order, now, command) => {
      const buyerAmount = money(Math.round((order.price.total - gaveBack(order)) * share))
      return moves.resolve(order, by(order, 'admin'), { buyerAmount, reason: 'r' }, now, command)
    })
  }

  // ---- paying
  const pay = async (id: string) => {
    const { orders, begin, confirm } = of()
    const order = orders.docs.get(id)!
    if (order.status !== 'awaiting_payment') return
    if (!order.payment) await withPayment(order)
    if (!orders.docs.get(id)!.payment) return
    const { declined } = await confirm(id)
    if (declined)
      await orders.turn(id, (state, now) =>
        decided(
          state!.status === 'awaiting_payment' ? moves.declined(state!, by(state!, 'buyer'), declined.code, now) : null,
        ),
      )
    async function withPayment({ buyerId, price }: OrderDoc) {
      const about = { buyer: buyerId, amount: money(price.total), description: 'd' }
      const { paymentId, clientSecret } = await begin(id, about)
      if (!paymentId) return
      const payment = { provider: 'sandbox', paymentId, clientSecret, status: 'requires_payment_method' }
      await orders.turn(id, (state) =>
        state!.payment ? { result: null } : { next: { ...state!, payment }, result: null },
      )
    }
  }
  const tip = (id: string, ms: number) => {
    const tipId = `tip_${id}_${++commands}`
    const amount = money(random.whole(100, 5000))
    act(id, 'tip', ms, (order, now, command) =>
      moves.beginTip(order, by(order, 'buyer'), { id: tipId, amount }, now, command),
    )
    const find = (order: OrderDoc) => moves.tipsOf(order).find((one) => one.id === tipId)
    payFurther(id, tipId, ms, { find, amount: () => amount, step: 'tip_declined' })
  }
  const buyExtras = (id: string, ms: number) => {
    const bought = `ext_${id}_${++commands}`
    const wanted = random.pick([['fast'], ['more'], ['fast', 'more']])
    act(id, 'extras', ms, (order, now, command) =>
      moves.beginExtras(order, by(order, 'buyer'), { id: bought, wanted, offered: EXTRAS }, now, command),
    )
    const find = (order: OrderDoc) => purchasesOf(order).find((one) => one.id === bought)
    const amount = (order: OrderDoc) => moves.amountOf(order, find(order)!)
    payFurther(id, bought, ms, { find, amount, step: 'extras_declined' })
  }
  type Further = {
    find(order: OrderDoc): { status: string } | undefined
    amount(order: OrderDoc): { amount: number; currency: string }
    step: 'tip_declined' | 'extras_declined'
  }
  const payFurther = (order: string, charge: string, ms: number, { find, amount, step }: Further) => {
    const give = async () => {
      const { orders, begin, confirm } = of()
      const state = orders.docs.get(order)!
      if (find(state)?.status !== 'awaiting_payment') return
      const about = { order, buyer: state.buyerId, amount: amount(state), description: 'd' }
      if (!(await begin(charge, about)).paymentId) return
      const { declined } = await confirm(charge)
      if (!declined) return
      await orders.turn(order, (now_, now) => {
        const how = { by: by(now_!, 'buyer'), now, data: {} }
        return decided(
          step === 'tip_declined'
            ? moves.dropTip(now_!, charge, { ...how, step })
            : moves.dropExtras(now_!, charge, { ...how, step }),
        )
      })
    }
    for (let tries = random.whole(1, 3); tries > 0; tries--)
      here.later(ms + random.whole(1000, 40 * MINUTE), `${order}: pay ${charge}`, give)
  }

  /** What people do about a step they heard of. `role`: who took it. */
  const REACTIONS: Record<string, (id: string, role: string) => void> = {
    paid: (id) => {
      if (random.chance(0.92)) answer(id, random.whole(MINUTE, 5 * DAY))
      if (random.chance(0.04)) cancel(id, random.pick(['buyer', 'seller']), soon())
      if (random.chance(0.04)) offerRefund(id, 'seller', soon())
      if (random.chance(0.06)) buyExtras(id, soon())
    },
    paid_and_started: (id) => work(id),
    requirements_answered: (id) => work(id),
    revision_requested: (id) => deliver(id, random.whole(HOUR, 4 * DAY)),
    extension_proposed: (id) => {
      const lot = random.next()
      if (lot < 0.6) extend(id, 'buyer', soon())
      else if (lot < 0.8) decline(id, 'buyer', 'extension', soon())
    },
    cancel_proposed: (id, role) => {
      const lot = random.next()
      if (lot < 0.35) cancel(id, other(role), soon())
      else if (lot < 0.75) decline(id, other(role), 'cancel', soon())
    },
    refund_offered: (id) => {
      const lot = random.next()
      if (lot < 0.6) offerRefund(id, 'buyer', soon())
      else if (lot < 0.8) decline(id, 'buyer', 'refund', soon())
    },
    late: (id) => {
      if (random.chance(0.3)) cancel(id, 'buyer', random.whole(HOUR, 3 * DAY))
      if (random.chance(0.3)) extend(id, 'seller', random.whole(MINUTE, DAY))
    },
    delivered: (id) => {
      const ms = random.whole(MINUTE, 4 * DAY)
      if (random.chance(0.55)) accept(id, ms)
      // At the very moment of acceptance: one of the two must lose.
      if (random.chance(0.08)) cancel(id, random.pick(['buyer', 'seller']), ms)
      if (random.chance(0.12)) dispute(id, random.pick(['buyer', 'seller']), random.pick([ms, soon()]))
      if (random.chance(0.15)) revise(id, random.pick([ms, soon()]))
      if (random.chance(0.05)) offerRefund(id, 'seller', soon())
    },
    disputed: (id, role) => disputed(id, role),
    disputed_while_clearing: (id, role) => disputed(id, role),
    dispute_contested: (id) => resolve(id, random.whole(HOUR, 6 * DAY)),
    dispute_withdrawn: (id) => goOn(id),
    chargeback_won: (id) => goOn(id),
    chargeback_lost: (id) => goOn(id),
    accepted: (id) => done(id),
    auto_completed: (id) => done(id),
  }
  const work = (id: string) => {
    if (random.chance(0.93)) deliver(id, random.whole(HOUR, 12 * DAY))
    if (random.chance(0.08)) extend(id, 'seller', soon())
    if (random.chance(0.15)) buyExtras(id, soon())
    if (random.chance(0.05)) cancel(id, random.pick(['buyer', 'seller']), soon())
    if (random.chance(0.05)) dispute(id, random.pick(['buyer', 'seller']), soon())
    if (random.chance(0.06)) offerRefund(id, 'seller', soon())
    if (random.chance(0.03)) refundByAdmin(id, soon())
  }
  /** Who made their moves while it stood still makes them again. */
  const goOn = (id: string) => {
    deliver(id, soon())
    accept(id, soon())
    resolve(id, soon())
  }
  const disputed = (id: string, role: string) => {
    const lot = random.next()
    if (lot < 0.2) answerDispute(id, other(role), true, soon())
    else if (lot < 0.7) answerDispute(id, other(role), false, random.whole(MINUTE, 2 * DAY))
    if (random.chance(0.15)) withdrawDispute(id, role as 'buyer', soon())
  }
  const done = (id: string) => {
    if (random.chance(0.2)) tip(id, random.whole(MINUTE, 30 * DAY))
    if (random.chance(0.08)) dispute(id, 'buyer', random.whole(HOUR, 15 * DAY))
    // While it clears, once it has cleared, or when it was paid out.
    if (random.chance(0.1)) refundByAdmin(id, random.whole(HOUR, 35 * DAY))
  }

  const place = (id: string, at: number) => {
    const seller = `s${random.whole(1, sellers)}`
    const party = (name: string) => ({ id: name, username: name, displayName: name })
    const price = money(random.whole(500, 60_000))
    const basic = { title: 'b', description: 'b', price, deliveryDays: random.whole(1, 10), revisions: 1, features: [] }
    const requirements = random.chance(0.5) ? [{ id: 'q', question: 'q', type: 'text', required: true }] : []
    const quote = {
      gig: 'gig_1',
      title: 'A gig',
      version: 1,
      image: null,
      extras: EXTRAS,
      packages: { basic },
      requirements,
    }
    const choice = {
      package: 'basic' as const,
      extras: random.chance(0.1) ? ['fast'] : [],
      quantity: random.chance(0.1) ? 2 : 1,
    }
    const sellerLevel = random.chance(0.3) ? 'top_rated' : 'new'
    if (random.chance(GONE)) gone.add(id)
    const parties = { buyer: party(`b${random.whole(1, sellers)}`), seller: party(seller), sellerLevel }
    const begin = () => here.later(0, `${id} is placed`, placeNow, { left: begin })
    const placeNow = async () =>
      of().orders.turn(id, (state, now) =>
        state ? { result: null } : { next: placedOrder(id, quote as never, choice, parties, now), result: null },
      )
    here.later(at, `${id} is placed`, placeNow, { left: begin })
    if (!random.chance(0.95)) return
    for (let tries = random.whole(2, 5), ms = MINUTE; tries > 0; tries--, ms += random.whole(0, 12 * MINUTE))
      here.later(at + ms, `${id}: pay`, () => pay(id))
    if (random.chance(0.03)) cancel(id, 'buyer', at + random.whole(0, 30 * MINUTE))
  }

  return {
    place,
    accepted,
    hears: {
      'order.moved': async ({ order, step, by: role }: { order: string; step: string; by: string }) => {
        if (!gone.has(order)) REACTIONS[step]?.(order, role)
      },
    },
  }
}

const gaveBack = (order: OrderDoc) =>
  (order.refunds ?? []).reduce((sum, { amount, outside }) => sum + (outside ? 0 : amount), 0) +
  (order.chargebacks ?? []).reduce((sum, { charge, gone }) => sum + (isTip(order, charge) ? 0 : gone), 0)
const EXTRAS = [
  { id: 'fast', title: 'Faster', price: { amount: 2000, currency: CURRENCY }, addedDays: 1 },
  { id: 'more', title: 'More', price: { amount: 777, currency: CURRENCY }, addedDays: 0 },
]
const REFUSALS: ReadonlySet<string> = new Set(['invalid_transition', 'forbidden', 'validation_failed', 'conflict'])
