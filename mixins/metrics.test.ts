import test from 'ava'
import { CHILDREN_MAX, metrics } from './metrics.ts'
import { recent } from './recent.ts'

test('numbers read as Prometheus reads them', (t) => {
  const registry = metrics()
  registry.counter('asked_total', 'Asked')({ route: '/a"b\\', status: '200' }).add(2)
  registry.gauge('open', 'Open')().set(3)
  const took = registry.histogram('took_seconds', 'Took', [0.1, 1])({ route: '/a' })
  for (const value of [0.05, 0.5, 5]) took.observe(value)
  registry.measured('up', 'Up', () => 1)
  t.is(
    registry.text(),
    `# HELP asked_total Asked
# TYPE asked_total counter
asked_total{route="/a\\"b\\\\",status="200"} 2
# HELP open Open
# TYPE open gauge
open 3
# HELP took_seconds Took
# TYPE took_seconds histogram
took_seconds_bucket{route="/a",le="0.1"} 1
took_seconds_bucket{route="/a",le="1"} 2
took_seconds_bucket{route="/a",le="+Inf"} 3
took_seconds_sum{route="/a"} 5.55
took_seconds_count{route="/a"} 3
# HELP up Up
# TYPE up gauge
up 1
`,
  )
})

test('labels that clients choose cannot grow the page without end', (t) => {
  const registry = metrics()
  const asked = registry.counter('asked_total', 'Asked')
  for (let n = 0; n < CHILDREN_MAX + 100; n++) asked({ path: `/${n}` }).add()
  t.is(registry.text().trim().split('\n').length, 2 + CHILDREN_MAX + 1)
  t.true(registry.text().includes('asked_total{path="other"} 100\n'))
})

test('a bounded map keeps what was used lately', (t) => {
  const map = recent<number>(10)
  for (let n = 0; n < 1000; n++) {
    map.set(`k${n}`, n)
    t.is(map.get('k0'), 0)
    t.true(map.size() <= 10)
  }
  t.is(map.get('k1'), undefined)
  map.delete('k0')
  t.is(map.get('k0'), undefined)
})
