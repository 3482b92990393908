import test from 'ava'
import { startMarket } from './market.ts'
import { tell } from './story.ts'

test('the whole path, from signing up to being paid, with the books balanced after every step', async (t) => {
  t.timeout(240_000)
  const market = await startMarket()
  t.teardown(market.stop)
  await tell(t, market)
})

test('the same with the process killed and started again between any two steps', async (t) => {
  t.timeout(240_000)
  const market = await startMarket()
  t.teardown(market.stop)
  await tell(t, market, async () => {
    await market.kill()
    await market.start()
  })
})
