// Works on a run: takes its lease, claims batch after batch, carries each out and checks it off, and leaves when there is no
// room for more or the lease is lost. Any number may try; see run.ts for why that pays nobody twice.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import { inParallel } from '../../mixins/timers.ts'
import { keepBatch, type Batch } from './batch.ts'
import type { Desk } from './desk.ts'
import { payouts } from './item.ts'
import { codeOf, type Amounts } from './plan.ts'
import { batchDone, claimed, estimated, finished, leased, left, type RunDoc } from './run.ts'
import type { Selection } from './selection.ts'

export type Counts = { planned: number; paid: number; failed: number; skipped: number }
export type Runner = {
  /** Goes on with a run, or looks whether its payouts have ended. Returns after a while at the latest. */
  work(runId: string): Promise<void>
  counts(run: RunDoc): Promise<Counts>
  /** Payouts of a run that have not reached the provider yet. */
  waiting(runId: string): Promise<number>
}
type Parts = {
  runs: Actor<RunDoc>
  documents: Documents
  desk: Desk
  selection: Selection
  limits: Amounts
  owner: string
  isRunning(owner: string): boolean
  isFrozen(): Promise<boolean>
}

/** Payouts of one run that may wait for the provider: who freezes payouts or stops a run stops nearly all of it. */
export const WAITING_MAX = 400
const PAYOUTS_AT_ONCE = 16
/** A worker leaves a long run to the timer after this, machine ms. */
const WORK_MS = 8000
/** Until it looks for room again, and whether payouts still are frozen. */
const ROOM_LOOK_MS = 1000
const FROZEN_LOOK_MS = 60_000

/** What a step came to: on with this state, or leave and come back after a pause. */
type Step = { run: RunDoc } | { leave: number }

export const openRunner = (parts: Parts): Runner => {
  const { runs, documents, desk, selection, limits, owner, isRunning, isFrozen } = parts
  const working = new Set<string>()

  const work = async (runId: string) => {
    if (working.has(runId)) return
    working.add(runId)
    try {
      const lease = await runs.turn(runId, (state, now) =>
        state ? leased(state, { owner, isRunning }, now) : { result: null },
      )
      if (lease) await carryOn(runId, lease.token)
      const run = await runs.read(runId)
      if (run?.status === 'paying' && (await openCount(runId)) === 0)
        await runs.turn(runId, (state, now) => finished(state!, now))
    } finally {
      working.delete(runId)
    }
  }

  const carryOn = async (runId: string, token: number) => {
    const until = Date.now() + WORK_MS
    let pauseMs = 0
    for (let run = await runs.read(runId); run && Date.now() < until;) {
      const step = await oneStep(run, token)
      if ('leave' in step) {
        pauseMs = step.leave
        break
      }
      run = step.run
    }
    await runs.turn(runId, (state, now) => left(state!, token, pauseMs, now))
  }

  const oneStep = async (run: RunDoc, token: number): Promise<Step> => {
    if (run.status === 'estimating') return goOn(await estimate(run, token))
    if (run.status !== 'planning') return { leave: 0 }
    if (run.batch) return goOn(await carryOut(run.id, run.batch))
    if (await isFrozen()) return { leave: FROZEN_LOOK_MS }
    if ((await waiting(run.id)) >= WAITING_MAX) return { leave: ROOM_LOOK_MS }
    const batch = await selection.next(run)
    if (batch.claims.length + batch.skips.length === 0) return goOn(await passBy(run.id, token, batch))
    return goOn(await runs.turn(run.id, (state, now) => claimed(state!, token, batch, now)))
  }
  /** Nobody is in it: claimed and checked off in one. */
  const passBy = (run: string, token: number, batch: Batch): Promise<RunDoc | null> =>
    runs.turn(run, (state, now) => {
      const decision = claimed(state!, token, batch, now)
      return decision.result?.batch ? batchDone(decision.result, batch, now) : decision
    })
  /** Without a state the lease is lost: whoever has it goes on. */
  const goOn = (run: RunDoc | null): Step => (run ? { run } : { leave: 0 })

  const estimate = async (run: RunDoc, token: number): Promise<RunDoc | null> => {
    const totals = await selection.total(run.currencies)
    for (const [currency, amount] of Object.entries(run.claimed)) totals[currency] = (totals[currency] ?? 0) + amount
    return runs.turn(run.id, (state, now) => estimated(state!, { token, totals, limits }, now))
  }

  /** Pays whom the batch names; who could not be paid after all is skipped like the others. */
  const carryOut = async (run: string, batch: Batch): Promise<RunDoc> => {
    const { currency } = batch
    const skips = [...batch.skips]
    await inParallel(batch.claims, PAYOUTS_AT_ONCE, async ({ payout: id, seller, account, amount }) => {
      const doc = await desk.makeOrVoid({ id, seller, account, amount: { amount, currency }, run })
      if (doc.status === 'void') skips.push({ seller, amount, code: codeOf(doc.reason) })
    })
    skips.sort((one, other) => (one.seller < other.seller ? -1 : 1))
    const done = { ...batch, skips }
    await keepBatch(documents, run, done)
    return runs.turn(run, (state, now) => batchDone(state!, done, now))
  }

  const countOf = (run: string, status: string) => documents.count(payouts, { index: 'byRun', equals: { run, status } })
  const countsOf = (run: string, statuses: readonly string[]) =>
    Promise.all(statuses.map((status) => countOf(run, status)))
  const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0)
  const waiting = async (run: string) => sum(await countsOf(run, ['asked', 'scheduled']))
  const openCount = async (run: string) => sum(await countsOf(run, ['asked', 'scheduled', 'in_progress']))

  return {
    work,
    waiting,
    counts: async ({ id, skipped }) => {
      const open = await openCount(id)
      const [paid, failed, returned] = (await countsOf(id, ['paid', 'failed', 'returned'])) as [number, number, number]
      return { planned: open + paid + failed + returned, paid, failed: failed + returned, skipped }
    },
  }
}
