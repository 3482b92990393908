// One run: processes are started, people open conversations and talk over many devices, harm is done, everything is made
// good, everybody catches up, the truth is read from the store, and the history is judged.
import { ask } from '../market.ts'
import { eventually } from '../node.ts'
import { BAD, isClean, judge, type Verdict } from './checker.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { startDevice, toldOf, type Device, type Person } from './device.ts'
import type { Stored } from './history.ts'
import { harm, TO_PROCESSES, type HarmName, type World } from './nemeses.ts'
import { startProxy } from './proxy.ts'
import { random, type Random } from './random.ts'

export type RunOptions = {
  seed: number
  /** How long harm is done; starting and catching up come on top. */
  seconds: number
  harms: readonly HarmName[]
  gateways: number
  chats: number
  people: number
  devicesEach: number
  conversations: number
  thinkMs: number
  /** A change of the chat nodes' source, see mutant.ts. */
  mutant?: string
  /** Off: devices do not ask what they missed. */
  resumes: boolean
  /** Devices beside the others that do not ask what they missed; judged apart, to see that the harm was harm. */
  forgetful?: number
  log(line: string): void
}
export type Outcome = {
  verdict: Verdict
  /** The same of what the forgetful devices were told. */
  forgetful: Verdict
  harmed: Map<string, number>
  /** Messages a connected device had to ask for: nothing it was told showed that it missed them. */
  untold: number
  /** What the run was, in numbers. */
  figures: Record<string, number>
  /** Processes that said they run changed source. */
  changed: number
}

const SETTLE_WITHIN_MS = 30_000
const CAUGHT_UP_WITHIN_MS = 6000

export const run = async (options: RunOptions): Promise<Outcome> => {
  const { seed, gateways, chats, mutant, log } = options
  const from = performance.now()
  const chance = random(seed)
  const cluster = await startCluster({ gateways, chats, ...(mutant && { mutant }) })
  const upstream = chance.stream('upstream')
  const proxy = await startProxy(() => {
    const ports = cluster.gatewayPorts()
    return ports.length > 0 ? upstream.pick(ports) : null
  })
  const devices: Device[] = []
  try {
    const url = urlOf(cluster)
    const people = await register(url(), options)
    const talks = await open(url(), people, { options, random: chance.stream('talks') })
    const held = { people, talks, port: proxy.port, random: chance }
    devices.push(...hold(options, held))
    const sound = devices.slice(0, people.length * options.devicesEach)
    await eventually(() => devices.every((one) => one.isConnected()), Boolean, SETTLE_WITHIN_MS)
    const begun = performance.now()
    const now = () => Math.round(performance.now() - begun)
    log(`         ${cluster.members.length} processes, ${devices.length} devices, ${talks.length} conversations`)
    const world = { cluster, proxy, devices, random: chance.stream('harm'), now, log }
    const harmed = await harm(world, options.harms, options.seconds * 1000)
    await lastBlow(world, harmed)
    log(`${(now() / 1000).toFixed(1).padStart(6)} s  everything made good`)
    await settled(devices)
    const stored = await truth(url(), talks)
    const sends = devices.flatMap((one) => one.sends)
    const judged = async () => {
      await caughtUp(sound, stored)
      return judge({ sends, views: sound.flatMap((one) => one.views()), stored })
    }
    const unasked = await judged()
    for (const one of devices) one.prove()
    const verdict = isClean(unasked) ? unasked : await judged()
    const seconds = Math.round((performance.now() - from) / 1000)
    return {
      verdict,
      forgetful: judge({ sends, views: devices.slice(sound.length).flatMap((one) => one.views()), stored }),
      harmed,
      untold: unasked.counts.gaps - verdict.counts.gaps,
      figures: figures(devices, stored, seconds),
      changed: cluster.changed(),
    }
  } catch (error) {
    throw new Error(`the run broke off; the processes said last:\n${cluster.output().slice(-4000)}`, { cause: error })
  } finally {
    for (const one of devices) one.close()
    await proxy.close()
    await cluster.stop()
  }
}

const urlOf = (cluster: Cluster) => () => `http://127.0.0.1:${cluster.gatewayPorts()[0]}`

const register = async (url: string, { people }: RunOptions): Promise<Person[]> => {
  const names = Array.from({ length: people }, (_, n) => `chaos-${n + 1}`)
  return Promise.all(
    names.map(async (name) => {
      const body = { email: `${name}@chaos.test`, password: 'a-long-password', username: name, displayName: name }
      const { status, body: made } = await ask(url, 'POST', '/v1/auth/register', { body })
      if (status !== 201) throw new Error(`${name} could not register: ${JSON.stringify(made)}`)
      return { id: made.user.id as string, token: made.accessToken as string }
    }),
  )
}

type Talk = { id: string; members: readonly [Person, Person] }

const open = async (
  url: string,
  people: readonly Person[],
  { options, random }: { options: RunOptions; random: Random },
): Promise<Talk[]> => {
  const pairs = people.flatMap((one, at) => people.slice(at + 1).map((other) => [one, other] as const))
  // Nobody is left without anybody to talk to.
  const ring = people.map((one, at) => [one, people[(at + 1) % people.length]!] as const)
  const chosen = new Map<string, readonly [Person, Person]>()
  for (const pair of [...ring, ...random.shuffled(pairs)])
    if (chosen.size < options.conversations)
      chosen.set(
        pair
          .map(({ id }) => id)
          .sort()
          .join(),
        pair,
      )
  const talks: Talk[] = []
  for (const members of chosen.values()) {
    const [one, other] = members
    const made = await eventually(
      () => ask(url, 'POST', '/v1/conversations', { token: one.token, body: { with: other.id } }),
      ({ status }) => status < 300,
    )
    talks.push({ id: made.body.id, members })
  }
  return talks
}

type Held = { people: readonly Person[]; talks: readonly Talk[]; port: number; random: Random }

const hold = (options: RunOptions, { people, talks, port, random }: Held): Device[] => {
  let places = 0
  const device = (person: Person, name: string, resumes: boolean) =>
    startDevice({
      name,
      person,
      conversations: talks.filter(({ members }) => members.includes(person)).map(({ id }) => id),
      port,
      random: random.stream(name),
      place: () => ++places,
      resumes,
      thinkMs: options.thinkMs,
    })
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1)
  return [
    ...people.flatMap((person, at) =>
      numbers(options.devicesEach).map((n) => device(person, `device ${at + 1}/${n}`, options.resumes)),
    ),
    ...numbers(options.forgetful ?? 0).map((n) => device(people[n % people.length]!, `forgetful ${n}`, false)),
  ]
}

/**
 * Everybody speaks at once, harm comes while that is under way, and then it is quiet: what was not told then is shown by
 * nothing that comes later.
 */
const lastBlow = async (world: World, harmed: ReadonlyMap<string, number>): Promise<void> => {
  const { devices, random, log } = world
  const names = [...harmed.keys()].filter((name) => Object.hasOwn(TO_PROCESSES, name)) as (keyof typeof TO_PROCESSES)[]
  for (const one of devices) void one.quiet()
  for (const one of devices) one.speak()
  await new Promise((resolve) => setTimeout(resolve, random.whole(0, LAST_BLOW_MS)))
  if (names.length > 0) log(`last     ${await TO_PROCESSES[random.pick(names)](world)}`)
}
const LAST_BLOW_MS = 50

/** Nobody says anything new, and what was begun has its answer. */
const settled = async (devices: readonly Device[]): Promise<void> => {
  let isSettled = false
  void Promise.all(devices.map((one) => one.quiet())).then(() => (isSettled = true))
  await eventually(() => isSettled, Boolean, SETTLE_WITHIN_MS)
  await eventually(() => devices.every((one) => one.isConnected()), Boolean, SETTLE_WITHIN_MS)
}

/** Waits until every device has everything. One that never gets there is for the checker to see. */
const caughtUp = async (devices: readonly Device[], stored: readonly Stored[]): Promise<void> => {
  const last = new Map<string, number>()
  for (const { conversation, seq } of stored) last.set(conversation, Math.max(seq, last.get(conversation) ?? 0))
  const isThere = () =>
    devices.every((one) =>
      one.views().every(({ conversation }) => one.reached(conversation) === (last.get(conversation) ?? 0)),
    )
  await eventually(isThere, Boolean, CAUGHT_UP_WITHIN_MS).catch(() => undefined)
}

const PAGE = 100

/** Every conversation from its first message, over public HTTP. */
const truth = async (url: string, talks: readonly Talk[]): Promise<Stored[]> => {
  const stored: Stored[] = []
  for (const { id, members } of talks) {
    for (let after: number | null = 0; after !== null;) {
      const path: string = `/v1/conversations/${id}/messages?after=${after}&limit=${PAGE}`
      const { status, body } = await ask(url, 'GET', path, { token: members[0].token })
      if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`)
      for (const { conversation, sender, clientId, ...message } of body.data)
        stored.push({ ...toldOf({ ...message, sender, clientId }), conversation, sender, clientId })
      after = body.hasMore ? body.data.at(-1).seq : null
    }
  }
  return stored
}

const figures = (devices: readonly Device[], stored: readonly Stored[], seconds: number): Record<string, number> => {
  const sum = (of: (one: Device) => number) => devices.reduce((all, one) => all + of(one), 0)
  const errors = new Map<string, number>()
  for (const { numbers } of devices)
    for (const [code, count] of numbers.errors) errors.set(code, (errors.get(code) ?? 0) + count)
  return {
    seconds,
    'messages stored': stored.length,
    'messages sent': sum(({ sends }) => sends.length),
    'tries to send': sum(({ numbers }) => numbers.tries),
    connects: sum(({ numbers }) => numbers.connects),
    'holes seen live': sum(({ numbers }) => numbers.holes),
    'late frames': sum(({ numbers }) => numbers.late),
    ...Object.fromEntries([...errors].map(([code, count]) => [`answers "${code}"`, count])),
  }
}

/** The run as a person reads it. */
export const report = ({ verdict, harmed, untold, figures }: Outcome): string => {
  const line = ([what, count]: readonly [string, number]) =>
    `  ${what.padEnd(28)}${count.toLocaleString('en').padStart(8)}`
  const { acknowledged, unknownStored, unknownAbsent } = verdict.counts
  return [
    'harm done',
    ...[...harmed].map(line),
    'the run',
    ...Object.entries({ ...figures, 'untold until asked': untold }).map(line),
    'sends',
    ...Object.entries({ acknowledged, 'unknown, stored': unknownStored, 'unknown, not stored': unknownAbsent }).map(
      line,
    ),
    'must be 0',
    ...BAD.map((what) => line([what, verdict.counts[what]])),
    ...verdict.problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${problem}`),
  ].join('\n')
}
const PROBLEMS_SHOWN = 20
