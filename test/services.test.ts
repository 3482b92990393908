// The story told to a market of two processes with real servers behind it. scripts/test-services.ts starts those servers
// and names them; where one could not be had, this is skipped.
import { readdirSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { startMarket } from './market.ts'
import { tell } from './story.ts'

const { TEST_REDIS_URL, TEST_NATS_URL, TEST_MONGO_URL, TEST_MEILI_URL, TEST_MEILI_KEY = '' } = process.env
const told = TEST_REDIS_URL && TEST_NATS_URL && TEST_MONGO_URL ? test.serial : test.serial.skip

const WITH_GATEWAY = ['gateway', 'account', 'gig', 'search', 'moderation', 'media', 'review', 'sandbox', 'announcement']
/** Every other service there is, so that a new one is never nowhere. */
const THE_REST = readdirSync(new URL('../services', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !WITH_GATEWAY.includes(entry.name))
  .map(({ name }) => name)
const SERVICES = [WITH_GATEWAY, THE_REST].map((names) => names.join(','))

/** Two processes over the three servers; the second has the provider, whose webhooks find the gateway by the same PORT. */
const startSplitMarket = async (t: ExecutionContext) => {
  const mongoUrl = databaseUrl()
  t.teardown(() => dropDatabase(mongoUrl))
  const market = await startMarket({
    env: {
      REDIS_URL: TEST_REDIS_URL!,
      NATS_URL: TEST_NATS_URL!,
      MONGO_URL: mongoUrl,
      ...(TEST_MEILI_URL && { MEILI_URL: TEST_MEILI_URL, MEILI_KEY: TEST_MEILI_KEY, MEILI_INDEX: indexName() }),
    },
    processes: SERVICES.map((hosted) => ({ SERVICES: hosted })),
  })
  t.teardown(market.stop)
  return market
}

/** A database of its own for every telling. */
const databaseUrl = (): string => {
  const url = new URL(TEST_MONGO_URL!)
  url.pathname = `/gigwire-story-${process.pid}-${Date.now()}`
  return url.href
}

const indexName = (): string => `story-${process.pid}-${Date.now()}`

const dropDatabase = async (url: string) => {
  const { default: mongoose } = await import('mongoose')
  const connection = await mongoose.createConnection(url).asPromise()
  await connection.dropDatabase()
  await connection.close()
}

told("the whole path over two processes with Redis, NATS and MongoDB's protocol behind them", async (t) => {
  t.timeout(300_000)
  await tell(t, await startSplitMarket(t))
})

told('the same with both processes killed and started again between any two steps', async (t) => {
  t.timeout(300_000)
  const market = await startSplitMarket(t)
  await tell(t, market, async () => {
    await market.kill()
    await market.start()
  })
})
