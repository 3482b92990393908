// npm run reindex [-- --json]: makes the search index anew from the gigs. In a running market through its side door, which
// goes on answering and taking changes meanwhile; when none runs, in a node of its own over the same data.
import { parseArgs } from 'node:util'
import { startReindexing, reindexing, type Reindexed } from '../mixins/reindexing.ts'
import { allServices, askRunning, ownNode, runScript } from './own-node.ts'

const HELP = `npm run reindex [-- --json]
Makes the search index anew from the gigs: beside the present one, which goes on answering, and then in its place.
Changes made meanwhile are in both. Orders it from the running market, or does it itself when none runs.
Exit code 0: done; 1: not done on every node; 2: could not be asked.`

const LOOK_EVERY_MS = 500
const LINE_EVERY_MS = 3000

const reindex = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const isRunning = (await askRunning('/reindex', 'POST'))?.status === 202
  const nodes = isRunning
    ? await followed(values.json, () => nodesOf(askRunning('/reindex')))
    : await withOwnNode(values.json)
  console.log(values.json ? JSON.stringify({ nodes }) : nodes.map(line).join('\n'))
  return nodes.length > 0 && nodes.every(({ state }) => state === 'done') ? 0 : 1
}

const nodesOf = async (asked: ReturnType<typeof askRunning>): Promise<Reindexed[]> => {
  const answer = await asked
  if (answer?.status !== 200) throw new Error('the market does not answer any more')
  return (answer.body as { nodes: Reindexed[] }).nodes
}

const withOwnNode = async (isQuiet: boolean): Promise<Reindexed[]> => {
  const node = await ownNode(allServices())
  try {
    await startReindexing(node)
    const nodes = await followed(isQuiet, () => reindexing(node))
    await (await node.open('engine')).flush()
    return nodes
  } finally {
    await node.stop()
  }
}

/** Shows how far it is until no node is at it any more. */
const followed = async (isQuiet: boolean, ask: () => Promise<Reindexed[]>): Promise<Reindexed[]> => {
  for (let shownAt = Date.now(); ;) {
    const nodes = await ask()
    if (nodes.every(({ state }) => state !== 'running')) return nodes
    if (!isQuiet && Date.now() - shownAt >= LINE_EVERY_MS) {
      shownAt = Date.now()
      console.log(nodes.map(line).join('\n'))
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

const line = ({ node, state, gigs, of, seconds, problem }: Reindexed): string =>
  `${node}: ${state}, ${gigs.toLocaleString('en')} of ${of.toLocaleString('en')} gigs after ${seconds} s${problem ? `: ${problem}` : ''}`

if (import.meta.main) await runScript(reindex)
