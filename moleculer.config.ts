// The only file that reads the environment and picks products. Unset variables select the embedded default; a product that
// is not picked is never even loaded.
import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrokerOptions, ServiceBroker } from 'moleculer'
import type { AdapterFactories } from './adapters/index.ts'
import { movableClock, realClock } from './adapters/clock/index.ts'
import type { Sandbox } from './adapters/payments/sandbox.ts'
import { platformClock } from './mixins/clock.ts'
import {
  configuration,
  ConfigurationError,
  newSecret,
  type Configuration,
  type Environment,
} from './mixins/configuration.ts'
import { adapters, nodeOf, type Settings } from './mixins/node.ts'
import { operators } from './mixins/ops.ts'
import { Packets } from './mixins/packets.ts'

export default async function config(): Promise<BrokerOptions> {
  try {
    return brokerOptions(process.env)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    console.error(`gigwire: ${error.message}`)
    process.exit(1)
  }
}

/** Options of one node; everything it needs to know comes from `env`. `products` stand in for those that `env` picks. */
export const brokerOptions = (env: Environment, products: Partial<AdapterFactories> = {}): BrokerOptions => {
  const chosen = configuration(env)
  mkdirSync(chosen.dataDir, { recursive: true, mode: 0o700 })
  const clock = chosen.sandbox ? movableClock() : realClock()
  const known = settings(chosen)
  return {
    namespace: 'gigwire',
    nodeID: chosen.nodeId,
    transporter: chosen.natsUrl
      ? { type: 'NATS', options: { url: chosen.natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 500 } }
      : null,
    logger: {
      type: 'Console',
      options: { level: chosen.logLevel, formatter: chosen.logFormat, colors: chosen.logFormat === 'short' },
    },
    serializer: new Packets(),
    // Moleculer's defaults leave these open: no timeout, in-flight calls cut at stop, peers declared dead after half a minute.
    requestTimeout: 15_000,
    tracking: { enabled: true, shutdownTimeout: 10_000 },
    heartbeatInterval: 2,
    heartbeatTimeout: 8,
    maxCallLevel: 20,
    registry: { preferLocal: true, stopDelay: chosen.natsUrl ? 200 : 0 },
    transit: { maxQueueSize: 20_000, disconnectTimeout: 500 } as BrokerOptions['transit'],
    skipProcessEventRegistration: false,
    errorHandler: null,
    middlewares: [adapters({ ...factories(chosen), ...products }, known, clock), operators(), platformClock()],
    started: async (broker: ServiceBroker) => {
      announce(broker, chosen)
      if (
        chosen.sandbox &&
        !sandboxWebhookUrlOf(chosen) &&
        broker.getLocalService('payment') &&
        broker.getLocalService('gateway')
      ) {
        const payments = (await nodeOf(broker, broker.logger).open('payments')) as Sandbox
        payments.server.setWebhookUrl(
          webhookUrlOf((await broker.call<{ port: number }, object>('gateway.address', {})).port),
        )
      }
    },
  } as BrokerOptions
}

const settings = (chosen: Configuration): Settings => ({
  sandbox: chosen.sandbox,
  demo: chosen.sandbox && chosen.demo,
  publicUrl: chosen.publicUrl,
  jwtSecret: chosen.jwtSecret ?? keptSecret(join(chosen.dataDir, 'jwt.secret')),
  payoutCron: chosen.payoutCron,
  payoutApprovalLimits: chosen.payoutApprovalLimits,
  costPrices: chosen.costPrices,
  port: chosen.port,
  host: chosen.host,
  sharePort: chosen.sharePort,
  opsPort: chosen.opsPort,
  opsHost: chosen.opsHost,
  trustProxy: chosen.trustProxy,
  limits: chosen.limits,
})

/** Somebody else has the file to himself. */
const SQLITE_BUSY = 5

/** Which product stands behind each port. */
const factories = (chosen: Configuration): AdapterFactories => ({
  documents: async ({ log }) =>
    chosen.mongoUrl
      ? (await import('./adapters/documents/mongoose.ts')).openMongoose({ url: chosen.mongoUrl, log })
      : (await import('./adapters/documents/sqlite.ts')).openSqlite({
          file: join(chosen.dataDir, 'documents.sqlite'),
          log,
        }),
  cache: async ({ log }) =>
    chosen.redisUrl
      ? (await import('./adapters/cache/redis.ts')).redisCache({ url: chosen.redisUrl, log })
      : (await import('./adapters/cache/memory.ts')).memoryCache(),
  fanout: async ({ nodeId, log }) =>
    chosen.natsUrl
      ? (await import('./adapters/fanout/nats.ts')).natsFanout({ url: chosen.natsUrl, nodeId, log })
      : (await import('./adapters/fanout/local.ts')).localFanout(),
  engine: async ({ log }) => {
    if (chosen.meiliUrl) {
      const { openMeilisearchEngine, MeilisearchKeyError } = await import('./adapters/engine/meilisearch.ts')
      const { meiliUrl: url, meiliKey: key, meiliIndex: index } = chosen
      return openMeilisearchEngine({ url, key, index, log }).catch((error: unknown) => {
        throw error instanceof MeilisearchKeyError ? new ConfigurationError(error.message) : error
      })
    }
    const [{ openEmbeddedEngine }, { held, HeldError }] = await Promise.all([
      import('./adapters/engine/embedded.ts'),
      import('./adapters/engine/hold.ts'),
    ])
    const dir = join(chosen.dataDir, 'index')
    return held(dir, () => openEmbeddedEngine({ dir, log })).catch((error: unknown) => {
      throw error instanceof HeldError ? new ConfigurationError(error.message) : error
    })
  },
  files: async ({ log }) =>
    (await import('./adapters/files/disk.ts')).diskFiles({ dir: join(chosen.dataDir, 'files'), log }),
  mail: async ({ log }) =>
    chosen.smtpUrl
      ? (await import('./adapters/mail/smtp.ts')).smtpMail({ url: chosen.smtpUrl, from: chosen.mailFrom })
      : (await import('./adapters/mail/log.ts')).logMail(log),
  push: async () => {
    const keys = chosen.vapid ?? (chosen.sandbox ? await keptVapidKeys(chosen.dataDir) : null)
    if (!keys) return (await import('./adapters/push/none.ts')).noPush()
    const { webPush } = await import('./adapters/push/web.ts')
    try {
      return webPush({ keys, subject: chosen.vapidSubject })
    } catch (error) {
      throw error instanceof TypeError
        ? new ConfigurationError('VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are no pair')
        : error
    }
  },
  payments: async ({ log, clock }) => {
    const webhookUrl = sandboxWebhookUrlOf(chosen)
    return chosen.stripeSecretKey
      ? (await import('./adapters/payments/stripe.ts')).openStripe({
          secretKey: chosen.stripeSecretKey,
          webhookSecret: chosen.stripeWebhookSecret,
          ...(chosen.stripePublishableKey && { publishableKey: chosen.stripePublishableKey }),
          provider: 'stripe',
          log,
        })
      : (await import('./adapters/payments/sandbox.ts'))
          .openSandbox({
            file: join(chosen.dataDir, 'sandbox-payments.sqlite'),
            clock,
            // The provider keeps its fee of a payment that is refunded: without this the first refund of a fresh market would wait.
            settings: { refundOverdraft: SANDBOX_OVERDRAFT },
            // With PORT=0 the gateway learns its port only when it listens; started() below tells the sandbox then.
            ...(webhookUrl && { webhookUrl }),
            log,
          })
          .catch((error: unknown) => {
            if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
            throw new ConfigurationError(`the sandbox's payments in ${chosen.dataDir} are in use by another process`)
          })
  },
  clock: ({ clock }) => clock,
  listener: async ({ log }) => {
    const uws =
      chosen.listener === 'node'
        ? null
        : (await import('./adapters/listener/uws.ts')).uwsListener(undefined, (reason) =>
            log.info(`uWebSockets.js: ${reason}`),
          )
    if (uws) return uws
    if (chosen.listener === 'uws') throw new ConfigurationError('LISTENER uws cannot be loaded on this machine')
    return (await import('./adapters/listener/node.ts')).nodeListener()
  },
})

/** What the platform's imagined bank lends for refunds, minor units. */
const SANDBOX_OVERDRAFT = 1_000_000

/** The gateway on this machine by default; null while its port is not known yet. */
const sandboxWebhookUrlOf = ({ sandboxWebhookUrl, port }: Configuration): string | null =>
  sandboxWebhookUrl ?? (port === 0 ? null : webhookUrlOf(port))
const webhookUrlOf = (port: number): string => `http://127.0.0.1:${port}/v1/webhooks/stripe`

/** Browsers subscribe to one key: it must be the same after a restart. */
const keptVapidKeys = async (dataDir: string) => {
  const { newVapidKeys } = await import('./adapters/push/vapid.ts')
  return JSON.parse(keptSecret(join(dataDir, 'vapid.json'), () => JSON.stringify(newVapidKeys()))) as ReturnType<
    typeof newVapidKeys
  >
}

/** A secret made once and kept where only the owner reads it: sandbox only, production names its own. */
const keptSecret = (file: string, made: () => string = newSecret): string => {
  if (!existsSync(file)) {
    // Written whole under another name first: two nodes that start at once over one directory read the same secret.
    const draft = `${file}.${randomUUID()}`
    writeFileSync(draft, made(), { flag: 'wx', mode: 0o600 })
    try {
      linkSync(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      unlinkSync(draft)
    }
  }
  return readFileSync(file, 'utf8').trim()
}

const announce = (broker: ServiceBroker, chosen: Configuration) => {
  const products = {
    documents: chosen.mongoUrl ? 'MongoDB' : 'SQLite',
    cache: chosen.redisUrl ? 'Redis' : 'memory',
    engine: chosen.meiliUrl ? 'Meilisearch' : 'embedded',
    payments: chosen.stripeSecretKey ? 'Stripe' : 'sandbox',
    fanout: chosen.natsUrl ? 'NATS' : 'in process',
    mail: chosen.smtpUrl ? 'SMTP' : 'log',
    push: chosen.vapid || chosen.sandbox ? 'web' : 'none',
    data: chosen.dataDir,
  }
  broker.logger.info(
    `products: ${Object.entries(products)
      .map(([port, product]) => `${port} ${product}`)
      .join(', ')}`,
  )
}
