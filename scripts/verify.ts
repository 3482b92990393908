// npm run verify [-- --json]: proves the invariants, in the market that runs here or, when none does, in a node of its own
// over the same data. Exit code 0: all hold; 1: some do not; 2: could not be asked.
import { parseArgs } from 'node:util'
import { verification, type Check } from '../mixins/verification.ts'
import { allServices, askRunning, ownNode, runScript } from './own-node.ts'

const HELP = `npm run verify [-- --json]
Checks that ledger sums are zero and its chain whole, that orders' histories are paths of the table and the books hold
for each what they should, that accepted offers are orders at their price, that the index has what is live, that message
numbers have no gap, and that the audit log's chain is whole. Asks the running market, or reads the data itself when none runs.`

const verify = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const running = await askRunning('/verify')
  const checks = running ? (running.body as { checks: Check[] }).checks : await withOwnNode()
  console.log(values.json ? JSON.stringify({ checks }) : table(checks))
  return checks.some(({ problems }) => problems.length > 0) ? 1 : 0
}

const withOwnNode = async (): Promise<Check[]> => {
  const node = await ownNode(allServices())
  try {
    await node.call('search.reindex', {}, { timeoutMs: 120_000 })
    return await verification(node.call)
  } finally {
    await node.stop()
  }
}

const PROBLEMS_SHOWN = 10
export const table = (checks: readonly Check[]): string =>
  checks
    .flatMap(({ what, counted, problems }) => [
      `${problems.length === 0 ? 'ok  ' : 'FAIL'}  ${what} (${Object.entries(counted)
        .map(([name, count]) => `${count.toLocaleString('en')} ${name}`)
        .join(', ')})`,
      ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `      ${problem}`),
      ...(problems.length > PROBLEMS_SHOWN ? [`      and ${problems.length - PROBLEMS_SHOWN} more`] : []),
    ])
    .join('\n')

if (import.meta.main) await runScript(verify)
