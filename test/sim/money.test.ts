import test from 'ava'
import { simulate } from './money.ts'

const SEEDS = 12

test('under every fault the books balance, nobody is paid twice and nothing is lost', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { failure, counts } = await simulate(seed)
    t.is(failure, null, `npm run sim:money -- --seed ${seed} --trace`)
    t.true(counts['crashes']! > 0 && counts['keys sent again']! > 0 && counts['payouts']! > 0)
  }
})

test('one seed is one story', async (t) => {
  t.deepEqual(await simulate(7), await simulate(7))
})
