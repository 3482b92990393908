// Puts statements together: sums from the months, lines from the journal.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { refuse } from '../errors.ts'
import type { LedgerEntry } from '../ledger/contract.ts'
import { iso, type Money } from '../shapes.ts'
import { accountsOf, type Balance } from './accounts.ts'
import type {
  MonthStatement,
  PayoutStatement,
  StatementBalances,
  StatementLine,
  StatementTotals,
  YearStatement,
} from './contract.ts'
import { months as monthsCollection, type MonthDoc, type Months } from './months.ts'
import { changesOf, considerationOf, monthOf, nothing, plus, quarterOf, type Sums } from './period.ts'
import { wordOf } from './words.ts'

/** Lines of one statement; the sums are of all there are. */
export const LINES_MAX = 1000
const PAGE = 200
/** Month documents read for one page of the sellers' report. */
const REPORT_DOCS_MAX = 1000

type Of = { seller: string; currency: string }
export type Reports = {
  month(of: Of & { month: string }): Promise<MonthStatement>
  year(of: Of & { year: string }): Promise<YearStatement>
  payout(id: string, seller: string): Promise<PayoutStatement>
  balanceAt(of: Of & { at: number }): Promise<StatementBalances>
  sellers(asked: {
    year: string
    limit: number
    after: string
  }): Promise<{ data: YearStatement[]; next: string | null }>
}
type Parts = { documents: Documents; months: Months; call: Call; now(): number }

export const openReports = ({ documents, months, call, now }: Parts): Reports => {
  /** Entries of a seller in a range of the journal, newest first; null: more than a statement shows. */
  const entriesOf = async (
    seller: string,
    { from, to }: { from: number; to: number },
  ): Promise<LedgerEntry[] | null> => {
    const found = new Map<number, LedgerEntry>()
    for (const account of accountsOf(seller)) {
      for (let before: number | null = to + 1; before !== null;) {
        const { data }: { data: LedgerEntry[] } = await call('ledger.of', { account, before, limit: PAGE })
        const inside = data.filter(({ seq }) => seq >= from)
        for (const entry of inside) found.set(entry.seq, entry)
        before = data.length < PAGE || inside.length < data.length ? null : data.at(-1)!.seq
        if (found.size > LINES_MAX * 4) return null
      }
    }
    return [...found.values()].sort((one, other) => one.seq - other.seq)
  }

  const linesOf = async (of: Of, doc: MonthDoc | undefined): Promise<{ lines: StatementLine[]; complete: boolean }> => {
    if (!doc) return { lines: [], complete: true }
    const entries = await entriesOf(of.seller, { from: doc.firstSeq, to: doc.seq })
    if (!entries) return { lines: [], complete: false }
    const lines = entries.filter(({ at }) => monthOf(at) === doc.month).flatMap((entry) => lineOf(entry, of))
    return { lines: lines.slice(0, LINES_MAX), complete: lines.length <= LINES_MAX }
  }

  const month: Reports['month'] = async ({ seller, currency, month: asked }) => {
    await months.catchUp()
    const all = await months.of(seller, currency, { to: asked })
    const before = all.filter((doc) => doc.month < asked).reduce((sum, doc) => plus(sum, doc.sums), nothing())
    const doc = all.find((one) => one.month === asked)
    const sums = doc?.sums ?? nothing()
    return {
      seller,
      currency,
      month: asked,
      asOf: iso(now()),
      opening: balancesOf(before, currency),
      closing: balancesOf(plus(before, sums), currency),
      totals: totalsOf(sums, currency),
      ...(await linesOf({ seller, currency }, doc)),
    }
  }

  const year: Reports['year'] = async ({ seller, currency, year: asked }) => {
    await months.catchUp()
    return yearOf({ seller, currency, year: asked }, await months.of(seller, currency, inYear(asked)), now())
  }

  const balanceAt: Reports['balanceAt'] = async ({ seller, currency, at }) => {
    await months.catchUp()
    const asked = monthOf(at)
    const all = await months.of(seller, currency, { to: asked })
    const before = all.filter((doc) => doc.month < asked).reduce((sum, doc) => plus(sum, doc.sums), nothing())
    const doc = all.find((one) => one.month === asked)
    if (!doc) return balancesOf(before, currency)
    const entries = await entriesOf(seller, { from: doc.firstSeq, to: doc.seq })
    if (!entries) throw refuse('conflict', 'too much moved in that month to go back into it: ask for its statement')
    const until = entries.filter((entry) => monthOf(entry.at) === asked && entry.at <= at)
    const sums = until.reduce(
      (sum, entry) => plus(sum, { ...nothing(), ...changesOf(entry, { seller, currency }) }),
      before,
    )
    return balancesOf(sums, currency)
  }

  const payout: Reports['payout'] = async (id, seller) => {
    const [reserve] = (await call('ledger.named', { ids: [`${id}:reserved`], book: 'main' })).entries
    // Another one's payout does not exist.
    if (reserve?.about.seller !== seller) throw refuse('not_found', 'there is no such payout')
    const { currency } = reserve.legs[0]!
    const of = { seller, currency }
    const since: LedgerEntry[] = []
    let cursor: number | null = reserve.seq
    while (cursor !== null && since.length <= LINES_MAX) {
      const { data }: { data: LedgerEntry[] } = await call('ledger.of', {
        account: `available:${seller}`,
        before: cursor,
        limit: PAGE,
      })
      const own = data.filter(({ legs }) => legs.some((leg) => leg.currency === currency))
      const last = own.findIndex(({ kind }) => kind === 'reserve')
      since.push(...(last < 0 ? own : own.slice(0, last)))
      cursor = last >= 0 || data.length < PAGE ? null : data.at(-1)!.seq
    }
    const [{ data: told }, closing] = await Promise.all([
      call('ledger.of', { account: `about:${id}`, limit: PAGE }),
      availableAfter(reserve, of),
    ])
    const amount = 0 - changesOf(reserve, of).available
    const changed = since.reduce((sum, entry) => sum + changesOf(entry, of).available, 0)
    const lines = since.toReversed().flatMap((entry) => lineOf(entry, of))
    return {
      payout: id,
      seller,
      amount: { amount, currency },
      status: STATUSES.find(({ kind }) => told.some((entry) => entry.kind === kind))?.status ?? 'reserved',
      reservedAt: iso(reserve.at),
      opening: { amount: closing + amount - changed, currency },
      closing: { amount: closing, currency },
      lines: lines.slice(0, LINES_MAX),
      complete: lines.length <= LINES_MAX,
      provider: Object.assign({}, ...told.map(({ about }) => providerNames(about))) as Record<string, string>,
    }
  }

  /** What is available now less all that came after: what was left when this was set aside. */
  const availableAfter = async ({ seq }: LedgerEntry, { seller, currency }: Of): Promise<number> => {
    const account = `available:${seller}`
    const now = 0 - ((await call('ledger.balances', { accounts: [account] }))[account]?.[currency] ?? 0)
    let later = 0
    for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null;) {
      const { data }: { data: LedgerEntry[] } = await call('ledger.of', { account, before, limit: PAGE })
      const after = data.filter((entry) => entry.seq > seq)
      for (const entry of after) later += changesOf(entry, { seller, currency }).available
      before = after.length < data.length || data.length < PAGE ? null : data.at(-1)!.seq
    }
    return now - later
  }

  const sellers: Reports['sellers'] = async ({ year: asked, limit, after }) => {
    await months.catchUp()
    const { docs, next } = await documents.find(monthsCollection, {
      index: 'byYear',
      equals: { year: asked },
      ...(after && { from: `${after}\u0000` }),
      limit: REPORT_DOCS_MAX,
    })
    const bySeller = new Map<string, MonthDoc[]>()
    for (const doc of docs) bySeller.set(doc.seller, [...(bySeller.get(doc.seller) ?? []), doc])
    // The last one may go on in the next page of documents.
    const whole = [...bySeller.keys()].slice(0, next && bySeller.size > 1 ? -1 : undefined)
    const shown = whole.slice(0, limit)
    const data = shown.flatMap((seller) => {
      const own = bySeller.get(seller)!
      return [...new Set(own.map(({ currency }) => currency))].sort().map((currency) =>
        yearOf(
          { seller, currency, year: asked },
          own.filter((doc) => doc.currency === currency),
          now(),
        ),
      )
    })
    const hasMore = shown.length < whole.length || next !== null
    return { data, next: hasMore ? (shown.at(-1) ?? null) : null }
  }

  return { month, year, payout, balanceAt, sellers }
}

const inYear = (year: string) => ({ from: `${year}-01`, to: `${year}-12` })

const yearOf = (
  { seller, currency, year }: Of & { year: string },
  docs: readonly MonthDoc[],
  now: number,
): YearStatement => {
  const sumOf = (some: readonly MonthDoc[]) => some.reduce((sum, doc) => plus(sum, doc.sums), nothing())
  const money = (amount: number): Money => ({ amount, currency })
  const all = sumOf(docs)
  return {
    seller,
    currency,
    year: Number(year),
    asOf: iso(now),
    quarters: [1, 2, 3, 4].map((quarter) => {
      const sums = sumOf(docs.filter(({ month }) => quarterOf(month) === quarter))
      return { quarter, totals: totalsOf(sums, currency), consideration: money(considerationOf(sums)) }
    }),
    totals: totalsOf(all, currency),
    consideration: money(considerationOf(all)),
  }
}

const balancesOf = (sums: Record<Balance, number>, currency: string): StatementBalances => ({
  clearing: { amount: sums.clearing, currency },
  available: { amount: sums.available, currency },
  inPayout: { amount: sums.inPayout, currency },
  held: { amount: sums.held, currency },
})

const totalsOf = ({ orders, gross, commission, earned, tips, refunds, paidOut, other }: Sums, currency: string) => {
  const money = (amount: number): Money => ({ amount, currency })
  return {
    orders,
    gross: money(gross),
    commission: money(commission),
    earned: money(earned),
    tips: money(tips),
    refunds: money(refunds),
    paidOut: money(paidOut),
    other: money(other),
  } satisfies StatementTotals
}

const lineOf = (entry: LedgerEntry, of: Of): StatementLine[] => {
  const changes = changesOf(entry, of)
  if (Object.values(changes).every((change) => change === 0)) return []
  const { seq, at, kind, about } = entry
  return [{ seq, at: iso(at), kind, text: wordOf(kind), about, ...changes }]
}

/** How far a payout has come: the furthest thing that is in the books about it. */
const STATUSES = [
  { kind: 'payout_returned', status: 'returned' },
  { kind: 'payout_failed', status: 'failed' },
  { kind: 'release', status: 'failed' },
  { kind: 'payout_paid', status: 'paid' },
  { kind: 'payout', status: 'sent' },
  { kind: 'transfer', status: 'transferred' },
]
const providerNames = ({ transfer, bankPayout }: Record<string, string>) => ({
  ...(transfer && { transfer }),
  ...(bankPayout && { bankPayout }),
})
