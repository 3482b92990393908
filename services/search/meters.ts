// What search counts: how long the engine takes, how far the index is behind what gigs said, and what the engine refused.
import type { Metrics } from '../../mixins/metrics.ts'

/** Changes on their way that are remembered, and for how long: one that was parked is an operator's to see elsewhere. */
const UNDER_WAY_MAX = 10_000
export const UNDER_WAY_MS = 10 * 60_000
/** Seconds. */
const LAGS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

export type Meters = ReturnType<typeof meters>
/** Something that was said, and when: epoch ms. */
type Said = { id: string; at: number }

export const meters = (metrics: Metrics) => {
  const seconds = metrics.histogram('gigwire_search_engine_seconds', "Time to the engine's answer, by what was asked")
  const refusals = metrics.counter(
    'gigwire_search_engine_refusals_total',
    'Questions and changes refused by the engine, by why',
  )
  const lag = metrics.histogram(
    'gigwire_search_lag_seconds',
    'From a gig saying that it changed to searches seeing it',
    LAGS,
  )()
  const indexed = metrics.counter('gigwire_search_indexed_total', 'Changes of gigs taken into the index')()
  const repaired = metrics.counter(
    'gigwire_search_repaired_total',
    'Gigs that a comparison found not indexed as they are',
  )()
  const underWay = new Map<string, number>()

  const oldest = (now: number): number => {
    for (const [id, at] of underWay) if (now - at > UNDER_WAY_MS) underWay.delete(id)
    return Math.min(now, ...underWay.values())
  }
  metrics.measured(
    'gigwire_search_behind_seconds',
    'Age of the oldest change that was tried here and is not in the index yet',
    () => (Date.now() - oldest(Date.now())) / 1000,
  )
  return {
    seconds: (asked: string) => seconds({ asked }),
    refused: (code: string) => refusals({ code }).add(),
    repaired,
    began: ({ id, at }: Said) => {
      if (underWay.size < UNDER_WAY_MAX) underWay.set(id, at)
    },
    done: ({ id, at }: Said) => {
      underWay.delete(id)
      indexed.add()
      lag.observe(Math.max(0, Date.now() - at) / 1000)
    },
  }
}
