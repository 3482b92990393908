// When a five-field cron expression is next due, in UTC. node-cron tells that only for the machine's own now; the platform's
// clock may stand elsewhere. Pure.
type Field = { min: number; max: number; names?: readonly string[] }

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  // Sunday is 0 and 7.
  { min: 0, max: 7, names: DAYS },
]
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Leap days come every eight years at worst. */
const DAYS_AHEAD_MAX = 366 * 8 + 2

export class CronError extends Error {}

/** The first due time after `after` (epoch ms); null when there is none. */
export const nextDue = (expression: string, after: number): number | null => {
  const [minutes, hours, days, months, weekdays] = parsed(expression)
  const anyDay = days!.size === 31
  const anyWeekday = weekdays!.size === 8
  const fits = (at: Date): boolean => {
    if (!months!.has(at.getUTCMonth() + 1)) return false
    const day = days!.has(at.getUTCDate())
    const weekday = weekdays!.has(at.getUTCDay()) || (at.getUTCDay() === 0 && weekdays!.has(7))
    // As cron has it: two restricted day fields are either-or.
    return anyDay || anyWeekday ? day && weekday : day || weekday
  }
  const first = Math.floor(after / MINUTE_MS + 1) * MINUTE_MS
  for (let ahead = 0; ahead < DAYS_AHEAD_MAX; ahead++) {
    const midnight = Math.floor(first / DAY_MS) * DAY_MS + ahead * DAY_MS
    if (!fits(new Date(midnight))) continue
    for (const hour of hours!) {
      for (const minute of minutes!) {
        const at = midnight + (hour * 60 + minute) * MINUTE_MS
        if (at >= first) return at
      }
    }
  }
  return null
}

const parsed = (expression: string): Set<number>[] => {
  const parts = expression.trim().toLowerCase().split(/\s+/)
  if (parts.length !== FIELDS.length) throw new CronError(`"${expression}" does not have five fields`)
  return parts.map((part, at) => valuesOf(part, FIELDS[at]!))
}

const valuesOf = (part: string, field: Field): Set<number> => {
  const values = part.split(',').flatMap((one) => rangeOf(one, field))
  return new Set(values.sort((one, other) => one - other))
}

const rangeOf = (one: string, field: Field): number[] => {
  const [, from, to, step] = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(one) ?? []
  if (from === undefined || step === '0') throw new CronError(`"${one}" is no cron field`)
  const first = from === '*' ? field.min : valueOf(from, field)
  const last = to !== undefined ? valueOf(to, field) : from === '*' || step !== undefined ? field.max : first
  const values: number[] = []
  for (let value = first; value <= last; value += Number(step ?? 1)) values.push(value)
  if (values.length === 0) throw new CronError(`"${one}" runs backwards`)
  return values
}

const valueOf = (text: string, { min, max, names }: Field): number => {
  const named = names?.indexOf(text.slice(0, 3)) ?? -1
  const value = named >= 0 ? named + (min === 1 ? 1 : 0) : Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new CronError(`"${text}" is not within ${min} to ${max}`)
  return value
}
