// A dispute of a payment by its card's bank, followed until it is over and answered when people say how. What it takes and
// gives back is said once each, in that order, however late anybody hears of it. Pure.
import type { Dispute, DisputeEvidence, DisputeStatus } from '../../adapters/payments/index.ts'
import type { Said } from '../../mixins/actor.ts'
import type { DisputeOutcome } from './contract.ts'
import { newOperation, settledCall, type CallName, type Failure, type Operation, type Step } from './operation.ts'
import { lookAfterMs } from './refund.ts'

/** What the provider says of it, as it was last seen. */
type Seen = Pick<
  Dispute,
  'paymentId' | 'amount' | 'inquiry' | 'reason' | 'taken' | 'restored' | 'fees' | 'evidenceDueAt'
>
export type DisputeDoc = Operation &
  Seen & {
    kind: 'dispute'
    order: string
    /** Set when the disputed payment is another charge of the order than its own. */
    charge?: string
    /** null: not looked at yet. */
    status: DisputeStatus | null
    /** When the bank opened it; in no listing before it is known. */
    disputedAt: number | null
    /** What is wanted of the provider next. */
    goal: 'look' | 'evidence' | 'accept' | null
    evidence: DisputeEvidence | null
    /** Why the provider would not take the last answer. */
    refusal: { code: string; message: string } | null
    looks: number
    /** What was said of it: money taken, and how it ended. */
    said: { taken: number; outcome: DisputeOutcome | null }
  }

type About = { order: string; charge?: string; paymentId: string; currency: string }

export const newDispute = (id: string, { currency, ...about }: About, now: number): DisputeDoc => ({
  ...newOperation(id, 'dispute', now),
  ...about,
  kind: 'dispute',
  status: null,
  amount: { amount: 0, currency },
  inquiry: false,
  reason: '',
  taken: 0,
  restored: 0,
  fees: 0,
  evidenceDueAt: null,
  disputedAt: null,
  goal: 'look',
  evidence: null,
  refusal: null,
  looks: 0,
  said: { taken: 0, outcome: null },
})

export const isOver = ({ status }: { status: DisputeStatus | null }): boolean =>
  status === 'won' || status === 'lost' || status === 'closed'

/** Can people still say something? */
export const isAnswerable = ({ status, goal }: DisputeDoc): boolean =>
  status === 'needs_response' && goal !== 'evidence' && goal !== 'accept'

export const answering = (doc: DisputeDoc, evidence: DisputeEvidence | null): DisputeDoc => ({
  ...settledCall(doc),
  goal: evidence ? 'evidence' : 'accept',
  evidence,
  refusal: null,
})

export const nextCall = ({ goal }: DisputeDoc): CallName | null => goal

/** Its timer asks how it stands, unless an answer is still to be delivered. */
export const woken = (doc: DisputeDoc): DisputeDoc => ({ ...doc, goal: doc.goal ?? 'look' })

/** The dispute as the provider has it now. An answer that it has not got yet is still to be delivered. */
export const looked = (doc: DisputeDoc, dispute: Dispute, now: number): Step<DisputeDoc> => {
  const isOpen = dispute.status === 'needs_response' && (doc.goal === 'evidence' || doc.goal === 'accept')
  return isOpen ? followed(doc, dispute, now) : answered(doc, dispute, now)
}

/** What the provider said to our answer. */
export const answered = (doc: DisputeDoc, dispute: Dispute, now: number): Step<DisputeDoc> => {
  const { next, say } = followed(doc, dispute, now)
  // Won and not paid yet: the money follows, and with it the end.
  const isDone = isOver(dispute) && next.said.outcome === dispute.status
  return {
    next: {
      ...settledCall(next),
      goal: null,
      looks: doc.looks + 1,
      wakeAt: isDone ? null : now + lookAfterMs(doc.looks),
    },
    say,
  }
}

const followed = (doc: DisputeDoc, dispute: Dispute, now: number): Step<DisputeDoc> => {
  const { status, amount, inquiry, reason, taken, restored, fees, evidenceDueAt, createdAt } = dispute
  const known: DisputeDoc = {
    ...doc,
    status,
    amount,
    inquiry,
    reason,
    taken,
    restored,
    fees,
    evidenceDueAt,
    disputedAt: createdAt,
  }
  const isNews = doc.status === null || taken > doc.said.taken
  const ended = endOf(known)
  const isEndNews = ended !== null && ended !== doc.said.outcome
  return {
    next: { ...known, said: { taken: Math.max(taken, doc.said.taken), outcome: ended ?? doc.said.outcome } },
    say: [...(isNews ? [disputed(known, now)] : []), ...(isEndNews ? [closed(known, ended, now)] : [])],
  }
}

/** A won one is over for us only when its money is back. */
const endOf = ({ status, taken, restored }: DisputeDoc): DisputeOutcome | null => {
  if (status === 'won') return taken === 0 || restored > 0 ? 'won' : null
  return status === 'lost' || status === 'closed' ? status : null
}

const aboutOf = ({ id, order, charge, paymentId, amount, taken, fees }: DisputeDoc) => ({
  order,
  ...(charge !== undefined && { charge }),
  dispute: id,
  payment: paymentId,
  amount,
  taken: { amount: taken, currency: amount.currency },
  fee: { amount: fees, currency: amount.currency },
})

const disputed = (doc: DisputeDoc, at: number): Said => {
  const { reason, inquiry, evidenceDueAt } = doc
  return { name: 'payment.disputed', data: { ...aboutOf(doc), reason, inquiry, evidenceDueAt, at } }
}

const closed = (doc: DisputeDoc, outcome: DisputeOutcome, at: number): Said => {
  const restored = { amount: doc.restored, currency: doc.amount.currency }
  return { name: 'payment.dispute.closed', data: { ...aboutOf(doc), outcome, restored, at } }
}

/** Too late, or never ours: what became of it is looked at. */
export const refused = (doc: DisputeDoc, call: CallName, { code, message }: Failure, now: number): Step<DisputeDoc> => {
  if (call === 'look') return { next: { ...doc, goal: null, wakeAt: null, stuck: { code, message, at: now } }, say: [] }
  return { next: { ...doc, goal: 'look', refusal: { code, message }, wakeAt: now }, say: [] }
}
