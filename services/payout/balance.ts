// What a seller has, from the ledger's point of view to the seller's: what the platform owes (credit, negative in the books)
// is the seller's (positive). Pure.
import type { LedgerEntry } from '../ledger/contract.ts'
import { iso, type Money } from '../shapes.ts'

export const DEFAULT_CURRENCY = 'usd'

const ACCOUNTS = { clearing: 'clearing', available: 'available', inPayout: 'in_payout', held: 'held' } as const
type Part = keyof typeof ACCOUNTS
type Sums = Record<string, Record<string, number>>

export const accountsOf = (seller: string): string[] => Object.values(ACCOUNTS).map((kind) => `${kind}:${seller}`)
export const available = (seller: string): string => `${ACCOUNTS.available}:${seller}`

export const balanceOf = (seller: string, sums: Sums, currency: string): Record<Part, Money> => {
  const owed = (part: Part): Money => ({ amount: 0 - (sums[`${ACCOUNTS[part]}:${seller}`]?.[currency] ?? 0), currency })
  return { clearing: owed('clearing'), available: owed('available'), inPayout: owed('inPayout'), held: owed('held') }
}

export type Transaction = {
  id: string
  kind: string
  at: string
  amount: Money
  balance: string
  about: Record<string, string>
}

/** One row per balance that an entry moved, in a fixed order. */
export const transactionsOf = (seller: string, { seq, kind, at, about, legs }: LedgerEntry): Transaction[] => {
  const own = new Set(accountsOf(seller))
  return legs
    .filter(({ account }) => own.has(account))
    .map(({ account, amount, currency }) => {
      const balance = account.slice(0, account.indexOf(':'))
      return {
        id: `txn_${seq}_${balance}_${currency}`,
        kind,
        at: iso(at),
        amount: { amount: 0 - amount, currency },
        balance,
        about,
      }
    })
    .sort((one, other) => (one.id < other.id ? -1 : 1))
}

/** Where a page of transactions begins: entries below `before`, of the first the rows after `skip`. */
export type Place = { before: number; skip: number }

export const encodePlace = ({ before, skip }: Place): string => Buffer.from(`${before}.${skip}`).toString('base64url')
export const decodePlace = (cursor: string): Place | null => {
  const [, before, skip] = /^(\d{1,15})\.(\d{1,3})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  return before === undefined ? null : { before: Number(before), skip: Number(skip) }
}

/** Rows of entries (newest first) from a place on, and where the next page begins. */
export const pageOf = (
  seller: string,
  entries: readonly LedgerEntry[],
  { skip }: Place,
  limit: number,
): { data: Transaction[]; next: Place | null } => {
  const data: Transaction[] = []
  for (const [at, entry] of entries.entries()) {
    const rows = transactionsOf(seller, entry)
    const from = at === 0 ? skip : 0
    const taken = rows.slice(from, from + limit - data.length)
    data.push(...taken)
    const done = from + taken.length >= rows.length
    if (!done) return { data, next: { before: entry.seq + 1, skip: from + taken.length } }
    if (data.length >= limit) return { data, next: at + 1 < entries.length ? { before: entry.seq, skip: 0 } : null }
  }
  return { data, next: null }
}
