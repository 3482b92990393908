// The servers that bench/fanout.ts compares. Each takes what is to be published from a control connection, one JSON object a
// line, encodes it anew and gives it to everybody connected.
import { existsSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { ServiceBroker, type ServiceSchema } from 'moleculer'
import { WebSocketServer } from 'ws'
import { loadAddon } from '../adapters/listener/addon.ts'
import { nodeOf } from '../mixins/node.ts'
import { brokerOptions } from '../moleculer.config.ts'
import account from '../services/account/account.service.ts'
import gateway from '../services/gateway/gateway.service.ts'
import { seedPeople, userId } from './people.ts'
import { answerParent, UNLIMITED } from './harness.ts'

export type NodeKind = 'raw' | 'gateway' | 'gateway-users' | 'ws' | 'socket.io' | 'socket.io-uws'
export type Served = { port: number; controlPort: number; /** With it the load signs its tokens. */ secret?: string }
export type Said = { n: number; text: string }
type Publish = (said: Said) => void
type Started = { port: number; publish: Publish; secret?: string }
type Asked = { kind: NodeKind; subscribers: number; dataDir: string }

const peers = createRequire(new URL('./peers/package.json', import.meta.url))

const serve = async (asked: Asked): Promise<Served> => {
  const { publish, ...started } = await SERVERS[asked.kind](asked)
  const control = createServer((socket) => {
    createInterface(socket).on('line', (line) => publish(JSON.parse(line) as Said))
  })
  return { ...started, controlPort: await listening(control) }
}

const listening = (server: { listen(port: number, host: string, then: () => void): unknown; address(): unknown }) =>
  new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

/** A gateway as it is in production with the accounts behind it; `publisherOf` stands where an actor stands. */
const gateways = async (
  { subscribers, dataDir }: Asked,
  publisherOf: (broker: ServiceBroker) => Promise<Publish>,
): Promise<Started> => {
  const env = { PORT: '0', OPS_PORT: '0', LOG_LEVEL: 'warn', DEMO: '0', RATE_LIMITS: UNLIMITED, DATA_DIR: dataDir }
  const broker = new ServiceBroker(brokerOptions(env))
  for (const schema of [account, gateway, ...(await announcements())]) broker.createService(schema)
  await broker.start()
  const node = nodeOf(broker, broker.logger)
  await seedPeople(await node.open('documents'), subscribers)
  const { port } = (await broker.call('gateway.address')) as { port: number }
  return { port, publish: await publisherOf(broker), secret: node.settings.jwtSecret }
}

/** The actor that numbers announcements and tells a gateway where they stand, where this version has it. */
const announcements = async (): Promise<ServiceSchema[]> => {
  const file = new URL('../services/announcement/announcement.service.ts', import.meta.url)
  return existsSync(file) ? [((await import(file.href)) as { default: ServiceSchema }).default] : []
}

/** As that actor says it: encoded once, with its number. */
const toTopic = async (broker: ServiceBroker): Promise<Publish> => {
  const fanout = await nodeOf(broker, broker.logger).open('fanout')
  const say: (topic: string, frame: string, seq: number) => void = fanout.toTopic
  const topic = 'announcements'
  return (said) => say(topic, JSON.stringify({ ev: 'announcement', topic, seq: said.n, data: said }), said.n)
}

/** As many deliveries in conversations of two: each pair has its own message, as chat tells it. */
const toUsers =
  (subscribers: number) =>
  async (broker: ServiceBroker): Promise<Publish> => {
    const fanout = await nodeOf(broker, broker.logger).open('fanout')
    const pairs = Array.from({ length: subscribers / 2 }, (_, at) => [userId(2 * at), userId(2 * at + 1)])
    return (said) => {
      const sentAt = new Date().toISOString()
      for (const [at, pair] of pairs.entries())
        fanout.toUsers(pair, JSON.stringify({ ev: 'message', data: { conversation: `cnv_${at}`, ...said, sentAt } }))
    }
  }

const uws = async () => {
  const addon = loadAddon()
  if (!addon) throw new Error('uWebSockets cannot be loaded here')
  const app = addon.App()
  const listen = () =>
    new Promise<number>((resolve, reject) =>
      app.listen('127.0.0.1', 0, 0, (token) =>
        token ? resolve(addon.us_socket_local_port(token as never)) : reject(new Error('cannot listen')),
      ),
    )
  return { app, listen, addon }
}

const raw = async (): Promise<Started> => {
  const { app, listen, addon } = await uws()
  app.ws('/', {
    compression: addon.DISABLED,
    maxBackpressure: 1024 * 1024,
    closeOnBackpressureLimit: true,
    open: (socket) => void socket.subscribe('room'),
  })
  return { port: await listen(), publish: (said) => void app.publish('room', JSON.stringify(said), false, false) }
}

const ws = async (): Promise<Started> => {
  const server = createHttpServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: true })
  return {
    port: await listening(server),
    publish: (said) => {
      const text = JSON.stringify(said)
      for (const socket of sockets.clients) socket.send(text)
    },
  }
}

type Room = { emit(event: string, data: object): void }
type SocketIo = Room & {
  attachApp(app: unknown): void
  on(event: 'connection', heard: (socket: { join(room: string): void }) => void): void
  to(room: string): Room
}
const socketIoOf = (...args: unknown[]): SocketIo => {
  const { Server } = peers('socket.io') as { Server: new (...given: unknown[]) => SocketIo }
  const io = new Server(...args)
  io.on('connection', (socket) => socket.join('room'))
  return io
}
const emitting =
  (io: SocketIo): Publish =>
  (said) =>
    io.to('room').emit('announcement', said)

const socketIo = async (): Promise<Started> => {
  const server = createHttpServer()
  const io = socketIoOf(server, { serveClient: false })
  return { port: await listening(server), publish: emitting(io) }
}

const socketIoUws = async (): Promise<Started> => {
  const { app, listen } = await uws()
  const io = socketIoOf()
  io.attachApp(app)
  return { port: await listen(), publish: emitting(io) }
}

const SERVERS: Record<NodeKind, (asked: Asked) => Promise<Started>> = {
  raw,
  gateway: (asked) => gateways(asked, toTopic),
  'gateway-users': (asked) => gateways(asked, toUsers(asked.subscribers)),
  ws,
  'socket.io': socketIo,
  'socket.io-uws': socketIoUws,
}

if (import.meta.main) answerParent(serve)
