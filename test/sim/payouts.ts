// Payouts in virtual time: their documents in memory, the desk and the runner of one process, and what payouts hear. What is
// decided is decided by the product's code.
import type { Documents } from '../../adapters/documents/index.ts'
import { openDesk, type Desk } from '../../services/payout/desk.ts'
import {
  isTooEarly,
  payouts as payoutsCollection,
  told,
  wake as itemWake,
  type PayoutDoc,
  type PayoutEvent,
} from '../../services/payout/item.ts'
import { MINIMUMS } from '../../services/payout/plan.ts'
import { payoutRuns, wake as runWake, type RunDoc } from '../../services/payout/run.ts'
import { openRunner, type Runner } from '../../services/payout/runner.ts'
import { openSelection } from '../../services/payout/selection.ts'
import { memory, type Hears, type MemoryOptions } from './memory.ts'
import type { World } from './world.ts'

/** What of payouts lives in a process, and is gone with it. */
export type Workers = { desk: Desk; runner: Runner }
export type Payouts = ReturnType<typeof payouts>

type Options = Omit<MemoryOptions<never>, 'wake' | 'stored'> & { stored?: MemoryOptions<PayoutDoc>['stored'] }

export const payouts = (here: World, { stored, ...options }: Options) => {
  const counts = new Map<string, number>()
  const count = ({ run, status }: PayoutDoc, by: number) =>
    counts.set(`${run} ${status}`, (counts.get(`${run} ${status}`) ?? 0) + by)
  const items = memory<PayoutDoc>(here, payoutsCollection, {
    ...options,
    wake: itemWake,
    stored: (before, after) => {
      if (before) count(before, -1)
      count(after, 1)
      stored?.(before, after)
    },
  })
  const runs = memory<RunDoc>(here, payoutRuns, { ...options, wake: runWake })
  const documents = {
    count: async (_of: unknown, { equals }: { equals: { run: string; status: string } }) =>
      counts.get(`${equals.run} ${equals.status}`) ?? 0,
    // Nobody is frozen, nobody has wishes, and nobody reads what was skipped.
    getMany: async (_of: unknown, ids: readonly string[]) => ids.map(() => null),
    insert: async () => ({ ok: true as const }),
  } as unknown as Documents

  /** Of the process that runs now. */
  const openWorkers = (call: never): Workers => {
    const desk = openDesk({ items, call })
    const runner = openRunner({
      runs,
      documents,
      desk,
      selection: openSelection({ documents, call, minimums: MINIMUMS }),
      limits: { usd: Number.MAX_SAFE_INTEGER },
      owner: here.instance(),
      isRunning: (instance) => instance === here.instance(),
      isFrozen: async () => false,
    })
    return { desk, runner }
  }

  const of = (name: PayoutEvent) => async (data: { payout: string }, id: string) =>
    items.turn(data.payout, (state, now) => {
      if (isTooEarly(state!, name)) throw Object.assign(new Error(id), { type: 'unavailable' })
      return told(state!, name, data as never, now)
    })
  const hears = (workers: () => Workers): Hears[string] => ({
    'payment.transferred': of('payment.transferred'),
    'payment.payout.sent': of('payment.payout.sent'),
    'payment.payout.paid': of('payment.payout.paid'),
    'payment.payout.failed': of('payment.payout.failed'),
    'payment.transfer.reversed': of('payment.transfer.reversed'),
    'payout.due': async ({ key }: { key: string }) => {
      if (key.startsWith('run_')) await workers().runner.work(key)
      else await workers().desk.carryOn(items.docs.get(key)!)
    },
  })
  return { items, runs, openWorkers, hears }
}
