// Shapes that several contracts share. Words are those of docs/glossary.md.
import { Type, type Static, type TSchema } from 'typebox'

/** Integer minor units and a lower-case ISO 4217 code. */
export const Money = Type.Object(
  { amount: Type.Integer(), currency: Type.String({ pattern: '^[a-z]{3}$' }) },
  { additionalProperties: false, $id: 'Money' },
)
export type Money = Static<typeof Money>

/** A price a person names: positive, at most a million in minor units × 100. */
export const PRICE_MIN = 100
export const PRICE_MAX = 100_000_000
export const Price = Type.Object(
  {
    amount: Type.Integer({ minimum: PRICE_MIN, maximum: PRICE_MAX }),
    currency: Type.String({ pattern: '^[a-z]{3}$' }),
  },
  { additionalProperties: false },
)

export const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })
/** ISO 8601 UTC with milliseconds. */
export const Time = Type.String({ description: 'ISO 8601, UTC, milliseconds' })
export const Role = Type.Union([
  Type.Literal('buyer'),
  Type.Literal('seller'),
  Type.Literal('moderator'),
  Type.Literal('admin'),
])
export type Role = Static<typeof Role>

/** Who asks, as established by the gateway from a token and the account as it is now. */
export type Caller = { id: string; username: string; roles: Role[]; sessionId: string }

/** A person who has left, in records that others keep. */
export const nobody = (id: string) => ({ id, username: 'deleted', displayName: 'Deleted user' })

export const LIMIT_DEFAULT = 20
export const LIMIT_MAX = 100
/** What every list takes. */
export const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMIT_MAX })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
}
export const listOf = <T extends TSchema>(item: T) =>
  Type.Object({ data: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })

/** A closed object: unknown fields are refused. */
export const closed = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false })
export const Nothing = Type.Object({}, { additionalProperties: false })
/** Text a person wrote: trimmed length counts, control characters but line breaks and tabs are refused by the actor. */
export const text = (minLength: number, maxLength: number) => Type.String({ minLength, maxLength })

/** As `Date` writes it, for less: the time of a message is written whenever it is told or told again. */
export const iso = (ms: number): string => {
  if (!(ms >= 0 && ms < YEAR_9999_MS && Number.isInteger(ms))) return new Date(ms).toISOString()
  const inDayMs = ms % DAY_MS
  const seconds = Math.floor(inDayMs / 1000)
  const minutes = Math.floor(seconds / 60)
  const [hour, minute, second] = [TWO[Math.floor(minutes / 60)], TWO[minutes % 60], TWO[seconds % 60]]
  return `${dateOf(ms - inDayMs)}T${hour}:${minute}:${second}.${String(inDayMs % 1000).padStart(3, '0')}Z`
}

const DAY_MS = 86_400_000
const YEAR_9999_MS = Date.UTC(9999, 0)
const TWO = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'))

/** Most times are of one day, whose date is written once. */
let lastDay = { ms: 0, date: '1970-01-01' }
const dateOf = (ms: number): string => {
  if (ms !== lastDay.ms) lastDay = { ms, date: new Date(ms).toISOString().slice(0, 10) }
  return lastDay.date
}
