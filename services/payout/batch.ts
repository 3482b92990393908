// What became of a part of a run: who is paid and who is not, and why. Written once when the part is done, never changed.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { pages } from '../../mixins/every.ts'
import { REASONS, type SkipCode } from './plan.ts'

/** Decided at the claim; whoever carries it out pays exactly this. Minor units. */
export type Claim = { payout: string; seller: string; account: string; amount: number }
export type Skip = { seller: string; amount: number; code: SkipCode }
export type Batch = {
  /** Numbers the batches of a run, over all its rounds. */
  number: number
  currency: string
  /** Sellers after this one, up to `next`; null when it was the last of its currency. */
  after: string
  next: string | null
  claims: Claim[]
  skips: Skip[]
}
type BatchDoc = Doc & Batch & { run: string }
export const batches = collection<BatchDoc>('payout_batches', { byRun: { keys: ['run', 'number'] } })

/** Sellers of one batch. */
export const BATCH_SELLERS = 100

export const keepBatch = async (documents: Documents, run: string, batch: Batch): Promise<void> => {
  await documents.insert(batches, { ...batch, id: `${run}/${batch.number}`, version: 1, run })
}

export type SkipRow = {
  seller: string
  amount: { amount: number; currency: string }
  status: 'skipped'
  code: SkipCode
  reason: string
}
const BATCHES_AT_ONCE = 20
type Place = { number: number; skip: number }

/** Who was skipped in a run from a batch on, in the order they were gone through. */
export const skipsOf = async (
  documents: Documents,
  run: string,
  { number, skip }: Place,
  limit: number,
): Promise<{ data: SkipRow[]; next: Place | null }> => {
  const data: SkipRow[] = []
  const asked = { index: 'byRun', equals: { run }, from: number, limit: BATCHES_AT_ONCE }
  for await (const docs of pages(documents, batches, asked))
    for (const batch of docs) {
      const rows = batch.skips.map(({ seller, amount, code }) => ({
        seller,
        amount: { amount, currency: batch.currency },
        status: 'skipped' as const,
        code,
        reason: REASONS[code],
      }))
      const from = batch.number === number ? skip : 0
      const taken = rows.slice(from, from + limit - data.length)
      data.push(...taken)
      if (from + taken.length < rows.length) return { data, next: { number: batch.number, skip: from + taken.length } }
    }
  return { data, next: null }
}
