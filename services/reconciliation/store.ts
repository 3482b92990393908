// What reconciliation keeps: the provider's statement line by line, each under the entry it is; what is in suspense; and how
// far it has come.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { pages } from '../../mixins/every.ts'
import { iso } from '../shapes.ts'
import type { Line, Reason, Suspense } from './contract.ts'
import type { Change } from './matching.ts'

/** `id`: the entry it is or should be; where that is not known, or taken by another, the transaction. */
export type LineDoc = Doc & {
  transaction: string
  type: string
  source: string
  amount: number
  fee: number
  net: number
  currency: string
  createdAt: number
  matched: boolean
}
export const lines = collection<LineDoc>('reconciliation_lines', {
  byCreated: { keys: ['createdAt'] },
  byTransaction: { keys: ['transaction'], unique: true },
})

/** Machine epoch ms: how long something is open has nothing to do with a moved clock. `openAt`: set while it is. */
export type SuspenseDoc = Doc & {
  reason: Reason
  entry: string | null
  transaction: string | null
  type: string | null
  source: string | null
  ours: Change | null
  theirs: Change | null
  openedAt: number
  openAt: number | null
  alarmedAt: number | null
  settledAt: number | null
  note: string | null
  by: string | null
}
export const suspense = collection<SuspenseDoc>('reconciliation_suspense', {
  byOpen: { keys: ['openAt'] },
  bySettled: { keys: ['settledAt'] },
})

const OPEN_PAGE = 500
/** All that is in suspense, in pages. */
export const openSuspense = (documents: Documents) => pages(documents, suspense, { index: 'byOpen', limit: OPEN_PAGE })

export type Phase = 'provider' | 'books' | 'open' | 'balances'
export type PassDoc = {
  kind: 'hourly' | 'full'
  phase: Phase
  startedAt: number
  finishedAt: number | null
  /** The statement is read from then on, older ones after this transaction. */
  since: number
  after: string | null
  newest: number
  /** Entries up to this one were looked for at the provider. */
  seq: number
  transactions: number
  entries: number
  opened: number
  settled: number
}
export type Balance = {
  currency: string
  provider: number
  books: number
  suspense: number
  unexplained: number
  owed: number
  coverage: number | null
}
export type StateDoc = Doc & {
  /** When the next pass begins, or what was begun is taken over; machine epoch ms. */
  nextAt: number
  fullAt: number
  /** Read up to here before: the newest transaction's time, the last entry. */
  since: number
  seq: number
  pass: PassDoc | null
  last: PassDoc | null
  lastFull: PassDoc | null
  balances: Balance[]
  /** By currency: since when, and how much, books and provider differ without a reason. */
  unexplained: Record<string, { amount: number; since: number; alarmed: boolean }>
}
export const states = collection<StateDoc>('reconciliation_states')
export const PLATFORM = 'platform'

export const newState = (): StateDoc => ({
  id: PLATFORM,
  version: 0,
  nextAt: 0,
  fullAt: 0,
  since: 0,
  seq: 0,
  pass: null,
  last: null,
  lastFull: null,
  balances: [],
  unexplained: {},
})

export const publicSuspense = (doc: SuspenseDoc): Suspense => ({
  id: doc.id,
  reason: doc.reason,
  status: doc.openAt !== null ? 'open' : doc.by !== null ? 'explained' : 'matched',
  ...(doc.entry !== null && { entry: doc.entry }),
  ...(doc.transaction !== null && { transaction: doc.transaction }),
  ...(doc.type !== null && { type: doc.type }),
  ...(doc.source !== null && { source: doc.source }),
  ...(doc.ours && { ours: doc.ours }),
  ...(doc.theirs && { theirs: doc.theirs }),
  openedAt: iso(doc.openedAt),
  ...(doc.alarmedAt !== null && { alarmedAt: iso(doc.alarmedAt) }),
  ...(doc.settledAt !== null && { settledAt: iso(doc.settledAt) }),
  ...(doc.note !== null && { note: doc.note }),
  ...(doc.by !== null && { by: doc.by }),
})

export const publicLine = ({
  id,
  transaction,
  type,
  source,
  amount,
  fee,
  currency,
  createdAt,
  matched,
}: LineDoc): Line => ({
  transaction,
  type,
  source,
  amount: { amount, currency },
  fee: { amount: fee, currency },
  createdAt: iso(createdAt),
  ...(matched && id !== transaction && { entry: id }),
  status: matched ? 'matched' : 'suspended',
})

export const publicPass = ({ kind, startedAt, finishedAt, transactions, entries, opened, settled }: PassDoc) => ({
  kind,
  startedAt: iso(startedAt),
  ...(finishedAt !== null && { finishedAt: iso(finishedAt) }),
  transactions,
  entries,
  opened,
  settled,
})
