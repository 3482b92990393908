// The order's whole life in one table: who may take a step, from where, where it leads, what it does with the money.
// Pure.
import type { OrderStatus } from './contract.ts'

/** New orders run this version to their end; a changed table gets a new number and old orders keep theirs. */
export const PROCESS_VERSION = 1

export type Role = 'buyer' | 'seller' | 'system' | 'clock' | 'admin'
/** What a step does with the money held for the order. */
export type MoneyMove =
  | 'charge'
  | 'refund'
  | 'release'
  | 'clear'
  | 'tip'
  | 'credit'
  | 'take back'
  | 'give again'
  | 'bear'
export type Step = {
  by: readonly Role[]
  from: readonly OrderStatus[]
  /** The status it leads to; 'stay' keeps it, 'former' is the one before the dispute. */
  to: OrderStatus | 'stay' | 'former'
  money?: readonly MoneyMove[]
  /** The action a client names; absent for steps nobody may ask for. */
  action?: string
}

/** Where a completed order may be by the time its tip is paid. */
const ENDED = ['completed', 'disputed', 'cancelled'] as const satisfies readonly OrderStatus[]
const WORKING = ['in_progress', 'delivered'] as const satisfies readonly OrderStatus[]
/** Wherever an order may be once money came for it. */
const PAID = [
  'awaiting_requirements',
  ...WORKING,
  'completed',
  'cancelled',
  'disputed',
  'expired',
] as const satisfies readonly OrderStatus[]

export const steps = {
  placed: { by: ['buyer'], from: [], to: 'awaiting_payment' },
  payment_failed: { by: ['buyer'], from: ['awaiting_payment'], to: 'stay', action: 'pay' },
  paid: { by: ['system'], from: ['awaiting_payment'], to: 'awaiting_requirements', money: ['charge'] },
  /** A gig without required questions starts at once. */
  paid_and_started: { by: ['system'], from: ['awaiting_payment'], to: 'in_progress', money: ['charge'] },
  expired: { by: ['clock'], from: ['awaiting_payment'], to: 'expired' },
  /** Money that arrives for an order that can't be worked on any more goes straight back. */
  paid_too_late: { by: ['system'], from: ['expired', 'cancelled'], to: 'stay', money: ['charge', 'refund'] },
  requirements_answered: { by: ['buyer'], from: ['awaiting_requirements'], to: 'in_progress', action: 'requirements' },
  delivered: { by: ['seller'], from: ['in_progress'], to: 'delivered', action: 'deliver' },
  late: { by: ['clock'], from: ['in_progress'], to: 'stay' },
  extras_begun: { by: ['buyer'], from: ['awaiting_requirements', 'in_progress'], to: 'stay', action: 'extras' },
  extras_declined: { by: ['buyer'], from: PAID, to: 'stay', action: 'extras' },
  extras_expired: { by: ['clock'], from: PAID, to: 'stay' },
  extras_added: { by: ['system'], from: ['awaiting_requirements', 'in_progress'], to: 'stay', money: ['charge'] },
  /** The work they were for is over, or stands still: the money goes straight back. */
  extras_paid_too_late: { by: ['system'], from: PAID, to: 'stay', money: ['charge', 'refund'] },
  revision_requested: { by: ['buyer'], from: ['delivered'], to: 'in_progress', action: 'revision' },
  accepted: { by: ['buyer'], from: ['delivered'], to: 'completed', money: ['release'], action: 'accept' },
  auto_completed: { by: ['clock'], from: ['delivered'], to: 'completed', money: ['release'] },
  cancelled_unpaid: { by: ['buyer'], from: ['awaiting_payment'], to: 'cancelled', action: 'cancel' },
  cancelled_before_work: {
    by: ['buyer'],
    from: ['awaiting_requirements'],
    to: 'cancelled',
    money: ['refund'],
    action: 'cancel',
  },
  extension_proposed: { by: ['seller'], from: ['in_progress'], to: 'stay', action: 'extend' },
  extension_agreed: { by: ['buyer'], from: ['in_progress'], to: 'stay', action: 'extend' },
  extension_declined: { by: ['buyer'], from: ['in_progress'], to: 'stay', action: 'decline' },
  extension_withdrawn: { by: ['clock'], from: ['in_progress'], to: 'stay' },
  /** 24 hours past due the buyer need not ask. */
  cancelled_late: { by: ['buyer'], from: ['in_progress'], to: 'cancelled', money: ['refund'], action: 'cancel' },
  cancel_proposed: {
    by: ['buyer', 'seller'],
    from: ['awaiting_requirements', ...WORKING],
    to: 'stay',
    action: 'cancel',
  },
  /** The buyer never answered the seller's questions. */
  requirements_timed_out: { by: ['clock'], from: ['awaiting_requirements'], to: 'cancelled', money: ['refund'] },
  /** Nobody moves an overdue order any more: a warning, then the money goes back before the card's bank forgets it. */
  stuck_warned: { by: ['clock'], from: ['in_progress'], to: 'stay' },
  stuck_cancelled: { by: ['clock'], from: ['in_progress'], to: 'cancelled', money: ['refund'] },
  cancel_declined: {
    by: ['buyer', 'seller'],
    from: ['awaiting_requirements', ...WORKING],
    to: 'stay',
    action: 'decline',
  },
  cancelled: {
    by: ['buyer', 'seller'],
    from: ['awaiting_requirements', ...WORKING],
    to: 'cancelled',
    money: ['refund'],
    action: 'cancel',
  },
  cancelled_by_silence: {
    by: ['clock'],
    from: ['awaiting_requirements', ...WORKING],
    to: 'cancelled',
    money: ['refund'],
  },
  refund_offered: { by: ['seller'], from: ['awaiting_requirements', ...WORKING], to: 'stay', action: 'refund-offer' },
  refund_agreed: {
    by: ['buyer'],
    from: ['awaiting_requirements', ...WORKING],
    to: 'stay',
    money: ['refund'],
    action: 'refund-offer',
  },
  refund_declined: { by: ['buyer'], from: ['awaiting_requirements', ...WORKING], to: 'stay', action: 'decline' },
  refund_offer_withdrawn: { by: ['clock'], from: ['awaiting_requirements', ...WORKING], to: 'stay' },
  partly_refunded: {
    by: ['admin'],
    from: ['awaiting_requirements', ...WORKING, 'completed'],
    to: 'stay',
    money: ['refund'],
  },
  fully_refunded: {
    by: ['admin'],
    from: ['awaiting_requirements', ...WORKING, 'completed'],
    to: 'cancelled',
    money: ['refund'],
  },
  disputed: { by: ['buyer', 'seller'], from: WORKING, to: 'disputed', action: 'dispute' },
  disputed_while_clearing: { by: ['buyer'], from: ['completed'], to: 'disputed', action: 'dispute' },
  dispute_contested: { by: ['buyer', 'seller'], from: ['disputed'], to: 'stay', action: 'dispute/answer' },
  dispute_withdrawn: { by: ['buyer', 'seller'], from: ['disputed'], to: 'former', action: 'dispute/withdraw' },
  /** The other side agreed or stayed silent, or an admin decided. */
  dispute_won_by_buyer: {
    by: ['seller', 'clock', 'admin'],
    from: ['disputed'],
    to: 'cancelled',
    money: ['refund'],
    action: 'dispute/answer',
  },
  dispute_won_by_seller: {
    by: ['buyer', 'clock', 'admin'],
    from: ['disputed'],
    to: 'completed',
    money: ['release'],
    action: 'dispute/answer',
  },
  dispute_split: { by: ['admin'], from: ['disputed'], to: 'completed', money: ['refund', 'release'] },
  /** The provider has sent a refund; where the order is by then does not matter. */
  refunded: {
    by: ['system'],
    from: PAID,
    to: 'stay',
  },
  /** The provider could not send it, perhaps after it said it had: the buyer has it as credit. */
  refund_failed: {
    by: ['system'],
    from: PAID,
    to: 'stay',
    money: ['credit'],
  },
  /** The card's bank only wants to know; no money has moved. */
  payment_questioned: { by: ['system'], from: PAID, to: 'stay' },
  question_closed: { by: ['system'], from: PAID, to: 'stay' },
  /** The card's bank has taken a payment back: nothing moves until it has decided. */
  charged_back: { by: ['system'], from: PAID, to: 'stay', money: ['take back'] },
  chargeback_won: { by: ['system'], from: PAID, to: 'stay', money: ['give again'] },
  chargeback_lost: { by: ['system'], from: PAID, to: 'stay', money: ['bear'] },
  /** Nothing of the order's own money is left. */
  cancelled_by_chargeback: {
    by: ['system'],
    from: ['awaiting_requirements', ...WORKING, 'completed', 'disputed'],
    to: 'cancelled',
    money: ['bear'],
  },
  /** The card's issuer reports fraud: recorded, and what is earned clears later. */
  fraud_warned: { by: ['system'], from: PAID, to: 'stay' },
  /** The same while nothing was delivered: given back at once, before it becomes a chargeback. */
  cancelled_on_warning: {
    by: ['system'],
    from: ['awaiting_requirements', 'in_progress'],
    to: 'cancelled',
    money: ['refund'],
  },
  cleared: { by: ['clock'], from: ['completed'], to: 'stay', money: ['clear'] },
  tip_begun: { by: ['buyer'], from: ['completed'], to: 'stay', action: 'tip' },
  tip_declined: { by: ['buyer'], from: ENDED, to: 'stay', action: 'tip' },
  tip_expired: { by: ['clock'], from: ENDED, to: 'stay' },
  tipped: { by: ['system'], from: ENDED, to: 'stay', money: ['tip'] },
  tip_cleared: { by: ['clock'], from: ['completed', 'cancelled'], to: 'stay', money: ['clear'] },
} as const satisfies Record<string, Step>

export type StepName = keyof typeof steps
export const stepOf = (name: string): Step | undefined =>
  Object.hasOwn(steps, name) ? steps[name as StepName] : undefined

/** Where a step leads, or null when the status forbids it. `former`: where the order stood before its dispute. */
export const leadsTo = (
  name: StepName,
  status: OrderStatus | null,
  former: OrderStatus | null = null,
): OrderStatus | null => {
  const step: Step = steps[name]
  const allowed = status === null ? step.from.length === 0 : step.from.includes(status)
  if (!allowed) return null
  return step.to === 'stay' ? status : step.to === 'former' ? former : step.to
}

/** Does this history walk the table? Answers what is wrong with it, or null; `end` is where it must have arrived. */
export const brokenHistory = (types: readonly string[], end: OrderStatus): string | null => {
  let status: OrderStatus | null = null
  let former: OrderStatus | null = null
  for (const [at, type] of types.entries()) {
    if (!stepOf(type)) return `event ${at + 1} is no step: ${type}`
    const next: OrderStatus | null = leadsTo(type as StepName, status, former)
    if (next === 'disputed' && status !== 'disputed') former = status
    if (next === null) return `event ${at + 1}: ${type} is not allowed from ${status ?? 'the beginning'}`
    status = next
  }
  return status === end ? null : `the history ends in ${status ?? 'nothing'}, the order is ${end}`
}

/** What a dispute may have stopped. */
const FORMER = [...WORKING, 'completed'] as const

/** The table as a Mermaid state diagram, for docs/architecture.md. */
export const diagram = (): string => {
  const rows = Object.entries(steps as Record<string, Step>).flatMap(([name, { from, to, by, money }]) => {
    const label = `${name} (${by.join(', ')})${money ? ` / ${money.join(' + ')}` : ''}`
    if (from.length === 0) return [`  [*] --> ${to}: ${label}`]
    if (to === 'former') return FORMER.map((status) => `  disputed --> ${status}: ${label}`)
    return from.map((status) => `  ${status} --> ${to === 'stay' ? status : to}: ${label}`)
  })
  return ['stateDiagram-v2', ...rows].join('\n')
}
