// Puts both sides beside each other: a page of the provider's statement with the entries it should be, a page of entries with
// the lines they should be. Whatever is done twice is done once.
import { BULK_MAX, type Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { providerFee, type LedgerEntry } from '../ledger/contract.ts'
import type { ProviderTransaction } from '../payment/contract.ts'
import type { Reason } from './contract.ts'
import { bookedAs, candidate, changeOf, differenceOf, isFee, type Change } from './matching.ts'
import { lines, suspense, type LineDoc, type SuspenseDoc } from './store.ts'

export type Desk = {
  /** Answers how many went into suspense. */
  transactions(page: readonly ProviderTransaction[]): Promise<number>
  entries(page: readonly LedgerEntry[]): Promise<number>
  /** Looks again at what is in suspense; answers how many found their other side. */
  again(page: readonly SuspenseDoc[]): Promise<number>
}
type Parts = {
  documents: Documents
  call: Call
  /** Names what is in suspense: the same for the same thing. */
  idOf(about: string): string
  now(): number
}
type Read = { transaction: ProviderTransaction; entry: LedgerEntry | null; key: string }

const BOOK = 'main' as const
/** Entries about one thing looked through for the one that is a change nobody named. */
const CANDIDATES_MAX = 50

export const openDesk = ({ documents, call, idOf, now }: Parts): Desk => {
  const transactions = async (page: readonly ProviderTransaction[]): Promise<number> => {
    if (page.length === 0) return 0
    await enterFees(page)
    const read = await readEntries(page)
    const docs = read.map(({ transaction, entry, key }) => lineOf(transaction, key, entry))
    const outcomes = await documents.insertMany(lines, docs)
    const kept = await documents.getMany(
      lines,
      docs.flatMap(({ id }, at) => (outcomes[at]!.ok ? [] : [id])),
    )
    const keptById = new Map(kept.flatMap((line) => (line ? [[line.id, line] as const] : [])))
    const opened: SuspenseDoc[] = []
    for (const [at, { transaction, entry }] of read.entries()) {
      const doc = docs[at]!
      const before = outcomes[at]!.ok ? undefined : keptById.get(doc.id)
      const isTwin = before !== undefined && before.transaction !== transaction.id
      if (isTwin) await documents.insert(lines, { ...doc, id: transaction.id, matched: false })
      const reason = isTwin ? 'duplicate' : differenceOf(theirsOf(doc), entry)
      if (reason) opened.push(suspended(reason, read[at]!))
      else if (before) await mark(before)
    }
    return open(opened)
  }

  /** Its entry has come since the line was kept. */
  const mark = async (line: LineDoc) => {
    if (!line.matched)
      await documents.replace(lines, { ...line, version: line.version + 1, matched: true }, line.version)
  }

  const enterFees = async (page: readonly ProviderTransaction[]) => {
    const fees = page.filter((one) => isFee(one) && one.net !== 0)
    if (fees.length === 0) return
    const entries = fees.map(({ id, net, currency, createdAt }) =>
      providerFee({ transaction: id, amount: { amount: 0 - net, currency }, at: createdAt }),
    )
    await call('ledger.post', { entries })
  }

  const readEntries = async (page: readonly ProviderTransaction[]): Promise<Read[]> => {
    const keys = page.map(bookedAs)
    const known = keys.filter((key) => key !== null)
    const { entries } =
      known.length > 0 ? await call('ledger.named', { ids: known, book: BOOK }) : { entries: [] as null[] }
    const byKey = new Map(known.map((key, at) => [key, entries[at] ?? null]))
    return Promise.all(
      page.map(async (transaction, at): Promise<Read> => {
        const key = keys[at] ?? null
        if (key !== null) return { transaction, key, entry: byKey.get(key) ?? null }
        const entry = await searched(transaction)
        return { transaction, key: entry?.id ?? transaction.id, entry }
      }),
    )
  }

  /** No key tells which entry it is: one about the same thing that says the same and is no other change's. */
  const searched = async ({ id, op, source, net, currency }: ProviderTransaction): Promise<LedgerEntry | null> => {
    for (const about of [source, op]) {
      if (!about) continue
      const { data } = await call('ledger.of', { account: `about:${about}`, limit: CANDIDATES_MAX })
      const taken = await documents.getMany(
        lines,
        data.map((entry) => entry.id),
      )
      const others = new Set(taken.flatMap((line) => (line && line.transaction !== id ? [line.id] : [])))
      const found = candidate({ amount: net, currency }, data.toReversed(), (entry) => others.has(entry))
      if (found) return found
    }
    return null
  }

  const entries = async (page: readonly LedgerEntry[]): Promise<number> => {
    const touching = page.filter((entry) => (changeOf(entry)?.amount ?? 0) !== 0)
    if (touching.length === 0) return 0
    const found = await documents.getMany(
      lines,
      touching.map(({ id }) => id),
    )
    const opened: SuspenseDoc[] = []
    for (const [at, entry] of touching.entries()) {
      const line = found[at]
      if (!line) opened.push(missing(entry))
      else if (differenceOf(theirsOf(line), entry) === null) await mark(line)
    }
    return open(opened)
  }

  const again = async (page: readonly SuspenseDoc[]): Promise<number> => {
    let settled = 0
    for (const doc of page) if (await hasOtherSide(doc)) settled += Number(await settle(doc))
    return settled
  }

  const hasOtherSide = async ({ reason, entry, transaction, theirs, ours, source }: SuspenseDoc): Promise<boolean> => {
    if (reason === 'missing_transaction') {
      const [line] = await documents.getMany(lines, [entry!])
      return line?.currency === ours!.currency && line.net === ours!.amount
    }
    if (reason !== 'missing_entry') return false
    const { docs } = await documents.find(lines, { index: 'byTransaction', equals: { transaction: transaction! } })
    const line = docs[0]
    if (!line) return false
    const found =
      line.id === transaction
        ? await searched({
            id: transaction,
            source: source ?? '',
            net: theirs!.amount,
            currency: theirs!.currency,
          } as never)
        : (await call('ledger.named', { ids: [line.id], book: BOOK })).entries[0]
    if (!found || differenceOf(theirs!, found) !== null) return false
    if (line.id === transaction) await move(line, found.id)
    else await mark(line)
    return true
  }
  /** Under the entry that it turned out to be. */
  const move = async (line: LineDoc, entry: string) => {
    await documents.remove(lines, line.id)
    await documents.insert(lines, { ...line, id: entry, version: 1, matched: true })
  }

  const settle = async (doc: SuspenseDoc): Promise<boolean> =>
    (
      await documents.replace(
        suspense,
        { ...doc, version: doc.version + 1, openAt: null, settledAt: now() },
        doc.version,
      )
    ).ok

  const suspended = (reason: Reason, { transaction, entry, key }: Read): SuspenseDoc => {
    const { id, type, source, net, currency } = transaction
    return {
      ...blank(idOf(`transaction:${id}`), reason),
      transaction: id,
      type,
      source,
      // What two claim to be is known, also before it is in the books.
      entry: entry?.id ?? (reason === 'duplicate' ? key : null),
      ours: entry && changeOf(entry),
      theirs: { amount: net, currency },
    }
  }
  const missing = (entry: LedgerEntry): SuspenseDoc => ({
    ...blank(idOf(`entry:${entry.id}`), 'missing_transaction'),
    entry: entry.id,
    ours: changeOf(entry),
  })
  const blank = (id: string, reason: Reason): SuspenseDoc => ({
    id,
    version: 1,
    reason,
    entry: null,
    transaction: null,
    type: null,
    source: null,
    ours: null,
    theirs: null,
    openedAt: now(),
    openAt: now(),
    alarmedAt: null,
    settledAt: null,
    note: null,
    by: null,
  })

  /** What is in suspense already, or was and was settled, stays as it is. */
  const open = async (docs: readonly SuspenseDoc[]): Promise<number> => {
    let opened = 0
    for (let at = 0; at < docs.length; at += BULK_MAX)
      opened += (await documents.insertMany(suspense, docs.slice(at, at + BULK_MAX))).filter(({ ok }) => ok).length
    return opened
  }

  return { transactions, entries, again }
}

const lineOf = (
  { id, type, source, amount, fee, net, currency, createdAt }: ProviderTransaction,
  key: string,
  entry: LedgerEntry | null,
): LineDoc => ({
  id: key,
  version: 1,
  transaction: id,
  type,
  source,
  amount,
  fee,
  net,
  currency,
  createdAt,
  matched: differenceOf({ amount: net, currency }, entry) === null,
})

const theirsOf = ({ net, currency }: LineDoc): Change => ({ amount: net, currency })
