// What an order costs and who gets what of it: integers in minor units, one rounding rule, frozen when it is placed. Pure.
import type { Extra, Package } from '../gig/contract.ts'

/** Fees as agreed when the order was placed; a changed policy never touches an old order. Rates in basis points. */
export type FeePolicy = {
  /** Counts up with every change of the rates below; an order says which it was placed under. */
  version: number
  serviceFeeBasisPoints: number
  /** Added while the subtotal is below `smallOrderBelow`; minor units. */
  smallOrderFee: number
  smallOrderBelow: number
  commissionBasisPoints: number
  /** Of tips; none unless set. */
  tipCommissionBasisPoints?: number
}
export const FEE_POLICY: FeePolicy = {
  version: 1,
  serviceFeeBasisPoints: 550,
  smallOrderFee: 300,
  smallOrderBelow: 10_000,
  commissionBasisPoints: 2000,
}

export type Price = { currency: string; subtotal: number; serviceFee: number; total: number; commission: number }

export const priceOf = (
  chosen: Pick<Package, 'price'>,
  extras: readonly Pick<Extra, 'price'>[],
  quantity: number,
  policy: FeePolicy,
): Price => {
  const one = extras.reduce((sum, { price }) => sum + price.amount, chosen.price.amount)
  const subtotal = safe(one * quantity)
  const serviceFee =
    portion(subtotal, policy.serviceFeeBasisPoints) + (subtotal < policy.smallOrderBelow ? policy.smallOrderFee : 0)
  const commission = portion(subtotal, policy.commissionBasisPoints)
  return { currency: chosen.price.currency, subtotal, serviceFee, total: safe(subtotal + serviceFee), commission }
}

/** The price with extras that were bought later: commission is that of the whole. */
export const withMore = (price: Price, policy: FeePolicy, more: Pick<Price, 'subtotal' | 'serviceFee'>): Price => {
  const subtotal = safe(price.subtotal + more.subtotal)
  const serviceFee = price.serviceFee + more.serviceFee
  return {
    ...price,
    subtotal,
    serviceFee,
    total: safe(subtotal + serviceFee),
    commission: portion(subtotal, policy.commissionBasisPoints),
  }
}

/** Rounded half up; exact up to 2^53 / 10,000, which `safe` guards. */
export const portion = (amount: number, basisPoints: number): number =>
  Math.floor((safe(amount) * basisPoints + 5000) / 10_000)

/** The largest amount all arithmetic above stays exact for. */
export const AMOUNT_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 10_000) - 1
const safe = (amount: number): number => {
  if (!Number.isSafeInteger(amount) || amount < 0 || amount > AMOUNT_MAX)
    throw new RangeError(`${amount} is not an amount this market can count`)
  return amount
}
