// Which node takes an actor's turns: key → one of SHARDS fixed virtual shards → rendezvous hash onto the live nodes that
// host the service. A join or leave moves only the shards it must. Placement is an optimisation; the conditional write is
// the safety: two callers may disagree for a moment and nothing is lost.
import type { ServiceBroker } from 'moleculer'

export const SHARDS = 1024

export type Placement = {
  /** The node that owns the key, or null when no live node hosts the service. */
  owner(service: string, key: string): string | null
  /** Live nodes that host the service. */
  nodes(service: string): readonly string[]
}

const CHANGES = ['$services.changed', '$node.connected', '$node.disconnected', '$node.updated', '$broker.started']

export const placement = (broker: ServiceBroker): Placement => {
  const tables = new Map<string, { nodes: string[]; shards: (string | null)[] }>()
  for (const change of CHANGES) broker.localBus.on(change, () => tables.clear())
  const table = (service: string) => {
    let known = tables.get(service)
    if (!known) {
      const nodes = hosts(broker, service)
      known = { nodes, shards: Array.from({ length: SHARDS }, (_, shard) => rendezvous(shard, nodes)) }
      tables.set(service, known)
    }
    return known
  }
  return {
    owner: (service, key) => table(service).shards[shardOf(key)] ?? null,
    nodes: (service) => table(service).nodes,
  }
}

export const shardOf = (key: string): number => hash(key) % SHARDS

/** The node with the highest hash of (node, shard): each node's shards depend on itself alone. */
export const rendezvous = (shard: number, nodes: readonly string[]): string | null => {
  let best: string | null = null
  let bestWeight = -1
  for (const node of nodes) {
    const weight = hash(`${node}/${shard}`)
    if (weight > bestWeight || (weight === bestWeight && best !== null && node < best)) {
      best = node
      bestWeight = weight
    }
  }
  return best
}

/** FNV-1a with a final avalanche (murmur3's), unsigned 32 bits: sequential keys must spread. */
export const hash = (text: string): number => {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

type ListedService = { name: string; nodeID: string; available: boolean }
const hosts = (broker: ServiceBroker, service: string): string[] => {
  const listed = broker.registry.getServiceList({ onlyAvailable: true }) as unknown as ListedService[]
  return [...new Set(listed.filter(({ name }) => name === service).map(({ nodeID }) => nodeID))].sort()
}
