import test from 'ava'
import { startMarket } from './market.ts'
import { checkMoney, freshMemory, story } from './story.ts'

test('the whole path, from signing up to being paid, with the books balanced after every step', async (t) => {
  t.timeout(240_000)
  const market = await startMarket()
  const teller = { t, market, memory: freshMemory() }
  try {
    for (const step of story) {
      t.log(step.name)
      await step.take(teller)
      await checkMoney(teller)
    }
  } catch (error) {
    t.log(market.output().slice(-4000))
    throw error
  } finally {
    await market.stop()
  }
})

test('the same with the process killed and started again between any two steps', async (t) => {
  t.timeout(240_000)
  const market = await startMarket()
  const teller = { t, market, memory: freshMemory() }
  try {
    for (const step of story) {
      t.log(step.name)
      await step.take(teller)
      await checkMoney(teller)
      await market.kill()
      await market.start()
      await checkMoney(teller)
    }
  } catch (error) {
    t.log(market.output().slice(-4000))
    throw error
  } finally {
    await market.stop()
  }
})
