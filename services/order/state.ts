// The order's document: its state, its timeline, its next wake-up and what it has left to say. One document, one atom.
import type { ActorDoc } from '../../mixins/actor.ts'
import { actorCollection } from '../../mixins/actor.ts'
import type { Extra, Image, Package } from '../gig/contract.ts'
import type { DisputeStatus, OrderedPackage, OrderStatus, TipStatus } from './contract.ts'
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
}
export type Refund = { id: string; amount: number; settled: boolean; failed?: boolean }
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
/** All that was asked to go back, minor units. */
export const refundedOf = (order: Pick<OrderDoc, 'refunds'>): number =>
  refundsOf(order).reduce((sum, { amount }) => sum + amount, 0)
