// Walks the whole book: the chain, the sums, the index, and whether the balances in memory are what the entries come to.
import type { Documents } from '../../adapters/documents/index.ts'
import { balances, type Balances } from './balances.ts'
import type { Book } from './book.ts'
import { BEGINNING, brokenLink, type Position } from './chain.ts'
import type { LedgerEntry } from './contract.ts'
import { batchesAfter, entriesById } from './journal.ts'
import { mistakeOf } from './posting.ts'

export const PROBLEMS_MAX = 100

export type Verified = { entries: number; problems: string[] }

export const verifyBook = async (documents: Documents, book: Book): Promise<Verified> => {
  await book.indexed()
  const problems: string[] = []
  const rebuilt = balances()
  let position: Position = BEGINNING
  let batch = 0
  const walk = async (until: number) => {
    for await (const { number, entries } of batchesAfter(documents, batch)) {
      if (number > until || problems.length >= PROBLEMS_MAX) return
      if (number !== batch + 1) problems.push(`batch ${batch + 1} is missing`)
      problems.push(...(await problemsOf(documents, position, entries)))
      for (const { legs } of entries) rebuilt.apply(legs)
      const { seq, hash } = entries.at(-1)!
      position = { seq, hash }
      batch = number
    }
  }
  // Entries that come in meanwhile are walked too; the balances are compared at one and the same batch.
  for (let now = await book.current(); ; now = await book.current()) {
    if (batch < now.batch && problems.length < PROBLEMS_MAX) {
      await walk(now.batch)
      continue
    }
    if (batch === now.batch) problems.push(...differences(now.balances, rebuilt))
    return { entries: position.seq, problems: problems.slice(0, PROBLEMS_MAX) }
  }
}

const problemsOf = async (
  documents: Documents,
  position: Position,
  entries: readonly LedgerEntry[],
): Promise<string[]> => {
  const broken = brokenLink(position, entries)
  const wrong = entries.flatMap((entry) => {
    const mistake = mistakeOf(entry)
    return mistake ? [`entry ${entry.seq} (${entry.id}): ${mistake}`] : []
  })
  const found = await entriesById(
    documents,
    entries.map(({ id }) => id),
  )
  const lost = entries
    .filter(({ hash }, at) => found[at]?.hash !== hash)
    .map(({ seq, id }) => `entry ${seq} (${id}) is not found under its id`)
  return [...(broken ? [broken] : []), ...wrong, ...lost]
}

const differences = (kept: Balances, rebuilt: Balances): string[] => {
  const names = new Set([...kept.all(), ...rebuilt.all()].map(([account]) => account))
  return [...names].flatMap((account) => {
    const [one, other] = [kept.sums(account), rebuilt.sums(account)]
    const currencies = [...new Set([...Object.keys(one), ...Object.keys(other)])]
    return currencies
      .filter((currency) => (one[currency] ?? 0) !== (other[currency] ?? 0))
      .map(
        (currency) => `${account} has ${one[currency] ?? 0} ${currency}, its entries come to ${other[currency] ?? 0}`,
      )
  })
}
