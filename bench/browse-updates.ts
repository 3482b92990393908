// How long browsing takes while gigs are updated all the time, and without: a gateway on one core, what it asks and who
// updates on the other, NATS between them; both arms in turn, in a random order. Times count from when a request was due.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Answer, Question } from './browse-driver.ts'
import { median, owned, ratio, shuffled, startBenchNode, startChild, table, UNLIMITED } from './harness.ts'
import { freePorts } from '../test/market.ts'
import { startNats } from './nodes.ts'

export type UpdateOptions = { perSecond: number; rounds: number; /** A folder for CPU profiles. */ profile: string }

const GIGS = 5000
const ARM_MS = 8000
/** Let what the other arm began come to rest. */
const REST_MS = 1500
const GATEWAY_CORE = 0
const ACTOR_CORE = 1
const ACTORS = 'account,gig,search,moderation,review'
const run = promisify(execFile)

type Times = Record<string, number[]>
type Arm = 'quiet' | 'updated'
type Visit = { name: string; perSecond: number; path: () => string }

const COLD_PER_SECOND = 40
const COLD_VISITS = (ARM_MS / 1000) * COLD_PER_SECOND

const visitsTo = (gig: string): Visit[] => {
  let cold = 0
  return [
    { name: 'hot gig', perSecond: 200, path: () => `/v1/gigs/${gig}` },
    { name: 'hot listing', perSecond: 200, path: () => '/v1/gigs?category=design' },
    { name: 'cold listing', perSecond: COLD_PER_SECOND, path: () => `/v1/gigs?q=logo&maxPrice=${10_000_000 + cold++}` },
  ]
}

export const whileUpdated = async ({ perSecond, rounds, profile }: UpdateOptions): Promise<void> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gigwire-updates-'))
  const stops: (() => Promise<unknown>)[] = [() => rm(dataDir, { recursive: true, force: true })]
  try {
    await seeded(dataDir)
    const nats = await startNats((await freePorts(1))[0]!, ACTOR_CORE)
    stops.push(nats.stop)
    const env = { NATS_URL: nats.url, RATE_LIMITS: UNLIMITED, DEMO: '0' }
    const profiled = (name: string) => (profile ? ['--cpu-prof', `--cpu-prof-dir=${join(profile, name)}`] : [])
    const actors = await startBenchNode({
      dataDir,
      nodeArguments: profiled('actors'),
      core: ACTOR_CORE,
      env: { ...env, NODE_ID: 'actors', SERVICES: ACTORS },
    })
    stops.push(actors.stop)
    const gateway = await startBenchNode({
      dataDir,
      nodeArguments: profiled('gateway'),
      core: GATEWAY_CORE,
      env: { ...env, NODE_ID: 'gateway', SERVICES: 'gateway' },
    })
    stops.push(gateway.stop)
    const driver = startChild(new URL('./browse-driver.ts', import.meta.url), [nats.url, dataDir], { core: ACTOR_CORE })
    stops.push(driver.stop)
    await driver.ask<Answer>({ perSecond: 0, ms: 0 } satisfies Question)
    if (process.platform === 'linux')
      await run('taskset', ['-a', '-p', '-c', String(GATEWAY_CORE), String(process.pid)])
    const times: Record<Arm, Times> = { quiet: {}, updated: {} }
    const done: number[] = []
    const costs: number[] = []
    const waited: Record<Arm, number> = { quiet: 0, updated: 0 }
    const visits = visitsTo(await someGig(gateway.url))
    await browsed(gateway.url, visits, {})
    for (let round = 0; round < rounds; round++)
      for (const arm of shuffled(['quiet', 'updated'] as const)) {
        const rate = arm === 'updated' ? perSecond : 0
        const before = actors.usage().cpuSeconds
        const missedBefore = await missed(gateway.opsUrl)
        const [answer] = await Promise.all([
          driver.ask<Answer>({ perSecond: rate, ms: ARM_MS } satisfies Question),
          browsed(gateway.url, visits, times[arm]),
        ])
        waited[arm] += (await missed(gateway.opsUrl)) - missedBefore - COLD_VISITS
        if (arm === 'updated') {
          done.push(answer.updated / (answer.ms / 1000))
          costs.push((1000 * (actors.usage().cpuSeconds - before)) / answer.updated)
        }
        if (answer.refused > 0) console.log(`${answer.refused} updates were refused`)
        await sleep(REST_MS)
      }
    report(times, done)
    console.log(
      `\nOf ${times.quiet['hot gig']!.length * 2} requests for something hot ${waited.quiet} had to wait for an answer to be made, and ${waited.updated} while gigs were updated`,
    )
    console.log(`CPU of the actors: ${median(costs).toFixed(2)} ms an update, browsing included`)
  } finally {
    for (const stop of stops.toReversed()) await stop()
  }
}

const seeded = async (dataDir: string) => {
  const child = owned(
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'scripts/seed.ts', '--gigs', String(GIGS)], {
      env: { ...process.env, DATA_DIR: dataDir, LOG_LEVEL: 'error', OPS_PORT: '0' },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`seeding ended with ${code}`)
}

const someGig = async (url: string): Promise<string> => {
  for (;;) {
    const { data = [] } = (await (await fetch(`${url}/v1/gigs?category=design`)).json()) as { data?: { id: string }[] }
    if (data[0]) return data[0].id
    await sleep(200)
  }
}

/** Open loop: a request that is due is sent, whatever became of those before. */
const browsed = async (url: string, visits: readonly Visit[], times: Times): Promise<void> => {
  const startedAt = performance.now()
  await Promise.all(
    visits.map(async ({ name, perSecond, path }) => {
      const all = (times[name] ??= [])
      // Of its own: who waits for a slow answer must not hold up another kind of visitor.
      const agent = new Agent({ keepAlive: true, noDelay: true })
      const under: Promise<void>[] = []
      for (let n = 0; n < (ARM_MS / 1000) * perSecond; n++) {
        const due = startedAt + (n * 1000) / perSecond
        const wait = due - performance.now()
        if (wait > 0) await sleep(wait)
        under.push(visited(agent, url + path()).then(() => void all.push(performance.now() - due)))
      }
      await Promise.all(under)
      agent.destroy()
    }),
  )
}

const visited = (agent: Agent, url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume()
      response.on('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${url}: ${response.statusCode}`)),
      )
    }).on('error', reject)
  })

const report = (times: Record<Arm, Times>, done: readonly number[]) => {
  const rows = Object.keys(times.quiet).map((name) => {
    const [quiet, updated] = [times.quiet[name]!, times.updated[name]!].map((all) => all.toSorted((a, b) => a - b))
    const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)]!
    return [
      name,
      `${at(quiet!, 0.5).toFixed(2)} / ${at(quiet!, 0.99).toFixed(2)}`,
      `${at(updated!, 0.5).toFixed(2)} / ${at(updated!, 0.99).toFixed(2)}`,
      ratio(at(updated!, 0.99), at(quiet!, 0.99)),
      `${quiet!.length} + ${updated!.length}`,
    ]
  })
  const rate = Math.round(done.reduce((sum, one) => sum + one, 0) / done.length)
  const head = ['ms p50 / p99', 'quiet', `${rate} gigs/s updated`, 'p99', 'samples']
  console.log(`\n${table(head, rows)}`)
}

/** Public reads for which no answer was at hand. */
const missed = async (opsUrl: string): Promise<number> =>
  Number(
    /^gigwire_hot_answers_total\{result="miss"\} (\d+)$/m.exec(await (await fetch(`${opsUrl}/metrics`)).text())?.[1] ??
      0,
  )

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
