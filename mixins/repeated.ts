// Work that is done again and again while the service runs, never twice at once.
import type { Log } from './node.ts'

export type Repeated = { start(): void; stop(): Promise<void> }

export const repeated = (everyMs: number, log: Log, what: string, work: () => Promise<unknown>): Repeated => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> | null = null
  const once = () => {
    running ??= work()
      .catch((error: unknown) => log.warn(`${what}:`, error))
      .finally(() => (running = null))
  }
  return {
    start: () => {
      timer = setInterval(once, everyMs)
      timer.unref()
    },
    stop: async () => {
      clearInterval(timer)
      await running
    },
  }
}
