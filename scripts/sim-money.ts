// npm run sim:money -- [--seeds N] [--from N] [--seed N --trace] [--harm unversioned|snapshots]: the money simulation; exit code 1 when an invariant fails.
import { parseArgs } from 'node:util'
import { simulate } from '../test/sim/money.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean' },
    harm: { type: 'string' },
  },
})
const from = Number(values.seed ?? values.from ?? 1)
const seeds = values.seed === undefined ? Number(values.seeds ?? 300) : 1
const began = performance.now()
const totals: Record<string, number> = {}
let failures = 0
for (let seed = from; seed < from + seeds; seed++) {
  const { failure, steps, counts } = await simulate(seed, values.harm === undefined ? {} : { [values.harm]: true })
  for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count
  if (failure === null && !values.trace) continue
  if (failure !== null) {
    failures++
    console.log(`seed ${seed}: ${failure}\n  again: npm run sim:money -- --seed ${seed} --trace`)
  }
  if (values.trace) console.log(steps.join('\n'), counts)
}
const seconds = (performance.now() - began) / 1000
console.log(`${seeds} seeds, ${failures} violations, ${(seeds / seconds).toFixed(1)} seeds/s`, totals)
process.exitCode = failures > 0 ? 1 : 0
