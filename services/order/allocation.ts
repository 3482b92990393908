// Who has what of an order's money after any number of refunds. Every share is worked out anew from the whole price and all
// that went back so far, and a refund is the difference between two of them: nothing drifts, however often. Pure.
import { keptOf, rounded, taxIn, type FeePolicy, type Price } from './price.ts'

/** Of what has not gone back, minor units; the four make up exactly the total less the refunds. */
export type Shares = { seller: number; commission: number; serviceFee: number; tax: number }
export const NOTHING: Shares = { seller: 0, commission: 0, serviceFee: 0, tax: 0 }

/** The service fee goes back in proportion, the commission is that of the subtotal which is left. */
export const sharesOf = (price: Price, policy: FeePolicy, gone: number): Shares => {
  const fee = feeLeft(price, gone)
  const feeTax = taxIn(fee, policy.tax?.serviceFeeBasisPoints)
  const earned = subtotalShares(price, policy, gone)
  return { ...earned, serviceFee: fee - feeTax, tax: earned.tax + feeTax }
}

/** Of the subtotal alone: seller, commission and its tax. */
export const subtotalShares = (price: Price, policy: FeePolicy, gone: number): Shares =>
  earnedOf(price.total - gone - feeLeft(price, gone), price.subtotal, policy)

const feeLeft = ({ serviceFee, total }: Price, gone: number): number => {
  if (gone > total) throw new RangeError(`${gone} of ${total} cannot have gone back`)
  return total === 0 ? 0 : rounded(serviceFee, total - gone, total)
}

/** Of what of a tip has not gone back. */
export const tipShares = (left: number, whole: number, policy: FeePolicy): Shares =>
  earnedOf(left, whole, { commissionBasisPoints: policy.tipCommissionBasisPoints ?? 0, ...taxOf(policy) })
const taxOf = ({ tax }: FeePolicy) => (tax ? { tax } : {})

const earnedOf = (
  part: number,
  whole: number,
  policy: Pick<FeePolicy, 'commissionBasisPoints' | 'commissionFixed' | 'tax'>,
): Shares => {
  const kept = keptOf(part, whole, policy)
  const tax = taxIn(kept, policy.tax?.commissionBasisPoints)
  return { seller: part - kept, commission: kept - tax, serviceFee: 0, tax }
}

/** What each gives of a refund that comes after others; never negative, and together exactly the refund. */
export const givenUp = (price: Price, policy: FeePolicy, gone: number, refund: number): Shares =>
  difference(sharesOf(price, policy, gone), sharesOf(price, policy, gone + refund))

export const difference = (before: Shares, after: Shares): Shares => ({
  seller: before.seller - after.seller,
  commission: before.commission - after.commission,
  serviceFee: before.serviceFee - after.serviceFee,
  tax: before.tax - after.tax,
})

/** The state's part, for the books. */
export const taxShareOf = ({ tax }: Shares, policy: FeePolicy) =>
  policy.tax && { jurisdiction: policy.tax.jurisdiction, amount: tax }

/** Where the platform's parts stand in the books: account → minor units. */
export const revenueOf = ({ commission, serviceFee, tax }: Shares, policy: FeePolicy): Record<string, number> => ({
  'rev:commission': commission,
  'rev:service_fee': serviceFee,
  ...(policy.tax && { [`tax:${policy.tax.jurisdiction}`]: tax }),
})
