// What a question to the documents means, settled once for every product: which keys are equal, which one is bounded,
// in which order the page comes, and where it goes on. Pure: what no declared index serves is refused before any store
// sees it.
import { createHash } from 'node:crypto'
import { DocumentsError, FIND_MAX } from './index.ts'
import type { Collection, Doc, Index, Key, Query } from './index.ts'

/** A query checked against its index. */
export type Plan = {
  name: string
  index: Index
  equals: readonly (readonly [key: string, value: Key])[]
  /** The bounded key and its inclusive bounds, over all values: numbers come before strings. */
  range: { key: string; from?: Key; to?: Key } | null
  /** The bounds leave no room: nothing need be asked. */
  empty: boolean
  order: 'asc' | 'desc'
  limit: number
  /**
   * What the page is ordered by: the keys after the equal ones, then the id, unless a unique index makes the order
   * total.
   */
  orderedBy: readonly string[]
  /** Values of `orderedBy` of the last document seen. */
  after: readonly Key[] | null
  /** Same for all pages of one query, different for any other query. */
  fingerprint: string
}

export const LIMIT_USUAL = 20
/** A longer cursor was not made here: keys are bounded. */
export const CURSOR_CHARS_MAX = 64 * 1024

export const planQuery = (of: Collection, query: Query): Plan => {
  const index = Object.hasOwn(of.indexes, query.index) ? of.indexes[query.index] : undefined
  if (!index) throw new DocumentsError('no_index', `collection ${of.name} has no index ${query.index}`)
  const equals = equalKeys(index, query)
  const range = rangeOf(index, query, equals.length)
  const order = orderOf(query)
  const orderedBy = [...index.keys.slice(equals.length), ...(index.unique ? [] : ['id'])]
  const empty = range?.from !== undefined && range.to !== undefined && compareKeys(range.from, range.to) > 0
  const plan: Plan = {
    name: query.index,
    index,
    equals,
    range,
    empty,
    order,
    limit: limitOf(query),
    orderedBy,
    after: null,
    // Asked for only where there is another page: most queries have none.
    get fingerprint() {
      return shortHash([of.name, query.index, index.keys, equals, [range?.from ?? null, range?.to ?? null], order])
    },
  }
  return query.cursor === undefined || query.cursor === null
    ? plan
    : { ...plan, after: decodeCursor(plan, query.cursor) }
}

/** The cursor that goes on after `last`. */
export const cursorAfter = (plan: Plan, last: Doc): string => {
  const document = last as unknown as Record<string, Key>
  return encode([plan.fingerprint, ...plan.orderedBy.map((key) => document[key] as Key)])
}

/** Whether a value can be a key on every product: whole numbers beyond 2^53 are not kept exactly by all. */
export const isKey = (value: unknown): value is Key =>
  typeof value === 'string'
    ? value.isWellFormed()
    : typeof value === 'number' && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))

const equalKeys = (index: Index, query: Query): [string, Key][] => {
  const given = Object.entries(query.equals ?? {}).filter(([, value]) => value !== undefined)
  const keys = index.keys.slice(0, given.length)
  const values = new Map(given)
  if (!keys.every((key) => values.has(key)) || keys.length < given.length) {
    throw new DocumentsError(
      'no_index',
      `index ${query.index} does not start with exactly ${[...values.keys()].join(', ')}`,
    )
  }
  return keys.map((key) => [key, checked(key, values.get(key))])
}

const rangeOf = (index: Index, query: Query, equalCount: number): Plan['range'] => {
  if (query.from === undefined && query.to === undefined) return null
  const key = index.keys[equalCount]
  if (key === undefined) throw new DocumentsError('no_index', `index ${query.index} has no key left for from and to`)
  return {
    key,
    ...(query.from === undefined ? {} : { from: checked('from', query.from) }),
    ...(query.to === undefined ? {} : { to: checked('to', query.to) }),
  }
}

const checked = (what: string, value: unknown): Key => {
  if (isKey(value)) return value
  throw new DocumentsError('bad_query', `${what} must be well-formed text or an exact number`)
}

const orderOf = ({ order = 'asc' }: Query): Plan['order'] => {
  if (order === 'asc' || order === 'desc') return order
  throw new DocumentsError('bad_query', `order is 'asc' or 'desc'`)
}

export const limitOf = ({ limit = LIMIT_USUAL }: { limit?: number }): number => {
  if (Number.isInteger(limit) && limit >= 1 && limit <= FIND_MAX) return limit
  throw new DocumentsError('bad_query', `limit must be a whole number from 1 to ${FIND_MAX}`)
}

const decodeCursor = (plan: Plan, cursor: string): Key[] => {
  const parts = decode(cursor)
  const [fingerprint, ...values] = Array.isArray(parts) ? (parts as unknown[]) : []
  const whole = fingerprint === plan.fingerprint && values.length === plan.orderedBy.length && values.every(isKey)
  if (!whole || !isWithin(plan.range, values[0] as Key)) {
    throw new DocumentsError('bad_cursor', 'the cursor is malformed or belongs to another query')
  }
  return values as Key[]
}

/** A cursor outside the bounds was not made by this query; believing it would widen the range. */
const isWithin = (range: Plan['range'], value: Key): boolean =>
  range === null ||
  ((range.from === undefined || compareKeys(value, range.from) >= 0) &&
    (range.to === undefined || compareKeys(value, range.to) <= 0))

/** Numbers before strings; numbers by value, strings by code point. */
export const compareKeys = (a: Key, b: Key): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return typeof a === 'number' ? -1 : 1
}

const encode = (parts: readonly unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

const decode = (cursor: string): unknown => {
  if (typeof cursor !== 'string' || cursor.length > CURSOR_CHARS_MAX) return null
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parts) && encode(parts) === cursor ? parts : null
  } catch {
    return null
  }
}

const shortHash = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12)
