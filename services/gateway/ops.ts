// The operator's side door: alive, ready, numbers. A server of its own, on loopback unless told otherwise.
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Documents } from '../../adapters/documents/index.ts'
import type { Metrics } from '../../mixins/metrics.ts'
import type { Node } from '../../mixins/node.ts'
import { contracts } from '../contract.ts'
import type { Hot } from './hot.ts'

export type Ops = { port: number; /** Not ready from now on. */ drain(): void; close(): Promise<void> }
export type OpsParts = { node: Node; documents: Documents; registry: Metrics; hot: Hot; fanout: { state(): 'up' | 'down' } }

/** The store must answer within this to count as there. */
export const PING_MS = 2000
const LOAD_MS = 1000
const LOOP_RESOLUTION_MS = 20

type Answer = { status: number; type: string; body: string }

export const opsServer = async (parts: OpsParts): Promise<Ops> => {
  const { node, registry } = parts
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  processNumbers(registry, { loopSeconds: () => loop.percentile(99) / 1e9, hot: parts.hot })
  const loads = actorLoads(parts)
  let draining = false

  const pages: Readonly<Record<string, () => Promise<Answer>>> = {
    '/health/live': async () => json(200, { status: 'live' }),
    '/health/ready': async () => {
      const store = await isUp(parts.documents)
      const isStarted = node.broker.started === true
      const isReady = store && isStarted && !draining
      return json(isReady ? 200 : 503, {
        status: draining ? 'draining' : isReady ? 'ready' : isStarted ? 'unavailable' : 'starting', node: node.id,
        dependencies: { documents: store ? 'up' : 'down', fanout: parts.fanout.state(), services: serviceStates(node) },
      })
    },
    '/metrics': async () => {
      await loads()
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: registry.text() }
    },
  }
  const server = http.createServer((request, response) => void answer(pages, request, response))
  await listen(server, node)
  return {
    port: (server.address() as AddressInfo).port,
    drain: () => { draining = true },
    close: async () => {
      loop.disable()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const listen = (server: http.Server, { settings }: Node) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(settings.opsPort ?? 0, settings.opsHost ?? '127.0.0.1', () => resolve())
  })

const answer = async (pages: Readonly<Record<string, () => Promise<Answer>>>, { method, url }: IncomingMessage, response: ServerResponse) => {
  const page = Object.hasOwn(pages, url?.split('?')[0] ?? '') ? pages[url!.split('?')[0]!] : undefined
  const isRead = method === 'GET' || method === 'HEAD'
  const { status, type, body } = !page ? json(404, { status: 'not found' }) : !isRead ? json(405, { status: 'GET only' }) : await page().catch((error: unknown) => json(500, { status: String(error) }))
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...(page && !isRead && { Allow: 'GET, HEAD' }) })
  response.end(body)
}

const json = (status: number, value: unknown): Answer => ({ status, type: 'application/json; charset=utf-8', body: JSON.stringify(value) })

const isUp = async (documents: Documents): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => { timer = setTimeout(resolve, PING_MS, false) })
  const up = await Promise.race([documents.ping().then(() => true, () => false), late])
  clearTimeout(timer)
  return up
}

/** Which actors can be asked from here: reported, never a reason not to be ready. */
const serviceStates = ({ placement }: Node): Record<string, 'up' | 'down'> =>
  Object.fromEntries(Object.keys(contracts).map((name) => [name, placement.nodes(name).length > 0 ? 'up' : 'down']))

const processNumbers = (registry: Metrics, { loopSeconds, hot }: { loopSeconds: () => number; hot: Hot }) => {
  registry.measured('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  registry.measured('nodejs_heap_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  registry.measured('process_cpu_seconds_total', 'User and system CPU time spent', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  }, 'counter')
  registry.measured('process_uptime_seconds', 'Seconds since the start', () => process.uptime())
  registry.measured('nodejs_eventloop_delay_p99_seconds', 'How late the event loop was, 99th percentile since the start', loopSeconds)
  registry.measured('gigwire_hot_entries', 'Prepared answers kept', () => hot.size().entries)
  registry.measured('gigwire_hot_bytes', 'Bytes of prepared answers kept', () => hot.size().bytes)
}

type Load = { kind: string; keys: number; waiting: number; undelivered: number }

/** What each actor service of this node has in hand. */
const actorLoads = ({ node, registry }: OpsParts): (() => Promise<void>) => {
  const keys = registry.gauge('gigwire_actors', 'Actors in memory, by kind')
  const waiting = registry.gauge('gigwire_actor_turns_waiting', 'Turns waiting or running, by kind')
  const undelivered = registry.gauge('gigwire_outbox_documents', 'Documents with events not yet taken by every group, by kind')
  return async () => {
    const local = node.broker.services.map(({ name }) => name).filter((name) => Object.hasOwn(contracts, name))
    await Promise.all(local.map(async (name) => {
      const loads = (await node.broker.call(`${name}.load`, {}, { nodeID: node.broker.nodeID, timeout: LOAD_MS }).catch(() => [])) as Load[]
      for (const load of loads) {
        keys({ kind: load.kind }).set(load.keys)
        waiting({ kind: load.kind }).set(load.waiting)
        undelivered({ kind: load.kind }).set(load.undelivered)
      }
    }))
  }
}
