// When things happen to an order by themselves. Pure; all times in platform epoch ms.
import type { OrderDoc } from './state.ts'

const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
/** Unpaid for this long: expired. */
export const PAY_WITHIN_MS = 30 * 60_000
/** Delivered and untouched for this long: completed. */
export const AUTO_COMPLETE_MS = 3 * DAY_MS
/** A proposal to cancel that nobody answers counts as agreed. */
export const CANCEL_SILENCE_MS = 48 * HOUR_MS
/** A proposal for more time that nobody answers is withdrawn. */
export const EXTENSION_SILENCE_MS = 4 * DAY_MS
/** A dispute that the other side does not answer is decided for who opened it. */
export const DISPUTE_ANSWER_MS = 48 * HOUR_MS
/** This long past due the buyer may cancel alone. */
export const LATE_CANCEL_MS = 24 * HOUR_MS
/** A revision gives the seller at least this long. */
export const REVISION_MS = 2 * DAY_MS
export const CLEARING_MS = 14 * DAY_MS
export const CLEARING_TOP_RATED_MS = 7 * DAY_MS

export type Timer =
  | 'expired'
  | 'late'
  | 'auto_completed'
  | 'cancelled_by_silence'
  | 'extension_withdrawn'
  | 'dispute_silence'
  | 'cleared'

/** What the clock will do next, earliest first. */
export const timersOf = (order: OrderDoc): { step: Timer; at: number }[] => {
  const { status, expiresAt, dueAt, late, autoCompleteAt, cancel, extension, clearsAt, clearedAt } = order
  const silence = cancel ? [{ step: 'cancelled_by_silence' as const, at: cancel.agreedAt }] : []
  const withdrawn = extension ? [{ step: 'extension_withdrawn' as const, at: extension.withdrawnAt }] : []
  const due: { step: Timer; at: number | null }[] =
    status === 'awaiting_payment'
      ? [{ step: 'expired', at: expiresAt }]
      : status === 'awaiting_requirements'
        ? silence
        : status === 'in_progress'
          ? [...silence, ...withdrawn, { step: 'late', at: late ? null : dueAt }]
          : status === 'delivered'
            ? [...silence, { step: 'auto_completed', at: autoCompleteAt }]
            : status === 'completed'
              ? [{ step: 'cleared', at: clearedAt ? null : clearsAt }]
              : status === 'disputed' && order.disputeStatus === 'open'
                ? [{ step: 'dispute_silence', at: order.dispute!.deadlineAt }]
                : []
  return due.filter((timer): timer is { step: Timer; at: number } => timer.at !== null).sort((a, b) => a.at - b.at)
}

export const wakeAtOf = (order: OrderDoc): number | null => timersOf(order)[0]?.at ?? null

/** Everything that is timed, later by as long as it stood still. */
export const shifted = (order: OrderDoc, ms: number) => {
  const later = (at: number | null) => at && at + ms
  const { cancel, extension } = order
  return {
    dueAt: later(order.dueAt),
    autoCompleteAt: later(order.autoCompleteAt),
    clearsAt: later(order.clearsAt),
    cancel: cancel && { ...cancel, agreedAt: cancel.agreedAt + ms },
    extension: extension ? { ...extension, withdrawnAt: extension.withdrawnAt + ms } : null,
  }
}

/** May the buyer cancel alone because the seller is too late? */
export const isTooLate = ({ status, dueAt }: Pick<OrderDoc, 'status' | 'dueAt'>, now: number): boolean =>
  status === 'in_progress' && dueAt !== null && now >= dueAt + LATE_CANCEL_MS
