// The payment provider's port: separate charges and transfers. Every call names the durable operation it comes from by `key`;
// the same key may be sent again while the outcome is unknown and never executes twice. No call here is made without one.

export type Amount = { amount: number; currency: string }

export type PaymentStatus = 'requires_payment_method' | 'requires_action' | 'processing' | 'succeeded' | 'canceled'

export type Payment = {
  id: string
  status: PaymentStatus
  clientSecret: string
  amount: Amount
  /** Set once succeeded: the provider's fee on it, in the same currency. */
  fee?: Amount
  chargeId?: string
  /** What the buyer must do next (3-D Secure), as a URL to open. */
  nextAction?: { type: 'redirect'; url: string }
  /** Why the last attempt failed. */
  declined?: { code: string; message: string }
  metadata: Record<string, string>
}
export type Refund = {
  id: string
  status: 'pending' | 'succeeded' | 'failed' | 'canceled'
  amount: Amount
  paymentId: string
}
export type PayeeAccount = {
  id: string
  /** May money be sent there and paid out? */
  payoutsEnabled: boolean
  /** What the provider still wants to know, in its own names. */
  requirements: string[]
  /** Until when, epoch ms, before it holds money back; null when there is no hurry. */
  requirementsDueAt: number | null
  /** Why it holds money back now, in its own word; null when it doesn't. */
  heldFor: string | null
}
export type Transfer = {
  id: string
  amount: Amount
  accountId: string
  reversed: number
  metadata: Record<string, string>
}
export type BankPayout = {
  id: string
  status: 'pending' | 'in_transit' | 'paid' | 'failed' | 'canceled'
  amount: Amount
  failure?: { code: string; message: string }
}

export const DISPUTE_STATUSES = ['needs_response', 'under_review', 'won', 'lost', 'closed'] as const
/** closed: an inquiry that became nothing, or a dispute the network stopped before it took money. */
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number]
/** A cardholder's bank takes a payment back, or only asks about it. */
export type Dispute = {
  id: string
  paymentId: string
  status: DisputeStatus
  amount: Amount
  /** It only asks: it has moved no money, unless it becomes a dispute later. */
  inquiry: boolean
  /** The network's word: fraudulent, product_not_received, … */
  reason: string
  /** What it took of the platform's balance, gave back, and cost in fees so far, minor units of `amount`'s currency. */
  taken: number
  restored: number
  fees: number
  /** Until when evidence is read, epoch ms; null when none is any more. */
  evidenceDueAt: number | null
  createdAt: number
}
/** What may be said for the seller. Texts of at most EVIDENCE_CHARACTERS_MAX together. */
export type DisputeEvidence = {
  accessLog?: string
  customerEmail?: string
  customerName?: string
  customerIp?: string
  description?: string
  refundPolicy?: string
  refundRefusal?: string
  serviceDate?: string
  text?: string
}
export const EVIDENCE_CHARACTERS_MAX = 150_000
/** A card's issuer believes a payment to be fraud: most of them are disputed later. */
export type FraudWarning = {
  id: string
  paymentId: string
  /** Neither refunded nor disputed yet. */
  actionable: boolean
  reason: string
  createdAt: number
}

/** A verified webhook: what happened to which object. Never trust its snapshot; fetch the object's current state. */
export type ProviderEvent = {
  id: string
  type: string
  /** Epoch ms. */
  createdAt: number
  /** Connected account it happened on, absent for the platform's own. */
  account?: string
  objectId: string
  objectType: string
  /** Set when the object carries it: our operation's metadata. */
  metadata: Record<string, string>
  /** Set when the object is about a payment: a refund, a dispute, a warning. */
  paymentId?: string
}

/** One change of a balance. All amounts in minor units of its currency, negative when money leaves. */
export type BalanceTransaction = {
  id: string
  type: string
  /** Before the fee; `net` is what the balance changed by. */
  amount: number
  fee: number
  net: number
  currency: string
  /** The object it is about; '' for a fee that is about none. */
  sourceId: string
  /** Our operation behind that object, where it carries our metadata. */
  op?: string
  /** Epoch ms. Money is pending until `availableAt`. */
  createdAt: number
  availableAt: number
}

export interface Payments {
  /** 'sandbox' or 'stripe': shown to clients as `payment.provider`. */
  readonly provider: 'sandbox' | 'stripe'
  /** What a buyer's browser needs beside a client secret to pay with the provider's own form; null without one. */
  readonly publishableKey: string | null
  createPayment(
    params: { amount: Amount; metadata: Record<string, string>; description: string },
    key: string,
  ): Promise<Payment>
  /** Confirms with a payment method token. A decline resolves with status requires_payment_method and `declined`; it does not throw. */
  confirmPayment(id: string, params: { paymentMethod: string; returnUrl: string }, key: string): Promise<Payment>
  cancelPayment(id: string, key: string): Promise<Payment>
  retrievePayment(id: string): Promise<Payment>
  refund(params: { paymentId: string; amount: Amount; metadata: Record<string, string> }, key: string): Promise<Refund>
  retrieveRefund(id: string): Promise<Refund>
  createAccount(
    params: { email: string; country: string; metadata: Record<string, string> },
    key: string,
  ): Promise<PayeeAccount>
  retrieveAccount(id: string): Promise<PayeeAccount>
  /** A link the seller opens to give the provider bank details and identity. Short-lived. */
  onboardingLink(accountId: string, urls: { refresh: string; return: string }): Promise<string>
  transfer(
    params: { accountId: string; amount: Amount; group: string; metadata: Record<string, string> },
    key: string,
  ): Promise<Transfer>
  retrieveTransfer(id: string): Promise<Transfer>
  reverseTransfer(
    id: string,
    params: { amount: Amount; metadata: Record<string, string> },
    key: string,
  ): Promise<Transfer>
  /** From the connected account's balance to its bank. */
  payout(
    params: { accountId: string; amount: Amount; metadata: Record<string, string> },
    key: string,
  ): Promise<BankPayout>
  retrievePayout(accountId: string, id: string): Promise<BankPayout>
  /** Looks an operation's object up when its outcome is unknown and its key may be forgotten: by our metadata `op`. */
  findTransfers(group: string): Promise<Transfer[]>
  findRefunds(paymentId: string): Promise<Refund[]>
  findPayouts(accountId: string, op: string): Promise<BankPayout[]>
  retrieveDispute(id: string): Promise<Dispute>
  findDisputes(paymentId: string): Promise<Dispute[]>
  /** Sends evidence to the bank, once and for all. Refused for good when it is too late or was done before. */
  submitEvidence(
    id: string,
    params: { evidence: DisputeEvidence; metadata: Record<string, string> },
    key: string,
  ): Promise<Dispute>
  /** Gives in: it is lost. */
  acceptDispute(id: string, key: string): Promise<Dispute>
  retrieveFraudWarning(id: string): Promise<FraudWarning>
  /** The platform's balance per currency, minor units, available and pending. `accountId` asks for a connected account's. */
  balance(accountId?: string): Promise<{ available: Record<string, number>; pending: Record<string, number> }>
  /** Newest first; `next` leads to older ones. `since` (epoch ms) leaves older ones out, `sourceId` all but one object's. */
  balanceTransactions(page: {
    after?: string | null
    limit: number
    since?: number
    sourceId?: string
    accountId?: string
  }): Promise<{ data: BalanceTransaction[]; next: string | null }>
  /**
   * Events since an epoch ms, newest first, of the platform or of a connected account: what a webhook that never came would
   * have said. The provider keeps them for 30 days. `next` leads to older ones.
   */
  listEvents(page: {
    since: number
    after?: string | null
    limit: number
    accountId?: string
  }): Promise<{ data: ProviderEvent[]; next: string | null }>
  /** Verifies a webhook over its raw bytes. Throws PaymentsError 'bad_signature'; future timestamps past 60 s are refused too. */
  verifyWebhook(raw: Uint8Array, signature: string): Promise<ProviderEvent>
  /** Present where the provider follows the platform's clock: applies what became due. */
  tick?(): Promise<void>
  close(): Promise<void>
}

/**
 * Every failed call is one of these classes; the caller's retry rule depends on the class alone:
 * rate: not executed, same key later. in_use: same key, short wait. unknown: may have executed, same key up to 23 h, then look up.
 * definitive_later: refused for now (balance, temporary restriction), new attempt with a new key. definitive: refused for good.
 * bug: our request is wrong or our key is; stop and page. bad_signature: webhooks only.
 */
export class PaymentsError extends Error {
  readonly kind: 'rate' | 'in_use' | 'unknown' | 'definitive_later' | 'definitive' | 'bug' | 'bad_signature'
  /** The provider's own code, for people. */
  readonly code: string
  constructor(kind: PaymentsError['kind'], code: string, message: string) {
    super(message)
    this.name = 'PaymentsError'
    this.kind = kind
    this.code = code
  }
}
