// A seller's account at the provider, made once.
import type { PayeeAccount } from '../../adapters/payments/index.ts'
import type { Said } from '../../mixins/actor.ts'
import { newOperation, settledCall, type CallName, type Operation, type Step } from './operation.ts'

export type PayeeDoc = Operation & {
  kind: 'payee'
  email: string
  country: string
  accountId: string | null
  payoutsEnabled: boolean
  /** What the provider wants to know, until when, and why it holds money back meanwhile. Absent: nothing. */
  requirements?: string[]
  requirementsDueAt?: number | null
  heldFor?: string | null
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

/** The account as the provider has it now; what changes for its owner is said. */
export const applied = (doc: PayeeDoc, account: PayeeAccount, now: number): Step<PayeeDoc> => {
  const { id, payoutsEnabled, requirements, requirementsDueAt, heldFor } = account
  const next: PayeeDoc = {
    ...settledCall(doc),
    accountId: id,
    payoutsEnabled,
    requirements: requirements.slice(0, REQUIREMENTS_MAX),
    requirementsDueAt,
    heldFor,
    wakeAt: null,
  }
  return { next, say: isNews(doc, next) ? [changed(next, now)] : [] }
}

/** The provider names a few dozen at most. */
export const REQUIREMENTS_MAX = 100

/** Whether money goes out, and the day until which something must be told. The rest is on the onboarding page. */
const isNews = (before: PayeeDoc, after: PayeeDoc): boolean => {
  if (before.accountId === null) return after.payoutsEnabled
  if (before.payoutsEnabled !== after.payoutsEnabled) return true
  return after.requirementsDueAt != null && after.requirementsDueAt !== before.requirementsDueAt
}

const changed = ({ id, payoutsEnabled, requirementsDueAt, heldFor }: PayeeDoc, at: number): Said => ({
  name: 'payment.payee.changed',
  data: { user: id, payoutsEnabled, requirementsDueAt: requirementsDueAt ?? null, heldFor: heldFor ?? null, at },
})

export const refused = (doc: PayeeDoc, { code, message }: { code: string; message: string }): Step<PayeeDoc> => ({
  next: { ...doc, refusal: { code, message }, wakeAt: null },
  say: [],
})
