// The servers that bench/hot.ts compares: each serves one gig at the same path.
import { createRequire } from 'node:module'
import { ServiceBroker, type ServiceSchema } from 'moleculer'
import { loadAddon } from '../adapters/listener/addon.ts'
import { service } from '../mixins/service.ts'
import { brokerOptions } from '../moleculer.config.ts'
import gateway from '../services/gateway/gateway.service.ts'
import { gig as contract } from '../services/gig/contract.ts'

export type Kind = 'gateway' | 'raw' | 'fastify' | 'moleculer-web'
type Options = { dataDir: string; /** Where the gateway's own answer can be had. */ likeUrl: string }

const PATH = '/v1/gigs/:id'
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

const gateways = async ({ dataDir }: Options): Promise<number> => {
  const env = { PORT: '0', OPS_PORT: '0', LOG_LEVEL: 'error', DEMO: '0', DATA_DIR: dataDir, RATE_LIMITS: LIMITS }
  const broker = new ServiceBroker(brokerOptions(env))
  broker.createService(gateway)
  broker.createService(gigs())
  await broker.start()
  return ((await broker.call('gateway.address')) as { port: number }).port
}

/** The same headers, of which the gateway makes two for every request, and the same bytes, held ready. */
const raw = async ({ likeUrl }: Options): Promise<number> => {
  const like = await fetch(likeUrl)
  const body = Buffer.from(await like.arrayBuffer())
  const skipped = new Set(['content-length', 'date', 'uwebsockets', 'connection', 'keep-alive'])
  const headers = [...like.headers].filter(([name]) => !skipped.has(name))
  const addon = loadAddon()
  if (!addon) throw new Error('uWebSockets cannot be loaded here')
  const app = addon.App()
  app.get(PATH, (res) => {
    for (const [name, value] of headers) res.writeHeader(name, value)
    res.end(body)
  })
  return new Promise((resolve, reject) =>
    app.listen('127.0.0.1', 0, 0, (token) =>
      token ? resolve(addon.us_socket_local_port(token as never)) : reject(new Error('cannot listen')),
    ),
  )
}

const peers = createRequire(new URL('./peers/package.json', import.meta.url))

/** A broker call for each request, as a service behind it would be asked. */
const fastify = async (): Promise<number> => {
  const broker = quietBroker()
  const app = (peers('fastify') as () => Fastify)()
  app.get(PATH, (request) => broker.call('gig.get', request.params))
  await broker.start()
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}
type Fastify = {
  get(path: string, handler: (request: { params: object }) => Promise<unknown>): void
  listen(options: object): Promise<void>
  server: { address(): { port: number } }
}

const moleculerWeb = async (): Promise<number> => {
  const broker = quietBroker()
  const settings = {
    port: 0,
    ip: '127.0.0.1',
    logging: false,
    routes: [{ path: '/', aliases: { [`GET ${PATH}`]: 'gig.get' } }],
  }
  const web = broker.createService({ name: 'web', mixins: [peers('moleculer-web') as ServiceSchema], settings })
  await broker.start()
  return (web as unknown as { server: { address(): { port: number } } }).server.address().port
}

const quietBroker = (): ServiceBroker => {
  const broker = new ServiceBroker({ logger: false })
  broker.createService({
    name: 'gig',
    actions: { get: { handler: ({ params }: { params: { id: string } }) => ({ ...GIG, id: params.id }) } },
  } as ServiceSchema)
  return broker
}

const SERVERS: Record<Kind, (options: Options) => Promise<number>> = {
  gateway: gateways,
  raw,
  fastify,
  'moleculer-web': moleculerWeb,
}

const gigs = (): ServiceSchema =>
  service(
    contract,
    () =>
      ({
        actions: Object.fromEntries(
          Object.keys(contract.actions).map((name) => [
            name,
            async ({ params }: { params: { id: string } }) => ({ ...GIG, id: params.id }),
          ]),
        ),
        hears: Object.fromEntries(contract.hears.map((event) => [event, async () => undefined])),
      }) as never,
  )

const packageOf = (name: string, amount: number) => ({
  title: name,
  description: `Everything of ${name}, delivered as vector and bitmap files with the source. `.repeat(3).trim(),
  price: { amount, currency: 'usd' },
  deliveryDays: 3,
  revisions: 2,
  features: ['Source file', 'Vector file', 'Printable file'],
})
const GIG = {
  id: '',
  status: 'live',
  title: 'I will design a timeless logo for your company',
  description: 'A mark that still looks right in ten years. '.repeat(25).trim(),
  category: 'design',
  subcategory: 'logos',
  tags: ['logo', 'branding', 'vector'],
  packages: {
    basic: packageOf('One idea', 5000),
    standard: packageOf('Three ideas', 12_000),
    premium: packageOf('A whole brand', 40_000),
  },
  extras: [{ id: 'fast', title: 'Two days sooner', price: { amount: 2000, currency: 'usd' }, addedDays: 0 }],
  faq: [],
  requirements: [],
  images: [],
  seller: { id: 'usr_hot', username: 'ines', displayName: 'Ines', level: 'top_rated', rating: 4.9 },
  rating: 4.9,
  reviewCount: 312,
  createdAt: '2026-01-01T00:00:00.000Z',
  version: 3,
}
