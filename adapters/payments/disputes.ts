// What comes back at the platform after a payment: disputes of cardholders, and issuers' warnings of fraud.
import type Stripe from 'stripe'
import { ask, askAll, type Client } from './answer.ts'
import type { Dispute, DisputeEvidence, DisputeStatus, FraudWarning, Payments } from './index.ts'
import { PaymentsError } from './index.ts'

type DisputeCalls = Pick<
  Payments,
  'retrieveDispute' | 'findDisputes' | 'submitEvidence' | 'acceptDispute' | 'retrieveFraudWarning'
>

/** `dp_` and `du_` are both in use. */
const DISPUTE = { object: 'dispute', prefix: 'd' }
const WARNING = { object: 'radar.early_fraud_warning', prefix: 'issfr_' }

export const disputeCalls = (client: Client): DisputeCalls => ({
  retrieveDispute: async (id) =>
    disputeOf(await ask(client, DISPUTE, (stripe) => stripe.disputes.retrieve(id, {}, {}))),
  findDisputes: async (paymentId) =>
    (
      await askAll(client, DISPUTE, (stripe, page) => stripe.disputes.list({ payment_intent: paymentId, ...page }, {}))
    ).map(disputeOf),
  submitEvidence: async (id, { evidence, metadata }, key) =>
    disputeOf(
      await answering(client, (stripe) =>
        stripe.disputes.update(id, { evidence: evidenceOf(evidence), metadata, submit: true }, { idempotencyKey: key }),
      ),
    ),
  acceptDispute: async (id, key) =>
    disputeOf(await answering(client, (stripe) => stripe.disputes.close(id, {}, { idempotencyKey: key }))),
  retrieveFraudWarning: async (id) =>
    warningOf(await ask(client, WARNING, (stripe) => stripe.radar.earlyFraudWarnings.retrieve(id, {}, {}))),
})

/** What comes too late is refused without a code and names no parameter, so it is told apart from a mistake of ours here. */
const answering: typeof askForDispute = async (client, call) => {
  try {
    return await askForDispute(client, call)
  } catch (error) {
    if (!(error instanceof PaymentsError) || error.kind !== 'bug') throw error
    const { statusCode, code, param, rawType } = error.cause as Failure
    if (statusCode !== 400 || code !== undefined || param !== undefined || rawType !== 'invalid_request_error')
      throw error
    const late = new PaymentsError('definitive', 'dispute_unexpected_state', error.message)
    late.cause = error.cause
    throw late
  }
}

type Failure = { statusCode?: number; code?: string; param?: string; rawType?: string }
const askForDispute = (client: Client, call: (stripe: Stripe) => Promise<Stripe.Response<Stripe.Dispute>>) =>
  ask(client, DISPUTE, call)

const WORDS = {
  accessLog: 'access_activity_log',
  customerEmail: 'customer_email_address',
  customerName: 'customer_name',
  customerIp: 'customer_purchase_ip',
  description: 'product_description',
  refundPolicy: 'refund_policy_disclosure',
  refundRefusal: 'refund_refusal_explanation',
  serviceDate: 'service_date',
  text: 'uncategorized_text',
} as const satisfies Record<keyof DisputeEvidence, keyof Stripe.DisputeUpdateParams.Evidence>

const evidenceOf = (evidence: DisputeEvidence): Stripe.DisputeUpdateParams.Evidence =>
  Object.fromEntries(
    Object.entries(evidence)
      .filter(([, said]) => said !== '')
      .map(([name, said]) => [WORDS[name as keyof DisputeEvidence], said]),
  )

/** An appeal is the network's second look at a lost dispute: another answer, or another decision, is awaited. */
const STATUSES: Record<string, DisputeStatus> = {
  needs_response: 'needs_response',
  warning_needs_response: 'needs_response',
  appeal_needs_response: 'needs_response',
  under_review: 'under_review',
  warning_under_review: 'under_review',
  appeal_under_review: 'under_review',
  won: 'won',
  lost: 'lost',
  warning_closed: 'closed',
  prevented: 'closed',
}

const disputeOf = (dispute: Stripe.Dispute): Dispute => {
  const status = STATUSES[dispute.status]
  if (!status)
    throw new PaymentsError('unknown', 'unexpected_status', `A dispute in the state ${dispute.status} is not known.`)
  const moved = dispute.balance_transactions.map((transaction) => inCurrencyOf(dispute, transaction))
  const dueBy = dispute.evidence_details.due_by
  return {
    id: dispute.id,
    paymentId: idOf(dispute.payment_intent),
    status,
    amount: { amount: dispute.amount, currency: dispute.currency },
    inquiry: dispute.status.startsWith('warning_'),
    reason: dispute.reason,
    taken: sum(moved, ({ amount }) => Math.max(0, -amount)),
    restored: sum(moved, ({ amount }) => Math.max(0, amount)),
    fees: sum(moved, ({ fee }) => fee),
    evidenceDueAt: status === 'needs_response' && dueBy !== null ? dueBy * 1000 : null,
    createdAt: dispute.created * 1000,
  }
}

/** Where the provider settles in another currency, its rate and fee are the settlement's matter, as with a charge's. */
const inCurrencyOf = (dispute: Stripe.Dispute, { currency, amount, fee }: Stripe.BalanceTransaction) =>
  currency === dispute.currency ? { amount, fee } : { amount: Math.sign(amount) * dispute.amount, fee: 0 }

const warningOf = (warning: Stripe.Radar.EarlyFraudWarning): FraudWarning => ({
  id: warning.id,
  paymentId: idOf(warning.payment_intent ?? null),
  actionable: warning.actionable,
  reason: warning.fraud_type,
  createdAt: warning.created * 1000,
})

const sum = <T>(all: T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0)

const idOf = (payment: string | { id: string } | null): string =>
  typeof payment === 'string' ? payment : (payment?.id ?? '')
