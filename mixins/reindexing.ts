// Makes the search index anew, on every node that has one of its own, or once where all ask the same.
import type { Node } from './node.ts'

export type Reindexed = {
  node: string
  state: 'never' | 'running' | 'done' | 'failed'
  gigs: number
  of: number
  seconds: number
  shared: boolean
  problem: string | null
}
const ASKED_MS = 10_000

export const startReindexing = (node: Node): Promise<Reindexed[]> => onSearchNodes(node, 'search.rebuild')
export const reindexing = (node: Node): Promise<Reindexed[]> => onSearchNodes(node, 'search.rebuilding')

const onSearchNodes = async ({ broker, placement }: Node, action: string): Promise<Reindexed[]> => {
  const all: Reindexed[] = []
  for (const nodeID of placement.nodes('search').toSorted()) {
    const one = (await broker.call(action, {}, { nodeID, timeout: ASKED_MS })) as Omit<Reindexed, 'node'>
    all.push({ node: nodeID, ...one })
    if (one.shared) break
  }
  return all
}
