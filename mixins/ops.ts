// The operator's side door of every node, with a gateway or without: alive, ready, numbers. A server of its own, on
// loopback unless told otherwise; open before the services start, so that a slow start is seen as one.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ServiceBroker } from 'moleculer'
import type { Documents } from '../adapters/documents/index.ts'
import { contracts } from '../services/contract.ts'
import { metrics, type Metrics } from './metrics.ts'
import { nodeOf, type Node } from './node.ts'
import { reindexing, startReindexing } from './reindexing.ts'
import { verification } from './verification.ts'

export type Ops = {
  port: number
  /** What the operator reads; a service adds its own numbers. */
  registry: Metrics
  /** Not ready from now on. */
  drain(): void
  close(): Promise<void>
}

const OPS = Symbol('ops')
type BrokerWithOps = ServiceBroker & { [OPS]?: Ops }

/** Middleware that gives a node its side door; to be named after the adapters, so that it closes before them. */
export const operators = () => ({
  name: 'Operators',
  async starting(broker: BrokerWithOps) {
    broker[OPS] = await opsServer(nodeOf(broker, broker.logger))
  },
  async stopping(broker: BrokerWithOps) {
    broker[OPS]?.drain()
  },
  async stopped(broker: BrokerWithOps) {
    await broker[OPS]?.close()
  },
})

export const opsOf = (broker: BrokerWithOps): Ops => {
  const ops = broker[OPS]
  if (!ops) throw new Error('this broker has no side door: use the operators() middleware')
  return ops
}

/** The store must answer within this to count as there. */
export const PING_MS = 2000
const LOAD_MS = 1000
const LOOP_RESOLUTION_MS = 20

type Answer = { status: number; type: string; body: string }

const opsServer = async (node: Node): Promise<Ops> => {
  const registry = metrics()
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  processNumbers(registry, () => loop.percentile(99) / 1e9)
  const loads = actorLoads(node, registry)
  let draining = false

  const pages: Pages = {
    '/health/live': async () => json(200, { status: 'live' }),
    '/health/ready': () => readiness(node, draining),
    '/verify': async () => {
      const checks = await verification(node.call)
      return json(checks.some(({ problems }) => problems.length > 0) ? 500 : 200, { checks })
    },
    '/reindex': async () => json(200, { nodes: await reindexing(node) }),
    '/metrics': async () => {
      await loads()
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: registry.text() }
    },
  }
  const orders: Pages = {
    '/reindex': async () => json(202, { nodes: await startReindexing(node) }),
  }
  const server = http.createServer((request, response) => void answer(pages, orders, request, response))
  await listen(server, node)
  return {
    port: (server.address() as AddressInfo).port,
    registry,
    drain: () => {
      draining = true
    },
    close: async () => {
      loop.disable()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Started, not leaving, and the store answers; the rest is reported, so that one broken part does not empty the fleet. */
const readiness = async (node: Node, draining: boolean): Promise<Answer> => {
  const isStarted = node.broker.started === true
  const [documents, fanout] = isStarted ? await Promise.all([node.open('documents'), node.open('fanout')]) : []
  const store = documents !== undefined && (await isUp(documents))
  const isReady = store && !draining
  return json(isReady ? 200 : 503, {
    status: draining ? 'draining' : isReady ? 'ready' : isStarted ? 'unavailable' : 'starting',
    node: node.id,
    dependencies: {
      documents: store ? 'up' : 'down',
      fanout: fanout?.state() ?? 'down',
      services: serviceStates(node),
    },
  })
}

const listen = (server: http.Server, { settings: { opsPort = 0, opsHost = '127.0.0.1' } }: Node) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`${opsHost}:${opsPort} is taken: a second node on one machine needs an OPS_PORT of its own`, {
              cause: error,
            })
          : error,
      ),
    )
    server.listen(opsPort, opsHost, () => resolve())
  })

type Pages = Readonly<Record<string, () => Promise<Answer>>>

const answer = async (reads: Pages, orders: Pages, request: IncomingMessage, response: ServerResponse) => {
  const path = request.url?.split('?')[0] ?? ''
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const isOrder = request.method === 'POST' && Object.hasOwn(orders, path)
  const page = isOrder ? orders[path] : Object.hasOwn(reads, path) ? reads[path] : undefined
  const { status, type, body } = !page
    ? json(404, { status: 'not found' })
    : !isRead && !isOrder
      ? json(405, { status: 'GET only' })
      : isOrder && !isByOperator(request)
        ? json(403, { status: `an order needs the header ${ORDER_HEADER}` })
        : await page().catch((error: unknown) => json(500, { status: String(error) }))
  response.writeHead(status, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(page && status === 405 && { Allow: Object.hasOwn(orders, path) ? 'GET, HEAD, POST' : 'GET, HEAD' }),
  })
  response.end(body)
}

/** A page in a browser can't send this without being asked first, which nobody here answers. */
export const ORDER_HEADER = 'x-gigwire-operator'
const isByOperator = ({ headers }: IncomingMessage): boolean => headers[ORDER_HEADER] !== undefined

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
})

const isUp = async (documents: Documents): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, PING_MS, false)
  })
  const up = await Promise.race([
    documents.ping().then(
      () => true,
      () => false,
    ),
    late,
  ])
  clearTimeout(timer)
  return up
}

/** Which actors can be asked from here: reported, never a reason not to be ready. */
const serviceStates = ({ placement }: Node): Record<string, 'up' | 'down'> =>
  Object.fromEntries(Object.keys(contracts).map((name) => [name, placement.nodes(name).length > 0 ? 'up' : 'down']))

const processNumbers = (registry: Metrics, loopSeconds: () => number) => {
  registry.measured('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  registry.measured('nodejs_heap_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  registry.measured(
    'process_cpu_seconds_total',
    'User and system CPU time spent',
    () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
    'counter',
  )
  registry.measured('process_uptime_seconds', 'Seconds since the start', () => process.uptime())
  registry.measured(
    'nodejs_eventloop_delay_p99_seconds',
    'How late the event loop was, 99th percentile since the start',
    loopSeconds,
  )
}

type Load = { kind: string; keys: number; waiting: number; undelivered: number }

/** What each actor service of this node has in hand. */
const actorLoads = (node: Node, registry: Metrics): (() => Promise<void>) => {
  const keys = registry.gauge('gigwire_actors', 'Actors in memory, by kind')
  const waiting = registry.gauge('gigwire_actor_turns_waiting', 'Turns waiting or running, by kind')
  const undelivered = registry.gauge(
    'gigwire_outbox_documents',
    'Documents with events not yet taken by every group, by kind',
  )
  return async () => {
    const local = node.broker.services.map(({ name }) => name).filter((name) => Object.hasOwn(contracts, name))
    await Promise.all(
      local.map(async (name) => {
        const loads = (await node.broker
          .call(`${name}.load`, {}, { nodeID: node.broker.nodeID, timeout: LOAD_MS })
          .catch(() => [])) as Load[]
        for (const load of loads) {
          keys({ kind: load.kind }).set(load.keys)
          waiting({ kind: load.kind }).set(load.waiting)
          undelivered({ kind: load.kind }).set(load.undelivered)
        }
      }),
    )
  }
}
