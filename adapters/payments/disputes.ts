// What comes back at the platform after a payment: disputes of cardholders, and issuers' warnings of fraud.
import type Stripe from 'stripe'
import { ask, askAll, type Client } from './answer.ts'
import type { Dispute, FraudWarning, Payments } from './index.ts'
import { PaymentsError } from './index.ts'

type DisputeCalls = Pick<
  Payments,
  | 'retrieveDispute'
  | 'findDisputes'
  | 'submitEvidence'
  | 'closeDispute'
  | 'retrieveFraudWarning'
  | 'findFraudWarnings'
>

const DISPUTE = { object: 'dispute', prefix: 'dp_' }
/** Older disputes have this prefix; both are in use. */
const MOVED = { object: 'dispute', prefix: 'd', moves: true }
const WARNING = { object: 'radar.early_fraud_warning', prefix: 'issfr_' }

export const disputeCalls = (client: Client): DisputeCalls => ({
  retrieveDispute: async (id) => disputeOf(await ask(client, DISPUTE, (stripe) => stripe.disputes.retrieve(id, {}, {}))),
  findDisputes: async (paymentId) =>
    (
      await askAll(client, DISPUTE, (stripe, page) => stripe.disputes.list({ payment_intent: paymentId, ...page }, {}))
    ).map(disputeOf),
  submitEvidence: async (id, { evidence, metadata, submit }, key) =>
    disputeOf(
      await ask(client, MOVED, (stripe) =>
        stripe.disputes.update(id, { evidence: wireOf(evidence), metadata, submit }, { idempotencyKey: key }),
      ),
    ),
  closeDispute: async (id, key) =>
    disputeOf(await ask(client, MOVED, (stripe) => stripe.disputes.close(id, {}, { idempotencyKey: key }))),
  retrieveFraudWarning: async (id) =>
    warningOf(await ask(client, WARNING, (stripe) => stripe.radar.earlyFraudWarnings.retrieve(id, {}, {}))),
  findFraudWarnings: async (paymentId) =>
    (
      await askAll(client, WARNING, (stripe, page) =>
        stripe.radar.earlyFraudWarnings.list({ payment_intent: paymentId, ...page }, {}),
      )
    ).map(warningOf),
})
