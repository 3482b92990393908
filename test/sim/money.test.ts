import test from 'ava'
import { simulate } from './money.ts'

const SEEDS = 12

test.serial('under every fault the books balance, nobody is paid twice and nothing is lost', async (t) => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failure, counts } = await simulate(seed)
    t.is(failure, null, `npm run sim:money -- --seed ${seed} --trace`)
    for (const met of ['crashes', 'conflicts', 'keys sent again', 'payouts']) if (counts[met]) seen.add(met)
  }
  t.is(seen.size, 4)
})

test.serial('one seed is one story', async (t) => {
  t.deepEqual(await simulate(7), await simulate(7))
})
