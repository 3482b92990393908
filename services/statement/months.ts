// The sums of each seller's months, brought up from the journal: each document knows the last entry it has, so an entry read
// twice counts once, whichever node reads it.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { changeDocument } from '../../mixins/change.ts'
import type { Call } from '../../mixins/node.ts'
import { inParallel } from '../../mixins/timers.ts'
import type { LedgerEntry } from '../ledger/contract.ts'
import { monthOf, nothing, plus, sumsOf, touchedBy, type Sums } from './period.ts'

/** `id`: seller/currency/month. */
export type MonthDoc = Doc & {
  seller: string
  currency: string
  month: string
  year: string
  firstSeq: number
  seq: number
  sums: Sums
}
type Place = Doc & { seq: number }
export const months = collection<MonthDoc>('statement_months', {
  bySeller: { keys: ['seller', 'currency', 'month'] },
  byYear: { keys: ['year', 'seller'] },
})
export const places = collection<Place>('statement_places')
const JOURNAL = 'journal'

const AT_ONCE = 16
/** Years a seller's months are added up over: far more than a market is old. */
const MONTHS_MAX = 1000

export type Months = {
  /** Brings all months up to the journal's end; whoever asks meanwhile waits for the same. */
  catchUp(): Promise<void>
  of(seller: string, currency: string, range: { from?: string; to?: string }): Promise<MonthDoc[]>
}

export const openMonths = (documents: Documents, call: Call): Months => {
  let catching: Promise<void> | null = null

  const follow = async () => {
    for (;;) {
      const place = await documents.get(places, JOURNAL)
      const { data } = await call('ledger.after', { seq: place?.seq ?? 0 })
      if (data.length === 0) return
      await inParallel([...grouped(data)], AT_ONCE, async ([id, entries]) => add(id, entries))
      await moveOn(place, data.at(-1)!.seq)
    }
  }

  /** Another node may have been further already: then it stays there. */
  const moveOn = async (place: Place | null, seq: number) => {
    if (place) await documents.replace(places, { ...place, version: place.version + 1, seq }, place.version)
    else await documents.insert(places, { id: JOURNAL, version: 1, seq })
  }

  const add = async (id: string, entries: readonly LedgerEntry[]): Promise<void> => {
    const [seller, currency, month] = id.split('/') as [string, string, string]
    await changeDocument(documents, months, id, (known) => {
      const fresh = entries.filter(({ seq }) => seq > (known?.seq ?? 0))
      if (fresh.length === 0) return null
      const begun = known ?? {
        id,
        seller,
        currency,
        month,
        year: month.slice(0, 4),
        firstSeq: fresh[0]!.seq,
        sums: nothing(),
      }
      const sums = fresh.reduce((sum, entry) => plus(sum, sumsOf(entry, { seller, currency })), begun.sums)
      return { ...begun, seq: fresh.at(-1)!.seq, sums }
    })
  }

  return {
    catchUp: () =>
      (catching ??= follow().finally(() => {
        catching = null
      })),
    of: async (seller, currency, range) =>
      (
        await documents.find(months, {
          index: 'bySeller',
          equals: { seller, currency },
          ...range,
          limit: MONTHS_MAX,
        })
      ).docs,
  }
}

/** Entries by the month they fall into for each seller they touch, in the order of the journal. */
const grouped = (entries: readonly LedgerEntry[]): Map<string, LedgerEntry[]> => {
  const groups = new Map<string, LedgerEntry[]>()
  for (const entry of entries)
    for (const { seller, currency } of touchedBy(entry)) {
      const id = `${seller}/${currency}/${monthOf(entry.at)}`
      const group = groups.get(id)
      if (group) group.push(entry)
      else groups.set(id, [entry])
    }
  return groups
}
