// The same service files under Deno, on the listener of node:http. scripts/test-deno.ts has Deno and names it.
import test from 'ava'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { startMarket, type Market } from './market.ts'
import { tell } from './story.ts'

const { TEST_DENO } = process.env
const told = TEST_DENO ? test.serial : test.serial.skip
const underDeno = (): Promise<Market> =>
  startMarket({ command: [TEST_DENO!, 'run', '-A', 'scripts/start.mjs'], env: { LISTENER: 'node' } })

told('the whole path under Deno', async (t) => {
  t.timeout(240_000)
  const market = await underDeno()
  t.teardown(market.stop)
  await tell(t, market)
})

told('what Deno kept is there after a kill', async (t) => {
  const market = await underDeno()
  t.teardown(market.stop)
  const { body } = await market.ask('POST', '/v1/auth/register', {
    body: { email: 'a@deno.test', password: 'a-long-password', username: 'deno-a', displayName: 'A' },
  })
  await market.kill()
  await market.start()
  t.is((await market.ask('GET', '/v1/me', { token: body.accessToken })).body.username, 'deno-a')
})

told('the realtime client runs under Deno, against a market under Node', async (t) => {
  const market = await startMarket()
  t.teardown(market.stop)
  const { stdout } = await promisify(execFile)(TEST_DENO!, [
    'run',
    '--no-config',
    '--allow-net',
    'client/example.ts',
    market.url,
  ])
  for (const text of ['About two.', 'With a harbour.', 'And a lighthouse!'])
    t.regex(stdout, new RegExp(`Sana +missed #\\d+ ${text}`))
})
