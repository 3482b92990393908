// Makes payouts and carries runs on: asks the ledger to set money aside and the payment actor who may be paid. Everything
// here may be done twice.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import type { Call } from '../../mixins/node.ts'
import type { Here } from '../../mixins/service.ts'
import { inParallel } from '../../mixins/timers.ts'
import { isRefused } from '../errors.ts'
import { asked, payouts, reservation, scheduled, voided, type Asked, type PayoutDoc } from './item.ts'
import { IN_FLIGHT, NO_LONGER_THERE, payoutId, skipReason, type Minimums } from './plan.ts'
import { finished, pageDone, paused, type Counts, type RunDoc, type Skip } from './run.ts'

export type Desk = {
  /** Makes the payout unless it exists, and sets its money aside. `conflict` when another one is on its way. */
  make(asked: Asked): Promise<PayoutDoc>
  /** Carries an asked payout on. */
  carryOn(doc: PayoutDoc): Promise<PayoutDoc>
  /** Goes through a run's sellers, or looks whether its payouts have ended. Returns after a while at the latest. */
  work(runId: string): Promise<void>
  counts(run: RunDoc): Promise<Counts>
}
type Parts = { items: Actor<PayoutDoc>; runs: Actor<RunDoc>; documents: Documents; minimums: Minimums; call: Call }

/** Sellers between two checkpoints, and of those at once. */
const PAGE_SELLERS = 200
const SELLERS_AT_ONCE = 16
/** A worker leaves a long run to the timer after this, machine ms. */
const WORK_MS = 8000

export const openDesk = (here: Here, { items, runs, documents, minimums, call }: Parts): Desk => {
  const working = new Set<string>()

  const make = async (wanted: Asked): Promise<PayoutDoc> =>
    carryOn(
      await items.turn(wanted.id, (state, now) => {
        if (state) return { result: state }
        const next = asked(wanted, now)
        return { next, result: next }
      }),
    )

  const carryOn = async (doc: PayoutDoc): Promise<PayoutDoc> => {
    if (doc.status !== 'asked') return doc
    const { outcomes } = await call('ledger.post', { entries: [reservation(doc)] })
    const isThere = outcomes[0] !== 'insufficient'
    // Answered once the payment actor has taken it up: what moves the clock sees what follows.
    return items.turn(doc.id, (state) => (isThere ? scheduled(state!) : voided(state!, NO_LONGER_THERE)), {
      settle: ['payment'],
    })
  }

  const work = async (runId: string) => {
    if (working.has(runId)) return
    working.add(runId)
    try {
      const until = Date.now() + WORK_MS
      let run = await runs.read(runId)
      while (run?.status === 'planning' && Date.now() < until) run = await page(run)
      if (run?.status === 'planning') await runs.turn(runId, (state, now) => paused(state!, now))
      if (run?.status === 'paying' && (await openCount(runId)) === 0)
        await runs.turn(runId, (state, now) => finished(state!, now))
    } finally {
      working.delete(runId)
    }
  }

  const page = async (run: RunDoc): Promise<RunDoc> => {
    const { after } = run
    const currency = run.currencies[0]!
    const { data, next } = await call('ledger.payable', {
      currency,
      minimum: minimums[currency] ?? 1,
      limit: PAGE_SELLERS,
      ...(after && { after }),
    })
    const skips: Skip[] = []
    await inParallel(data, SELLERS_AT_ONCE, async ({ seller, amount }) => {
      const reason = await payOne(run.id, seller, { amount, currency })
      if (reason) skips.push({ seller, reason })
    })
    skips.sort((one, other) => (one.seller < other.seller ? -1 : 1))
    return runs.turn(run.id, (state, now) => pageDone(state!, { currency, after, next, skips }, now))
  }

  /** Pays a seller in a run; answers why not. */
  const payOne = async (run: string, seller: string, amount: PayoutDoc['amount']): Promise<string | null> => {
    const payee = await call('payment.payee', { user: seller })
    const reason = skipReason(payee)
    if (reason) return reason
    const id = payoutId(run, seller, amount.currency)
    try {
      const { status } = await make({ id, seller, account: payee.account!, amount, run })
      return status === 'void' ? NO_LONGER_THERE : null
    } catch (error) {
      if (isRefused(error, 'conflict')) return IN_FLIGHT
      throw error
    }
  }

  const countOf = (run: string, status: string) => documents.count(payouts, { index: 'byRun', equals: { run, status } })
  const openCount = async (run: string): Promise<number> => {
    const open = await Promise.all(['asked', 'scheduled', 'in_progress'].map((status) => countOf(run, status)))
    return open.reduce((sum, count) => sum + count, 0)
  }

  return {
    make,
    carryOn,
    work,
    counts: async ({ id, skipped }) => {
      const [asked, scheduled, inProgress, paid, failed, returned] = await Promise.all(
        ['asked', 'scheduled', 'in_progress', 'paid', 'failed', 'returned'].map((status) => countOf(id, status)),
      )
      return {
        planned: asked! + scheduled! + inProgress! + paid! + failed! + returned!,
        paid: paid!,
        failed: failed! + returned!,
        skipped,
      }
    },
  }
}
