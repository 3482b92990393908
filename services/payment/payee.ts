// A seller's account at the provider, made once.
import type { PayeeAccount } from '../../adapters/payments/index.ts'
import { newOperation, settledCall, type CallName, type Operation, type Step } from './operation.ts'

export type PayeeDoc = Operation & {
  kind: 'payee'
  email: string
  country: string
  accountId: string | null
  payoutsEnabled: boolean
  /** Why the provider will not make it; the next asking tries anew. */
  refusal: { code: string; message: string } | null
}

export const newPayee = (user: string, asked: { email: string; country: string }, now: number): PayeeDoc => ({
  ...newOperation(user, 'payee', now),
  ...asked,
  kind: 'payee',
  accountId: null,
  payoutsEnabled: false,
  refusal: null,
})

export const nextCall = ({ accountId, refusal }: PayeeDoc): CallName | null => (accountId || refusal ? null : 'account')

/** Asked again: what the provider refused before may be right now. What may have been made is asked for as it was. */
export const askedAgain = (doc: PayeeDoc, asked: { email: string; country: string }): PayeeDoc =>
  doc.refusal || doc.stuck ? { ...doc, ...asked, refusal: null, stuck: null } : doc

export const applied = (doc: PayeeDoc, { id, payoutsEnabled }: PayeeAccount): Step<PayeeDoc> => ({
  next: { ...settledCall(doc), accountId: id, payoutsEnabled, wakeAt: null },
  say: [],
})

export const refused = (doc: PayeeDoc, { code, message }: { code: string; message: string }): Step<PayeeDoc> => ({
  next: { ...doc, refusal: { code, message }, wakeAt: null },
  say: [],
})
