// From what nodes, store and ledger say to what each feature costs. Pure.
import { iso, type Money } from '../shapes.ts'
import type { Costs } from './contract.ts'

/** Dollars per CPU hour and per GB (10⁹ bytes) and month. */
export type Prices = { cpuHour: number; storageGbMonth: number }
/** One vCPU of a general-purpose machine and a replicated disk, list price of a large provider. */
export const PRICES: Prices = { cpuHour: 0.0408, storageGbMonth: 0.115 }

/** What one service of one node says. */
export type Usage = { feature: string; instance: string; requests: number; calls: number; busyMs: number }
export type NodeUsage = { instance: string; cpuMs: number; startedAt: number }
type Fees = { feature: string; amounts: Money[] }

const HOUR_MS = 3_600_000
const GB = 1e9

export const reckoned = (
  usages: readonly Usage[],
  nodes: readonly NodeUsage[],
  sizes: Readonly<Record<string, number>> | null,
  { feature: feeFeature, amounts }: Fees,
  prices: Prices,
): Costs => {
  const cpu = cpuByFeature(usages, nodes)
  const stored = sizes && bytesByFeature(sizes)
  const names = new Set([...usages.map(({ feature }) => feature), ...Object.keys(stored ?? {})])
  const data = [...names].map((feature) => {
    const own = usages.filter((usage) => usage.feature === feature)
    return {
      feature,
      ...taken(
        {
          requests: sum(own.map(({ requests }) => requests)),
          calls: sum(own.map(({ calls }) => calls)),
          cpuMs: Math.round(cpu.get(feature) ?? 0),
          storageBytes: stored && (stored[feature] ?? 0),
          providerFees: feature === feeFeature ? amounts : [],
        },
        prices,
      ),
    }
  })
  const dear = ({ cost }: { cost: Costs['total']['cost'] }) => cost.cpu + cost.storageMonthly
  return {
    since: iso(Math.min(...nodes.map(({ startedAt }) => startedAt))),
    nodes: nodes.length,
    prices,
    data: data.toSorted((one, other) => dear(other) - dear(one) || (one.feature < other.feature ? -1 : 1)),
    total: taken(
      {
        requests: sum(data.map(({ requests }) => requests)),
        calls: sum(data.map(({ calls }) => calls)),
        cpuMs: Math.round(sum(nodes.map(({ cpuMs }) => cpuMs))),
        storageBytes: stored && sum(Object.values(stored)),
        providerFees: amounts,
      },
      prices,
    ),
  }
}

type Taken = Omit<Costs['total'], 'cost'>
const taken = (own: Taken, { cpuHour, storageGbMonth }: Prices): Costs['total'] => ({
  ...own,
  cost: {
    cpu: Math.round((own.cpuMs / HOUR_MS) * cpuHour * 1e6),
    storageMonthly: Math.round(((own.storageBytes ?? 0) / GB) * storageGbMonth * 1e6),
  },
})

/** The whole CPU of a node is somebody's: each has the share of the time it was at work there. */
const cpuByFeature = (usages: readonly Usage[], nodes: readonly NodeUsage[]): Map<string, number> => {
  const cpu = new Map<string, number>()
  for (const { instance, cpuMs } of nodes) {
    const here = usages.filter((usage) => usage.instance === instance)
    const busy = sum(here.map(({ busyMs }) => busyMs))
    for (const { feature, busyMs } of here)
      cpu.set(feature, (cpu.get(feature) ?? 0) + cpuMs * (busy > 0 ? busyMs / busy : 1 / here.length))
  }
  return cpu
}

/** Collections are named after their actor, or are in this list. */
const OWNERS: Readonly<Record<string, string>> = {
  blocks: 'chat',
  conversations: 'chat',
  inbox: 'chat',
  messages: 'chat',
  response: 'chat',
  suspicions: 'chat',
  demo: 'sandbox',
  erasures: 'privacy',
  fee: 'order',
  hot: 'gateway',
  idempotency: 'gateway',
  push: 'notification',
  reports: 'moderation',
  sessions: 'account',
  users: 'account',
}
const FEATURES = [
  'announcement',
  'audit',
  'discovery',
  'favorite',
  'gig',
  'ledger',
  'moderation',
  'notification',
  'offer',
  'order',
  'payment',
  'payout',
  'recommendation',
  'reconciliation',
  'review',
  'search',
  'statement',
]
export const PLATFORM = 'platform'
export const featureOf = (collection: string): string => {
  const first = collection.split('_')[0]!
  return OWNERS[first] ?? FEATURES.find((feature) => first === feature || first === `${feature}s`) ?? PLATFORM
}

const bytesByFeature = (sizes: Readonly<Record<string, number>>): Record<string, number> => {
  const bytes: Record<string, number> = {}
  for (const [collection, size] of Object.entries(sizes)) {
    const feature = featureOf(collection)
    bytes[feature] = (bytes[feature] ?? 0) + size
  }
  return bytes
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
