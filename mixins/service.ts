// A service: its contract made alive. Every action is checked (schema), decided (auth) and only then handled; an action
// without an explicit auth stops the start. The functions a service is made of close over their own instance, so that
// several nodes fit in one process.
import type { Static } from 'typebox'
import type { Context, ServiceBroker, ServiceSchema } from 'moleculer'
import type { Events } from '../services/contract.ts'
import { refuse } from '../services/errors.ts'
import type { Caller } from '../services/shapes.ts'
import { actor, storeTrouble, type Actor, type ActorDoc, type ActorOptions } from './actor.ts'
import { authorize } from './auth.ts'
import type { ActionContract, ServiceContract } from './contract.ts'
import {
  CALL_TIMEOUT_MS,
  nodeOf,
  type ActionName,
  type Call,
  type CallOptions,
  type Meta,
  type Log,
  type Node,
} from './node.ts'
import { parkedEvents, type Event } from './outbox.ts'
import { checker } from './schema.ts'

/** What a handler gets. `caller` is there whenever the contract asks for one. */
export type Ctx<C extends ActionContract = ActionContract> = {
  params: Static<C['params']>
  caller: C['auth'] extends 'none' | 'optional' | 'internal' ? Caller | undefined : Caller
  meta: Meta
  call: Call
  /** Machine epoch ms by which a turn must have begun. */
  deadlineAt: number
}
type Handler<C extends ActionContract> = (ctx: Ctx<C>) => Promise<Static<C['result']>> | Static<C['result']>

/** An event as its hearer gets it: once or more, so whatever it does is idempotent by `id`. */
export type Heard<E extends string> = Event & { data: E extends keyof Events ? Events[E] : unknown; call: Call }

export type Parts<C extends ServiceContract> = {
  actions: { [K in keyof C['actions']]: Handler<C['actions'][K]> }
  hears?: { [E in C['hears'][number]]: (event: Heard<E>) => Promise<void> }
  /** Runs when every local service exists; calls to others may be made once they are there (`node.broker.waitForServices`). */
  started?(): Promise<void>
  stopped?(): Promise<void>
  /** Mailboxes it has besides those of its actors, for the metrics page. */
  load?(): { kind: string; keys: number; waiting: number }[]
} & (C['hears'] extends readonly [] ? unknown : { hears: object })

/** What a service's own code has at hand. */
export type Here = Node & {
  /** An actor kind of this service; its timers and outbox run while the service does. */
  actor<T extends ActorDoc>(options: ActorOptions<T>): Promise<Actor<T>>
}

/** What a service was asked for since it was started, and how long it was at it. */
type Usage = { requests: number; calls: number; busyMs: number }
type Running = { parts: Parts<ServiceContract>; actors: Actor<ActorDoc>[]; node: Node; usage: Usage }

export const service = <const C extends ServiceContract>(
  declared: C,
  make: (here: Here) => Promise<Parts<C>> | Parts<C>,
): ServiceSchema => {
  const running = new WeakMap<object, Running>()
  const partsOf = (self: object): Running => {
    const found = running.get(self)
    if (!found) throw refuse('unavailable', `${declared.name} is not running yet`, { retryAfterSeconds: 1 })
    return found
  }
  return {
    name: declared.name,
    actions: { ...publicActions(declared, partsOf), ...runtimeActions(declared, partsOf) },
    async started(this: { broker: ServiceBroker; logger: Log }) {
      const node = nodeOf(this.broker, this.logger)
      const actors: Actor<ActorDoc>[] = []
      const here: Here = {
        ...node,
        actor: async (options) => {
          const documents = await node.open('documents')
          await documents.declare([options.of, parkedEvents] as never)
          const made = actor(node, documents, declared.name, options)
          actors.push(made as unknown as Actor<ActorDoc>)
          return made
        },
      }
      const parts = (await make(here)) as unknown as Parts<ServiceContract>
      running.set(this, { parts, actors, node, usage: { requests: 0, calls: 0, busyMs: 0 } })
      await parts.started?.()
      // What an earlier process left behind is for other services too: they must be there first.
      whenStarted(this.broker, () => {
        if (!running.has(this)) return
        for (const one of actors) {
          one.relay.start()
          one.timers?.start()
          void one.relay.scan(0).catch((error) => this.logger.warn('looking for left events:', error))
        }
      })
    },
    async stopped(this: object) {
      const found = running.get(this)
      running.delete(this)
      for (const one of found?.actors ?? []) await one.stop()
      await found?.parts.stopped?.()
    },
  } as ServiceSchema
}

/** A service added to a running broker starts at once. */
const whenStarted = (broker: ServiceBroker, then: () => void) => {
  if ((broker as ServiceBroker & { started: boolean }).started) then()
  else broker.localBus.once('$broker.started', then)
}

/** The contract's actions as Moleculer takes them. */
const publicActions = (declared: ServiceContract, partsOf: (self: object) => Running) => {
  const entries = Object.entries(declared.actions).map(([name, action]) => {
    const full = `${declared.name}.${name}`
    if (!action.auth) throw new Error(`${full} names no auth: it would be closed to everybody or open to all`)
    const check = checker(action.params)
    async function handler(this: object, moleculer: Context<unknown, Meta>) {
      const { parts, node, usage } = partsOf(this)
      const params = (moleculer.params ?? {}) as never
      const errors = check(params)
      if (errors)
        throw refuse('validation_failed', errors[0] ? `${errors[0].path || 'body'}: ${errors[0].message}` : undefined, {
          errors,
        })
      authorize(action.auth, moleculer.meta.caller)
      const began = performance.now()
      try {
        return await (parts.actions[name] as Handler<ActionContract>)(ctxOf(node, moleculer, params))
      } catch (error) {
        throw storeTrouble(error)
      } finally {
        usage.calls += 1
        if (action.rest) usage.requests += 1
        usage.busyMs += performance.now() - began
      }
    }
    return [name, { rest: action.rest, auth: action.auth, visibility: 'public', handler }] as const
  })
  return Object.fromEntries(entries)
}

const ctxOf = (node: Node, moleculer: Context<unknown, Meta>, params: never): Ctx<ActionContract> => {
  const meta = moleculer.meta
  return {
    params,
    caller: meta.caller as never,
    meta,
    call: ((name: ActionName, asked: never, options: CallOptions = {}) =>
      node.call(name, asked, { ...options, meta: { ...passedOn(meta), ...options.meta } })) as Call,
    deadlineAt: meta.deadlineAt ?? Date.now() + CALL_TIMEOUT_MS,
  }
}

/** What one actor's call to another takes along: who asks and until when, not the command nor the status. */
const passedOn = ({ caller, requestId, deadlineAt }: Meta): Meta => ({
  ...(caller && { caller }),
  ...(requestId && { requestId }),
  ...(deadlineAt && { deadlineAt }),
})

/** What every service answers to the runtime: events, timers, settling. Not in contracts, not reachable from outside. */
const runtimeActions = (declared: ServiceContract, partsOf: (self: object) => Running) => ({
  hear: {
    visibility: 'public',
    async handler(this: object, { params, meta }: Context<{ event: Event }, Meta>) {
      const { parts, node } = partsOf(this)
      const heard = (parts.hears as Record<string, (event: Heard<string>) => Promise<void>> | undefined)?.[
        params.event.name
      ]
      if (!heard) throw new Error(`${declared.name} has no handler for ${params.event.name}`)
      await heard({
        ...params.event,
        call: (name, asked, options) => node.call(name, asked, { ...options, meta: { ...meta, ...options?.meta } }),
      })
      return true
    },
  },
  /** Wakes due actors of this node and waits until what they said was delivered. Answers how many were woken. */
  wakeDue: {
    visibility: 'public',
    async handler(this: object) {
      let woken = 0
      for (const { timers } of partsOf(this).actors) woken += (await timers?.wakeDue()) ?? 0
      return woken
    },
  },
  /** When this service's next timer is due, over all nodes; null when none is armed. */
  nextAt: {
    visibility: 'public',
    async handler(this: object) {
      const due = await Promise.all(partsOf(this).actors.map(({ timers }) => timers?.nextAt() ?? null))
      return due.reduce((next, at) => (at !== null && (next === null || at < next) ? at : next), null)
    },
  },
  /** For the costs: what it was asked for here, and the CPU of the whole process. */
  usage: {
    visibility: 'public',
    handler(this: object) {
      const { usage, node } = partsOf(this)
      const { user, system } = process.cpuUsage()
      const startedAt = Date.now() - Math.round(process.uptime() * 1000)
      return { ...usage, instance: node.instanceId, cpuMs: (user + system) / 1000, startedAt }
    },
  },
  /** For the metrics page: actors in memory, turns waiting, documents with undelivered events. */
  load: {
    visibility: 'public',
    handler(this: object) {
      const { actors, parts } = partsOf(this)
      return [
        ...actors.map(({ of, size, relay }) => ({ kind: of.name, ...size(), undelivered: relay.size() })),
        ...(parts.load?.() ?? []).map((load) => ({ ...load, undelivered: 0 })),
      ]
    },
  },
})
