// What a Grafana dashboard of ours is made of: rows of panels, each with what it draws. Grafana imports the JSON as it is.
import { writeFileSync } from 'node:fs'

export type Panel = {
  title: string
  says: string
  unit?: 'short' | 's' | 'bytes' | 'ops' | 'percentunit'
  /** What is drawn: legend → PromQL. */
  draws: Readonly<Record<string, string>>
}
export type Rows = Readonly<Record<string, readonly Panel[]>>

export const EVERY = '[$__rate_interval]'
export const rate = (metric: string, by = 'instance'): string => `sum by (${by}) (rate(${metric}${EVERY}))`
export const total = (metric: string): string => `sum by (instance) (${metric})`
export const quantile = (q: number, metric: string, of = ''): string =>
  `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket${chosen(of)}${EVERY})))`
const chosen = (of: string): string => (of === '' ? '' : `{${of}}`)
export const quantiles = (metric: string, of = ''): Record<string, string> => ({
  p50: quantile(0.5, metric, of),
  p99: quantile(0.99, metric, of),
  mean: `sum(rate(${metric}_sum${chosen(of)}${EVERY})) / sum(rate(${metric}_count${chosen(of)}${EVERY}))`,
})

const WIDTH = 6
const HEIGHT = 7

const panelOf = ({ title, says, unit = 'short', draws }: Panel, id: number, x: number, y: number) => ({
  id,
  type: 'timeseries',
  title,
  description: says,
  datasource: { type: 'prometheus', uid: '${datasource}' },
  gridPos: { x, y, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 8, showPoints: 'never' } }, overrides: [] },
  options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  targets: Object.entries(draws).map(([legendFormat, expr], at) => ({
    refId: String.fromCharCode(65 + at),
    expr,
    legendFormat,
  })),
})

const panelsOf = (rows: Rows) =>
  Object.entries(rows).flatMap(([title, row], at) => {
    const y = at * (HEIGHT + 1)
    const id = at * 100
    return [
      { id: id + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] },
      ...row.map((panel, column) => panelOf(panel, id + column + 2, column * WIDTH, y + 1)),
    ]
  })

export const dashboardOf = (uid: string, title: string, rows: Rows) => ({
  uid,
  title,
  tags: ['gigwire'],
  schemaVersion: 39,
  editable: true,
  refresh: '10s',
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus', current: {}, hide: 0 }],
  },
  panels: panelsOf(rows),
})
export type Dashboard = ReturnType<typeof dashboardOf>

export const textOf = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`
export const write = (file: URL, dashboard: Dashboard): void => writeFileSync(file, textOf(dashboard))
