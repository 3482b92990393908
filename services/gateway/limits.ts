// How much one account, address or e-mail may ask: token buckets in bounded memory, per gateway.
import { DEFAULT_LIMITS, type Budget, type LimitName, type Settings } from '../../mixins/node.ts'
import { recent } from '../../mixins/recent.ts'
import { refuse } from '../errors.ts'
import type { Header } from './headers.ts'

export type Bucket = { tokens: number; at: number; /** The last question was refused. */ refused: boolean }

export type Limit = {
  name: LimitName
  budget: Budget
  /** Takes one; says in the bucket whether there was one. `now` is the machine's clock, for who has just looked at it. */
  take(key: string, now?: number): Bucket
  /** Gives one back that should not have counted. */
  giveBack(key: string): void
  /** Seconds until one is there again, at least 1. */
  retryAfterSeconds(bucket: Bucket): number
  policy: Header
  /** What is left, as the RateLimit header says it. */
  left(bucket: Bucket): Header
}
export type Limits = { readonly [name in LimitName]: Limit }

/** Buckets of one limit kept in memory; one forgotten is a full one. */
export const BUCKETS_MAX = 200_000

export const limitsOf = (settings: Settings): Limits => {
  const made = (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((name) => [
    name,
    limit(name, settings.limits?.[name] ?? DEFAULT_LIMITS[name]),
  ])
  return Object.fromEntries(made) as Limits
}

/** Takes one or refuses the request. */
export const spend = (of: Limit, key: string): Bucket => {
  const bucket = of.take(key)
  if (bucket.refused)
    throw refuse('rate_limited', `more than the budget "${of.name}" allows`, {
      retryAfterSeconds: of.retryAfterSeconds(bucket),
    })
  return bucket
}

export const limit = (name: LimitName, budget: Budget): Limit => {
  const { rate, burst } = budget
  const buckets = recent<Bucket>(BUCKETS_MAX)
  const full = (key: string, now: number): Bucket => {
    const bucket = { tokens: burst, at: now, refused: false }
    buckets.set(key, bucket)
    return bucket
  }
  return {
    name,
    budget,
    take: (key, now = Date.now()) => {
      const bucket = buckets.get(key) ?? full(key, now)
      // a clock that was set back fills nothing
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * rate) / 1000)
      bucket.at = now
      bucket.refused = bucket.tokens < 1
      if (!bucket.refused) bucket.tokens -= 1
      return bucket
    },
    giveBack: (key) => {
      const bucket = buckets.get(key)
      if (bucket) bucket.tokens = Math.min(burst, bucket.tokens + 1)
    },
    retryAfterSeconds: (bucket) => Math.max(1, Math.ceil((1 - bucket.tokens) / rate)),
    policy: ['RateLimit-Policy', `"${name}";q=${burst};w=${Math.max(1, Math.ceil(burst / rate))}`],
    left: (bucket) => [
      'RateLimit',
      `"${name}";r=${Math.floor(bucket.tokens)};t=${Math.max(1, Math.ceil((burst - bucket.tokens) / rate))}`,
    ],
  }
}

/** Whom an address counts as: IPv6 hosts have a /64 to themselves. */
export const addressKey = (address: string): string => {
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = tail.split(':').filter(Boolean)
  const filled = address.includes('::')
    ? [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
    : left
  return filled
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')
}
