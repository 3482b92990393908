// A short run of what `npm run chaos:chat` does at length: real processes, a node killed, links cut. Beside the devices that
// follow the contract are some that do not ask what they missed, so that the harm is seen to be harm.
import test from 'ava'
import { BAD } from './chaos/checker.ts'
import { natsProgram } from './chaos/cluster.ts'
import { run } from './chaos/run.ts'

const SEED = 4

test('a node is killed and links are cut, and who asks what it missed has every message once and in order', async (t) => {
  t.timeout(120_000)
  const { verdict, forgetful, harmed } = await run({
    seed: SEED,
    seconds: 2,
    harms: [natsProgram() ? 'kill chat' : 'kill gateway', 'cut links'],
    gateways: 1,
    chats: 2,
    people: 4,
    devicesEach: 2,
    forgetful: 4,
    conversations: 6,
    thinkMs: 300,
    resumes: true,
    log: t.log,
  })
  t.deepEqual(
    Object.fromEntries(BAD.map((what) => [what, verdict.counts[what]])),
    { lost: 0, doubled: 0, reordered: 0, gaps: 0, altered: 0 },
    `seed ${SEED}: ${verdict.problems.join('\n')}`,
  )
  t.true(verdict.counts.acknowledged > 0)
  for (const [name, count] of harmed) t.true(count > 0, `no "${name}" happened`)
  t.true(forgetful.counts.gaps > 0, 'links were cut, and nobody missed anything')
})
