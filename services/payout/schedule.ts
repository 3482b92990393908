// When a seller is paid by the runs of the market: daily unless they say otherwise. Pure but for the name of the collection.
import { actorCollection, type ActorDoc } from '../../mixins/actor.ts'
import type { PayoutSettings } from './contract.ts'

export type { PayoutSettings }
export type SettingsDoc = ActorDoc & PayoutSettings
export const payoutSettings = actorCollection<SettingsDoc>('payout_settings')

export const DEFAULT_SETTINGS: PayoutSettings = { schedule: 'daily' }
export const publicSettings = (doc: SettingsDoc | null): PayoutSettings => {
  const { schedule, weekday, day, minimum } = doc ?? DEFAULT_SETTINGS
  return {
    schedule,
    ...(weekday !== undefined && { weekday }),
    ...(day !== undefined && { day }),
    ...(minimum && { minimum }),
  }
}

/** The dates a run stands for: those after `after` up to and with `to`. More than one when a run was missed. */
export type Covers = { after: string; to: string }

const DAY_MS = 86_400_000
const epoch = (date: string): number => Date.parse(`${date}T00:00:00.000Z`)
/** However long the market was away, nobody waits for a date before this. */
export const COVERS_DAYS_MAX = 31
/** Monday, and the first: whoever says weekly or monthly and no more. */
const WEEKDAY = 1
const MONTH_DAY = 1

/** The dates a run of `date` stands for, after the last one before it. */
export const coversOf = (date: string, before: string | null): Covers => {
  const earliest = epoch(date) - COVERS_DAYS_MAX * DAY_MS
  const after = before === null ? epoch(date) - DAY_MS : Math.max(earliest, epoch(before))
  return { after: new Date(after).toISOString().slice(0, 10), to: date }
}

/** Is one of the dates the seller's? */
export const isDue = (
  { schedule, weekday = WEEKDAY, day = MONTH_DAY }: PayoutSettings,
  { after, to }: Covers,
): boolean => {
  if (schedule === 'daily' || schedule === 'manual') return schedule === 'daily'
  for (let at = epoch(after) + DAY_MS; at <= epoch(to); at += DAY_MS) {
    const date = new Date(at)
    // Sunday is 7, as people count who begin with Monday.
    if (schedule === 'weekly' ? (date.getUTCDay() || 7) === weekday : date.getUTCDate() === day) return true
  }
  return false
}
