// Fee policies as admins see and set them: each a version of its own, never changed. Rates in basis points, amounts in minor
// units of an order's currency.
import { Type, type Static } from 'typebox'
import { Level } from '../account/contract.ts'
import { closed, Id, text, Time } from '../shapes.ts'

const Rate = Type.Integer({ minimum: 0, maximum: 10_000 })
const Fixed = Type.Integer({ minimum: 0, maximum: 1_000_000 })
/** Rules one policy may have. */
export const RULES_MAX = 100

const CommissionRule = closed({
  category: Type.Optional(text(1, 60)),
  level: Type.Optional(Level),
  basisPoints: Rate,
  fixed: Fixed,
})
const terms = {
  /** The buyer's, on the subtotal; its tax is inside. */
  serviceFee: closed({ basisPoints: Rate, smallOrderFee: Fixed, smallOrderBelow: Type.Integer({ minimum: 0 }) }),
  /** The seller's: the first rule that fits an order's category and its seller's level, else what stands beside the rules. */
  commission: closed({
    basisPoints: Rate,
    fixed: Fixed,
    tipBasisPoints: Rate,
    rules: Type.Array(CommissionRule, { maxItems: RULES_MAX }),
  }),
  /** Inside the service fee, on top of the commission. */
  tax: Type.Optional(
    closed({
      jurisdiction: Type.String({ pattern: '^[a-z0-9-]{2,20}$' }),
      serviceFeeBasisPoints: Rate,
      commissionBasisPoints: Rate,
    }),
  ),
}
export const PolicyTerms = closed(terms)
export type PolicyTerms = Static<typeof PolicyTerms>

/** `version`: of the policy it replaces; what somebody else has replaced meanwhile is a conflict. */
export const NewPolicy = closed({ version: Type.Integer({ minimum: 1 }), note: text(1, 1000), ...terms })

export const FeePolicyShape = Type.Object(
  {
    version: Type.Integer(),
    at: Type.Union([Time, Type.Null()]),
    by: Type.Union([Id, Type.Null()]),
    note: Type.String(),
    ...terms,
  },
  { $id: 'FeePolicy' },
)
/** As it is kept: `at` is platform epoch ms. */
export type MarketPolicy = Omit<Static<typeof FeePolicyShape>, 'at'> & { at: number }
