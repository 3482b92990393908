// One refund of an order's payment.
import type { Refund } from '../../adapters/payments/index.ts'
import type { Money } from '../shapes.ts'
import { newOperation, settledCall, type CallName, type Failure, type Operation, type Step } from './operation.ts'

export type RefundDoc = Operation & {
  kind: 'refund'
  order: string
  amount: Money
  paymentId: string
  state: 'asked' | 'sent' | 'done' | 'failed'
  refundId: string | null
  /** Time for another look at one that is under way. */
  look: boolean
  looks: number
  failure: { code: string; message: string } | null
}

/** Pauses between looks at what travels through banks; the last one repeats. */
export const LOOKS_MS = [60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000]
export const lookAfterMs = (looks: number): number => LOOKS_MS[Math.min(looks, LOOKS_MS.length - 1)]!

export const newRefund = (
  id: string,
  asked: { order: string; amount: Money; paymentId: string },
  now: number,
): RefundDoc => ({
  ...newOperation(id, 'refund', now),
  ...asked,
  kind: 'refund',
  state: 'asked',
  refundId: null,
  look: false,
  looks: 0,
  failure: null,
})

export const nextCall = ({ state, look }: RefundDoc): CallName | null =>
  state === 'asked' ? 'refund' : state === 'sent' && look ? 'look' : null

export const woken = (doc: RefundDoc): RefundDoc => (doc.state === 'sent' ? { ...doc, look: true } : doc)

export const applied = (doc: RefundDoc, refund: Refund, now: number): Step<RefundDoc> => {
  if (refund.amount.amount !== doc.amount.amount || refund.amount.currency !== doc.amount.currency) {
    const message = `asked to refund ${doc.amount.amount} ${doc.amount.currency}, the provider has ${refund.amount.amount} ${refund.amount.currency} on ${refund.id}`
    return {
      next: { ...settledCall(doc), wakeAt: null, look: false, stuck: { code: 'amount_mismatch', message, at: now } },
      say: [],
    }
  }
  const known = { ...settledCall(doc), refundId: refund.id, look: false, wakeAt: null }
  if (refund.status === 'succeeded') {
    if (doc.state === 'done') return { next: doc, say: [] }
    return {
      next: { ...known, state: 'done' },
      say: [{ name: 'payment.refunded', data: { order: doc.order, refund: doc.id, amount: doc.amount, at: now } }],
    }
  }
  if (refund.status === 'pending')
    return {
      next:
        doc.state === 'done' || doc.state === 'failed'
          ? doc
          : { ...known, state: 'sent', looks: doc.looks + 1, wakeAt: now + lookAfterMs(doc.looks) },
      say: [],
    }
  return failed(known, { code: 'refund_failed', message: `the provider could not send refund ${refund.id}` })
}

export const refused = (doc: RefundDoc, failure: Failure): Step<RefundDoc> => failed({ ...doc, wakeAt: null }, failure)

/** The buyer's money is still with us: people must find another way. Said once, whenever it turns out. */
const failed = (doc: RefundDoc, { code, message }: { code: string; message: string }): Step<RefundDoc> => {
  if (doc.state === 'failed') return { next: doc, say: [] }
  const data = {
    order: doc.order,
    refund: doc.id,
    amount: doc.amount,
    code,
    reason: message,
    wasSettled: doc.state === 'done',
  }
  return {
    next: { ...doc, state: 'failed', failure: { code, message } },
    say: [{ name: 'payment.refund.failed', data }],
  }
}
