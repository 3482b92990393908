// Costs: asks every node what its services were asked for, the store how large it is and the ledger what the provider kept.
import { service, type Here } from '../../mixins/service.ts'
import { contracts } from '../contract.ts'
import { COSTS_FRESH_MS, cost as contract, type Costs } from './contract.ts'
import { PRICES, reckoned, type NodeUsage, type Prices, type Usage } from './reckoning.ts'

/** Ledger accounts that hold what the provider kept, and the feature it was kept of. */
const FEES = ['exp:psp_fee', 'exp:dispute_fee']
const FEES_OF = 'payment'
const USAGE_MS = 2000

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const prices = { ...PRICES, ...(here.settings.costPrices as Partial<Prices> | undefined) }
  let known: { costs: Promise<Costs>; at: number } | null = null

  const costs = async (): Promise<Costs> => {
    const [said, sizes, fees] = await Promise.all([usages(here), documents.sizes?.() ?? null, feesOf(here)])
    const nodes = new Map<string, NodeUsage>(said.map((one) => [one.instance, one]))
    return reckoned(said, [...nodes.values()], sizes, { feature: FEES_OF, amounts: fees }, prices)
  }

  return {
    actions: {
      list: () => {
        if (!known || Date.now() - known.at > COSTS_FRESH_MS) {
          const asked = costs()
          known = { costs: asked, at: Date.now() }
          asked.catch(() => (known = null))
        }
        return known.costs
      },
    },
  }
})

type Said = Usage & NodeUsage

/** A node that does not answer is left out: it costs, but nobody knows how much. */
const usages = async ({ broker, placement }: Here): Promise<Said[]> => {
  const asked = Object.keys(contracts).flatMap((feature) =>
    placement.nodes(feature).map(async (nodeID): Promise<Said[]> => {
      const usage = await broker
        .call<Omit<Said, 'feature'>, object>(`${feature}.usage`, {}, { nodeID, timeout: USAGE_MS })
        .catch(() => null)
      return usage ? [{ ...usage, feature }] : []
    }),
  )
  return (await Promise.all(asked)).flat()
}

const feesOf = async ({ call }: Here) => {
  const balances = await call('ledger.balances', { accounts: FEES })
  const totals = new Map<string, number>()
  for (const account of FEES)
    for (const [currency, amount] of Object.entries(balances[account] ?? {}))
      totals.set(currency, (totals.get(currency) ?? 0) + amount)
  return [...totals].filter(([, amount]) => amount !== 0).map(([currency, amount]) => ({ amount, currency }))
}
