// What a service has of the node it runs on: typed calls that find an actor's owner, the adapters, the clock, ids.
import { createHash, randomBytes } from 'node:crypto'
import type { CallingOptions, ServiceBroker } from 'moleculer'
import type { AdapterFactories, Adapters } from '../adapters/index.ts'
import type { Clock } from '../adapters/clock/index.ts'
import type { Actions } from '../services/contract.ts'
import { contracts } from '../services/contract.ts'
import type { Caller } from '../services/shapes.ts'
import type { ActionContract } from './contract.ts'
import { placement, type Placement } from './placement.ts'

/** A command that may be asked again under one Idempotency-Key: `id` names it, `at` is when it was first asked (epoch ms). */
export type Command = { id: string; at: number }

/** What travels with every call. */
export type Meta = {
  caller?: Caller
  requestId?: string
  /** Epoch ms on the machine's clock: a turn that has not begun by then is refused, not run. */
  deadlineAt?: number
  command?: Command
  /** Set by a handler whose success status varies (200 for a known clientId, 201 for a new message). */
  $statusCode?: number
}

/** A logger as Moleculer hands it out. */
export type Log = ServiceBroker['logger']

export type ActionName = keyof Actions & string
export type CallOptions = { meta?: Meta; timeoutMs?: number }
export type Call = <K extends ActionName>(
  name: K,
  params: Actions[K]['params'],
  options?: CallOptions,
) => Promise<Actions[K]['result']>

/** Settings a node was started with that services may ask for; made by moleculer.config.ts, never read from the environment. */
export type Settings = {
  sandbox: boolean
  /** Where clients reach the storefront and API, for links in letters and provider redirects; '' takes the request's own. */
  publicUrl: string
  jwtSecret: string
  payoutCron: string
  /** Where the gateway listens; port 0 picks a free one. */
  port?: number
  host?: string
  /** Other processes may listen on the same port too. */
  sharePort?: boolean
  opsPort?: number
  opsHost?: string
  /** Proxies whose forwarded addresses are believed; nobody's unless given. */
  trustProxy?: readonly string[]
  /** Budgets that differ from DEFAULT_LIMITS. */
  limits?: { readonly [name in LimitName]?: Budget }
  [more: string]: unknown
}

/** A token bucket: refilled with `rate` a second, holding at most `burst`. */
export type Budget = { rate: number; burst: number }
export const DEFAULT_LIMITS = {
  /** New sockets of this process, from everybody. */
  accepts: { rate: 1000, burst: 2000 },
  /** Requests of one account. */
  account: { rate: 50, burst: 500 },
  /** Requests of one address (IPv6: of its /64). */
  address: { rate: 500, burst: 2000 },
  /** Requests of one address to the auth routes: 60 a minute. */
  auth: { rate: 1, burst: 60 },
  /** Failed logins of one account's e-mail: 10 a minute. */
  login: { rate: 10 / 60, burst: 10 },
  /** Messages of one user. */
  messages: { rate: 50, burst: 500 },
} as const satisfies Record<string, Budget>
export type LimitName = keyof typeof DEFAULT_LIMITS

export type Node = {
  broker: ServiceBroker
  id: string
  /** Changes with every start of the process. */
  instanceId: string
  log: Log
  settings: Settings
  clock: Clock
  placement: Placement
  call: Call
  open<K extends keyof Adapters>(kind: K): Promise<Adapters[K]>
  /** `<prefix>_<10 characters of time><16 of chance>`; with a command, always the same id for the same command. */
  newId(prefix: string, command?: Command): string
  /** Is the process of that instanceId still a member? What a dead one had under way may be taken up at once. */
  isRunning(instanceId: string): boolean
}

type Opened = {
  factories: AdapterFactories
  settings: Settings
  clock: Clock
  memo: Map<keyof Adapters, Promise<unknown>>
  placed?: Placement
}
const OPENED = Symbol('adapters')
type BrokerWithAdapters = ServiceBroker & { [OPENED]?: Opened }

/** Middleware that gives a broker its adapters and settings, and closes what was opened after the services have stopped. */
export const adapters = (factories: AdapterFactories, settings: Settings, clock: Clock) => ({
  name: 'Adapters',
  created(broker: ServiceBroker) {
    ;(broker as BrokerWithAdapters)[OPENED] = { factories, settings, clock, memo: new Map() }
    stopOnce(broker)
  },
  async stopped(broker: ServiceBroker) {
    const opened = (broker as BrokerWithAdapters)[OPENED]
    const kinds = [...(opened?.memo ?? [])].reverse()
    for (const [kind, adapter] of kinds) {
      const close = ((await adapter.catch(() => null)) as { close?: () => Promise<void> } | null)?.close
      if (kind !== 'listener') await close?.().catch((error: unknown) => broker.logger.warn(`closing ${kind}:`, error))
    }
  },
})

/** Ctrl+C under npm reaches the process twice; whoever asks later waits for the one stop. */
const stopOnce = (broker: ServiceBroker): void => {
  const stop = broker.stop.bind(broker)
  let stopping: Promise<void> | undefined
  broker.stop = () => (stopping ??= stop())
}

export const nodeOf = (broker: ServiceBroker, log: Log): Node => {
  const opened = (broker as BrokerWithAdapters)[OPENED]
  if (!opened) throw new Error('this broker has no adapters: use the adapters() middleware')
  const placed = (opened.placed ??= placement(broker))
  return {
    broker,
    id: broker.nodeID,
    instanceId: broker.instanceID,
    log,
    settings: opened.settings,
    clock: opened.clock,
    placement: placed,
    call: (name, params, options) => callOwner(broker, placed, name, params, options),
    open: (kind) => openOnce(broker, opened, kind, log),
    isRunning: (instanceId) => members(broker).some((member) => member.instanceID === instanceId),
    newId: (prefix, command) => newId(prefix, command ?? { id: '', at: opened.clock.now() }),
  }
}

const members = (broker: ServiceBroker) =>
  broker.registry.getNodeList({ onlyAvailable: true }) as unknown as { instanceID?: string }[]

/** How long an internal call may take unless said otherwise. */
export const CALL_TIMEOUT_MS = 10_000

const callOwner = <K extends ActionName>(
  broker: ServiceBroker,
  placed: Placement,
  name: K,
  params: Actions[K]['params'],
  options: CallOptions = {},
): Promise<Actions[K]['result']> => {
  const calling: CallingOptions = { meta: { ...options.meta }, timeout: options.timeoutMs ?? CALL_TIMEOUT_MS }
  const nodeID = ownerNode(broker, placed, name, params as Record<string, unknown>)
  if (nodeID) calling.nodeID = nodeID
  return broker.call(name, params as never, calling) as Promise<Actions[K]['result']>
}

/** The node a keyed action must be taken on; undefined when this node may choose freely. */
export const ownerNode = (
  broker: ServiceBroker,
  placed: Placement,
  name: string,
  params: Record<string, unknown>,
): string | undefined => {
  const key = actionContract(name)?.key
  const value = key ? params[key] : undefined
  if (typeof value !== 'string') return undefined
  const owner = placed.owner(name.slice(0, name.indexOf('.')), value)
  return owner === broker.nodeID ? undefined : (owner ?? undefined)
}

export const actionContract = (name: string): ActionContract | undefined => {
  const dot = name.indexOf('.')
  const declared = contracts[name.slice(0, dot) as keyof typeof contracts]
  return (declared?.actions as Record<string, ActionContract> | undefined)?.[name.slice(dot + 1)]
}

const openOnce = <K extends keyof Adapters>(
  broker: ServiceBroker,
  opened: Opened,
  kind: K,
  log: Log,
): Promise<Adapters[K]> => {
  const known = opened.memo.get(kind) as Promise<Adapters[K]> | undefined
  if (known) return known
  const opening = Promise.resolve(
    opened.factories[kind]({ nodeId: broker.nodeID, log, clock: opened.clock }),
  ) as Promise<Adapters[K]>
  opened.memo.set(kind, opening)
  // A failed opening may be tried again: the product may only be late.
  opening.catch(() => opened.memo.delete(kind))
  return opening
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Asking the system for chance costs more than the id does: it is asked for a page at a time, every byte used once. */
const CHANCE_PAGE = 4096
let chances = Buffer.alloc(0)
let chancesUsed = 0
const nextChance = (): Uint8Array => {
  if (chancesUsed + 16 > chances.length) {
    chances = randomBytes(CHANCE_PAGE)
    chancesUsed = 0
  }
  return chances.subarray(chancesUsed, (chancesUsed += 16))
}

const newId = (prefix: string, { id, at }: Command): string => {
  let time = ''
  for (let rest = at, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time
  const chance = id ? createHash('sha256').update(`${prefix}:${id}`).digest() : nextChance()
  let tail = ''
  for (let i = 0; i < 16; i++) tail += ALPHABET[chance[i]! % 32]
  return `${prefix}_${time}${tail}`
}
