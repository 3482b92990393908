// npm run chaos:money: real processes that are killed at labelled points of a payment, and one that is stopped past its lease
// in a payout run. `--all` also switches two guarantees off, one after the other, and expects the judge to see it.
import { parseArgs } from 'node:util'
import { natsProgram } from '../test/chaos/cluster.ts'
import { isClean } from '../test/chaos/money/judge.ts'
import { at, report, run, type Outcome, type RunOptions } from '../test/chaos/money/run.ts'

const HELP = `npm run chaos:money [-- --seed N] [--mutant fencing|idempotency] [--all]
A front node, two money nodes and the payment provider as processes of their own over nats-server. People trade and sellers
are paid while nodes are killed before a call, after it and after its commit, and one is stopped past its lease. Then
nothing may be doubled or lost, the books must balance, and the provider must have what they say. Exit code 0: so it was,
or, with --mutant, the judge saw that a guarantee was off.`

const FULL = { sellers: 12, buyers: 6, deals: 36 }
const SMALL = { sellers: 6, buyers: 3, deals: 12 }
const SEEDS = 1_000_000
type Kind = 'all' | 'fencing' | 'idempotency'
type Plan = Omit<RunOptions, 'seed' | 'log'> & {
  /** What the outcome must be for the run to have shown what it is for. */
  holds(outcome: Outcome): string[]
}
const STOPPED = { kind: 'transfer', point: 'paused past its lease' } as const

const plan = (kind: Kind): Plan => {
  if (kind === 'all')
    return {
      ...FULL,
      trading: at(['confirm', 'refund']),
      paying: [...at(['transfer', 'payout']), STOPPED],
      holds: ({ verdict, missed }) => [
        ...(isClean(verdict) ? [] : ['promises were broken']),
        ...missed.map(({ kind: call, point }) => `no "${call}, ${point}" happened`),
      ],
    }
  const seen = ({ verdict, changed }: Outcome) => [
    ...(changed < 2 ? ['the money nodes did not run changed source'] : []),
    ...(isClean(verdict) ? ['nothing was seen'] : []),
  ]
  if (kind === 'fencing') return { ...SMALL, trading: [], paying: [STOPPED], mutant: kind, holds: seen }
  return {
    ...SMALL,
    trading: [{ kind: 'refund', point: 'after the call, before the commit' }],
    paying: [{ kind: 'transfer', point: 'after the call, before the commit' }],
    mutant: kind,
    holds: (outcome) => [
      ...seen(outcome),
      ...(outcome.verdict.counts.doubled === 0 ? ['money that moved twice was not seen'] : []),
    ],
  }
}

const show = async (kind: Kind, seed: number): Promise<boolean> => {
  const { holds, ...options } = plan(kind)
  console.log(`seed ${seed}${kind === 'all' ? '' : `, ${kind} switched off`}`)
  const outcome = await run({ ...options, seed, log: console.log })
  console.log(report(outcome))
  const wrong = holds(outcome)
  console.log(wrong.length === 0 ? 'ok\n' : `FAIL: ${wrong.join('; ')}`)
  if (wrong.length > 0)
    console.log(`again: npm run chaos:money -- --seed ${seed}${kind === 'all' ? '' : ` --mutant ${kind}`}`)
  return wrong.length === 0
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      mutant: { type: 'string' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { mutant } = values
  if (values.help || (mutant !== undefined && mutant !== 'fencing' && mutant !== 'idempotency')) {
    console.log(HELP)
    return values.help ? 0 : 2
  }
  if (!natsProgram()) {
    console.log('two nodes take nats-server: not shown')
    return 2
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * SEEDS))
  const kinds: Kind[] = values.all ? ['all', 'fencing', 'idempotency'] : [mutant ?? 'all']
  let isFine = true
  for (const kind of kinds) isFine = (await show(kind, seed)) && isFine
  return isFine ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
