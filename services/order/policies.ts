// The store of fee policies: append-only, each version once, the newest counts.
import { collection, type Doc, type Documents } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { checked, FIRST_POLICY } from './fees.ts'
import type { MarketPolicy, PolicyTerms } from './policy.ts'

type PolicyDoc = Doc & { number: number; policy: MarketPolicy }
export const feePolicies = collection<PolicyDoc>('fee_policies', { byNumber: { keys: ['number'], unique: true } })

export type Policies = {
  /** What orders are placed under now. */
  current(): Promise<MarketPolicy>
  /** Newest first; the first one, which nobody set, is the last. */
  list(page: { limit?: number; cursor?: string }): Promise<{ data: PublicPolicy[]; nextCursor: string | null }>
  set(terms: PolicyTerms & { version: number; note: string }, by: string, at: number): Promise<PublicPolicy>
}
export type PublicPolicy = ReturnType<typeof publicPolicy>

export const openPolicies = async (documents: Documents): Promise<Policies> => {
  await documents.declare([feePolicies] as never)
  const current = async (): Promise<MarketPolicy> => {
    const { docs } = await documents.find(feePolicies, { index: 'byNumber', order: 'desc', limit: 1 })
    return docs[0]?.policy ?? FIRST_POLICY
  }
  return {
    current,
    list: async ({ limit = LIMIT_DEFAULT, cursor }) => {
      const { docs, next } = await documents.find(feePolicies, {
        index: 'byNumber',
        order: 'desc',
        limit,
        cursor: cursor ?? null,
      })
      const policies = docs.map(({ policy }) => policy)
      return { data: [...policies, ...(next === null ? [FIRST_POLICY] : [])].map(publicPolicy), nextCursor: next }
    },
    set: async ({ version, note, ...terms }, by, at) => {
      const replaced = await current()
      if (replaced.version !== version) throw changedMeanwhile(replaced)
      const policy: MarketPolicy = { ...checked(terms), version: version + 1, note, by, at }
      const doc: PolicyDoc = { id: `fees_${policy.version}`, version: 1, number: policy.version, policy }
      if (!(await documents.insert(feePolicies, doc)).ok) throw changedMeanwhile(await current())
      return publicPolicy(policy)
    },
  }
}

const changedMeanwhile = ({ version }: MarketPolicy) => refuse('conflict', `the policy is version ${version} by now`)

const publicPolicy = ({ at, ...policy }: MarketPolicy) => ({ ...policy, at: at === 0 ? null : iso(at) })
