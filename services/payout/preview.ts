// A dry run: the same selection as the real one, nothing kept, nothing paid.
import { iso } from '../shapes.ts'
import { BATCH_SELLERS, type Skip } from './batch.ts'
import type { PayoutRun } from './contract.ts'
import { needsApproval, REASONS, type Amounts } from './plan.ts'
import type { Covers } from './schedule.ts'
import type { Selection } from './selection.ts'
import { publicRun, SKIPS_SHOWN } from './view.ts'
import { started } from './run.ts'

/** Sellers a preview looks at; with more it says that it is not complete. */
export const PREVIEW_SELLERS_MAX = 2000

type Asked = { id: string; date: string; covers: Covers; currencies: readonly string[]; limits: Amounts; by: string }

export const preview = async (selection: Selection, asked: Asked, now: number): Promise<PayoutRun> => {
  const { limits, by, ...start } = asked
  const run = started(null, { ...start, by, again: false }, now).result
  const estimate = await selection.total(run.currencies)
  const skips: (Skip & { currency: string })[] = []
  let planned = 0
  let batches = 0
  let at = { ...run, estimate }
  while (at.currencies.length > 0 && batches * BATCH_SELLERS < PREVIEW_SELLERS_MAX) {
    const { currency, next, claims, skips: some } = await selection.next(at)
    planned += claims.length
    batches += 1
    skips.push(...some.map((skip) => ({ ...skip, currency })))
    const claimed = claims.reduce((sum, { amount }) => sum + amount, at.claimed[currency] ?? 0)
    at = {
      ...at,
      batches,
      currencies: next === null ? at.currencies.slice(1) : at.currencies,
      after: next ?? '',
      claimed: { ...at.claimed, [currency]: claimed },
    }
  }
  const reasons: RunReasons = {}
  for (const { code } of skips) reasons[code] = (reasons[code] ?? 0) + 1
  const shown = publicRun(
    { ...at, reasons, status: needsApproval(estimate, limits) ? 'awaiting_approval' : 'planning' },
    {
      counts: { planned, paid: 0, failed: 0, skipped: skips.length },
      waiting: 0,
      isFrozen: false,
      skips: skips.slice(0, SKIPS_SHOWN).map(({ seller, amount, currency, code }) => ({
        seller,
        amount: { amount, currency },
        code,
        reason: REASONS[code],
      })),
    },
  )
  return { ...shown, status: 'preview', createdAt: iso(now), complete: at.currencies.length === 0 }
}
type RunReasons = Partial<Record<Skip['code'], number>>
