// The provider's own test cards, by their token.

export type TestMethod = {
  brand: string
  last4: string
  outcome: 'succeeds' | 'declines' | 'authenticates'
  code?: string
  declineCode?: string
  message?: string
  /** A refund of it succeeds and fails later. */
  refundFails?: true
  /** A refund of it is pending at first. */
  refundPends?: true
  /** Its money is never pending. */
  availableAtOnce?: true
  /** Its holder disputes the payment at once. */
  disputed?: { reason: string; inquiry: boolean }
  /** Its issuer reports it as fraud at once. */
  warned?: true
}

const visa = { brand: 'visa', last4: '4242' }
const declines = (code: string, declineCode: string | undefined, message: string): TestMethod => ({
  ...visa,
  outcome: 'declines',
  code,
  message,
  ...(declineCode && { declineCode }),
})

export const METHODS: Record<string, TestMethod> = {
  pm_card_visa: { ...visa, outcome: 'succeeds' },
  pm_card_visa_debit: { brand: 'visa', last4: '5556', outcome: 'succeeds' },
  pm_card_mastercard: { brand: 'mastercard', last4: '4444', outcome: 'succeeds' },
  pm_card_amex: { brand: 'amex', last4: '8431', outcome: 'succeeds' },
  pm_card_bypassPending: { brand: 'visa', last4: '0077', outcome: 'succeeds', availableAtOnce: true },
  pm_card_createDispute: {
    ...visa,
    last4: '0259',
    outcome: 'succeeds',
    disputed: { reason: 'fraudulent', inquiry: false },
  },
  pm_card_createDisputeProductNotReceived: {
    ...visa,
    last4: '2685',
    outcome: 'succeeds',
    disputed: { reason: 'product_not_received', inquiry: false },
  },
  pm_card_createDisputeInquiry: {
    ...visa,
    last4: '1976',
    outcome: 'succeeds',
    disputed: { reason: 'fraudulent', inquiry: true },
  },
  pm_card_createIssuerFraudRecord: { ...visa, last4: '5423', outcome: 'succeeds', warned: true },
  pm_card_pendingRefund: { ...visa, last4: '7726', outcome: 'succeeds', refundPends: true },
  pm_card_refundFail: { brand: 'visa', last4: '5126', outcome: 'succeeds', refundFails: true },
  pm_card_threeDSecure2Required: { brand: 'visa', last4: '3220', outcome: 'authenticates' },
  pm_card_threeDSecureRequired: { brand: 'visa', last4: '3063', outcome: 'authenticates' },
  pm_card_threeDSecureRequiredChargeDeclined: {
    ...declines('card_declined', 'generic_decline', 'Your card was declined.'),
    last4: '8399',
    outcome: 'authenticates',
  },
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: {
    ...declines('card_declined', 'insufficient_funds', 'Your card has insufficient funds.'),
    last4: '9995',
    outcome: 'authenticates',
  },
  pm_card_authenticationRequired: { brand: 'visa', last4: '3184', outcome: 'authenticates' },
  pm_card_chargeDeclined: declines('card_declined', 'generic_decline', 'Your card was declined.'),
  pm_card_visa_chargeDeclined: declines('card_declined', 'generic_decline', 'Your card was declined.'),
  pm_card_chargeDeclinedInsufficientFunds: declines(
    'card_declined',
    'insufficient_funds',
    'Your card has insufficient funds.',
  ),
  pm_card_visa_chargeDeclinedInsufficientFunds: declines(
    'card_declined',
    'insufficient_funds',
    'Your card has insufficient funds.',
  ),
  pm_card_visa_chargeDeclinedLostCard: declines('card_declined', 'lost_card', 'Your card was declined.'),
  pm_card_visa_chargeDeclinedStolenCard: declines('card_declined', 'stolen_card', 'Your card was declined.'),
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: declines(
    'card_declined',
    'card_velocity_exceeded',
    'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
  ),
  pm_card_radarBlock: declines('card_declined', 'fraudulent', 'Your card was declined.'),
  pm_card_chargeDeclinedFraudulent: declines('card_declined', 'fraudulent', 'Your card was declined.'),
  pm_card_chargeDeclinedExpiredCard: declines('expired_card', undefined, 'Your card has expired.'),
  pm_card_chargeDeclinedIncorrectCvc: declines('incorrect_cvc', undefined, "Your card's security code is incorrect."),
  pm_card_chargeDeclinedProcessingError: declines(
    'processing_error',
    undefined,
    'An error occurred while processing your card. Try again in a little bit.',
  ),
}
