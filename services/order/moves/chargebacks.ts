// What a card's bank takes back. While it is undecided nothing of the order moves, and what the seller could have taken is
// held; won, everything goes on where it stood; lost, each bears what they have of it. Told in any order and any number of
// times it comes to the same. Pure.
import type { Said } from '../../../mixins/actor.ts'
import { chargebackLost, chargebackReversed, chargebackTaken, chargebackWon } from '../../ledger/contract.ts'
import type { Money } from '../../shapes.ts'
import { difference, givenUp, NOTHING, revenueOf, tipShares, type Shares } from '../allocation.ts'
import { chargebacksOf, goneOf, purchasesOf, type Chargeback, type OrderDoc, type Tip } from '../state.ts'
import { isFrozen, shifted } from '../timing.ts'
import { hasArrived } from './adding.ts'
import { leftOf } from './refunding.ts'
import { offerWithin } from './returning.ts'
import { ENDED, posted, take, type Change, type Moved } from './taking.ts'
import { tipsOf } from './tipping.ts'

/** `taken`, `restored` and `fee`: all of it so far. */
export type Told = {
  dispute: string
  charge?: string | undefined
  amount: Money
  taken: Money
  fee: Money
}
export type Opened = Told & { reason: string }
export type Closed = Told & { outcome: 'won' | 'lost' | 'closed'; restored: Money }

/** Told before the payment it is about was heard of: it has to be told again. */
export const isUnpaid = (order: OrderDoc, charge: string | undefined): boolean =>
  charge === undefined
    ? order.paidAt === null
    : tipsOf(order).some(
        ({ id, status }) => id === charge && (status === 'awaiting_payment' || status === 'dropped'),
      ) ||
      (purchasesOf(order).some(({ id }) => id === charge) && !hasArrived(order, charge))

/** The bank took it, or only asks. */
export const chargedBack = (order: OrderDoc, told: Opened, now: number): Moved | null => {
  const known = find(order, told.dispute)
  if (known && (isOver(known) || told.taken.amount <= known.taken)) return null
  const before = known ?? heardOf(told, told.reason, now)
  const by = { role: 'system' as const }
  const data = { chargeback: told.dispute, amount: told.amount, reason: told.reason }
  if (told.taken.amount === 0)
    return take(order, { step: 'payment_questioned', by, now, data, change: keeping(order, before) })
  const { next, say } = takenBack(order, before, told, now)
  return take(order, {
    step: 'charged_back',
    by,
    now,
    data,
    say,
    change: { ...keeping(order, { ...next, status: 'open' }), frozenAt: order.frozenAt ?? now },
  })
}

/** The bank has decided. The last word is a win: what was lost may be won after all, never the reverse. */
export const chargebackClosed = (order: OrderDoc, told: Closed, now: number): Moved | null => {
  const known = find(order, told.dispute)
  if (known && (known.status === told.outcome || known.status === 'won' || known.status === 'closed')) return null
  const before = known ?? heardOf(told, '', now)
  const taken = takenBack(order, before, told, now)
  const by = { role: 'system' as const }
  const how = { by, now, data: { chargeback: told.dispute, amount: told.amount } }
  if (told.taken.amount === 0)
    return take(order, {
      ...how,
      step: 'question_closed',
      change: keeping(order, { ...before, status: 'closed' }),
    })
  if (told.outcome === 'lost') return lost(order, taken, how, now)
  const back = told.restored.amount - before.restored
  const money = { ...of(order, taken.next, taken.say.length + 1, now), restored: back, held: taken.next.held }
  const entry = before.bore
    ? chargebackReversed({ ...money, returns: returnsOf(order, before.bore) })
    : chargebackWon(money)
  const won: Chargeback = { ...taken.next, status: 'won', restored: told.restored.amount, held: 0 }
  return take(order, {
    ...how,
    step: 'chargeback_won',
    say: [...taken.say, posted(entry)],
    change: { ...keeping(order, won), ...thawed(order, won, now), ...(before.bore && owedAgain(order, before.bore)) },
  })
}

// ---- money

type Taken = { next: Chargeback; say: Said[] }

/** What the bank has taken since it was last told of, and what of it is held of the seller's. */
const takenBack = (order: OrderDoc, before: Chargeback, { taken, fee }: Told, now: number): Taken => {
  const more = Math.max(0, taken.amount - before.taken)
  const moreFee = fee.amount - before.fee
  if (more === 0 && moreFee === 0) return { next: before, say: [] }
  const next: Chargeback = { ...before, taken: before.taken + more, fee: fee.amount }
  const held =
    more > 0 && sourceOf(order, next.charge) === 'available' ? partsOf(order, next).shares.seller : before.held
  const entry = chargebackTaken({
    ...of(order, next, 1, now),
    taken: more,
    fee: moreFee,
    held: held - before.held,
  })
  return { next: { ...next, held }, say: [posted(entry)] }
}

const lost = (
  order: OrderDoc,
  { next, say }: Taken,
  how: { by: { role: 'system' }; now: number; data: Record<string, unknown> },
  now: number,
): Moved => {
  const { shares, gone, excess } = partsOf(order, next)
  // What the bank gave the buyer besides our refund settles what we owe them for that; the rest nobody has any more.
  const settled = Math.min(excess, order.credited ?? 0)
  const bore: Record<string, number> = {
    ...bornBy(order, next, shares),
    [`buyer_credit:${order.buyer.id}`]: settled,
    'exp:bad_debt': excess - settled,
  }
  const entry = chargebackLost({ ...of(order, next, say.length + 1, now), bears: bore })
  const over: Chargeback = { ...next, status: 'lost', held: 0, gone, bore }
  const all = leftOf(order) > 0 && isOfPrice(order, next.charge) && gone === leftOf(order)
  const ends = all && ENDING.some((status) => status === order.status)
  const going = thawed(order, over, now)
  return take(order, {
    ...how,
    step: ends ? 'cancelled_by_chargeback' : 'chargeback_lost',
    say: [...say, posted(entry)],
    change: {
      ...keeping(order, over),
      credited: (order.credited ?? 0) - settled,
      writtenOff: (order.writtenOff ?? 0) + excess - settled,
      ...going,
      ...(isOfPrice(order, next.charge) && offerWithin(order, leftOf(order) - gone)),
      ...(ends && { ...ENDED, ...(order.status === 'disputed' && { disputeStatus: 'resolved' as const }) }),
      ...(next.charge !== undefined &&
        order.tips && { tips: tipsWithout(going.tips ?? tipsOf(order), next.charge, gone) }),
    },
  })
}

const ENDING = ['awaiting_requirements', 'in_progress', 'delivered', 'completed', 'disputed'] as const

/** What a chargeback takes of what is left of its charge, whose it is, and what is more than that. */
const partsOf = (order: OrderDoc, { charge, taken, restored }: Chargeback) => {
  const claim = taken - restored
  if (!isOfPrice(order, charge)) {
    const tip = tipsOf(order).find(({ id, status }) => id === charge && (status === 'paid' || status === 'cleared'))
    const gone = tip ? Math.min(claim, tip.amount - (tip.lost ?? 0)) : 0
    return { shares: tip ? givenUpOfTip(tip, order, gone) : NOTHING, gone, excess: claim - gone }
  }
  const gone = Math.min(claim, leftOf(order))
  return { shares: givenUp(order.price, order.policy, goneOf(order), gone), gone, excess: claim - gone }
}
/** Is it part of what the order costs: its own payment, or extras that count? */
const isOfPrice = (order: OrderDoc, charge: string | undefined): boolean =>
  charge === undefined || purchasesOf(order).some(({ id, status }) => id === charge && status === 'paid')
const givenUpOfTip = ({ amount, lost = 0 }: Tip, { policy }: OrderDoc, gone: number): Shares =>
  difference(tipShares(amount - lost, amount, policy), tipShares(amount - lost - gone, amount, policy))

/** Where the money of a charge is by now. */
const sourceOf = (order: OrderDoc, charge: string | undefined): 'escrow' | 'clearing' | 'available' => {
  if (!isOfPrice(order, charge))
    return tipsOf(order).some(({ id, status }) => id === charge && status === 'cleared') ? 'available' : 'clearing'
  return order.completedAt === null ? 'escrow' : order.clearedAt === null ? 'clearing' : 'available'
}

const bornBy = (order: OrderDoc, { charge, held }: Chargeback, shares: Shares): Record<string, number> => {
  const { seller, commission, serviceFee, tax } = shares
  const source = sourceOf(order, charge)
  if (source === 'escrow') return { [`escrow:${order.id}`]: seller + commission + serviceFee + tax }
  const revenue = revenueOf(shares, order.policy)
  return source === 'clearing'
    ? { [`clearing:${order.seller.id}`]: seller, ...revenue }
    : { [`held:${order.seller.id}`]: held, [`available:${order.seller.id}`]: seller - held, ...revenue }
}

/** Who has it again of those who bore it: what was held for the order is the buyer's, what was the seller's is theirs to take. */
const returnsOf = (order: OrderDoc, bore: Record<string, number>): Record<string, number> => {
  const returns: Record<string, number> = {}
  for (const [account, amount] of Object.entries(bore)) {
    const to = account.startsWith('escrow:')
      ? `buyer_credit:${order.buyer.id}`
      : /^(clearing|held):/.test(account)
        ? `available:${order.seller.id}`
        : account
    returns[to] = (returns[to] ?? 0) + amount
  }
  return returns
}

/** What had been settled and written off with it is again as it was. */
const owedAgain = (order: OrderDoc, bore: Record<string, number>): Change => ({
  credited: (order.credited ?? 0) + (bore[`buyer_credit:${order.buyer.id}`] ?? 0),
  writtenOff: Math.max(0, (order.writtenOff ?? 0) - (bore['exp:bad_debt'] ?? 0)),
})

const tipsWithout = (tips: readonly Tip[], charge: string, gone: number): Tip[] =>
  tips.map((tip) => {
    if (tip.id !== charge) return tip
    const left = (tip.lost ?? 0) + gone
    return { ...tip, lost: left, ...(left === tip.amount && { status: 'returned' as const }) }
  })

// ---- state

const find = (order: OrderDoc, id: string): Chargeback | undefined => chargebacksOf(order).find((one) => one.id === id)
const isOver = ({ status }: Chargeback): boolean => status !== 'asked' && status !== 'open'

const heardOf = ({ dispute, charge, amount }: Told, reason: string, at: number): Chargeback => ({
  id: dispute,
  ...(charge !== undefined && { charge }),
  amount: amount.amount,
  reason,
  status: 'asked',
  taken: 0,
  restored: 0,
  fee: 0,
  held: 0,
  gone: 0,
  at,
})

const keeping = (order: OrderDoc, one: Chargeback): Change => {
  const known = chargebacksOf(order)
  const chargebacks = known.some(({ id }) => id === one.id)
    ? known.map((other) => (other.id === one.id ? one : other))
    : [...known, one]
  return { chargebacks }
}

/** Once none is open everything goes on, later by as long as it stood still. */
const thawed = (order: OrderDoc, over: Chargeback, now: number): Change =>
  chargebacksOf(order).some(({ id, status }) => id !== over.id && status === 'open') ? {} : thawing(order, now)

const thawing = (order: OrderDoc, now: number): Change => {
  if (!isFrozen(order)) return {}
  const stood = now - order.frozenAt!
  const going = { frozenAt: null, frozenMs: (order.frozenMs ?? 0) + stood }
  // A dispute has stopped the rest already, and moves it on when it ends.
  return order.status === 'disputed' && order.dispute
    ? { ...going, dispute: { ...order.dispute, deadlineAt: order.dispute.deadlineAt + stood } }
    : { ...going, ...shifted(order, stood) }
}

/** Entries of one chargeback are told apart by the step that made them. */
const of = (order: OrderDoc, { id }: Chargeback, nth: number, at: number) => ({
  order: order.id,
  chargeback: id,
  nth: (order.timeline.length + 1) * 10 + nth,
  seller: order.seller.id,
  currency: order.price.currency,
  at,
})
