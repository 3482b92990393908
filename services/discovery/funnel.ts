// How a gig fares: shown, opened, ordered to the end, by day. One small document per gig. Pure.
import type { Doc } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { DAYS_MAX, type FunnelDay } from './contract.ts'
import { dayOf, daysBefore } from './texts.ts'

export type Fare = { impressions: number; clicks: number; orders: number }
/** Keyed by the gig. `counted`: orders already in it, newest last. */
export type FunnelDoc = Doc & { days: Record<string, Fare>; counted: string[] }
export const funnels = collection<FunnelDoc>('discovery_funnels')

/** Orders remembered as counted. Deliveries repeat within minutes, never after this many others. */
export const COUNTED_MAX = 200
const NONE: Fare = { impressions: 0, clicks: 0, orders: 0 }

export const withFare = (doc: FunnelDoc | null, gig: string, more: Partial<Fare>, now: number): FunnelDoc => {
  const before = doc ?? { id: gig, version: 0, days: {}, counted: [] }
  const today = dayOf(now)
  const kept = new Set(daysBefore(now, DAYS_MAX))
  const days = Object.fromEntries(Object.entries(before.days).filter(([day]) => kept.has(day)))
  return { ...before, days: { ...days, [today]: sum(days[today], more) } }
}

/** One order, however often it is told; null when it was counted. */
export const withOrder = (doc: FunnelDoc | null, gig: string, order: string, now: number): FunnelDoc | null => {
  if (doc?.counted.includes(order)) return null
  const after = withFare(doc, gig, { orders: 1 }, now)
  return { ...after, counted: [...after.counted, order].slice(-COUNTED_MAX) }
}

/** Every day of the time, also those on which nothing happened, the oldest first. */
export const funnelOf = (doc: FunnelDoc | null, days: number, now: number): { data: FunnelDay[]; total: Fare } => {
  const data = daysBefore(now, days)
    .reverse()
    .map((day) => ({ day, ...sum(doc?.days[day], {}) }))
  return { data, total: data.reduce<Fare>(sum, NONE) }
}

const sum = (one: Fare = NONE, other: Partial<Fare>): Fare => ({
  impressions: one.impressions + (other.impressions ?? 0),
  clicks: one.clicks + (other.clicks ?? 0),
  orders: one.orders + (other.orders ?? 0),
})
