// A run and what it went through, as admins see it.
import type { Documents } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { iso, type Money } from '../shapes.ts'
import { skipsOf } from './batch.ts'
import type { PayoutRun, RunItem } from './contract.ts'
import { payouts, publicPayout, type PayoutDoc } from './item.ts'
import { APPROVERS, type Amounts } from './plan.ts'
import type { Counts } from './runner.ts'
import { isOver, upTo, type RunDoc } from './run.ts'

/** Skips shown with a run; the rest is in its items. */
export const SKIPS_SHOWN = 100

const moneyOf = (amounts: Amounts): Money[] =>
  Object.entries(amounts)
    .filter(([, amount]) => amount > 0)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([currency, amount]) => ({ amount, currency }))

type Beside = { counts: Counts; waiting: number; isFrozen: boolean; skips?: PayoutRun['skips'] }

export const publicRun = (run: RunDoc, { counts, waiting, isFrozen, skips }: Beside): PayoutRun => {
  const { id, date, status, createdAt, finishedAt, dueAt, missed, startedBy, approvals, cancelled } = run
  const needsPeople = status === 'awaiting_approval' || approvals.length > 0
  return {
    id,
    date,
    status: isOver(run) || status === 'awaiting_approval' ? status : isFrozen ? 'frozen' : 'running',
    counts,
    createdAt: iso(createdAt),
    ...(finishedAt !== null && { finishedAt: iso(finishedAt) }),
    reasons: { ...run.reasons } as Record<string, number>,
    totals: moneyOf(run.claimed),
    estimate: moneyOf(run.estimate),
    progress: {
      phase: status,
      batches: run.batches - run.roundFrom,
      waiting,
      currenciesLeft: run.currencies,
    },
    ...(needsPeople && {
      approval: {
        needed: APPROVERS,
        by: approvals.map(({ by, at }) => ({ user: by, at: iso(at) })),
        upTo: moneyOf(upTo(run.estimate)),
      },
    }),
    ...(dueAt !== null && { dueAt: iso(dueAt), missed }),
    ...(startedBy !== null && { startedBy }),
    ...(cancelled && { cancelled: { ...cancelled, at: iso(cancelled.at) } }),
    ...(skips && { skips }),
  }
}

const rowOf = (doc: PayoutDoc): RunItem => {
  const { id, amount, status, createdAt, paidAt, reason } = publicPayout(doc)
  return {
    payout: id,
    seller: doc.seller,
    amount,
    status,
    createdAt,
    ...(paidAt && { paidAt }),
    ...(reason && { reason }),
  }
}

type Asked = { run: RunDoc; status?: string | undefined; limit: number; cursor?: string | undefined }

/** Payouts of a run, or those it skipped, in pages. */
export const runItems = async (
  documents: Documents,
  { run, status, limit, cursor }: Asked,
): Promise<{ data: RunItem[]; nextCursor: string | null }> => {
  if (status === 'skipped') {
    const place = cursor === undefined ? { number: run.roundFrom + 1, skip: 0 } : decodeSkip(cursor)
    const { data, next } = await skipsOf(documents, run.id, place, limit)
    return { data, nextCursor: next && encodeSkip(next) }
  }
  const { docs, next } = await documents.find(payouts, {
    index: 'byRun',
    equals: { run: run.id, ...(status && { status }) },
    limit,
    cursor: cursor ?? null,
  })
  // A void payout is a skip: it is found there, with its reason.
  return { data: docs.filter((doc) => doc.status !== 'void').map(rowOf), nextCursor: next }
}

type Place = { number: number; skip: number }
const encodeSkip = ({ number, skip }: Place): string => Buffer.from(`s${number}.${skip}`).toString('base64url')
const decodeSkip = (cursor: string): Place => {
  const [, number, skip] = /^s(\d{1,9})\.(\d{1,3})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (number === undefined) throw refuse('bad_cursor')
  return { number: Number(number), skip: Number(skip) }
}
