// Which entry a change at the provider is, and whether the two say the same. Pure.
import type { LedgerEntry } from '../ledger/contract.ts'
import type { ProviderTransaction } from '../payment/contract.ts'
import type { Reason } from './contract.ts'

/** The entry's key, by the type of the change and our operation behind it. */
const BOOKED: Readonly<Record<string, (op: string) => string>> = {
  charge: (op) => `${op}:paid`,
  payment: (op) => `${op}:paid`,
  refund: (op) => `${op}:settled`,
  payment_refund: (op) => `${op}:settled`,
  refund_failure: (op) => `${op}:failed`,
  payment_failure_refund: (op) => `${op}:failed`,
  transfer: (op) => `${op}:transferred`,
  transfer_refund: (op) => `${op}:reversed`,
  transfer_cancel: (op) => `${op}:reversed`,
  transfer_failure: (op) => `${op}:reversed`,
}
/** What the provider takes for itself: nobody but its statement tells of it, so it is entered from there. */
const FEES: readonly string[] = ['stripe_fee', 'network_cost', 'tax_fee']

export const bookedAs = ({ type, op, id }: Pick<ProviderTransaction, 'type' | 'op' | 'id'>): string | null => {
  if (FEES.includes(type)) return `${id}:fee`
  return op !== undefined && Object.hasOwn(BOOKED, type) ? BOOKED[type]!(op) : null
}
export const isFee = ({ type }: Pick<ProviderTransaction, 'type'>): boolean => FEES.includes(type)

export type Change = { amount: number; currency: string }
/** What an entry says the platform's balance at the provider changed by; null: it does not touch it. */
export const changeOf = ({ legs }: Pick<LedgerEntry, 'legs'>): Change | null => {
  const own = legs.filter(({ account }) => account === 'psp')
  if (own.length === 0) return null
  return { amount: own.reduce((sum, { amount }) => sum + amount, 0), currency: own[0]!.currency }
}

/** What is wrong between the two; null: nothing. */
export const differenceOf = (theirs: Change, entry: Pick<LedgerEntry, 'legs'> | null): Reason | null => {
  const ours = entry && changeOf(entry)
  if (!ours) return theirs.amount === 0 ? null : 'missing_entry'
  if (ours.currency !== theirs.currency) return 'currency'
  return ours.amount === theirs.amount ? null : 'amount'
}

/** Of entries about the same thing the one that is this change and no other's. */
export const candidate = (
  theirs: Change,
  entries: readonly LedgerEntry[],
  isTaken: (entry: string) => boolean,
): LedgerEntry | null =>
  entries.find((entry) => !isTaken(entry.id) && changeOf(entry) !== null && differenceOf(theirs, entry) === null) ??
  null
