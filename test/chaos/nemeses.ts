// What is done to a run: a table of harms, each of which also makes good again, and the two of them who choose from it.
// Which comes when is drawn from the seed; every one that was asked for comes at least once.
import type { Cluster, Member } from './cluster.ts'
import type { Device } from './device.ts'
import type { Proxy } from './proxy.ts'
import type { Random } from './random.ts'

export type World = {
  cluster: Cluster
  proxy: Proxy
  devices: readonly Device[]
  random: Random
  /** Milliseconds since the start. */
  now(): number
  log(line: string): void
}
/** Answers what came of it, or null where there was nothing to do it to. */
type Harm = (world: World) => Promise<string | null>

/** Past Moleculer's heartbeatTimeout of 8 s and the next look at it: a node paused for so long is taken for gone. */
const PAUSE_MS = 17_000
const SWALLOWED_MS = 4000
const SLOW_WITHIN_MS = 8000
/** How much longer it goes on for a harm that has not been done at all yet. */
const OVERTIME_MS = 20_000
/** Answers asked for and not read: together far more than a socket, its peers and the kernel hold. */
const GORGED = 80

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const killed = async (world: World, one: Member | undefined, downMs: readonly [number, number]) => {
  if (!one) return null
  await one.kill()
  await wait(world.random.whole(...downMs))
  await one.start()
  return `${one.name} killed, started again`
}

const up = (cluster: Cluster, role: Member['role']) => cluster.of(role).filter(({ state }) => state() === 'up')
const spare = (cluster: Cluster) => cluster.of('chat').find(({ state }) => state() === 'down')

/** Harms to processes: one at a time. */
export const TO_PROCESSES = {
  'kill gateway': (world) =>
    killed(world, world.random.pick([...up(world.cluster, 'gateway'), ...up(world.cluster, 'all')]), [200, 1500]),
  'kill chat': (world) => killed(world, world.random.pick(up(world.cluster, 'chat')), [200, 1500]),
  'kill nats': (world) => killed(world, world.random.pick(up(world.cluster, 'nats')), [300, 2500]),
  'pause chat': async ({ cluster, random }) => {
    const one = random.pick(up(cluster, 'chat'))
    if (!one) return null
    one.pause()
    await wait(PAUSE_MS)
    one.resume()
    return `${one.name} paused for ${PAUSE_MS} ms`
  },
  'join and leave': async ({ cluster, random }) => {
    const one = spare(cluster)
    if (!one) return null
    await one.start()
    await wait(random.whole(2000, 4000))
    await one.leave()
    return `${one.name} joined, and left when told`
  },
  'rolling restart': async ({ cluster, random }) => {
    const one = random.pick([...up(cluster, 'chat'), ...up(cluster, 'gateway'), ...up(cluster, 'all')])
    if (!one) return null
    await one.leave()
    await one.start()
    return `${one.name} left when told, started again`
  },
} as const satisfies Record<string, Harm>

/** Harms to links: beside those to processes. */
export const TO_LINKS = {
  'cut links': async ({ proxy, random }) => {
    const links = proxy.links().filter(() => random.chance(0.25))
    for (const link of links) link.cut()
    return links.length > 0 ? `${links.length} links cut` : null
  },
  'swallow links': async ({ proxy, random }) => {
    const links = proxy.links().filter(() => random.chance(0.1))
    for (const link of links) link.swallow()
    await wait(SWALLOWED_MS)
    for (const link of links) link.cut()
    return links.length > 0 ? `${links.length} links swallowed everything` : null
  },
  'stop reading': async ({ proxy, devices, random, now }) => {
    const one = random.pick(devices.filter((device) => device.isConnected()))
    const link = one && proxy.linkFrom(one.port() ?? 0)
    if (!one || !link) return null
    const from = now()
    link.stall()
    one.gorge(GORGED)
    const ended = await Promise.race([link.over.then(() => true), wait(SLOW_WITHIN_MS).then(() => false)])
    link.cut()
    return `${one.name} stopped reading${ended ? `, closed after ${now() - from} ms` : ', was cut'}`
  },
} as const satisfies Record<string, Harm>

export type HarmName = keyof typeof TO_PROCESSES | keyof typeof TO_LINKS
export const HARMS = [...Object.keys(TO_PROCESSES), ...Object.keys(TO_LINKS)] as HarmName[]

/** Does harm until `untilMs`, then resolves when the last is made good. Answers how often each was done. */
export const harm = async (world: World, names: readonly HarmName[], untilMs: number): Promise<Map<string, number>> => {
  const done = new Map<string, number>(names.map((name) => [name, 0]))
  await Promise.all([
    spree(world, { table: TO_PROCESSES, names, untilMs, pauseMs: [500, 2000], done }),
    spree(world, { table: TO_LINKS, names, untilMs, pauseMs: [1000, 3000], done }),
  ])
  return done
}

type Spree = {
  table: Readonly<Record<string, Harm>>
  names: readonly string[]
  untilMs: number
  pauseMs: readonly [number, number]
  done: Map<string, number>
}

const spree = async (world: World, { table, names, untilMs, pauseMs, done }: Spree): Promise<void> => {
  const own = names.filter((name) => Object.hasOwn(table, name))
  const random = world.random.stream(own.join())
  let next: string[] = []
  const goesOn = () =>
    world.now() < untilMs || (own.some((name) => done.get(name) === 0) && world.now() < untilMs + OVERTIME_MS)
  while (own.length > 0 && goesOn()) {
    await wait(random.whole(...pauseMs))
    if (next.length === 0) next = random.shuffled(own)
    const name = next.shift()!
    const from = world.now()
    const came = await table[name]!({ ...world, random })
    // There was nobody to do it to just now: its turn comes again.
    if (came === null) {
      next.push(name)
      continue
    }
    done.set(name, (done.get(name) ?? 0) + 1)
    world.log(`${(from / 1000).toFixed(1).padStart(6)} s  ${name.padEnd(16)} ${came}`)
  }
}
