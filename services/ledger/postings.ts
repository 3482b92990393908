// What each movement of money is in the books: one builder per row of the posting table, pure, exported through the contract
// so that whoever moves money names it the same way. Debits are positive, credits negative, zero legs are left out.
import type { Money } from '../shapes.ts'
import type { Leg, Posting } from './contract.ts'

type At = { at: number }
type OfOrder = At & { order: string }
type OfPayout = At & { payout: string; seller: string; amount: Money }
type Flow = { debit: Record<string, number>; credit: Record<string, number> }

/**
 * P1: the buyer's money is held for the order; what the provider kept of it is our expense. `charge` names one that is not the
 * order's own payment.
 */
export const charged = ({
  order,
  charge,
  payment,
  amount,
  fee,
  at,
}: OfOrder & { charge?: string; payment: string; amount: Money; fee: Money }): Posting => {
  if (fee.currency !== amount.currency && fee.amount !== 0)
    throw new RangeError(`a fee in ${fee.currency} on a charge in ${amount.currency}`)
  const debit = { psp: amount.amount - fee.amount, 'exp:psp_fee': fee.amount }
  const about = { order, ...(charge !== undefined && { charge }), payment }
  return posting({ id: `${charge ?? order}:paid`, kind: 'charge', about, at }, amount.currency, {
    debit,
    credit: { [`escrow:${order}`]: amount.amount },
  })
}

/** What of the platform's fees is a state's, minor units; commission and service fee are then what is left of them. */
export type TaxShare = { jurisdiction: string; amount: number }
const taxLeg = (tax: TaxShare | undefined): Record<string, number> =>
  tax ? { [`tax:${tax.jurisdiction}`]: tax.amount } : {}

export type Completed = OfOrder & {
  seller: string
  currency: string
  /** Of the seller and the commission together. */
  subtotal: number
  serviceFee: number
  commission: number
  tax?: TaxShare | undefined
}
/** P2: the held money is earned: the seller's part begins to clear, the rest is the platform's. Amounts in minor units. */
export const completed = (of: Completed): Posting => {
  const { order, seller, currency, subtotal, serviceFee, commission, tax, at } = of
  const credit = {
    [`clearing:${seller}`]: subtotal - commission,
    'rev:commission': commission,
    'rev:service_fee': serviceFee,
    ...taxLeg(tax),
  }
  return posting({ id: `${order}:completed`, kind: 'complete', about: { order, seller }, at }, currency, {
    debit: { [`escrow:${order}`]: subtotal + serviceFee + (tax?.amount ?? 0) },
    credit,
  })
}

/**
 * P16: the provider could not send it after all; what it gave back, or never sent, is kept for the buyer, but for what the
 * card's bank has given them already (`twice`, minor units), which had been written off.
 */
export const refundFailed = ({
  order,
  refund,
  amount,
  buyer,
  wasSettled,
  twice = 0,
  at,
}: OfRefund & { buyer: string; wasSettled: boolean; twice?: number }): Posting =>
  posting({ id: `${refund}:failed`, kind: 'refund_failed', about: { order, refund, buyer }, at }, amount.currency, {
    debit: { [wasSettled ? 'psp' : `refund_pending:${refund}`]: amount.amount },
    credit: { [`buyer_credit:${buyer}`]: amount.amount - twice, 'exp:bad_debt': twice },
  })

/** `nth` numbers what is posted of one chargeback. */
type OfChargeback = OfOrder & { chargeback: string; nth: number; seller: string; currency: string }
const headOf = ({ order, chargeback, nth, seller, at }: OfChargeback, kind: string): Head => ({
  id: `${chargeback}:${nth}`,
  kind,
  about: { order, chargeback, seller },
  at,
})

/** P13: a card's bank takes the payment back; what of it the seller could take is held until it is decided. Minor units. */
export const chargebackTaken = (of: OfChargeback & { taken: number; fee: number; held: number }): Posting => {
  const { chargeback, seller, currency, taken, fee, held } = of
  const debit = { [`dispute:${chargeback}`]: taken, 'exp:dispute_fee': fee, [`available:${seller}`]: held }
  const credit = { psp: taken + fee, [`held:${seller}`]: held }
  return posting(headOf(of, 'chargeback'), currency, { debit, credit })
}

/** P15: the bank gives it back, and what was held is the seller's again. Minor units. */
export const chargebackWon = (of: OfChargeback & { restored: number; held: number }): Posting => {
  const { chargeback, seller, currency, restored, held } = of
  return posting(headOf(of, 'chargeback_won'), currency, {
    debit: { psp: restored, [`held:${seller}`]: held },
    credit: { [`dispute:${chargeback}`]: restored, [`available:${seller}`]: held },
  })
}

/** P14: the bank keeps it; `bears` says what each account gives for it, minor units. */
export const chargebackLost = (of: OfChargeback & { bears: Record<string, number> }): Posting =>
  posting(headOf(of, 'chargeback_lost'), of.currency, {
    debit: of.bears,
    credit: { [`dispute:${of.chargeback}`]: Object.values(of.bears).reduce((sum, amount) => sum + amount, 0) },
  })

/** A lost one that the bank gives back after all: who bore it has it again. */
export const chargebackReversed = (of: OfChargeback & { returns: Record<string, number> }): Posting => {
  const restored = Object.values(of.returns).reduce((sum, amount) => sum + amount, 0)
  return posting(headOf(of, 'chargeback_won'), of.currency, { debit: { psp: restored }, credit: of.returns })
}

type OfTip = OfOrder & { tip: string; seller: string }
/** P5: a tip is earned when it is paid; the seller's part begins to clear. */
export const tipped = ({
  order,
  tip,
  seller,
  payment,
  amount,
  fee,
  commission,
  tax,
  at,
}: OfTip & { payment: string; amount: Money; fee: Money; commission: number; tax?: TaxShare | undefined }): Posting => {
  if (fee.currency !== amount.currency && fee.amount !== 0)
    throw new RangeError(`a fee in ${fee.currency} on a tip in ${amount.currency}`)
  const debit = { psp: amount.amount - fee.amount, 'exp:psp_fee': fee.amount }
  const credit = {
    [`clearing:${seller}`]: amount.amount - commission - (tax?.amount ?? 0),
    'rev:commission': commission,
    ...taxLeg(tax),
  }
  return posting({ id: `${tip}:paid`, kind: 'tip', about: { order, tip, seller, payment }, at }, amount.currency, {
    debit,
    credit,
  })
}

/** P7 of a tip. */
export const tipCleared = ({ order, tip, seller, amount, at }: OfTip & { amount: Money }): Posting =>
  move({ id: `${tip}:cleared`, kind: 'clear', about: { order, tip, seller }, at }, amount, {
    debit: `clearing:${seller}`,
    credit: `available:${seller}`,
  })

type OfRefund = OfOrder & { refund: string; amount: Money }
/** P3: the order gives the money back; it waits until the provider has sent it. */
export const refundAccepted = ({ order, refund, amount, at }: OfRefund): Posting =>
  move({ id: `${refund}:accepted`, kind: 'refund', about: { order, refund }, at }, amount, {
    debit: `escrow:${order}`,
    credit: `refund_pending:${refund}`,
  })

export type RefundShared = OfRefund & {
  seller: string
  from: 'clearing' | 'available'
  /** Together exactly the amount. */
  shares: { seller: number; commission: number; serviceFee: number }
  tax?: TaxShare | undefined
}
/** P4b: the order was completed; each gives back of what it got. What the seller has no more is owed: `available` may go below zero. */
export const refundShared = ({ order, refund, amount, seller, from, shares, tax, at }: RefundShared): Posting => {
  const debit = {
    [`${from}:${seller}`]: shares.seller,
    'rev:commission': shares.commission,
    'rev:service_fee': shares.serviceFee,
    ...taxLeg(tax),
  }
  return posting({ id: `${refund}:accepted`, kind: 'refund', about: { order, refund, seller }, at }, amount.currency, {
    debit,
    credit: { [`refund_pending:${refund}`]: amount.amount },
  })
}

/** P3': the provider has sent it back to the buyer. */
export const refundSettled = ({ order, refund, amount, at }: OfRefund): Posting =>
  move({ id: `${refund}:settled`, kind: 'refund_settled', about: { order, refund }, at }, amount, {
    debit: `refund_pending:${refund}`,
    credit: 'psp',
  })

/** P7: the clearing time is over, the seller may take it. */
export const cleared = ({ order, seller, amount, at }: OfOrder & { seller: string; amount: Money }): Posting =>
  move({ id: `${order}:cleared`, kind: 'clear', about: { order, seller }, at }, amount, {
    debit: `clearing:${seller}`,
    credit: `available:${seller}`,
  })

/** P8: money set aside for a payout; never more than is available. */
export const reserved = ({ payout, seller, amount, at }: OfPayout): Posting => ({
  ...move({ id: `${payout}:reserved`, kind: 'reserve', about: { payout, seller }, at }, amount, {
    debit: `available:${seller}`,
    credit: `in_payout:${seller}`,
  }),
  guard: [`available:${seller}`],
})

/** P8 undone: nothing left the platform, the seller has it back. */
export const released = ({ payout, seller, amount, at }: OfPayout): Posting =>
  move({ id: `${payout}:released`, kind: 'release', about: { payout, seller }, at }, amount, {
    debit: `in_payout:${seller}`,
    credit: `available:${seller}`,
  })

/** P9: on the seller's account at the provider. */
export const transferred = ({ payout, seller, amount, at }: OfPayout): Posting =>
  move({ id: `${payout}:transferred`, kind: 'transfer', about: { payout, seller }, at }, amount, {
    debit: `connected:${seller}`,
    credit: 'psp',
  })

/** P10: on its way to the seller's bank. */
export const payoutSent = ({ payout, seller, amount, at }: OfPayout): Posting =>
  move({ id: `${payout}:sent`, kind: 'payout', about: { payout, seller }, at }, amount, {
    debit: `transit:${payout}`,
    credit: `connected:${seller}`,
  })

/** P11: the bank has it. */
export const payoutPaid = ({ payout, seller, amount, at }: OfPayout): Posting =>
  move({ id: `${payout}:paid`, kind: 'payout_paid', about: { payout, seller }, at }, amount, {
    debit: `in_payout:${seller}`,
    credit: `transit:${payout}`,
  })

/** P12: the bank did not take it; the money is back at the provider and the seller's to take again. */
export const payoutFailed = ({ payout, seller, amount, at }: OfPayout): Posting => {
  const debit = { [`connected:${seller}`]: amount.amount, [`in_payout:${seller}`]: amount.amount }
  const credit = { [`transit:${payout}`]: amount.amount, [`available:${seller}`]: amount.amount }
  return posting({ id: `${payout}:failed`, kind: 'payout_failed', about: { payout, seller }, at }, amount.currency, {
    debit,
    credit,
  })
}

/** P12 after it had been paid: the bank sent it back. */
export const payoutReturned = ({ payout, seller, amount, at }: OfPayout): Posting =>
  move({ id: `${payout}:returned`, kind: 'payout_returned', about: { payout, seller }, at }, amount, {
    debit: `connected:${seller}`,
    credit: `available:${seller}`,
  })

/** Money that came back to the seller's account at the provider is the platform's to hold again. */
export const transferReversed = ({ payout, seller, amount, at }: OfPayout): Posting =>
  move({ id: `${payout}:reversed`, kind: 'transfer_reversed', about: { payout, seller }, at }, amount, {
    debit: 'psp',
    credit: `connected:${seller}`,
  })

/** What the provider took for itself, of which only its statement tells. A negative amount is a fee given back. */
export const providerFee = ({ transaction, amount, at }: At & { transaction: string; amount: Money }): Posting =>
  move({ id: `${transaction}:fee`, kind: 'provider_fee', about: { transaction }, at }, amount, {
    debit: 'exp:psp_fee',
    credit: 'psp',
  })

type Head = Pick<Posting, 'id' | 'kind' | 'about' | 'at'>

/** One account to another. */
const move = (head: Head, { amount, currency }: Money, { debit, credit }: { debit: string; credit: string }): Posting =>
  posting(head, currency, { debit: { [debit]: amount }, credit: { [credit]: amount } })

const posting = (head: Head, currency: string, { debit, credit }: Flow): Posting => {
  const all: Leg[] = [
    ...Object.entries(debit).map(([account, amount]) => ({ account, amount, currency })),
    ...Object.entries(credit).map(([account, amount]) => ({ account, amount: 0 - amount, currency })),
  ]
  const moving = all.filter(({ amount }) => amount !== 0)
  return { ...head, legs: moving.length < 2 ? all : moving }
}
