// Who has what of an order's money after any number of refunds. Every share is worked out anew from the whole price and all
// that went back so far, and a refund is the difference between two of them: nothing drifts, however often. Pure.
import { portion, type FeePolicy, type Price } from './price.ts'

/** Of what has not gone back, minor units; the three make up exactly the total less the refunds. */
export type Shares = { seller: number; commission: number; serviceFee: number }

/** The service fee goes back in proportion, the commission is that of the subtotal which is left. */
export const sharesOf = (price: Price, policy: FeePolicy, refunded: number): Shares => {
  const left = price.total - refunded
  if (left < 0) throw new RangeError(`${refunded} of ${price.total} cannot have gone back`)
  const serviceFee = price.total === 0 ? 0 : rounded(price.serviceFee, left, price.total)
  const subtotal = left - serviceFee
  const commission = portion(subtotal, policy.commissionBasisPoints)
  return { seller: subtotal - commission, commission, serviceFee }
}

/** part × left / whole, rounded half up, exact. */
const rounded = (part: number, left: number, whole: number): number =>
  Number((BigInt(part) * BigInt(left) * 2n + BigInt(whole)) / (BigInt(whole) * 2n))

/** What each gives of a refund that comes after others; never negative, and together exactly the refund. */
export const givenUp = (price: Price, policy: FeePolicy, refunded: number, refund: number): Shares => {
  const before = sharesOf(price, policy, refunded)
  const after = sharesOf(price, policy, refunded + refund)
  return {
    seller: before.seller - after.seller,
    commission: before.commission - after.commission,
    serviceFee: before.serviceFee - after.serviceFee,
  }
}
