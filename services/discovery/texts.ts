// What is searched for, counted by the hour and by the day: what is popular, what is rising, what finds nothing. Pure.
import type { Doc } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { DAYS_MAX, type Told } from './contract.ts'

export type Counts = { asked: number; nothing: number; loosened: number }
/** Keyed by the hour (`2026-03-01T09`) or the day (`2026-03-01`), UTC. Nobody looks at it after `until`. */
export type TextsDoc = Doc & { until: number; texts: Record<string, Counts> }
export const textBuckets = collection<TextsDoc>('discovery_texts', { byUntil: { keys: ['until'] } })

/** Texts counted in one hour or day; the least asked half goes when there are more. */
export const TEXTS_MAX = 2000
/** Asked less often than this a day, a text is its author's business and shown to nobody but operators. */
export const SHOWN_MIN = 5
export const POPULAR_SHOWN = 10
export const TRENDING_SHOWN = 10
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Hours looked at for what is rising, and days for what is usual. */
export const RISING_HOURS = 24
export const USUAL_DAYS = 7
/** Keeps what was asked thrice yesterday and never before from beating everything. */
const USUAL_PRIOR = 5

export const hourOf = (ms: number): string => new Date(ms).toISOString().slice(0, 13)
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
export const hoursBefore = (now: number, count: number): string[] =>
  Array.from({ length: count }, (_, back) => hourOf(now - back * HOUR_MS))
export const daysBefore = (now: number, count: number): string[] =>
  Array.from({ length: count }, (_, back) => dayOf(now - back * DAY_MS))

type Bucket = { id: string; until: number }
export const hourBucket = (now: number): Bucket => ({ id: hourOf(now), until: now + (RISING_HOURS + 1) * HOUR_MS })
export const dayBucket = (now: number): Bucket => ({ id: dayOf(now), until: now + (DAYS_MAX + 1) * DAY_MS })

/** A text that may be counted, or null: what looks like an address or a number of a person is not kept. */
export const countable = (text: string): string | null => {
  const plain = text.trim().toLowerCase().replace(/\s+/g, ' ')
  const digits = plain.replace(/\D/g, '').length
  return plain.length < 2 || plain.length > 60 || plain.includes('@') || digits >= 7 ? null : plain
}

export const counted = (doc: TextsDoc | null, bucket: Bucket, told: readonly Told[]): TextsDoc => {
  const texts = new Map(Object.entries(doc?.texts ?? {}))
  for (const { text, ...counts } of told) texts.set(text, plus(texts.get(text), counts))
  return {
    ...bucket,
    version: doc?.version ?? 0,
    texts: Object.fromEntries(texts.size > TEXTS_MAX ? mostAsked(texts) : texts),
  }
}

const mostAsked = (texts: Map<string, Counts>): [string, Counts][] =>
  [...texts].sort(([, one], [, other]) => other.asked - one.asked).slice(0, TEXTS_MAX / 2)

const NONE: Counts = { asked: 0, nothing: 0, loosened: 0 }
const plus = (one: Counts = NONE, other: Counts): Counts => ({
  asked: one.asked + other.asked,
  nothing: one.nothing + other.nothing,
  loosened: one.loosened + other.loosened,
})

export const joined = (docs: readonly (TextsDoc | null)[]): Map<string, Counts> => {
  const all = new Map<string, Counts>()
  for (const doc of docs)
    for (const [text, counts] of Object.entries(doc?.texts ?? {})) all.set(text, plus(all.get(text), counts))
  return all
}

/** What found something often; of these, what is asked in the last hours far more than on a usual day. */
export const shown = (
  hours: readonly (TextsDoc | null)[],
  days: readonly (TextsDoc | null)[],
): { text: string; kind: 'popular' | 'trending' }[] => {
  const today = joined(hours)
  const week = joined(days)
  const usual = (text: string) => (week.get(text)?.asked ?? 0) / USUAL_DAYS
  const foundSomething = ({ asked, nothing, loosened }: Counts) => nothing + loosened < asked / 2
  const rising = [...today]
    .filter(([, counts]) => counts.asked >= SHOWN_MIN && foundSomething(counts))
    .map(([text, { asked }]) => ({ text, rise: asked / (usual(text) + USUAL_PRIOR) }))
    .filter(({ rise }) => rise > 1)
    .sort((one, other) => other.rise - one.rise)
    .slice(0, TRENDING_SHOWN)
  const popular = [...week]
    .filter(([, counts]) => counts.asked >= SHOWN_MIN && foundSomething(counts))
    .sort(([, one], [, other]) => other.asked - one.asked)
    .slice(0, POPULAR_SHOWN)
  return [
    ...popular.map(([text]) => ({ text, kind: 'popular' as const })),
    ...rising.map(({ text }) => ({ text, kind: 'trending' as const })),
  ]
}

/** Texts in one answer of the report. */
export const REPORTED_MAX = 200
export const report = (docs: readonly (TextsDoc | null)[]) => {
  const all = joined(docs)
  const lastDay = new Map<string, string>()
  for (const doc of docs)
    if (doc)
      for (const text of Object.keys(doc.texts)) if (doc.id > (lastDay.get(text) ?? '')) lastDay.set(text, doc.id)
  const data = [...all]
    .filter(([, { nothing, loosened }]) => nothing + loosened > 0)
    .sort(
      ([, one], [, other]) => other.nothing - one.nothing || other.loosened - one.loosened || other.asked - one.asked,
    )
    .slice(0, REPORTED_MAX)
    .map(([text, counts]) => ({ text, ...counts, lastDay: lastDay.get(text)! }))
  return { data, total: [...all.values()].reduce(plus, NONE) }
}
