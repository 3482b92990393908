// The Grafana dashboard of searching and indexing. `node deploy/dashboards/search.ts` writes search.json beside it, which
// Grafana imports as it is; a test holds the two, and the metrics named here, to what /metrics says.
import { dashboardOf, EVERY, quantiles, rate, total, write, type Rows } from './dashboard.ts'

const ROWS: Rows = {
  Searching: [
    {
      title: 'Searches',
      says: "To the engine's answer; prepared answers of the gateway never get here.",
      unit: 's',
      draws: quantiles('gigwire_search_engine_seconds', 'asked="search"'),
    },
    {
      title: 'Suggestions',
      says: "To the engine's answer.",
      unit: 's',
      draws: quantiles('gigwire_search_engine_seconds', 'asked="suggest"'),
    },
    {
      title: 'Asked',
      says: 'Of the engine, by what.',
      unit: 'ops',
      draws: { '{{asked}}': rate('gigwire_search_engine_seconds_count', 'asked') },
    },
    {
      title: 'Refused',
      says: 'engine_down: it is away or starting again. engine_busy: too much waits. bad_cursor, bad_query: the question.',
      unit: 'ops',
      draws: { '{{code}}': rate('gigwire_search_engine_refusals_total', 'code') },
    },
  ],
  Indexing: [
    {
      title: 'Said to seen',
      says: 'From a gig saying that it changed to searches seeing it.',
      unit: 's',
      draws: quantiles('gigwire_search_lag_seconds'),
    },
    {
      title: 'Behind',
      says: 'Age of the oldest change that was tried and is not in the index yet.',
      unit: 's',
      draws: { '{{instance}}': total('gigwire_search_behind_seconds') },
    },
    {
      title: 'Changes indexed',
      says: 'Gigs put in or taken out.',
      unit: 'ops',
      draws: { '{{instance}}': rate('gigwire_search_indexed_total') },
    },
    {
      title: 'Put right by comparing',
      says: 'Gigs that were not indexed as they are: after a crash or a lost server; otherwise there should be none.',
      draws: { '{{instance}}': `sum by (instance) (increase(gigwire_search_repaired_total${EVERY}))` },
    },
  ],
}

export const dashboard = dashboardOf('gigwire-search', 'Gigwire: search', ROWS)
export const DASHBOARD_FILE = new URL('./search.json', import.meta.url)

if (import.meta.main) write(DASHBOARD_FILE, dashboard)
