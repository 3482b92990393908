// Gateways remember for a moment who a caller is (CALLER_LEASE_MS). Before a change is answered, each has forgotten it, or its
// lease has run out: a gateway that can't be reached can't be asked again either, and what it knew is no longer good.
import type { Node } from '../../mixins/node.ts'
import { CALLER_LEASE_MS } from './contract.ts'

export type Leases = {
  /** Resolves when no gateway goes by what it knew of this account any more. Never rejects. */
  ended(user: string): Promise<void>
}

export const leases = ({ broker, placement }: Pick<Node, 'broker' | 'placement'>): Leases => ({
  ended: async (user) => {
    const over = performance.now() + CALLER_LEASE_MS
    const forget = (nodeID: string) =>
      broker.call('gateway.forget', { user }, { nodeID, timeout: CALLER_LEASE_MS, meta: {} }).catch(() => until(over))
    await Promise.all(placement.nodes('gateway').map(forget))
  },
})

const until = (at: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())).unref())
