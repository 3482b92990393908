// The gateway: what stands between clients and actors. HTTP and sockets on one port, the operator's page on another. It
// has no actor of its own; routes, schemas and documents all come from the contracts.
import type { Context, ServiceBroker, ServiceSchema } from 'moleculer'
import type { Listener } from '../../adapters/listener/index.ts'
import type { Metrics } from '../../mixins/metrics.ts'
import { nodeOf, type Log, type Node } from '../../mixins/node.ts'
import { opsOf } from '../../mixins/ops.ts'
import { storefront } from '../../storefront/index.ts'
import { admission } from './admission.ts'
import { insideApi } from './api.ts'
import { callers, type Callers } from './callers.ts'
import { calls } from './calls.ts'
import { documented } from './documented.ts'
import { generatedDocuments } from './generated.ts'
import { hotAnswers } from './hot.ts'
import { http, type Http } from './http.ts'
import { idempotent } from './idempotency.ts'
import { limitsOf } from './limits.ts'
import { meters } from './meters.ts'
import { mounts, REALTIME_PATH } from './mounts.ts'
import type { Api, Pages } from './pages.ts'
import { routesOf } from './routes.ts'
import { session } from './session.ts'
import { sockets, type Sockets } from './sockets.ts'
import { warm } from './warm.ts'

/** How long requests under way may take to end when the node stops. */
export const DRAIN_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const BODY_TIMEOUT_MS = 30_000
const REQUESTS_MAX = 4096
/** Many may wait for one answer: 10,000 at once are a popular gig, not a flood. */
const BODYLESS_MAX = 16_384

type Gateway = {
  node: Node
  listener: Listener
  http: Http
  sockets: Sockets
  callers: Callers
  stop(): Promise<void>
}
type Self = { broker: ServiceBroker; logger: Log; gateway?: Gateway }

export default {
  name: 'gateway',
  actions: {
    /** Where this gateway listens, for whoever started it with port 0. */
    address: {
      visibility: 'protected',
      handler(this: Self) {
        return this.gateway ? { port: this.gateway.listener.port, opsPort: opsOf(this.broker).port } : null
      },
    },
    /** Whoever asks next as this account is looked up anew. The account service waits for it before it answers a change. */
    forget: {
      visibility: 'public',
      handler(this: Self, { params }: Context<{ user: string }>) {
        this.gateway?.callers.forget(params.user)
        this.gateway?.sockets.recheck(params.user)
        return true
      },
    },
  },
  created(this: Self) {
    // Moleculer stops all services at once; what is under way here still needs the others, so this gateway drains before.
    this.broker.middlewares.add({ name: 'Draining', stopping: () => drain(this) })
  },
  async started(this: Self) {
    this.gateway = await open(nodeOf(this.broker, this.logger))
  },
  async stopped(this: Self) {
    await drain(this)
  },
} as ServiceSchema

const open = async (node: Node): Promise<Gateway> => {
  const { settings } = node
  const [documents, fanout, cache, openListener] = await Promise.all([
    node.open('documents'),
    node.open('fanout'),
    node.open('cache'),
    node.open('listener'),
  ])
  const { registry, port: opsPort } = opsOf(node.broker)
  const count = meters(registry)
  const limits = limitsOf(settings)
  const known = callers(node, fanout)
  const who = session(settings, known)
  const hot = hotAnswers({ fanout, cache, shared: count.hotShared })
  registry.measured('gigwire_hot_entries', 'Prepared answers kept', () => hot.size().entries)
  registry.measured('gigwire_hot_bytes', 'Bytes of prepared answers kept', () => hot.size().bytes)
  registry.measured('gigwire_cache_up', 'Whether the shared cache answers; 1 where there is none', () =>
    cache.state() === 'up' ? 1 : 0,
  )
  const keys = await idempotent(node, documents)
  const asked = calls({ node, hot, idempotent: keys, limits, admission: admission(), meters: count })
  const mounted = mounts({
    node,
    hot,
    limits,
    meters: count,
    documented: documented(generatedDocuments(settings)),
    pages: pagesOf(node, (...args) => api(...args)),
  })
  const popular = await warm({ documents, log: node.log, ask: async (url) => (await api('GET', url)).status })
  const web = http({
    node,
    routes: routesOf(settings),
    session: who,
    limits,
    hot,
    calls: asked,
    mounts: mounted,
    meters: count,
    warm: popular,
  })
  const api = insideApi(web)
  const live = sockets({ node, fanout, session: who, limits, meters: count, path: REALTIME_PATH })
  measured(registry, live)
  const listener = await openListener(
    {
      host: settings.host ?? '127.0.0.1',
      port: settings.port ?? 0,
      trustProxy: settings.trustProxy ?? [],
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      bodyTimeoutMs: BODY_TIMEOUT_MS,
      requestsMax: REQUESTS_MAX,
      bodylessMax: BODYLESS_MAX,
      sharePort: settings.sharePort ?? false,
    },
    web.handle,
    live.handlers,
  )
  live.attach(listener)
  popular.start()
  node.log.info(
    `listening on http://${settings.host ?? '127.0.0.1'}:${listener.port}, for operators on http://${settings.opsHost ?? '127.0.0.1'}:${opsPort}`,
  )
  return {
    node,
    listener,
    http: web,
    sockets: live,
    callers: known,
    stop: async () => {
      hot.stop()
      keys.stop()
      await popular.stop()
    },
  }
}

const measured = (registry: Metrics, { size }: Sockets) => {
  registry.measured('gigwire_ws_users', 'People connected here', () => size().users)
  registry.measured('gigwire_ws_operations', 'Operations of sockets not answered yet', () => size().operations)
  registry.measured('gigwire_topics', 'Topics kept here', () => size().topics)
  registry.measured('gigwire_topic_letters', 'Letters of frames kept for who comes back', () => size().letters)
  registry.measured('gigwire_presence_watched', 'People looked at, once per looker', () => size().watched)
}

const pagesOf = (node: Node, api: Api): Pages => storefront(api, node.settings)

/** Not ready, no new connections, a word to every socket, then what is under way may end, then all ends. */
const drain = async (self: Self) => {
  const { gateway } = self
  if (!gateway) return
  delete self.gateway
  const { listener, http: web, sockets: live, callers: known, stop } = gateway
  known.stop()
  opsOf(self.broker).drain()
  listener.pause()
  live.drain()
  const until = Date.now() + DRAIN_MS
  while ((web.underWay() > 0 || live.underWay() > 0) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20))
  await live.stop()
  await listener.close()
  await stop()
}
