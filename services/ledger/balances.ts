// Sums per account and currency, kept by kind: a projection of the entries. Accounts in balance are not kept, so that memory
// follows what is open, not history.
import type { Money } from '../shapes.ts'
import type { Leg } from './contract.ts'
import { isOwned, kindOf } from './posting.ts'

/** Debit positive. */
type Sums = Record<string, number>
export type AccountSums = [account: string, sums: Sums]

export type Balances = {
  of(account: string, currency: string): number
  sums(account: string): Sums
  apply(legs: readonly Leg[]): void
  /** Every account that is not in balance. */
  all(): AccountSums[]
  kind(kind: string): Iterable<AccountSums>
}

export const balances = (from: Iterable<AccountSums> = []): Balances => {
  const kinds = new Map<string, Map<string, Sums>>()
  const accountsOf = (account: string): Map<string, Sums> => {
    const kind = kindOf(account)
    let known = kinds.get(kind)
    if (!known) kinds.set(kind, (known = new Map()))
    return known
  }
  for (const [account, sums] of from) accountsOf(account).set(account, { ...sums })
  const apply = (legs: readonly Leg[]) => {
    for (const { account, amount, currency } of legs) {
      const accounts = accountsOf(account)
      const sums = accounts.get(account) ?? {}
      const sum = (sums[currency] ?? 0) + amount
      if (sum === 0) delete sums[currency]
      else sums[currency] = sum
      if (Object.keys(sums).length > 0) accounts.set(account, sums)
      else accounts.delete(account)
    }
  }
  return {
    of: (account, currency) => accountsOf(account).get(account)?.[currency] ?? 0,
    sums: (account) => ({ ...accountsOf(account).get(account) }),
    apply,
    all: () =>
      [...kinds.values()].flatMap((accounts) =>
        [...accounts].map(([account, sums]): AccountSums => [account, { ...sums }]),
      ),
    kind: (kind) => kinds.get(kind) ?? [],
  }
}

/** Base sums with changes on top that may yet be thrown away. */
export const overlay = (base: Balances): Pick<Balances, 'of' | 'apply'> => {
  const changed = new Map<string, number>()
  const of = (account: string, currency: string) => changed.get(`${account}/${currency}`) ?? base.of(account, currency)
  return {
    of,
    apply: (legs) => {
      for (const { account, amount, currency } of legs)
        changed.set(`${account}/${currency}`, of(account, currency) + amount)
    },
  }
}

export type TrialRow = { account: string; balance: Money }

/** Owned accounts summed by kind, the platform's own by name; `only` narrows to one account or kind. */
export const trialRows = (book: Balances, only?: string): TrialRow[] => {
  const rows = new Map<string, Map<string, number>>()
  for (const [account, sums] of only?.includes(':') && isOwned(only)
    ? [[only, book.sums(only)] as AccountSums]
    : book.all()) {
    if (only !== undefined && account !== only && kindOf(account) !== only) continue
    const name = isOwned(account) && account !== only ? kindOf(account) : account
    const row = rows.get(name) ?? new Map<string, number>()
    rows.set(name, row)
    for (const [currency, sum] of Object.entries(sums)) row.set(currency, (row.get(currency) ?? 0) + sum)
  }
  return [...rows]
    .sort(byName)
    .flatMap(([account, row]) => [...row].map(([currency, amount]) => ({ account, balance: { amount, currency } })))
}

export const totalsOf = (rows: readonly TrialRow[]): Money[] => {
  const totals = new Map<string, number>()
  for (const { balance } of rows) totals.set(balance.currency, (totals.get(balance.currency) ?? 0) + balance.amount)
  return [...totals].sort(byName).map(([currency, amount]) => ({ amount, currency }))
}

export type PayableQuery = { currency: string; minimum: number; after?: string | undefined; limit: number }

/** Sellers with at least the minimum available, by id, after the one named. */
export const payableOf = (book: Balances, { currency, minimum, after = '', limit }: PayableQuery) => {
  const found: { seller: string; amount: number }[] = []
  for (const [account, sums] of book.kind('available')) {
    const amount = 0 - (sums[currency] ?? 0)
    const seller = account.slice('available:'.length)
    if (amount >= Math.max(1, minimum) && seller > after) found.push({ seller, amount })
  }
  found.sort((one, other) => (one.seller < other.seller ? -1 : 1))
  const data = found.slice(0, limit)
  return { data, next: found.length > limit ? data.at(-1)!.seller : null }
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]): number =>
  one < other ? -1 : one > other ? 1 : 0
