// When things happen to an order by themselves. Pure; all times in platform epoch ms.
import type { OrderDoc } from './state.ts'

const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
/** Unpaid for this long: expired. */
export const PAY_WITHIN_MS = 30 * 60_000
/** A tip may be given for this long after completion. */
export const TIP_WINDOW_MS = 60 * DAY_MS
/** The provider may take its time; a client that gives up sooner finds the outcome in the order. */
export const PAY_TIMEOUT_MS = 14_000
/** Delivered and untouched for this long: completed. */
export const AUTO_COMPLETE_MS = 3 * DAY_MS
/** A proposal to cancel that nobody answers counts as agreed. */
export const CANCEL_SILENCE_MS = 48 * HOUR_MS
/** A proposal for more time that nobody answers is withdrawn. */
export const EXTENSION_SILENCE_MS = 4 * DAY_MS
/** An offer to give part of the money back that nobody answers is withdrawn. */
export const REFUND_OFFER_MS = 4 * DAY_MS
/** A dispute that the other side does not answer is decided for who opened it. */
export const DISPUTE_ANSWER_MS = 48 * HOUR_MS
/** This long past due the buyer may cancel alone. */
export const LATE_CANCEL_MS = 24 * HOUR_MS
/** The seller's questions unanswered for this long: cancelled. */
export const REQUIREMENTS_WITHIN_MS = 14 * DAY_MS
/** Paid this long ago, overdue and still not delivered: cancelled; the parties are warned before. */
export const STUCK_MS = 75 * DAY_MS
export const STUCK_WARNING_MS = 3 * DAY_MS
/** A revision gives the seller at least this long. */
export const REVISION_MS = 2 * DAY_MS
export const CLEARING_MS = 14 * DAY_MS
export const CLEARING_TOP_RATED_MS = 7 * DAY_MS
/** After an issuer's warning of fraud nothing clears for this long: most that are disputed are by then. */
export const WARNING_HOLD_MS = 30 * DAY_MS

export type Timer =
  | 'expired'
  | 'late'
  | 'requirements_timed_out'
  | 'stuck_warned'
  | 'stuck_cancelled'
  | 'auto_completed'
  | 'cancelled_by_silence'
  | 'extension_withdrawn'
  | 'refund_offer_withdrawn'
  | 'dispute_silence'
  | 'cleared'
  | 'tip_expired'
  | 'extras_expired'
  | 'tip_cleared'

/** `charge` is set for those of a tip or a purchase. */
export type Due = { step: Timer; at: number; charge?: string }
type Maybe = Omit<Due, 'at'> & { at: number | null | undefined }

/** What the clock will do next, earliest first. */
export const timersOf = (order: OrderDoc): Due[] =>
  dueOf(order)
    .filter((timer): timer is Due => timer.at !== null && timer.at !== undefined)
    .sort((a, b) => a.at - b.at)

const dueOf = (order: OrderDoc): Maybe[] => [...unpaidOf(order), ...(isFrozen(order) ? [] : ofStatus(order))]

const ofStatus = (order: OrderDoc): Maybe[] => {
  const { late, clearedAt } = order
  switch (order.status) {
    case 'awaiting_payment':
      return [{ step: 'expired', at: order.expiresAt }]
    case 'awaiting_requirements':
      return [
        ...proposalsOf(order),
        { step: 'requirements_timed_out', at: later(order.paidAt, REQUIREMENTS_WITHIN_MS + (order.frozenMs ?? 0)) },
      ]
    case 'in_progress':
      return [
        ...proposalsOf(order),
        { step: 'late', at: late ? null : order.dueAt },
        { step: 'stuck_warned', at: order.stuckWarned ? null : later(stuckAt(order), -STUCK_WARNING_MS) },
        { step: 'stuck_cancelled', at: stuckAt(order) },
      ]
    case 'delivered':
      return [...proposalsOf(order), { step: 'auto_completed', at: order.autoCompleteAt }]
    case 'completed':
      return [{ step: 'cleared', at: clearedAt ? null : order.clearsAt }, ...clearingTips(order)]
    case 'disputed':
      return [{ step: 'dispute_silence', at: order.disputeStatus === 'open' ? order.dispute?.deadlineAt : null }]
    case 'cancelled':
      return clearingTips(order)
    case 'expired':
      return []
  }
}

/** The card's bank has the money of it: nobody and no timer moves it. */
export const isFrozen = ({ frozenAt }: Pick<OrderDoc, 'frozenAt'>): boolean => typeof frozenAt === 'number'

const later = (at: number | null, ms: number): number | null => at && at + ms

/** An order that was agreed to take longer, or given more time, is not stuck before it is a day overdue. */
const stuckAt = ({ paidAt, dueAt, frozenMs = 0 }: OrderDoc): number | null =>
  paidAt === null || dueAt === null
    ? null
    : Math.max(paidAt + frozenMs + STUCK_MS, dueAt + LATE_CANCEL_MS + STUCK_WARNING_MS)

/** Further charges that nobody has paid yet. */
const unpaidOf = ({ tips = [], purchases = [] }: OrderDoc): Maybe[] => [
  ...unpaid('tip_expired', tips),
  ...unpaid('extras_expired', purchases),
]
const unpaid = (step: Timer, charges: readonly { id: string; status: string; expiresAt: number }[]): Maybe[] =>
  charges
    .filter(({ status }) => status === 'awaiting_payment')
    .map(({ id, expiresAt }) => ({ step, at: expiresAt, charge: id }))
const clearingTips = ({ tips = [] }: OrderDoc): Maybe[] =>
  tips
    .filter(({ status }) => status === 'paid')
    .map(({ id, clearsAt }) => ({ step: 'tip_cleared', at: clearsAt, charge: id }))

/** What nobody answers: a proposal to cancel counts as agreed, any other is withdrawn. */
const proposalsOf = ({ cancel, extension, refundOffer }: OrderDoc) => [
  { step: 'cancelled_by_silence' as const, at: cancel?.agreedAt },
  { step: 'extension_withdrawn' as const, at: extension?.withdrawnAt },
  { step: 'refund_offer_withdrawn' as const, at: refundOffer?.withdrawnAt },
]

export const wakeAtOf = (order: OrderDoc): number | null => timersOf(order)[0]?.at ?? null

/** Everything that is timed, later by as long as it stood still. */
export const shifted = (order: OrderDoc, ms: number) => {
  const { cancel, extension, refundOffer } = order
  return {
    dueAt: later(order.dueAt, ms),
    autoCompleteAt: later(order.autoCompleteAt, ms),
    clearsAt: later(order.clearsAt, ms),
    cancel: cancel && { ...cancel, agreedAt: cancel.agreedAt + ms },
    refundOffer: refundOffer ? { ...refundOffer, withdrawnAt: refundOffer.withdrawnAt + ms } : null,
    ...(order.tips && {
      tips: order.tips.map((tip) => (tip.status === 'paid' ? { ...tip, clearsAt: later(tip.clearsAt, ms) } : tip)),
    }),
    extension: extension ? { ...extension, withdrawnAt: extension.withdrawnAt + ms } : null,
  }
}

/** May the buyer cancel alone because the seller is too late? */
export const isTooLate = ({ status, dueAt }: Pick<OrderDoc, 'status' | 'dueAt'>, now: number): boolean =>
  status === 'in_progress' && dueAt !== null && now >= dueAt + LATE_CANCEL_MS
