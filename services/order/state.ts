// The order's document: its state, its timeline, its next wake-up and what it has left to say. One document, one atom.
import type { ActorDoc } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import type { Extra, Image, Package } from '../gig/contract.ts'
import type {
  ChargebackStatus,
  DisputeStatus,
  OrderedPackage,
  OrderStatus,
  PurchaseStatus,
  TipStatus,
} from './contract.ts'
import type { FeePolicy, Price } from './price.ts'

export type Party = { id: string; username: string; displayName: string }
export type TimelineEvent = {
  seq: number
  type: string
  at: number
  actor: { role: string; id?: string }
  data: Record<string, unknown>
}

/** `expiresAt`: unpaid until then it is dropped. `clearsAt`: set once paid. Minor units of the order's currency. */
export type Tip = {
  id: string
  amount: number
  commission: number
  status: TipStatus
  at: number
  expiresAt: number
  clearsAt: number | null
  /** Lost to the card's bank. */
  lost?: number
}
/** Extras bought during work: a charge of its own. Minor units of the order's currency. */
export type Purchase = {
  id: string
  extras: Extra[]
  subtotal: number
  serviceFee: number
  status: PurchaseStatus
  at: number
  /** Unpaid until then it is dropped. */
  expiresAt: number
}
/** `charge`: what it is of when that is not the order's own payment. `outside`: it never was part of the price. */
export type Refund = { id: string; amount: number; charge?: string; outside?: true; settled: boolean; failed?: boolean }
/** What a card's bank took back of one of the order's payments, or asks about. Minor units of the order's currency. */
export type Chargeback = {
  id: string
  /** Set when it is of another charge than the order's own payment. */
  charge?: string
  amount: number
  reason: string
  status: ChargebackStatus
  /** All that the bank has taken and given back, and the provider has kept for it, so far. */
  taken: number
  restored: number
  fee: number
  /** Of the seller's available money, until it is decided. */
  held: number
  /** Of what the order had left: gone for good. */
  gone: number
  /** Who bore a lost one: account → minor units. */
  bore?: Record<string, number>
  at: number
}
/** An issuer's report that a payment is fraud. */
export type Warning = { id: string; charge?: string; reason: string; at: number }
export type Dispute = {
  id: string
  by: 'buyer' | 'seller'
  reason: string
  text?: string
  /** Where the order stood. */
  former: OrderStatus
  openedAt: number
  /** Until then the other side may answer. */
  deadlineAt: number
}

export type OrderDoc = ActorDoc & {
  processVersion: number
  status: OrderStatus
  late: boolean
  buyer: Party
  seller: Party
  /** For the indexes, which know top-level fields only. */
  buyerId: string
  sellerId: string
  gig: { id: string; title: string; version: number; image: Image | null }
  chosen: Package & { name: OrderedPackage }
  /** The accepted offer it came from. */
  offer?: string
  extras: Extra[]
  quantity: number
  requirements: { id: string; question: string; type: string; required: boolean; answer?: string }[]
  policy: FeePolicy
  price: Price
  clearingMs: number
  payment: { provider: string; paymentId: string; clientSecret: string; status: string } | null
  createdAt: number
  expiresAt: number
  paidAt: number | null
  dueAt: number | null
  autoCompleteAt: number | null
  completedAt: number | null
  clearsAt: number | null
  clearedAt: number | null
  revisionsLeft: number
  /** An open proposal to cancel; `agreedAt` is when silence agrees. */
  cancel: { by: 'buyer' | 'seller'; reason: string; agreedAt: number } | null
  /** An open proposal of the seller for more time; `withdrawnAt` is when silence ends it. Absent in old orders. */
  extension?: { days: number; reason: string; withdrawnAt: number } | null
  /** An open offer of the seller to give part of it back; `withdrawnAt` is when silence ends it. */
  refundOffer?: { amount: number; reason: string; withdrawnAt: number } | null
  /** Said once that it will be cancelled if nobody moves it. */
  stuckWarned?: boolean
  /** Oldest first; absent until there is one. */
  purchases?: Purchase[]
  /** Tips begun, oldest first; absent until there is one. */
  tips?: Tip[]
  /** Refunds asked of the provider, oldest first; absent until there is one. */
  refunds?: Refund[]
  /** The last dispute, also when it is over. */
  dispute?: Dispute | null
  disputesOpened?: number
  /** For the indexes, which know top-level fields only. */
  disputeId?: string
  disputeStatus?: DisputeStatus
  disputedAt?: number
  /** Heard of, oldest first; absent until there is one. */
  chargebacks?: Chargeback[]
  /** Since when nothing moves, because the card's bank has the money; null or absent: it moves. */
  frozenAt?: number | null
  /** How long it has been frozen in all. */
  frozenMs?: number
  /** Credited to the buyer for refunds that failed, less what a chargeback has settled of it. */
  credited?: number
  /** Written off because the buyer has it twice, from a refund and from the card's bank. */
  writtenOff?: number
  warnings?: Warning[]
  reviewedBy: ('buyer' | 'seller')[]
  timeline: TimelineEvent[]
  /** Ids of the last commands, newest last: one asked again changes nothing. */
  commands: string[]
}

/** Events one order may have; a party that moves it more often is refused. */
export const TIMELINE_MAX = 1000
/** Commands remembered per order. */
export const COMMANDS_MAX = 50

export const orders = actorCollection<OrderDoc>('orders', {
  byBuyer: { keys: ['buyerId', 'createdAt'] },
  bySeller: { keys: ['sellerId', 'createdAt'] },
  byBuyerStatus: { keys: ['buyerId', 'status', 'createdAt'] },
  bySellerStatus: { keys: ['sellerId', 'status', 'createdAt'] },
  byDispute: { keys: ['disputeId'], unique: true },
  byDisputed: { keys: ['disputedAt'] },
  byDisputeStatus: { keys: ['disputeStatus', 'disputedAt'] },
})

export const refundsOf = ({ refunds }: Pick<OrderDoc, 'refunds'>): readonly Refund[] => refunds ?? []
/** All of the price that was asked to go back, minor units. */
export const refundedOf = (order: Pick<OrderDoc, 'refunds'>): number =>
  refundsOf(order).reduce((sum, { amount, outside }) => sum + (outside ? 0 : amount), 0)
export const chargebacksOf = ({ chargebacks }: Pick<OrderDoc, 'chargebacks'>): readonly Chargeback[] =>
  chargebacks ?? []
/** All of the price that has gone: asked to go back, or lost to a card's bank. Minor units. */
export const goneOf = (order: Pick<OrderDoc, 'refunds' | 'chargebacks' | 'tips'>): number =>
  refundedOf(order) + chargebacksOf(order).reduce((sum, { charge, gone }) => sum + (isTip(order, charge) ? 0 : gone), 0)

export const purchasesOf = ({ purchases }: Pick<OrderDoc, 'purchases'>): readonly Purchase[] => purchases ?? []
export const isTip = ({ tips = [] }: Pick<OrderDoc, 'tips'>, charge: string | undefined): boolean =>
  tips.some(({ id }) => id === charge)
