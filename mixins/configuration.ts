// What the environment may say, in one table: name, default, how it is read. A bad value stops the start with one line.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { DEFAULT_LIMITS } from './node.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Configuration = {
  nodeId: string
  port: number
  host: string
  /** Other gateway processes of this machine may listen on the same port. */
  sharePort: boolean
  opsPort: number
  opsHost: string
  publicUrl: string
  natsUrl: string | null
  redisUrl: string | null
  mongoUrl: string | null
  meiliUrl: string | null
  meiliKey: string
  /** Of the index there: markets that share a server each have their own. */
  meiliIndex: string
  stripeSecretKey: string | null
  stripeWebhookSecret: string
  stripePublishableKey: string | null
  /** Where the sandbox provider tells its news. */
  sandboxWebhookUrl: string | null
  smtpUrl: string | null
  mailFrom: string
  /** Who signs web push; null: made and kept in dataDir in the sandbox, elsewhere web push is off. */
  vapid: { publicKey: string; privateKey: string } | null
  /** How push services reach whoever runs this market: mailto: or https:. */
  vapidSubject: string
  trustProxy: string[]
  dataDir: string
  /** null: made and kept in dataDir (sandbox only). */
  jwtSecret: string | null
  logLevel: string
  logFormat: 'json' | 'short'
  payoutCron: string
  /** By currency, minor units: a payout run over more waits for two people. What is not named has its default. */
  payoutApprovalLimits: Record<string, number>
  /** What the operator pays: dollars per CPU hour, per GB and month; those not named are list prices. */
  costPrices: { cpuHour?: number; storageGbMonth?: number }
  sandbox: boolean
  /** Demo data at the first start of a sandbox. */
  demo: boolean
  listener: 'auto' | 'uws' | 'node'
  limits: Record<string, { rate: number; burst: number }>
}

export class ConfigurationError extends Error {}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace']

export const configuration = (env: Environment): Configuration => {
  const stripeSecretKey = text(env, 'STRIPE_SECRET_KEY')
  const sandbox = sandboxOf(env, stripeSecretKey)
  const port = number(env, 'PORT', 3000, 0, 65_535)
  const logLevel = oneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info')
  return {
    nodeId:
      pattern(env, 'NODE_ID', /^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _') ??
      `${hostname()
        .replaceAll(/[^A-Za-z0-9_-]/g, '-')
        .slice(0, 40)}-${process.pid}`,
    port,
    host: text(env, 'HOST') ?? (sandbox ? '127.0.0.1' : '0.0.0.0'),
    sharePort: oneOf(env, 'SHARE_PORT', ['0', '1'], '0') === '1',
    opsPort: number(env, 'OPS_PORT', 3001, 0, 65_535),
    opsHost: text(env, 'OPS_HOST') ?? '127.0.0.1',
    publicUrl: url(env, 'PUBLIC_URL', ['http:', 'https:'])?.replace(/\/$/, '') ?? `http://localhost:${port}`,
    natsUrl: url(env, 'NATS_URL', ['nats:', 'tls:']),
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    mongoUrl: url(env, 'MONGO_URL', ['mongodb:', 'mongodb+srv:']),
    meiliUrl: url(env, 'MEILI_URL', ['http:', 'https:']),
    meiliKey: text(env, 'MEILI_KEY') ?? '',
    meiliIndex: pattern(env, 'MEILI_INDEX', /^[A-Za-z0-9_-]{1,100}$/, 'letters, digits, - and _') ?? 'gigs',
    stripeSecretKey,
    stripeWebhookSecret: stripeSecretKey ? required(env, 'STRIPE_WEBHOOK_SECRET', 'STRIPE_SECRET_KEY is set') : '',
    stripePublishableKey: text(env, 'STRIPE_PUBLISHABLE_KEY'),
    sandboxWebhookUrl: url(env, 'SANDBOX_WEBHOOK_URL', ['http:', 'https:']),
    smtpUrl: url(env, 'SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: text(env, 'MAIL_FROM') ?? 'Gigwire <no-reply@localhost>',
    vapid: vapidOf(env),
    vapidSubject: pattern(env, 'VAPID_SUBJECT', VAPID_SUBJECT, 'a mailto: or https: address') ?? VAPID_SUBJECT_DEFAULT,
    trustProxy: (text(env, 'TRUST_PROXY') ?? '')
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
    dataDir: text(env, 'DATA_DIR') ?? './data',
    jwtSecret: jwtSecretOf(env, sandbox),
    logLevel,
    logFormat: oneOf(env, 'LOG_FORMAT', ['json', 'short'], process.stdout.isTTY ? 'short' : 'json') as 'json' | 'short',
    payoutCron: pattern(env, 'PAYOUT_CRON', /^(\S+\s+){4}\S+$/, 'five fields of cron') ?? '0 6 * * *',
    payoutApprovalLimits: amountsOf(env, 'PAYOUT_APPROVAL_LIMITS'),
    costPrices: pricesOf(env),
    sandbox,
    demo: oneOf(env, 'DEMO', ['0', '1'], '1') === '1',
    listener: oneOf(env, 'LISTENER', ['auto', 'uws', 'node'], 'auto') as Configuration['listener'],
    limits: limitsOf(env),
  }
}

/** On exactly while no provider key is set; production must ask for it, so that nobody sells on play money by mistake. */
const sandboxOf = (env: Environment, stripeSecretKey: string | null): boolean => {
  const asked = oneOf(env, 'SANDBOX', ['0', '1'], '')
  if (stripeSecretKey) {
    if (asked === '1') throw bad('SANDBOX', 'cannot be 1 while STRIPE_SECRET_KEY is set')
    return false
  }
  if (asked === '0') throw bad('STRIPE_SECRET_KEY', 'is needed when SANDBOX=0')
  if (env.NODE_ENV === 'production' && asked !== '1')
    throw bad('STRIPE_SECRET_KEY', 'is needed with NODE_ENV=production (or ask for play money with SANDBOX=1)')
  return true
}

const SECRET_LENGTH_MIN = 32
const jwtSecretOf = (env: Environment, sandbox: boolean): string | null => {
  const secret = text(env, 'JWT_SECRET')
  if (!secret && !sandbox) throw bad('JWT_SECRET', 'is required outside the sandbox')
  if (secret && secret.length < SECRET_LENGTH_MIN)
    throw bad('JWT_SECRET', `needs at least ${SECRET_LENGTH_MIN} characters`)
  return secret
}

/** Base64url without padding: the point of 65 bytes, the number of 32. */
const VAPID_PUBLIC = /^B[A-Za-z0-9_-]{86}$/
const VAPID_PRIVATE = /^[A-Za-z0-9_-]{43}$/
const VAPID_SUBJECT = /^(mailto:[^@\s]+@[^@\s]+|https:\/\/\S+)$/
const VAPID_SUBJECT_DEFAULT = 'mailto:no-reply@localhost'
const vapidOf = (env: Environment): Configuration['vapid'] => {
  const publicKey = pattern(env, 'VAPID_PUBLIC_KEY', VAPID_PUBLIC, 'a P-256 point in base64url (87 characters)')
  const given = text(env, 'VAPID_PRIVATE_KEY')
  if (publicKey === null && given === null) return null
  if (publicKey === null) throw bad('VAPID_PUBLIC_KEY', 'is required because VAPID_PRIVATE_KEY is set')
  const privateKey = required(env, 'VAPID_PRIVATE_KEY', 'VAPID_PUBLIC_KEY is set')
  // Never the value itself: it is a secret.
  if (!VAPID_PRIVATE.test(privateKey)) throw bad('VAPID_PRIVATE_KEY', 'is not 32 bytes in base64url (43 characters)')
  return { publicKey, privateKey }
}

/** RATE_LIMITS="auth=600/60,account=50/500": per name, requests per second and burst. */
const limitsOf = (env: Environment): Configuration['limits'] => {
  const given = text(env, 'RATE_LIMITS')
  if (!given) return {}
  return Object.fromEntries(
    given.split(',').map((one) => {
      const [, name, rate, burst] = /^\s*([a-z]+)=(\d+(?:\.\d+)?)\/(\d+)\s*$/i.exec(one) ?? []
      if (!name || !rate || !burst) throw bad('RATE_LIMITS', `"${one}" is not name=perSecond/burst`)
      if (!Object.hasOwn(DEFAULT_LIMITS, name))
        throw bad('RATE_LIMITS', `knows no ${name}, only ${Object.keys(DEFAULT_LIMITS).join(', ')}`)
      return [name, { rate: Number(rate), burst: Number(burst) }]
    }),
  )
}

/** "usd=10000000,eur=10000000": minor units by currency. */
const amountsOf = (env: Environment, name: string): Record<string, number> =>
  Object.fromEntries(
    (text(env, name)?.split(',') ?? []).map((one) => {
      const [, currency, amount] = /^\s*([a-z]{3})=(\d{1,15})\s*$/.exec(one) ?? []
      if (!currency || !amount) throw bad(name, `"${one}" is not currency=amount in minor units`)
      return [currency, Number(amount)]
    }),
  )

const COST_PRICES = ['cpuHour', 'storageGbMonth'] as const
/** COST_PRICES="cpuHour=0.04,storageGbMonth=0.08". */
const pricesOf = (env: Environment): Configuration['costPrices'] =>
  Object.fromEntries(
    (text(env, 'COST_PRICES')?.split(',') ?? []).map((one) => {
      const [, name, price] = /^\s*([A-Za-z]+)=(\d+(?:\.\d+)?)\s*$/.exec(one) ?? []
      if (!name || !price || !(COST_PRICES as readonly string[]).includes(name))
        throw bad('COST_PRICES', `"${one}" is not name=price with a name of ${COST_PRICES.join(', ')}`)
      return [name, Number(price)]
    }),
  )

const text = (env: Environment, name: string): string | null => env[name]?.trim() || null
const required = (env: Environment, name: string, because: string): string => {
  const value = text(env, name)
  if (!value) throw bad(name, `is required because ${because}`)
  return value
}
const number = (env: Environment, name: string, fallback: number, min: number, max: number): number => {
  const given = text(env, name)
  if (given === null) return fallback
  const value = Number(given)
  if (!Number.isInteger(value) || value < min || value > max)
    throw bad(name, `"${given}" is not a whole number from ${min} to ${max}`)
  return value
}
const oneOf = (env: Environment, name: string, values: readonly string[], fallback: string): string => {
  const given = text(env, name)
  if (given === null) return fallback
  if (!values.includes(given)) throw bad(name, `"${given}" is not one of ${values.join(', ')}`)
  return given
}
const pattern = (env: Environment, name: string, shape: RegExp, said: string): string | null => {
  const given = text(env, name)
  if (given !== null && !shape.test(given)) throw bad(name, `"${given}" is not ${said}`)
  return given
}
const url = (env: Environment, name: string, protocols: readonly string[]): string | null => {
  const given = text(env, name)
  if (given === null) return null
  const first = given.split(',')[0]!
  const parsed = URL.canParse(first) ? new URL(first) : null
  // Never the value itself: URLs carry passwords.
  if (!parsed || !protocols.includes(parsed.protocol))
    throw bad(name, `is not a URL beginning with ${protocols.map((one) => `${one}//`).join(' or ')}`)
  return given
}
const bad = (name: string, why: string) => new ConfigurationError(`${name} ${why}`)

export const newSecret = (): string => randomBytes(32).toString('base64url')
