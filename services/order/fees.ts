// The market's fee policy: what admins set, and what an order freezes of it. Pure.
import { refuse, type FieldError } from '../errors.ts'
import type { MarketPolicy, PolicyTerms } from './policy.ts'
import { FEE_POLICY, type FeePolicy } from './price.ts'

/** What holds until an admin sets another. */
export const FIRST_POLICY: MarketPolicy = {
  version: FEE_POLICY.version,
  at: 0,
  by: null,
  note: 'as it began',
  serviceFee: {
    basisPoints: FEE_POLICY.serviceFeeBasisPoints,
    smallOrderFee: FEE_POLICY.smallOrderFee,
    smallOrderBelow: FEE_POLICY.smallOrderBelow,
  },
  commission: { basisPoints: FEE_POLICY.commissionBasisPoints, fixed: 0, tipBasisPoints: 0, rules: [] },
}

/** What an order of this category by a seller of this level is placed under. The first rule that fits counts. */
export const frozen = (
  { version, serviceFee, commission, tax }: MarketPolicy,
  order: { category?: string | undefined; level: string },
): FeePolicy => {
  const rule = commission.rules.find(
    ({ category, level }) =>
      (category === undefined || category === order.category) && (level === undefined || level === order.level),
  )
  const { basisPoints, fixed } = rule ?? commission
  return {
    version,
    serviceFeeBasisPoints: serviceFee.basisPoints,
    smallOrderFee: serviceFee.smallOrderFee,
    smallOrderBelow: serviceFee.smallOrderBelow,
    commissionBasisPoints: basisPoints,
    ...(fixed > 0 && { commissionFixed: fixed }),
    ...(commission.tipBasisPoints > 0 && { tipCommissionBasisPoints: commission.tipBasisPoints }),
    ...(tax && { tax }),
  }
}

/** A rule that none can reach, and a commission that with its tax is more than everything, are mistakes. */
export const checked = <T extends PolicyTerms>(terms: T): T => {
  const errors: FieldError[] = []
  const { rules } = terms.commission
  const on = 10_000 + (terms.tax?.commissionBasisPoints ?? 0)
  const rates = [
    terms.commission.basisPoints,
    terms.commission.tipBasisPoints,
    ...rules.map((rule) => rule.basisPoints),
  ]
  if (rates.some((rate) => rate * on > 10_000 * 10_000))
    errors.push({ path: 'commission', message: 'with its tax it is more than what is earned' })
  for (const [at, rule] of rules.entries()) {
    const hidden = rules
      .slice(0, at)
      .some(
        ({ category, level }) =>
          (category === undefined || category === rule.category) && (level === undefined || level === rule.level),
      )
    if (hidden) errors.push({ path: `commission.rules.${at}`, message: 'a rule before it fits whenever it does' })
  }
  if (errors.length > 0) throw refuse('validation_failed', 'this fee policy cannot be', { errors })
  return terms
}
