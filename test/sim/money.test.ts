import test from 'ava'
import { simulate } from './money.ts'
import type { Mutation } from './mutant.ts'
import { runSeeds } from './pool.ts'

const SEEDS = Array.from({ length: 12 }, (_, n) => n + 1)
/** Planted bugs that show in most seeds; `npm run sim:money -- --mutants` looks for all of them. */
const PLAINLY: readonly Mutation[] = [
  'random key per retry',
  'timeout treated as failure',
  'same key after a definitive error',
  'no freeze during a dispute',
  'entries without dedupe',
  'split forgets what the buyer got',
]

test.serial('under every fault the books balance, nobody is paid twice and nothing is lost', async (t) => {
  const seen = new Set<string>()
  await runSeeds({
    seeds: SEEDS,
    threads: 2,
    each: ({ seed, failure, counts }) => {
      t.is(failure, null, `npm run sim:money -- --seed ${seed} --trace`)
      for (const [name, count] of Object.entries(counts)) if (count > 0) seen.add(name)
      return true
    },
  })
  const met = [
    'crashes',
    'conflicts',
    'keys sent again',
    'heard again',
    'payouts',
    'refunds that failed',
    'chargebacks: lost',
    'chargebacks: won',
    'fraud warnings',
  ]
  const moved = [
    'accept',
    'cancel',
    'decline',
    'dispute',
    'extend',
    'refund by admin',
    'refund offer',
    'resolve',
    'tip',
  ]
  t.deepEqual(
    [...met, ...moved].filter((name) => !seen.has(name)),
    [],
  )
})

test.serial('one seed is one story', async (t) => {
  t.deepEqual(await simulate(7), await simulate(7))
})

for (const mutant of PLAINLY)
  test.serial(`it is noticed: ${mutant}`, async (t) => {
    let caught: string | null = null
    await runSeeds({ seeds: SEEDS, threads: 1, mutant, each: ({ failure }) => (caught = failure) === null })
    t.truthy(caught)
  })
