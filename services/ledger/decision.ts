// What a batch comes to: requests in the order they came, each entry posted, known, or refused alone. Pure.
import { refuse } from '../errors.ts'
import type { Balances } from './balances.ts'
import { overlay } from './balances.ts'
import type { LedgerEntry, Outcome, Posting } from './contract.ts'
import { isSame, overdrawn } from './posting.ts'

/** `error` refuses the whole request; nothing of it is entered. */
export type Verdict = { outcomes: Outcome[] } | { error: Error }
export type Decided = { verdicts: Verdict[]; accepted: Posting[] }

export const decideAll = (
  requests: readonly (readonly Posting[])[],
  book: Balances,
  known: ReadonlyMap<string, LedgerEntry>,
): Decided => {
  const after = overlay(book)
  const accepted = new Map<string, Posting>()
  const decideOne = (entry: Posting): Outcome => {
    if (known.has(entry.id) || accepted.has(entry.id)) return 'known'
    if (overdrawn(entry, after.of) !== null) return 'insufficient'
    accepted.set(entry.id, entry)
    after.apply(entry.legs)
    return 'posted'
  }
  const verdicts = requests.map((entries, at): Verdict => {
    const twin = entries.find((entry, index) =>
      isOther(
        entry,
        known.get(entry.id) ?? accepted.get(entry.id) ?? entries.slice(0, index).find(({ id }) => id === entry.id),
      ),
    )
    if (twin)
      return {
        error: refuse('conflict', `${twin.id} was posted before and said something else`, { data: { request: at } }),
      }
    return { outcomes: entries.map(decideOne) }
  })
  return { verdicts, accepted: [...accepted.values()] }
}

const isOther = (entry: Posting, before: Posting | undefined): boolean => before !== undefined && !isSame(entry, before)
