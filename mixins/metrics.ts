// Numbers about the running node, in Prometheus' text form. Labelled children are bounded: past the bound all go to one
// child named 'other', so that no client can grow the page.

export type Labels = Readonly<Record<string, string>>
export type Counter = { add(by?: number): void; value(): number }
export type Gauge = { set(value: number): void }
export type Histogram = { observe(value: number): void }
type Family<C> = (labels?: Labels) => C

export type Metrics = {
  counter(name: string, help: string): Family<Counter>
  gauge(name: string, help: string): Family<Gauge>
  histogram(name: string, help: string, bounds?: readonly number[]): Family<Histogram>
  /** Asked at every page: a number that is measured only when somebody looks. */
  measured(name: string, help: string, measure: () => number, kind?: 'counter' | 'gauge'): void
  text(): string
}

/** Label combinations of one metric. */
export const CHILDREN_MAX = 500
const OTHER = 'other'
/** Seconds. */
export const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

type Line = readonly [suffix: string, labels: string, value: number]
type Child = { lines(labels: Labels): Line[] }
type Kind = 'counter' | 'gauge' | 'histogram'

export const metrics = (): Metrics => {
  const families: { name: string; help: string; kind: Kind; lines: () => Line[] }[] = []

  const family = <C extends Child>(
    name: string,
    help: string,
    { kind, make }: { kind: Kind; make: () => C },
  ): Family<C> => {
    const children = new Map<string, { labels: Labels; child: C }>()
    families.push({
      name,
      help,
      kind,
      lines: () => [...children.values()].flatMap(({ labels, child }) => child.lines(labels)),
    })
    const childOf = (labels: Labels): C => {
      const key = JSON.stringify(labels)
      const known = children.get(key)
      if (known) return known.child
      if (children.size >= CHILDREN_MAX && !isOther(labels))
        return childOf(Object.fromEntries(Object.keys(labels).map((label) => [label, OTHER])))
      const child = make()
      children.set(key, { labels, child })
      return child
    }
    return (labels = {}) => childOf(labels)
  }

  return {
    counter: (name, help) => family(name, help, { kind: 'counter', make: counter }),
    gauge: (name, help) => family(name, help, { kind: 'gauge', make: gauge }),
    histogram: (name, help, bounds = DURATIONS) =>
      family(name, help, { kind: 'histogram', make: () => histogram(bounds) }),
    measured: (name, help, measure, kind = 'gauge') =>
      families.push({ name, help, kind, lines: () => [['', '', measure()]] }),
    text: () =>
      families
        .map(
          (one) =>
            `# HELP ${one.name} ${one.help}\n# TYPE ${one.name} ${one.kind}\n${one
              .lines()
              .map((line) => said(one.name, line))
              .join('')}`,
        )
        .join(''),
  }
}

const isOther = (labels: Labels): boolean => Object.values(labels).every((value) => value === OTHER)

const counter = (): Counter & Child => {
  let count = 0
  return {
    add: (by = 1) => {
      count += by
    },
    value: () => count,
    lines: (labels) => [['', labelled(labels), count]],
  }
}

const gauge = (): Gauge & Child => {
  let now = 0
  return {
    set: (value) => {
      now = value
    },
    lines: (labels) => [['', labelled(labels), now]],
  }
}

const histogram = (bounds: readonly number[]): Histogram & Child => {
  const counts = new Array<number>(bounds.length).fill(0)
  let sum = 0
  let total = 0
  const observe = (value: number) => {
    sum += value
    total += 1
    for (let at = 0; at < bounds.length; at++) if (value <= bounds[at]!) counts[at]! += 1
  }
  const lines = (labels: Labels): Line[] => [
    ...bounds.map((bound, at): Line => ['_bucket', labelled({ ...labels, le: String(bound) }), counts[at]!]),
    ['_bucket', labelled({ ...labels, le: '+Inf' }), total],
    ['_sum', labelled(labels), sum],
    ['_count', labelled(labels), total],
  ]
  return { observe, lines }
}

const said = (name: string, [suffix, labels, value]: Line): string =>
  `${name}${suffix}${labels} ${Number.isFinite(value) ? value : 'NaN'}\n`

const labelled = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  )
  return pairs.length > 0 ? `{${pairs.join(',')}}` : ''
}
