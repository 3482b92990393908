// What every noun of the sandbox provider works with, and how objects are made, found and listed.
import { randomBytes } from 'node:crypto'
import type { Faults } from './faults.ts'
import type { Limits } from './limits.ts'
import type { Parameters, Fields } from './parameters.ts'
import { invalid, missing } from './problem.ts'
import type { Json, Store, Stored, StripeObject, Page } from './store.ts'

export type Settings = {
  /** How long a charge's money is pending before it can be transferred. */
  chargeAvailableMs: number
  /** How long a payout travels to the bank. */
  payoutArrivalMs: number
  /** How far refunds may draw the platform's balance below zero, minor units: what its bank account would lend. */
  refundOverdraft: number
  /** How long the platform may answer a dispute. */
  disputeEvidenceMs: number
  /** How long a bank reads the evidence. */
  disputeDecisionMs: number
  /** What a dispute costs, won or lost, minor units. */
  disputeFee: number
  /** What each bank payout of a seller costs the platform, minor units. */
  payoutFee: number
  /** Requests per second that each operation takes, by the machine's clock; more are answered 429. 0: any number. */
  operationPerSecond: number
}

export type World = {
  store: Store
  /** Epoch ms on the platform's clock. */
  now(): number
  /** Where the pages a person opens are served. */
  origin(): string
  settings: Settings
  faults: Faults
  limits: Limits
  /** Puts an event into the durable delivery queue. */
  queueWebhook(eventId: string, type: string): void
  /** The request that causes what happens now, null for what time alone causes. */
  request: { id: string; key: string | null } | null
}

export type Call = {
  /** Connected account the request acts on, '' for the platform. */
  account: string
  /** The ids in the path, in order. */
  ids: string[]
  parameters: Parameters
}

export type Route = {
  method: 'GET' | 'POST'
  path: string
  name: string
  fields: Fields
  handle(world: World, call: Call): Json
}

export const seconds = (ms: number): number => Math.floor(ms / 1000)

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export const randomName = (length: number): string => {
  let name = ''
  while (name.length < length) {
    for (const byte of randomBytes(length)) if (byte < 248 && name.length < length) name += ALPHABET[byte % 62]
  }
  return name
}

export const newId = (prefix: string): string => `${prefix}_${randomName(24)}`

/** Found where it belongs, or 404: another account's object does not exist here. */
export const find = (world: World, place: { kind: string; id: string; account: string; param?: string }): Stored => {
  const stored = world.store.get(place.id)
  if (!stored || stored.body.object !== place.kind || stored.account !== place.account)
    throw missing(place.kind, place.id, place.param)
  return stored
}

/** Changes the shown fields of an object and keeps it. */
export const change = (
  world: World,
  stored: Stored,
  fields: Record<string, Json>,
  hidden: Partial<Stored> = {},
): StripeObject => {
  Object.assign(stored, hidden)
  Object.assign(stored.body, fields)
  world.store.put(stored)
  return stored.body
}

export const LIST_LIMIT_MAX = 100
export const LIST_FIELDS: Fields = { limit: 'integer', starting_after: 'text', ending_before: 'text', created: 'range' }

export const list = (world: World, call: Call, page: Pick<Page, 'kind' | 'parent' | 'is'>, url: string): Json => {
  const {
    limit = 10,
    starting_after: startingAfter,
    ending_before: endingBefore,
  } = call.parameters as { limit?: number; starting_after?: string; ending_before?: string }
  if (limit < 1 || limit > LIST_LIMIT_MAX)
    throw invalid(`Invalid limit: must be between 1 and ${LIST_LIMIT_MAX}.`, 'parameter_invalid_integer', 'limit')
  for (const [param, id] of [
    ['starting_after', startingAfter],
    ['ending_before', endingBefore],
  ] as const)
    if (id) find(world, { kind: page.kind, id, account: call.account, param })
  const { data, hasMore } = world.store.list(
    { ...page, account: call.account, ...createdRange(call.parameters) },
    { limit, ...(startingAfter && { startingAfter }), ...(endingBefore && { endingBefore }) },
  )
  return { object: 'list', url, has_more: hasMore, data }
}

/** The parameters that only narrow a list down. */
export const asked = (call: Call, names: string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => (call.parameters[name] === undefined ? [] : [[name, String(call.parameters[name])]])),
  )

const createdRange = (parameters: Parameters): Pick<Page, 'createdFrom' | 'createdTo'> => {
  const { gt, gte, lt, lte } = (parameters.created ?? {}) as { gt?: number; gte?: number; lt?: number; lte?: number }
  const from = gte ?? (gt === undefined ? undefined : gt + 1)
  const to = lte ?? (lt === undefined ? undefined : lt - 1)
  return { ...(from !== undefined && { createdFrom: from }), ...(to !== undefined && { createdTo: to }) }
}

export const positiveAmount = (amount: number, param = 'amount'): number => {
  if (amount < 1) throw invalid('This value must be greater than or equal to 1.', 'parameter_invalid_integer', param)
  if (amount > 99_999_999) throw invalid('Amount must be no more than 99,999,999.', 'amount_too_large', param)
  return amount
}

/** The amount and currency of an object that has both. */
export const moneyOf = (body: StripeObject): { amount: number; currency: string } => ({
  amount: Number(body.amount),
  currency: String(body.currency),
})
