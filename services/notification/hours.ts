// Times of day where a person is: quiet hours, and when the next hour or day of a digest begins. Pure.
import type { Settings } from './contract.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MINUTES = 24 * 60
/** The time of day at which a daily letter comes. */
export const DAILY_AT = '08:00'

export const isTimeZone = (zone: string): boolean => {
  try {
    return Boolean(clockOf(zone))
  } catch {
    return false
  }
}

/** When the quiet that holds at `at` ends; `at` itself when it is not quiet. */
export const afterQuiet = ({ quiet, timeZone }: Settings, at: number): number => {
  if (!quiet || quiet.from === quiet.to) return at
  const [from, to] = [minutesOf(quiet.from), minutesOf(quiet.to)]
  const minute = minuteAt(clockOf(timeZone), at)
  const isQuiet = from < to ? minute >= from && minute < to : minute >= from || minute < to
  return isQuiet ? nextTimeOfDay(timeZone, at, to) : at
}

/** When a letter about something said at `at` is written, quiet hours aside. */
export const digestAt = ({ email, timeZone }: Settings, at: number): number => {
  if (email === 'hourly') return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS
  return email === 'daily' ? nextTimeOfDay(timeZone, at, minutesOf(DAILY_AT)) : at
}

/** The next moment after `at` when clocks there show so many minutes since midnight. */
const nextTimeOfDay = (zone: string, at: number, minutes: number): number => {
  const clock = clockOf(zone)
  const from = Math.floor(at / MINUTE_MS) * MINUTE_MS
  const ahead = (minutes - minuteAt(clock, from) + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES
  const guess = from + ahead * MINUTE_MS
  // On the day clocks change, an hour more or less lies in between; and a time that is left out is over when it would be.
  const off = ((minutes - minuteAt(clock, guess) + 1.5 * DAY_MINUTES) % DAY_MINUTES) - DAY_MINUTES / 2
  const then = guess + off * MINUTE_MS
  return minuteAt(clock, then) === minutes && then > at ? then : guess
}

const clockOf = (zone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const minuteAt = (clock: Intl.DateTimeFormat, at: number): number => minutesOf(clock.format(at))
const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
