// What an order costs and who gets what of it: integers in minor units, one rounding rule, frozen when it is placed. Pure.
import type { Extra, Package } from '../gig/contract.ts'

/** Fees as agreed when the order was placed; a changed policy never touches an old order. Rates in basis points. */
export type FeePolicy = {
  /** Which of the market's policies it was placed under. */
  version: number
  serviceFeeBasisPoints: number
  /** Added while the subtotal is below `smallOrderBelow`; minor units. */
  smallOrderFee: number
  smallOrderBelow: number
  commissionBasisPoints: number
  /** On top of the percentage, once per order; minor units. */
  commissionFixed?: number
  /** Of tips; none unless set. */
  tipCommissionBasisPoints?: number
  /** VAT and the like; none unless set. */
  tax?: Tax
}
/** The buyer's fee has its tax inside, as consumers must be shown; the seller's commission has it on top. */
export type Tax = { jurisdiction: string; serviceFeeBasisPoints: number; commissionBasisPoints: number }

export const FEE_POLICY: FeePolicy = {
  version: 1,
  serviceFeeBasisPoints: 550,
  smallOrderFee: 300,
  smallOrderBelow: 10_000,
  commissionBasisPoints: 2000,
}

/** `commission`: what is kept of the whole subtotal, its tax not counted. */
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
  return priced(chosen.price.currency, subtotal, serviceFee, policy)
}

/** The price with extras that were bought later: commission is that of the whole. */
export const withMore = (
  { currency, ...price }: Price,
  policy: FeePolicy,
  more: Pick<Price, 'subtotal' | 'serviceFee'>,
): Price => priced(currency, safe(price.subtotal + more.subtotal), price.serviceFee + more.serviceFee, policy)

const priced = (currency: string, subtotal: number, serviceFee: number, policy: FeePolicy): Price => {
  const kept = keptOf(subtotal, subtotal, policy)
  const commission = kept - taxIn(kept, policy.tax?.commissionBasisPoints)
  return { currency, subtotal, serviceFee, total: safe(subtotal + serviceFee), commission }
}

/**
 * What is kept of a part of a subtotal: the percentage, that part of the fixed commission, and the tax on both, rounded once
 * and half up; never more than there is. It never falls when the part grows, nor does what is left of the part.
 */
export const keptOf = (
  part: number,
  whole: number,
  {
    commissionBasisPoints,
    commissionFixed = 0,
    tax,
  }: Pick<FeePolicy, 'commissionBasisPoints' | 'commissionFixed' | 'tax'>,
): number => {
  if (whole === 0) return 0
  const rate = BigInt(commissionBasisPoints) * BigInt(whole) + BASIS * BigInt(commissionFixed)
  const taxed = BASIS + BigInt(tax?.commissionBasisPoints ?? 0)
  return Math.min(part, halfUp(BigInt(part) * rate * taxed, BASIS * BASIS * BigInt(whole)))
}

/** The tax inside an amount. */
export const taxIn = (gross: number, basisPoints = 0): number =>
  halfUp(BigInt(gross) * BigInt(basisPoints), BASIS + BigInt(basisPoints))

/** part × left / whole, rounded half up. */
export const rounded = (part: number, left: number, whole: number): number =>
  halfUp(BigInt(part) * BigInt(left), BigInt(whole))

const BASIS = 10_000n
const halfUp = (over: bigint, under: bigint): number => Number((over * 2n + under) / (under * 2n))

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
