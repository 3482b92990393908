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
  pm_card_refundFail: { brand: 'visa', last4: '5126', outcome: 'succeeds', refundFails: true },
  pm_card_threeDSecure2Required: { brand: 'visa', last4: '3220', outcome: 'authenticates' },
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
  pm_card_chargeDeclinedExpiredCard: declines('expired_card', undefined, 'Your card has expired.'),
  pm_card_chargeDeclinedIncorrectCvc: declines('incorrect_cvc', undefined, "Your card's security code is incorrect."),
  pm_card_chargeDeclinedProcessingError: declines(
    'processing_error',
    undefined,
    'An error occurred while processing your card. Try again in a little bit.',
  ),
}
