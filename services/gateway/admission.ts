// Who gives way when there is too much to do: browsing first, then the ordinary, money and signing in last.
import { refuse } from '../errors.ts'
import type { Route } from './routes.ts'

export type Priority = 'browsing' | 'ordinary' | 'vital'

/** Calls under way at this gateway past which a request of that priority is refused at once. */
export const CALLS_MAX: Readonly<Record<Priority, number>> = { browsing: 500, ordinary: 1000, vital: 1500 }
const VITAL = new Set(['account', 'order', 'payment', 'payout', 'ledger'])

export const priorityOf = ({ action, name }: Route): Priority =>
  action.publicRead ? 'browsing' : VITAL.has(name.slice(0, name.indexOf('.'))) ? 'vital' : 'ordinary'

export type Admission = { run<R>(priority: Priority, work: () => Promise<R>): Promise<R>; underWay(): number }

export const admission = (callsMax: Readonly<Record<Priority, number>> = CALLS_MAX): Admission => {
  let underWay = 0
  return {
    underWay: () => underWay,
    run: async (priority, work) => {
      if (underWay >= callsMax[priority])
        throw refuse('overloaded', 'too many requests are under way', { retryAfterSeconds: 1 })
      underWay += 1
      try {
        return await work()
      } finally {
        underWay -= 1
      }
    },
  }
}
