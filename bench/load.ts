// Work that many ask for at once, each again as soon as it is answered, in this process.
import { median } from './harness.ts'

export type Loaded = { perSecond: number; cpuMicros: number; p50: number; p99: number }

/** For `ms`; `work` gets nothing and answers when it is done. Times in ms; CPU is this process's, per piece of work. */
export const underLoad = async (
  { inFlight, ms }: { inFlight: number; ms: number },
  work: () => Promise<unknown>,
): Promise<Loaded> => {
  const took: number[] = []
  const began = performance.now()
  const until = began + ms
  const cpu = process.cpuUsage()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < until) {
        const at = performance.now()
        await work()
        took.push(performance.now() - at)
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: took.length / seconds, cpuMicros: (user + system) / took.length, ...latency(took) }
}

export const latency = (took: readonly number[]): Pick<Loaded, 'p50' | 'p99'> => {
  const sorted = took.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

/** The middle of several rounds, as cells of a table: a second, CPU each, p50, p99. */
export const loadCells = (rounds: readonly Loaded[]): string[] => {
  const of = (what: keyof Loaded) => median(rounds.map((one) => one[what]))
  return [
    Math.round(of('perSecond')).toLocaleString('en'),
    `${of('cpuMicros').toFixed(0)} µs`,
    `${of('p50').toFixed(1)} ms`,
    `${of('p99').toFixed(1)} ms`,
  ]
}
