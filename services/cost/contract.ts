// Costs: what each part of the market takes of the machine, and what that costs at the prices the operator pays.
import { Type, type Static } from 'typebox'
import { contract } from '../../mixins/contract.ts'
import { closed, Money, Time } from '../shapes.ts'

/** How long an answer is told again: looking at it must not cost more than what it tells of. */
export const COSTS_FRESH_MS = 30_000

/** Costs are fractions of a cent: no money of the market's, whose amounts are whole minor units. */
const Micros = Type.Integer({ description: 'millionths of a dollar' })
const Taken = {
  /** Answers of its routes and socket operations; what a gateway had prepared is not among them. */
  requests: Type.Integer(),
  /** With what other features asked of it. */
  calls: Type.Integer(),
  /** CPU of all nodes, shared out by the time each feature was at work; the gateway's part goes with what it was asked for. */
  cpuMs: Type.Integer(),
  /** Estimated from the latest documents; null where the store cannot tell. */
  storageBytes: Type.Union([Type.Integer(), Type.Null()]),
  /** What the payment provider kept, exactly, from the ledger. */
  providerFees: Type.Array(Money),
  cost: Type.Object({
    cpu: Micros,
    /** Of a month at today's size. */
    storageMonthly: Micros,
  }),
}
export const Costs = Type.Object(
  {
    /** When the node that has run longest was started: what is counted is counted from then. */
    since: Time,
    nodes: Type.Integer(),
    prices: Type.Object({ cpuHour: Type.Number(), storageGbMonth: Type.Number() }),
    data: Type.Array(Type.Object({ feature: Type.String(), ...Taken })),
    total: Type.Object(Taken),
  },
  { $id: 'Costs' },
)
export type Costs = Static<typeof Costs>

export const cost = contract({
  name: 'cost',
  actions: {
    list: {
      rest: 'GET /v1/admin/costs',
      auth: 'admin',
      result: Costs,
      summary:
        'What each feature took since the nodes were started (requests, CPU, storage, provider fees), and what it cost at the configured prices (COST_PRICES), the dearest first.',
      params: closed({}),
    },
  },
  events: {},
  hears: [],
})
