// A limit on what may wait for an engine.
import { EngineError } from './index.ts'

/** Runs at most `most` units of work at a time; refuses at once what would be more, unless nothing else is waiting. */
export function bounded(most: number, message: string) {
  let waiting = 0
  return async <T>(units: number, work: () => Promise<T>): Promise<T> => {
    if (waiting > 0 && waiting + units > most) throw new EngineError('engine_busy', message)
    waiting += units
    try {
      return await work()
    } finally {
      waiting -= units
    }
  }
}
