import test from 'ava'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../../test/node.ts'
import { refuse } from '../errors.ts'
import { search } from '../search/contract.ts'
import { actorOf, startGateway } from './testing.ts'

const start = async (dataDir: string, isDown = false) => {
  const state = { isDown, asked: [] as string[] }
  const gateway = await startGateway({
    env: { DATA_DIR: dataDir, RATE_LIMITS: 'address=100000/100000' },
    services: [
      actorOf(search, {
        gigs: ({ params }) => {
          if (state.isDown) throw refuse('unavailable')
          state.asked.push(JSON.stringify(params))
          return { data: [] }
        },
        categories: () => (state.asked.push('categories'), { data: [] }),
      }),
    ],
  })
  return { ...gateway, state }
}

test('a gateway that starts has the answers that were asked for most before anybody asks', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-warm-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const first = await start(dataDir)
  for (let n = 0; n < 300; n++) await first.ask('GET', '/v1/gigs?q=logo')
  for (let n = 0; n < 250; n++) await first.ask('GET', `/v1/gigs?q=seldom${n}`)
  await first.stop()

  const second = await start(dataDir, true)
  t.teardown(second.stop)
  t.deepEqual(second.state.asked, [])
  second.state.isDown = false
  const asked = await eventually(
    () => [...second.state.asked],
    (all) => all.length >= 200,
  )
  t.true(asked.includes('{"q":"logo"}'))
  const before = second.state.asked.length
  t.is((await second.ask('GET', '/v1/gigs?q=logo')).status, 200)
  t.is(second.state.asked.length, before)
})
