// What a change says is stored with the change, in the same document, and delivered from there to every listening group at
// least once: by a call to the group's service, in the order said per document, each group at its own pace. The store is
// the record; nothing the transport forgets is lost. An event no handler can take is parked where an operator sees it.
import type { Collection, Documents } from '../adapters/documents/index.ts'
import { collection } from '../adapters/documents/index.ts'
import type { Doc } from '../adapters/documents/index.ts'
import { contracts } from '../services/contract.ts'
import type { ActorDoc } from './actor.ts'
import type { Node } from './node.ts'

/** One event on its way: to `groups`, each of which acknowledges by handling it. */
export type Entry = { id: string; name: string; data: unknown; at: number; groups: string[] }
/** What a group's handler gets. Handlers are idempotent by `id`. */
export type Event = { id: string; name: string; data: unknown; at: number }
/** An event that a group could not take after PARK_TRIES. Replayed by hand. */
export type Parked = Doc & { event: Event; group: string; error: string; parkedAt: number }
export const parkedEvents = collection<Parked>('parked_events', { byTime: { keys: ['parkedAt'] } })

/** Tries before an event is parked: with the backoff below about five minutes. A group that no node hosts is waited for, not parked. */
export const PARK_TRIES = 16
const RETRY_MS = 100
const RETRY_MAX_MS = 30_000
/** Calls under way to one group: a slow group queues behind itself only. */
const CALLS_PER_GROUP = 32
/** Documents with undelivered entries kept in memory; the rest is found again in the store by the scan. */
const DOCUMENTS_MAX = 20_000
const SCAN_MS = 5000
const SCAN_BATCH = 500
/** Entries younger than this are still in the hands of the node that said them. */
const SCAN_AGE_MS = 5000
/** Acknowledged entries are dropped from their document by its next turn, or by one of its own after this. */
const CLEAR_MS = 250
/** Acknowledged entries remembered until their document drops them; one forgotten is at worst delivered again. */
const ACKNOWLEDGED_MAX = 100_000
const HEAR_TIMEOUT_MS = 30_000

export type Relay = {
  offer(key: string, entries: readonly Entry[]): void
  isAcknowledged(entryId: string): boolean
  forget(entryIds: readonly string[]): void
  /** Resolves when the groups ('*': all) that some node hosts have acknowledged the entries, or after ms. */
  settled(key: string, entryIds: readonly string[], groups: readonly string[], ms: number): Promise<void>
  /** Looks for entries that a dead node left behind. */
  scan(minAgeMs?: number): Promise<void>
  start(): void
  stop(): Promise<void>
  size(): number
}

const listeners = new Map<string, string[]>(
  Object.values(contracts)
    .flatMap((declared) => Object.keys(declared.events))
    .map((name) => [name, hearing(name)]),
)
function hearing(event: string): string[] {
  return Object.values(contracts)
    .filter((declared) => (declared.hears as readonly string[]).includes(event))
    .map(({ name }) => name)
}
/** Who hears an event: known from the contracts, so also while nobody who hears it is running. */
export const groupsOf = (event: string): string[] => [...(listeners.get(event) ?? [])]

type Lane = { queue: Entry[]; running: boolean }
type Pending = { lanes: Map<string, Lane>; left: Map<string, Set<string>> }

export const relay = <T extends ActorDoc>(
  node: Node,
  documents: Documents,
  service: string,
  of: Collection<T>,
  clear: (key: string) => Promise<unknown>,
): Relay => {
  const pending = new Map<string, Pending>()
  const acknowledged = new Set<string>()
  const waiters = new Map<string, (() => void)[]>()
  const toClear = new Set<string>()
  const clearing = new Set<Promise<unknown>>()
  let timers: NodeJS.Timeout[] = []
  let stopped = false

  const offer = (key: string, entries: readonly Entry[]) => {
    if (stopped || (!pending.has(key) && pending.size >= DOCUMENTS_MAX)) return
    const doc = pending.get(key) ?? { lanes: new Map<string, Lane>(), left: new Map<string, Set<string>>() }
    pending.set(key, doc)
    for (const entry of entries) {
      if (doc.left.has(entry.id) || acknowledged.has(entry.id)) continue
      doc.left.set(entry.id, new Set(entry.groups))
      for (const group of entry.groups) enqueue(key, doc, group, entry)
    }
    if (doc.left.size === 0) pending.delete(key)
  }

  const enqueue = (key: string, doc: Pending, group: string, entry: Entry) => {
    const lane = doc.lanes.get(group) ?? { queue: [], running: false }
    doc.lanes.set(group, lane)
    lane.queue.push(entry)
    if (!lane.running) void runLane(key, doc, group, lane)
  }

  /** One document's events to one group: the next leaves when the one before is acknowledged. */
  const runLane = async (key: string, doc: Pending, group: string, lane: Lane) => {
    lane.running = true
    for (let entry = lane.queue[0]; entry && !stopped; entry = lane.queue[0]) {
      await deliver(key, group, entry)
      if (stopped) break
      lane.queue.shift()
      acknowledge(key, doc, group, entry)
    }
    lane.running = false
  }

  const deliver = async (key: string, group: string, entry: Entry) => {
    const event: Event = { id: entry.id, name: entry.name, data: entry.data, at: entry.at }
    for (let tries = 1; !stopped;) {
      try {
        return await gateOf(node, group)(() => hear(node, group, key, event))
      } catch (error) {
        if (stopped) return
        const absent = isAbsent(error)
        if (!absent && tries++ >= PARK_TRIES) return await park(documents, node, group, event, error)
        if (!absent) node.log.warn(`${group} could not take ${entry.name} ${entry.id}:`, error)
        await pause(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** tries) * (0.5 + Math.random() / 2))
      }
    }
  }

  const acknowledge = (key: string, doc: Pending, group: string, entry: Entry) => {
    const left = doc.left.get(entry.id)
    left?.delete(group)
    wakeWaiters(`${entry.id}/${group}`)
    if (left && left.size > 0) return
    doc.left.delete(entry.id)
    acknowledged.add(entry.id)
    if (acknowledged.size > ACKNOWLEDGED_MAX) acknowledged.delete(acknowledged.values().next().value!)
    toClear.add(key)
    if (doc.left.size === 0) pending.delete(key)
  }

  const wakeWaiters = (name: string) => {
    for (const wake of waiters.get(name) ?? []) wake()
    waiters.delete(name)
  }

  const settled = async (key: string, entryIds: readonly string[], asked: readonly string[], ms: number) => {
    const left = pending.get(key)?.left
    // A group that no node hosts right now hears later; nobody waits for it.
    const waits = entryIds.flatMap((id) =>
      [...(left?.get(id) ?? [])]
        .filter((group) => asked.includes('*') || asked.includes(group))
        .filter((group) => node.placement.nodes(group).length > 0)
        .map((group) => waitFor(`${id}/${group}`)),
    )
    if (waits.length === 0) return
    let timer: NodeJS.Timeout | undefined
    await Promise.race([Promise.all(waits), new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
    clearTimeout(timer)
  }
  const waitFor = (name: string) =>
    new Promise<void>((resolve) => waiters.set(name, [...(waiters.get(name) ?? []), resolve]))

  /** Documents whose entries are all acknowledged get one write that drops them. */
  const clearSome = () => {
    for (const key of toClear) {
      if (clearing.size >= CALLS_PER_GROUP) return
      toClear.delete(key)
      const one = clear(key)
        .catch((error) => node.log.debug(`clearing the outbox of ${key}:`, error))
        .finally(() => clearing.delete(one))
      clearing.add(one)
    }
  }

  const scan = async (minAgeMs = SCAN_AGE_MS) => {
    let cursor: string | null = null
    const to = Date.now() - minAgeMs
    do {
      const page: { docs: T[]; next: string | null } = await documents.find(of, {
        index: 'byOutbox',
        to,
        limit: SCAN_BATCH,
        cursor,
      })
      for (const { id, outbox } of page.docs) {
        const owner = node.placement.owner(service, id)
        if (owner !== null && owner !== node.id) continue
        offer(id, outbox)
        if (outbox.every((entry) => acknowledged.has(entry.id))) toClear.add(id)
      }
      cursor = page.next
    } while (cursor && pending.size < DOCUMENTS_MAX)
  }

  return {
    offer,
    isAcknowledged: (id) => acknowledged.has(id),
    forget: (ids) => ids.forEach((id) => acknowledged.delete(id)),
    settled,
    scan,
    start: () => {
      const rescan = () => void scan().catch((error) => node.log.warn(`looking for left events of ${of.name}:`, error))
      timers = [setInterval(rescan, SCAN_MS), setInterval(clearSome, CLEAR_MS)]
      for (const timer of timers) timer.unref()
    },
    stop: async () => {
      clearSome()
      await Promise.all(clearing)
      stopped = true
      timers.forEach((timer) => clearInterval(timer))
      for (const name of waiters.keys()) wakeWaiters(name)
    },
    size: () => pending.size,
  }
}

const hear = (node: Node, group: string, key: string, event: Event): Promise<unknown> => {
  const owner = node.placement.owner(group, key)
  return node.broker.call(
    `${group}.hear`,
    { event },
    { timeout: HEAR_TIMEOUT_MS, meta: {}, ...(owner && owner !== node.id ? { nodeID: owner } : {}) },
  )
}

/** Nobody hosts the group right now, or its node is away: wait, it is no fault of the event. */
const isAbsent = (error: unknown): boolean =>
  [
    'SERVICE_NOT_FOUND',
    'SERVICE_NOT_AVAILABLE',
    'REQUEST_TIMEOUT',
    'REQUEST_REJECTED',
    'NODE_DISCONNECTED',
    'unavailable',
    'overloaded',
  ].includes((error as { type?: string })?.type ?? '')

const park = async (documents: Documents, node: Node, group: string, event: Event, error: unknown) => {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  node.log.error(`${group} gave up on ${event.name} ${event.id}; parked for an operator:`, message)
  await documents.insert(parkedEvents, {
    id: `${event.id}/${group}`,
    version: 1,
    event,
    group,
    error: message,
    parkedAt: node.clock.now(),
  })
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())

type Gate = (job: () => Promise<unknown>) => Promise<unknown>
const GATES = Symbol('gates')
/** At most CALLS_PER_GROUP deliveries under way from this node to a group. */
const gateOf = (node: Node, group: string): Gate => {
  const broker = node.broker as typeof node.broker & { [GATES]?: Map<string, Gate> }
  const gates = (broker[GATES] ??= new Map())
  let known = gates.get(group)
  if (!known) gates.set(group, (known = gate(CALLS_PER_GROUP)))
  return known
}

const gate = (atOnce: number): Gate => {
  let running = 0
  const waiting: (() => void)[] = []
  return async (job) => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await job()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
