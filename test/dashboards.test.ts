// What operators look at names only numbers that exist.
import test from 'ava'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { textOf } from '../deploy/dashboards/dashboard.ts'
import * as money from '../deploy/dashboards/money.ts'
import * as realtime from '../deploy/dashboards/realtime.ts'
import * as search from '../deploy/dashboards/search.ts'
import { startEverything, type Everything } from './everything.ts'
import { opsOf } from '../mixins/ops.ts'

type Rule = {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: Record<string, string>
}

/** Every name a page of the market has, as PromQL may use it. */
const namesOf = async (market: Everything): Promise<Set<string>> => {
  const text = await (await fetch(`http://127.0.0.1:${opsOf(market.broker).port}/metrics`)).text()
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  return new Set(
    families.flatMap(([, name, kind]) =>
      kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`) : [name!],
    ),
  )
}
const named = (expr: string): string[] => expr.match(/\b(?:gigwire|process|nodejs)_\w+/g) ?? []
const DASHBOARDS = { realtime, search, money }
const expressions = Object.values(DASHBOARDS).flatMap(({ dashboard }) =>
  dashboard.panels.flatMap((panel) => ('targets' in panel ? panel.targets.map(({ expr }) => expr) : [])),
)
const rulesOf = (name: string): Rule[] => {
  const file = new URL(`../deploy/alerts/${name}.yml`, import.meta.url)
  const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

for (const [name, { DASHBOARD_FILE, dashboard }] of Object.entries(DASHBOARDS))
  test(`the dashboard of ${name} that is imported is the one that is written here`, (t) => {
    t.is(readFileSync(DASHBOARD_FILE, 'utf8'), textOf(dashboard))
    const ids = dashboard.panels.map(({ id }) => id)
    t.is(new Set(ids).size, ids.length)
  })

test('every number on the dashboard and in an alert exists', async (t) => {
  const market = await startEverything()
  t.teardown(market.stop)
  const names = await namesOf(market)
  const rules = Object.keys(DASHBOARDS).flatMap(rulesOf)
  t.true(rules.length > 15 && expressions.length > 40)
  for (const expr of [...expressions, ...rules.map((rule) => rule.expr)]) {
    t.true(named(expr).length > 0, expr)
    t.deepEqual(
      named(expr).filter((name) => !names.has(name)),
      [],
      expr,
    )
  }
  for (const { alert, labels, annotations, for: lasting } of rules) {
    t.regex(alert, /^[A-Z]\w+$/)
    t.regex(lasting, /^\d+m$/)
    t.true(
      ['page', 'ticket'].includes(labels.severity) && Boolean(annotations.summary && annotations.description),
      alert,
    )
  }
})
