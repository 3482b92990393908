// npm run sim:money: the money simulation over many seeds, or one of them in full, or over planted bugs that it must find.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { simulate } from '../test/sim/money.ts'
import { MUTATIONS, type Mutation } from '../test/sim/mutant.ts'
import { runSeeds } from '../test/sim/pool.ts'

const HELP = `npm run sim:money [-- --seeds N] [--from N] [--threads N] [--mutants] [--mutant NAME] [--seed N [--trace]]
Orders, ledger, payment operations and payouts in virtual time with a provider that fails. Exit code 0: no invariant was
broken, or, with --mutants, each planted bug was found. --seed runs one seed here, --trace shows all of it.`

const SEEDS = 300
/** A planted bug is looked for in at least so many, to say in how many of them it shows. */
const MUTANT_SEEDS = 20
const PROGRESS_MS = 5000

const range = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n)

const replay = async (seed: number, isTraced: boolean): Promise<boolean> => {
  const { failure, steps, counts } = await simulate(seed, { isTraced })
  console.log(steps.join('\n'))
  console.log(counts)
  console.log(`seed ${seed}: ${failure ?? 'ok'}`)
  return failure === null
}

const all = async (seeds: readonly number[], threads: number): Promise<boolean> => {
  const began = performance.now()
  const totals: Record<string, number> = {}
  let [done, failures, cpuMs, toldAt] = [0, 0, 0, began]
  const rate = () => (done / ((performance.now() - began) / 1000)).toFixed(1)
  await runSeeds({
    seeds,
    threads,
    each: (ran) => {
      done++
      cpuMs += ran.cpuMs
      for (const [name, count] of Object.entries(ran.counts)) totals[name] = (totals[name] ?? 0) + count
      if (ran.failure !== null) {
        failures++
        console.log(`seed ${ran.seed}: ${ran.failure}\n  again: npm run sim:money -- --seed ${ran.seed} --trace`)
      }
      if (performance.now() - toldAt > PROGRESS_MS) {
        toldAt = performance.now()
        console.log(`${done} of ${seeds.length} seeds, ${failures} violations, ${rate()} seeds/s`)
      }
      return true
    },
  })
  for (const [name, count] of Object.entries(totals).sort())
    console.log(`  ${name.padEnd(42)}${count.toLocaleString('en').padStart(12)}`)
  const each = (cpuMs / Math.max(1, done)).toFixed(0)
  console.log(
    `${done} seeds, ${failures} violations, ${rate()} seeds/s in ${threads} threads, ${each} ms of CPU per seed`,
  )
  return failures === 0
}

const found = async (mutant: Mutation, seeds: readonly number[], threads: number): Promise<boolean> => {
  let [ran, caught, first] = [0, 0, Infinity]
  const by = new Set<string>()
  await runSeeds({
    seeds,
    threads,
    mutant,
    each: ({ seed, failure }) => {
      ran++
      if (failure === null) return caught === 0 || ran < MUTANT_SEEDS
      caught++
      first = Math.min(first, seed)
      by.add(/^(I\d+)/.exec(failure)?.[1] ?? failure.split(':')[0]!)
      return ran < MUTANT_SEEDS
    },
  })
  const where = caught === 0 ? 'NOT FOUND' : `first seed ${first}`
  console.log(
    `${mutant.padEnd(48)}${`${caught} of ${ran}`.padStart(10)}  ${where.padEnd(16)}${[...by].sort().join(', ')}`,
  )
  return caught > 0
}

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: String(SEEDS) },
      from: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(availableParallelism()) },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      mutants: { type: 'boolean', default: false },
      mutant: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const { mutant, seed, threads } = values
  if (values.help || (mutant !== undefined && !Object.hasOwn(MUTATIONS, mutant))) {
    console.log(
      `${HELP}\nPlanted bugs:\n${Object.keys(MUTATIONS)
        .map((name) => `  ${name}`)
        .join('\n')}`,
    )
    return values.help ? 0 : 2
  }
  if (seed !== undefined && !mutant) return (await replay(Number(seed), values.trace)) ? 0 : 1
  const seeds = range(Number(seed ?? values.from), seed === undefined ? Number(values.seeds) : 1)
  if (!mutant && !values.mutants) return (await all(seeds, Number(threads))) ? 0 : 1
  const wanted = mutant ? [mutant as Mutation] : (Object.keys(MUTATIONS) as Mutation[])
  let isFine = true
  for (const one of wanted) isFine = (await found(one, seeds, Number(threads))) && isFine
  return isFine ? 0 : 1
}

process.exitCode = await main()
