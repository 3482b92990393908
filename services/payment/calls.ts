// Every call an operation makes to the provider, in one table per kind. What possibly ran before is looked for first, so that
// a forgotten key never moves money twice. Answers how the operation goes on from what came back.
import { PaymentsError, type Payments } from '../../adapters/payments/index.ts'
import * as charge from './charge.ts'
import type { ChargeDoc } from './charge.ts'
import * as disbursement from './disbursement.ts'
import type { DisbursementDoc } from './disbursement.ts'
import * as dispute from './dispute.ts'
import type { DisputeDoc } from './dispute.ts'
import type { CallName, Failure, Operation, ProviderCall, Step } from './operation.ts'
import * as payee from './payee.ts'
import type { PayeeDoc } from './payee.ts'
import * as refund from './refund.ts'
import type { RefundDoc } from './refund.ts'
import * as warning from './warning.ts'
import type { WarningDoc } from './warning.ts'

export type AnyOperation = ChargeDoc | RefundDoc | DisbursementDoc | PayeeDoc | DisputeDoc | WarningDoc
/** How an operation goes on, given what the provider answered. */
export type Applies<D> = (doc: D, now: number) => Step<D>
/** What the calls need besides the operation. */
export type Provider = {
  payments: Payments
  returnUrl: string
  /** Metadata of new accounts: in the sandbox nobody must fill in the onboarding page. */
  accountMetadata: Record<string, string>
  /** Refunds of a payment that other operations made. */
  refundsOfOthers(doc: RefundDoc): Promise<Set<string>>
  /** A payment turned out to be disputed: who has not heard of it does now. */
  disputed(paymentId: string): Promise<void>
}
type Made<D> = { doc: D; call: ProviderCall; mayHaveRun: boolean }
type Calls<D> = Partial<Record<CallName, (provider: Provider, made: Made<D>) => Promise<Applies<D>>>>

export type Kind<D extends Operation> = {
  calls: Calls<D>
  nextCall(doc: D): CallName | null
  refused(doc: D, call: CallName, failure: Failure, now: number): Step<D>
  /** What its timer asks for. */
  woken(doc: D): D
}

const charges: Kind<ChargeDoc> = {
  nextCall: charge.nextCall,
  woken: charge.woken,
  refused: charge.refused,
  calls: {
    create: async ({ payments }, { doc: { id, order, amount, description }, call }) => {
      const payment = await payments.createPayment(
        { amount, description, metadata: { op: id, order: order ?? id } },
        call.key,
      )
      return (doc, now) => charge.applied(doc, payment, now)
    },
    confirm: async ({ payments, returnUrl: now }, { doc: { paymentId, paymentMethod, returnUrl = now }, call }) => {
      const payment = await payments.confirmPayment(paymentId!, { paymentMethod: paymentMethod!, returnUrl }, call.key)
      return (doc, now) => charge.applied(doc, payment, now)
    },
    cancel: async ({ payments }, { doc: { paymentId }, call }) => {
      const payment = await payments.cancelPayment(paymentId!, call.key)
      return (doc, now) => charge.applied(doc, payment, now)
    },
    look: async ({ payments }, { doc: { paymentId } }) => {
      const payment = await payments.retrievePayment(paymentId!)
      return (doc, now) => charge.applied(doc, payment, now)
    },
  },
}

const refunds: Kind<RefundDoc> = {
  nextCall: refund.nextCall,
  woken: refund.woken,
  refused: (doc, _call, failure) => refund.refused(doc, failure),
  calls: {
    refund: async (provider, { doc: { id, order, amount, paymentId, ...rest }, call, mayHaveRun }) => {
      const { payments } = provider
      const others = mayHaveRun
        ? await provider.refundsOfOthers({ id, order, amount, paymentId, ...rest })
        : new Set<string>()
      const found = mayHaveRun
        ? (await payments.findRefunds(paymentId)).find(
            (one) => !others.has(one.id) && one.amount.amount === amount.amount,
          )
        : undefined
      const sent =
        found ??
        (await payments.refund({ paymentId, amount, metadata: { op: id, order } }, call.key).catch(async (error) => {
          if (error instanceof PaymentsError && error.code === 'charge_disputed') await provider.disputed(paymentId)
          throw error
        }))
      return (doc, now) => refund.applied(doc, sent, now)
    },
    look: async ({ payments }, { doc: { refundId } }) => {
      const found = await payments.retrieveRefund(refundId!)
      return (doc, now) => refund.applied(doc, found, now)
    },
  },
}

const disbursements: Kind<DisbursementDoc> = {
  nextCall: disbursement.nextCall,
  woken: disbursement.woken,
  refused: disbursement.refused,
  calls: {
    transfer: async ({ payments }, { doc: { id, seller, account, amount }, call, mayHaveRun }) => {
      const found = mayHaveRun
        ? (await payments.findTransfers(id)).find(({ metadata }) => metadata.op === id)
        : undefined
      const transfer =
        found ??
        (await payments.transfer({ accountId: account, amount, group: id, metadata: { op: id, seller } }, call.key))
      return (doc, now) => disbursement.transferDone(doc, transfer, now)
    },
    payout: async ({ payments }, { doc: { id, seller, account, amount }, call, mayHaveRun }) => {
      const found = mayHaveRun ? (await payments.findPayouts(account, id))[0] : undefined
      const payout =
        found ?? (await payments.payout({ accountId: account, amount, metadata: { op: id, seller } }, call.key))
      return (doc, now) => disbursement.applied(doc, payout, now)
    },
    look: async ({ payments }, { doc: { account, bankPayoutId } }) => {
      const payout = await payments.retrievePayout(account, bankPayoutId!)
      return (doc, now) => disbursement.applied(doc, payout, now)
    },
    reverse: async ({ payments }, { doc: { id, amount, transferId }, call, mayHaveRun }) => {
      const before = mayHaveRun ? await payments.retrieveTransfer(transferId!) : undefined
      const transfer =
        before && before.reversed >= amount.amount
          ? before
          : await payments.reverseTransfer(transferId!, { amount, metadata: { op: id } }, call.key)
      return (doc) => disbursement.reversalDone(doc, transfer)
    },
  },
}

const payees: Kind<PayeeDoc> = {
  nextCall: payee.nextCall,
  woken: (doc) => doc,
  refused: (doc, _call, failure) => payee.refused(doc, failure),
  calls: {
    account: async ({ payments, accountMetadata }, { doc: { id, email, country }, call }) => {
      const account = await payments.createAccount(
        { email, country, metadata: { op: id, user: id, ...accountMetadata } },
        call.key,
      )
      return (doc, now) => payee.applied(doc, account, now)
    },
  },
}

const disputes: Kind<DisputeDoc> = {
  nextCall: dispute.nextCall,
  woken: dispute.woken,
  refused: dispute.refused,
  calls: {
    evidence: async ({ payments }, { doc: { id, order, evidence }, call, mayHaveRun }) => {
      const said = { evidence: evidence ?? {}, metadata: { op: id, order } }
      const after =
        (mayHaveRun && (await answeredBefore(payments, id))) || (await payments.submitEvidence(id, said, call.key))
      return (doc, now) => dispute.answered(doc, after, now)
    },
    accept: async ({ payments }, { doc: { id }, call, mayHaveRun }) => {
      const after = (mayHaveRun && (await answeredBefore(payments, id))) || (await payments.acceptDispute(id, call.key))
      return (doc, now) => dispute.answered(doc, after, now)
    },
    look: async ({ payments }, { doc: { id } }) => {
      const found = await payments.retrieveDispute(id)
      return (doc, now) => dispute.looked(doc, found, now)
    },
  },
}

/** An earlier answer arrived after all, or the time for one is over. */
const answeredBefore = async (payments: Payments, id: string) => {
  const found = await payments.retrieveDispute(id)
  return found.status === 'needs_response' ? undefined : found
}

const warnings: Kind<WarningDoc> = {
  nextCall: warning.nextCall,
  woken: (doc) => doc,
  refused: (doc, _call, failure, now) => warning.refused(doc, failure, now),
  calls: {
    look: async ({ payments }, { doc: { id } }) => {
      const found = await payments.retrieveFraudWarning(id)
      return (doc, now) => warning.applied(doc, found, now)
    },
  },
}

const KINDS = {
  charge: charges,
  refund: refunds,
  disbursement: disbursements,
  payee: payees,
  dispute: disputes,
  warning: warnings,
}
export const kindOf = (doc: AnyOperation): Kind<AnyOperation> => KINDS[doc.kind] as unknown as Kind<AnyOperation>

/** Makes the call an operation is at. */
export const perform = (provider: Provider, made: Made<AnyOperation>): Promise<Applies<AnyOperation>> => {
  const call = kindOf(made.doc).calls[made.call.name]
  if (!call) throw new Error(`a ${made.doc.kind} makes no call ${made.call.name}`)
  return call(provider, made)
}

/** The object's state at the provider now, for what a webhook tells of; null when the operation has none yet. */
export const lookAt = async ({ payments }: Provider, doc: AnyOperation): Promise<Applies<AnyOperation> | null> => {
  if (doc.kind === 'charge' && doc.paymentId) {
    const payment = await payments.retrievePayment(doc.paymentId)
    return (now, at) => (now.kind === 'charge' ? charge.noticed(now, payment, at) : { next: now, say: [] })
  }
  if (doc.kind === 'refund' && doc.refundId) {
    const found = await payments.retrieveRefund(doc.refundId)
    return (now, at) => (now.kind === 'refund' ? refund.applied(now, found, at) : { next: now, say: [] })
  }
  if (doc.kind === 'disbursement' && doc.bankPayoutId) {
    const payout = await payments.retrievePayout(doc.account, doc.bankPayoutId)
    return (now, at) => (now.kind === 'disbursement' ? disbursement.applied(now, payout, at) : { next: now, say: [] })
  }
  if (doc.kind === 'payee' && doc.accountId) {
    const account = await payments.retrieveAccount(doc.accountId)
    return (now, at) => (now.kind === 'payee' ? payee.applied(now, account, at) : { next: now, say: [] })
  }
  if (doc.kind === 'dispute') {
    const found = await payments.retrieveDispute(doc.id)
    return (now, at) => (now.kind === 'dispute' ? dispute.looked(now, found, at) : { next: now, say: [] })
  }
  if (doc.kind === 'warning') {
    const found = await payments.retrieveFraudWarning(doc.id)
    return (now, at) => (now.kind === 'warning' ? warning.applied(now, found, at) : { next: now, say: [] })
  }
  return null
}
