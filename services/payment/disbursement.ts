// Money on its way to one seller: a transfer to the seller's account at the provider, then a payout from there to the bank;
// and back again when the bank does not take it.
import type { BankPayout, Transfer } from '../../adapters/payments/index.ts'
import type { Said } from '../../mixins/actor.ts'
import type { Money } from '../shapes.ts'
import { newOperation, settledCall, type CallName, type Failure, type Operation, type Step } from './operation.ts'
import { lookAfterMs } from './refund.ts'

export type DisbursementDoc = Operation & {
  kind: 'disbursement'
  seller: string
  account: string
  amount: Money
  /** reserved, transferred, sent, paid: on its way. failed, returned: it did not arrive; the transfer is then reversed. */
  state: 'reserved' | 'transferred' | 'sent' | 'paid' | 'failed' | 'returned'
  transferId: string | null
  bankPayoutId: string | null
  /** The transfer must come back to the platform. */
  reversal: 'none' | 'wanted' | 'done' | 'failed'
  look: boolean
  looks: number
}

export const newDisbursement = (
  id: string,
  asked: { seller: string; account: string; amount: Money },
  now: number,
): DisbursementDoc => ({
  ...newOperation(id, 'disbursement', now),
  ...asked,
  kind: 'disbursement',
  state: 'reserved',
  transferId: null,
  bankPayoutId: null,
  reversal: 'none',
  look: false,
  looks: 0,
})

export const nextCall = ({ state, reversal, look }: DisbursementDoc): CallName | null => {
  if (state === 'reserved') return 'transfer'
  if (state === 'transferred') return 'payout'
  if (state === 'sent' || state === 'paid') return look ? 'look' : null
  return reversal === 'wanted' ? 'reverse' : null
}

export const woken = (doc: DisbursementDoc): DisbursementDoc =>
  doc.state === 'sent' || doc.state === 'paid' ? { ...doc, look: true } : doc

/** Paid is not the end: a bank may send the money back for five working days. Looked at after these pauses, then no more. */
export const PAID_LOOKS_MS = [2 * 86_400_000, 5 * 86_400_000]

const result = ({ id, seller, amount }: DisbursementDoc) => ({ payout: id, seller, amount })

export const transferDone = (doc: DisbursementDoc, transfer: Transfer, now: number): Step<DisbursementDoc> => {
  if (doc.state !== 'reserved') return { next: doc, say: [] }
  if (transfer.amount.amount !== doc.amount.amount || transfer.amount.currency !== doc.amount.currency)
    return mismatched(doc, transfer, now)
  return {
    next: { ...settledCall(doc), state: 'transferred', transferId: transfer.id, wakeAt: now },
    say: [{ name: 'payment.transferred', data: { ...result(doc), transfer: transfer.id } }],
  }
}

const mismatched = (
  doc: DisbursementDoc,
  { id, amount }: { id: string; amount: Money },
  now: number,
): Step<DisbursementDoc> => {
  const message = `asked for ${doc.amount.amount} ${doc.amount.currency}, the provider has ${amount.amount} ${amount.currency} on ${id}`
  return {
    next: { ...settledCall(doc), look: false, wakeAt: null, stuck: { code: 'amount_mismatch', message, at: now } },
    say: [],
  }
}

/** The bank payout as the provider has it now; also long after it was paid, because banks send money back. */
export const applied = (doc: DisbursementDoc, payout: BankPayout, now: number): Step<DisbursementDoc> => {
  if (payout.amount.amount !== doc.amount.amount || payout.amount.currency !== doc.amount.currency)
    return mismatched(doc, payout, now)
  const sent: Said[] =
    doc.state === 'transferred'
      ? [{ name: 'payment.payout.sent', data: { ...result(doc), bankPayout: payout.id } }]
      : []
  const known = { ...settledCall(doc), bankPayoutId: payout.id, look: false, wakeAt: null }
  if (doc.state !== 'transferred' && doc.state !== 'sent' && doc.state !== 'paid') return { next: doc, say: [] }
  if (payout.status === 'failed' || payout.status === 'canceled') {
    const { code, message } = payout.failure ?? { code: payout.status, message: `the bank payout was ${payout.status}` }
    const stage = doc.state === 'paid' ? 'returned' : 'payout'
    const failed: Said = { name: 'payment.payout.failed', data: { ...result(doc), stage, code, reason: message } }
    return {
      next: { ...known, state: doc.state === 'paid' ? 'returned' : 'failed', reversal: 'wanted', wakeAt: now },
      say: [...sent, failed],
    }
  }
  if (doc.state === 'paid') return { next: stillPaid(doc, now), say: [] }
  if (payout.status === 'paid')
    return {
      next: { ...known, state: 'paid', looks: 0, wakeAt: now + PAID_LOOKS_MS[0]! },
      say: [...sent, { name: 'payment.payout.paid', data: { ...result(doc), bankPayout: payout.id } }],
    }
  return { next: { ...known, state: 'sent', looks: doc.looks + 1, wakeAt: now + lookAfterMs(doc.looks) }, say: sent }
}

/** Only its own looks count, not what webhooks repeat. */
const stillPaid = (doc: DisbursementDoc, now: number): DisbursementDoc => {
  if (!doc.look) return doc
  const looks = doc.looks + 1
  const pause = PAID_LOOKS_MS[looks]
  return { ...settledCall(doc), look: false, looks, wakeAt: pause === undefined ? null : now + pause }
}

export const reversalDone = (doc: DisbursementDoc, transfer: Transfer): Step<DisbursementDoc> => {
  if (doc.reversal !== 'wanted') return { next: doc, say: [] }
  const reversed: Said = { name: 'payment.transfer.reversed', data: { ...result(doc), transfer: transfer.id } }
  return { next: { ...settledCall(doc), reversal: 'done', wakeAt: null }, say: [reversed] }
}

/** Refused for good. Before the transfer nothing left the platform; after it the money is on the seller's account. */
export const refused = (
  doc: DisbursementDoc,
  call: CallName,
  { code, message }: Failure,
  now: number,
): Step<DisbursementDoc> => {
  if (call === 'reverse') return { next: { ...doc, reversal: 'failed', wakeAt: null }, say: [] }
  if (call === 'look')
    return { next: { ...doc, look: false, wakeAt: null, stuck: { code, message, at: now } }, say: [] }
  const stage = call === 'transfer' ? 'transfer' : 'payout'
  const failed: Said = { name: 'payment.payout.failed', data: { ...result(doc), stage, code, reason: message } }
  return {
    next: {
      ...doc,
      state: 'failed',
      reversal: stage === 'payout' ? 'wanted' : 'none',
      wakeAt: stage === 'payout' ? now : null,
    },
    say: [failed],
  }
}
