// A payment provider of our own that speaks the provider's HTTP API on loopback: state on disk, webhooks, pages for
// people.
import { mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { dirname } from 'node:path'
import type { Clock } from '../../clock/index.ts'
import { catchUp } from './due.ts'
import { faultTable, type Faults } from './faults.ts'
import { requestLimits } from './limits.ts'
import { outsideOf, type Outside } from './outside.ts'
import { serve, type Running } from './requests.ts'
import { openStore } from './store.ts'
import { openWebhooks } from './webhooks.ts'
import { randomName, type Settings, type World } from './world.ts'

export const CONNECTIONS_MAX = 1_000
export const TICK_MS = 1_000
// Longer than a client keeps an idle connection, so that it is the client who closes it.
export const KEEP_ALIVE_MS = 120_000

const DAY_MS = 24 * 3_600_000
export const DEFAULT_SETTINGS: Settings = {
  chargeAvailableMs: 0,
  payoutArrivalMs: 1_000,
  refundOverdraft: 0,
  disputeEvidenceMs: 7 * DAY_MS,
  disputeDecisionMs: 60_000,
  disputeFee: 1_500,
  payoutFee: 0,
  operationPerSecond: 0,
}

export type SandboxOptions = {
  file: string
  clock: Clock
  /** Where events are posted; setWebhookUrl says it later. */
  webhookUrl?: string
  /** Made at random and kept in the file unless given. */
  webhookSecret?: string
  settings?: Partial<Settings>
  log: { info(...args: unknown[]): void; warn(...args: unknown[]): void; error(...args: unknown[]): void }
}

export type SandboxServer = {
  port: number
  secretKey: string
  webhookSecret: string
  setWebhookUrl(url: string): void
  faults: Faults
  /** What cardholders, banks and the provider's compliance do. */
  outside: Outside
  /** Applies what the clock made due. It also happens by itself, on every access and each second. */
  tick(): Promise<void>
  close(): Promise<void>
}

export const openSandboxServer = async (options: SandboxOptions): Promise<SandboxServer> => {
  mkdirSync(dirname(options.file), { recursive: true })
  const store = openStore(options.file)
  if (options.webhookSecret) store.setSetting('webhook_secret', options.webhookSecret)
  const secretKey = store.setting('secret_key', () => `sk_test_${randomName(48)}`)
  const webhookSecret = store.setting('webhook_secret', () => `whsec_${randomName(32)}`)
  const faults = faultTable()
  const webhooks = openWebhooks({ store, faults, secret: webhookSecret, log: options.log })
  const settings = { ...DEFAULT_SETTINGS, ...options.settings }
  let port = 0
  const world: World = {
    store,
    faults,
    now: options.clock.now,
    origin: () => `http://127.0.0.1:${port}`,
    queueWebhook: webhooks.queue,
    settings,
    limits: requestLimits(settings.operationPerSecond),
    request: null,
  }
  const running: Running = {
    store,
    world,
    webhooks,
    keysInUse: new Set(),
    held: new Set(),
    secretKey,
    log: options.log,
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 30_000 }, (request, response) => {
    void serve(running, request, response)
  })
  server.maxConnections = CONNECTIONS_MAX
  port = await listen(server, Number(store.setting('port', () => '0')))
  store.setSetting('port', String(port))
  if (options.webhookUrl) webhooks.setUrl(options.webhookUrl)
  const tick = async () => {
    await store.commit(() => catchUp(world))
    webhooks.wake()
  }
  const ticking = setInterval(() => {
    tick().catch((error: unknown) => options.log.error('sandbox provider could not keep its state', error))
  }, TICK_MS)
  ticking.unref()
  return {
    port,
    secretKey,
    webhookSecret,
    faults,
    outside: outsideOf(world, webhooks),
    tick,
    setWebhookUrl: webhooks.setUrl,
    close: async () => {
      clearInterval(ticking)
      await closeRunning(server, running)
    },
  }
}

/** The same port as last time if it is free, so that links opened before a restart still lead here. */
const listen = (server: Server, preferred: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const listening = () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    }
    server.once('error', (error) => {
      if (preferred === 0) return reject(error)
      server.once('error', reject)
      server.listen(0, '127.0.0.1')
    })
    server.once('listening', listening)
    server.listen(preferred, '127.0.0.1')
  })

const closeRunning = async (server: Server, running: Running): Promise<void> => {
  for (const timer of running.held) clearTimeout(timer)
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeAllConnections()
  await closed
  await running.webhooks.close()
  await running.store.commit(() => undefined)
  running.store.close()
}
