// The servers that bench/browse.ts compares. Each has the same search engine and gigs behind it; what differs is what stands
// between them and the client.
import { hash } from 'node:crypto'
import { createRequire } from 'node:module'
import { ServiceBroker, type ServiceSchema } from 'moleculer'
import type { HttpResponse } from 'uWebSockets.js'
import { loadAddon } from '../adapters/listener/addon.ts'
import { brokerOptions } from '../moleculer.config.ts'
import gateway from '../services/gateway/gateway.service.ts'
import search from '../services/search/search.service.ts'
import { GIGS, gigs, gigWith } from './browse-gigs.ts'

export type Kind = 'gateway' | 'raw' | 'fastify' | 'moleculer-web'
type Options = { dataDir: string; /** Where the gateway listens, whose answers the others give. */ likeUrl: string }

export const HOT_GIG = '/v1/gigs/gig_hot'
export const HOT_LISTING = '/v1/gigs?category=category-1'
/** Another question every time, with the same gigs in the answer. */
export const COLD_LISTING = (n: number): string => `/v1/gigs?q=logo&maxPrice=${10_000_000 + n}`

/** More than any bench asks: what is measured is serving, not refusing. */
const LIMITS = 'address=100000000/100000000'

/** Starts, says its port to the parent, and how much CPU it has spent whenever asked. */
export const serve = async (kind: Kind, options: Options): Promise<void> => {
  const port = await SERVERS[kind](options)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuMicros: user + system })
  })
  process.on('disconnect', () => process.exit())
  process.send!({ port })
}

/** A broker with gigs and search, once the index is whole. */
const market = async ({ dataDir }: Options, services: readonly ServiceSchema[]): Promise<ServiceBroker> => {
  const env = { PORT: '0', OPS_PORT: '0', LOG_LEVEL: 'error', DEMO: '0', DATA_DIR: dataDir, RATE_LIMITS: LIMITS }
  const broker = new ServiceBroker(brokerOptions(env))
  for (const one of [...services, gigs(), search]) broker.createService(one)
  await broker.start()
  const whole = async () => ((await broker.call('search.difference')) as { indexed: number }).indexed === GIGS
  while (!(await whole())) await new Promise((resolve) => setTimeout(resolve, 50))
  return broker
}

const gateways = async (options: Options): Promise<number> => {
  const broker = await market(options, [gateway])
  return ((await broker.call('gateway.address')) as { port: number }).port
}

/** Held ready: the same bytes and headers, of which the gateway makes two for every request. Cold: the engine's answer as JSON. */
const raw = async (options: Options): Promise<number> => {
  const { likeUrl } = options
  const broker = await market(options, [])
  const addon = loadAddon()
  if (!addon) throw new Error('uWebSockets cannot be loaded here')
  const app = addon.App()
  const kept = async (path: string) => {
    const like = await fetch(likeUrl + path)
    const body = Buffer.from(await like.arrayBuffer())
    const headers = [...like.headers].filter(([name]) => !OF_THE_LISTENER.has(name))
    const etag = like.headers.get('etag')
    return (res: HttpResponse, ifNoneMatch: string) => {
      if (ifNoneMatch === etag) res.writeStatus('304 Not Modified')
      for (const [name, value] of headers) res.writeHeader(name, value)
      if (ifNoneMatch === etag) res.endWithoutBody()
      else res.end(body)
    }
  }
  const [gig, listing] = [await kept(HOT_GIG), await kept(HOT_LISTING)]
  app.get('/v1/gigs/:id', (res, req) => gig(res, req.getHeader('if-none-match')))
  app.get('/v1/gigs', (res, req) => {
    const asked = searchOf(req.getQuery())
    if (!asked) return listing(res, req.getHeader('if-none-match'))
    let isGone = false
    res.onAborted(() => (isGone = true))
    void broker.call('search.gigs', asked).then((page) => {
      const text = JSON.stringify(page)
      if (!isGone) res.cork(() => res.writeHeader('Content-Type', 'application/json').end(text))
    })
  })
  return new Promise((resolve, reject) =>
    app.listen('127.0.0.1', 0, 0, (token) =>
      token ? resolve(addon.us_socket_local_port(token as never)) : reject(new Error('cannot listen')),
    ),
  )
}
const OF_THE_LISTENER = new Set(['content-length', 'date', 'uwebsockets', 'connection', 'keep-alive'])

/** Parameters of a question to the engine; null for the listing that is held ready. */
const searchOf = (query: string | undefined) => {
  const asked = new URLSearchParams(query)
  return asked.has('q') ? { q: asked.get('q')!, maxPrice: Number(asked.get('maxPrice')) } : null
}

/** What a service behind a front would be asked: an object that is at hand, or the engine. */
const asked = ({ likeUrl }: Options): ServiceSchema =>
  ({
    name: 'kept',
    async started(this: { listing?: unknown }) {
      this.listing = await (await fetch(likeUrl + HOT_LISTING)).json()
    },
    actions: {
      gig: ({ params }: { params: { id: string } }) => gigWith(params.id),
      gigs(
        this: { listing: unknown },
        ctx: { params: Record<string, string>; call(name: string, given: object): Promise<unknown> },
      ) {
        const { q, maxPrice } = ctx.params
        return q === undefined ? this.listing : ctx.call('search.gigs', { q, maxPrice: Number(maxPrice) })
      },
    },
  }) as unknown as ServiceSchema

const peers = createRequire(new URL('./peers/package.json', import.meta.url))

/** A broker call for each request; a tag only where somebody asks with one, as its plugin for tags would make it. */
const fastify = async (options: Options): Promise<number> => {
  const broker = await market(options, [asked(options)])
  const app = (peers('fastify') as () => Fastify)()
  app.get('/v1/gigs', (request) => broker.call('kept.gigs', request.query))
  app.get('/v1/gigs/:id', async (request, reply) => {
    const gig = await broker.call('kept.gig', request.params)
    if (request.headers['if-none-match'] === undefined) return gig
    const text = JSON.stringify(gig)
    reply.header('etag', `"${hash('sha1', text, 'base64')}"`).code(304)
    return ''
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}
type Reply = { header(name: string, value: string): Reply; code(status: number): Reply }
type Request = { params: object; query: object; headers: Record<string, string | undefined> }
type Fastify = {
  get(path: string, handler: (request: Request, reply: Reply) => Promise<unknown>): void
  listen(options: object): Promise<void>
  server: { address(): { port: number } }
}

const moleculerWeb = async (options: Options): Promise<number> => {
  const settings = {
    port: 0,
    ip: '127.0.0.1',
    logging: false,
    etag: false,
    routes: [{ path: '/', aliases: { 'GET /v1/gigs': 'kept.gigs', 'GET /v1/gigs/:id': 'kept.gig' } }],
  }
  const web = { name: 'web', mixins: [peers('moleculer-web') as ServiceSchema], settings } as ServiceSchema
  const broker = await market(options, [asked(options), web])
  const { server } = broker.getLocalService('web') as unknown as { server: { address(): { port: number } } }
  return server.address().port
}

const SERVERS: Record<Kind, (options: Options) => Promise<number>> = {
  gateway: gateways,
  raw,
  fastify,
  'moleculer-web': moleculerWeb,
}
