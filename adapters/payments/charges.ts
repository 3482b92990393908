// Taking money from buyers and giving it back.
import type Stripe from 'stripe'
import { ask, askAll, requireObject, type Client } from './answer.ts'
import type { Payment, Payments, PaymentStatus, Refund } from './index.ts'
import { PaymentsError } from './index.ts'

type ChargeCalls = Pick<
  Payments,
  'createPayment' | 'confirmPayment' | 'cancelPayment' | 'retrievePayment' | 'refund' | 'retrieveRefund' | 'findRefunds'
>

const PAYMENT = { object: 'payment_intent', prefix: 'pi_' }
const REFUND = { object: 'refund', prefix: 're_' }
/** The provider's fee is known from here. */
const EXPAND = ['latest_charge.balance_transaction']

export const chargeCalls = (client: Client): ChargeCalls => ({
  // Captured at once and synchronously, or the fee would not be known with the success. Cards only: other methods
  // settle days later.
  createPayment: async ({ amount, metadata, description }, key) =>
    paymentOf(
      await ask(client, PAYMENT, (stripe) =>
        stripe.paymentIntents.create(
          {
            amount: amount.amount,
            currency: amount.currency,
            metadata,
            description,
            capture_method: 'automatic',
            allowed_payment_method_types: ['card'],
          },
          { idempotencyKey: key },
        ),
      ),
    ),
  confirmPayment: async (id, { paymentMethod, returnUrl }, key) => {
    try {
      return paymentOf(
        await ask(client, PAYMENT, (stripe) =>
          stripe.paymentIntents.confirm(
            id,
            { payment_method: paymentMethod, return_url: returnUrl, expand: EXPAND },
            { idempotencyKey: key },
          ),
        ),
      )
    } catch (error) {
      return declinedPayment(error)
    }
  },
  cancelPayment: async (id, key) =>
    paymentOf(
      await ask(client, PAYMENT, (stripe) =>
        stripe.paymentIntents.cancel(id, { expand: EXPAND }, { idempotencyKey: key }),
      ),
    ),
  retrievePayment: async (id) =>
    paymentOf(await ask(client, PAYMENT, (stripe) => stripe.paymentIntents.retrieve(id, { expand: EXPAND }, {}))),
  refund: async ({ paymentId, amount, metadata }, key) =>
    refundOf(
      await ask(client, REFUND, (stripe) =>
        stripe.refunds.create({ payment_intent: paymentId, amount: amount.amount, metadata }, { idempotencyKey: key }),
      ),
    ),
  retrieveRefund: async (id) => refundOf(await ask(client, REFUND, (stripe) => stripe.refunds.retrieve(id, {}, {}))),
  findRefunds: async (paymentId) =>
    (
      await askAll(client, REFUND, (stripe, page) => stripe.refunds.list({ payment_intent: paymentId, ...page }, {}))
    ).map(refundOf),
})

/** A decline is an answer, not a failure: the payment waits for another card. */
const declinedPayment = (error: unknown): Payment => {
  const cause =
    error instanceof PaymentsError
      ? (error.cause as { rawType?: string; payment_intent?: Stripe.PaymentIntent } | undefined)
      : undefined
  if (cause?.rawType !== 'card_error' || !cause.payment_intent) throw error
  requireObject(cause.payment_intent, PAYMENT)
  return paymentOf(cause.payment_intent)
}

const STATUSES: Record<string, PaymentStatus> = {
  requires_payment_method: 'requires_payment_method',
  requires_confirmation: 'requires_payment_method',
  requires_action: 'requires_action',
  requires_capture: 'processing',
  processing: 'processing',
  succeeded: 'succeeded',
  canceled: 'canceled',
}

const paymentOf = (intent: Stripe.PaymentIntent): Payment => {
  const status = STATUSES[intent.status]
  if (!status)
    throw new PaymentsError(
      'unknown',
      'unexpected_status',
      `A payment in the state ${String(intent.status)} is not known.`,
    )
  const redirect = intent.next_action?.redirect_to_url?.url
  return {
    id: intent.id,
    status,
    clientSecret: intent.client_secret ?? '',
    amount: { amount: intent.amount, currency: intent.currency },
    ...(status === 'succeeded' && settlementOf(intent.latest_charge)),
    ...(status === 'requires_action' && redirect && { nextAction: { type: 'redirect' as const, url: redirect } }),
    ...(status === 'requires_payment_method' && declineOf(intent.last_payment_error)),
    metadata: intent.metadata,
  }
}

const settlementOf = (charge: Stripe.PaymentIntent['latest_charge']): Pick<Payment, 'chargeId' | 'fee'> => {
  if (!charge) return {}
  if (typeof charge === 'string') return { chargeId: charge }
  const transaction = charge.balance_transaction
  if (!transaction || typeof transaction === 'string') return { chargeId: charge.id }
  return { chargeId: charge.id, fee: { amount: transaction.fee, currency: transaction.currency } }
}

const declineOf = (error: Stripe.PaymentIntent['last_payment_error']): Pick<Payment, 'declined'> => {
  if (!error) return {}
  const reason = error.decline_code === 'generic_decline' ? undefined : error.decline_code
  return {
    declined: { code: reason ?? error.code ?? 'card_declined', message: error.message ?? 'The card was declined.' },
  }
}

const REFUND_STATUSES: Record<string, Refund['status']> = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'canceled',
}

const refundOf = (refund: Stripe.Refund): Refund => ({
  id: refund.id,
  status: REFUND_STATUSES[refund.status ?? 'pending'] ?? 'pending',
  amount: { amount: refund.amount, currency: refund.currency },
  paymentId: typeof refund.payment_intent === 'string' ? refund.payment_intent : (refund.payment_intent?.id ?? ''),
})
