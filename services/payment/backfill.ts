// What a webhook that never came would have said: the provider's events are asked for since the last one seen and kept
// like those that came, once. One node at a time does it; a list too long for one go is carried on by the next.
import type { Payments, ProviderEvent } from '../../adapters/payments/index.ts'
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'

/** Machine ms between two askings of the whole market. */
export const BACKFILL_EVERY_MS = 5 * 60_000
export const BACKFILL_PAGE = 100
/** Pages of one go. */
export const BACKFILL_PAGES_MAX = 50
/** Asked for again each time: the provider lists late what happened at the same moment. */
export const BACKFILL_OVERLAP_MS = 10 * 60_000
/** How far the first asking of a new market goes back. */
export const BACKFILL_FIRST_MS = 3 * 86_400_000

/** `since`: everything before is known. `after` and `newest`: how far a list that was too long for one go was read. */
type Progress = Doc & { since: number; newest: number; after: string | null; nextAt: number }
export const paymentBackfill = collection<Progress>('payment_backfill')
const ID = 'platform'

type Needs = {
  documents: Documents
  payments: Pick<Payments, 'listEvents'>
  /** Keeps an event once. */
  receive(event: ProviderEvent): Promise<void>
  /** Could it be about an operation of ours? */
  concerns(event: ProviderEvent): boolean
  /** The provider's time: the platform's clock. */
  now(): number
}

/** Answers how many events were looked at; 0 also when it is not yet time, or another node's turn. */
export const backfill = async (needs: Needs, { eager = false } = {}): Promise<number> => {
  const mine = await claim(needs, eager)
  if (!mine) return 0
  let { newest, after } = mine
  let seen = 0
  for (let page = 0; page < BACKFILL_PAGES_MAX; page++) {
    const since = Math.max(0, mine.since - BACKFILL_OVERLAP_MS)
    const { data, next } = await needs.payments.listEvents({ since, after, limit: BACKFILL_PAGE })
    for (const event of data) if (needs.concerns(event)) await needs.receive(event)
    seen += data.length
    newest = Math.max(newest, ...data.map(({ createdAt }) => createdAt))
    after = next
    if (after === null) break
  }
  const since = after === null ? newest : mine.since
  await needs.documents.replace(
    paymentBackfill,
    { ...mine, version: mine.version + 1, since, newest, after },
    mine.version,
  )
  return seen
}

/** The progress as it is now, with the next asking put off for everybody else. */
const claim = async ({ documents, now }: Needs, eager: boolean): Promise<Progress | null> => {
  const known = await documents.get(paymentBackfill, ID)
  const nextAt = Date.now() + BACKFILL_EVERY_MS
  if (!known) {
    const since = Math.max(0, now() - BACKFILL_FIRST_MS)
    const first: Progress = { id: ID, version: 1, since, newest: since, after: null, nextAt }
    return (await documents.insert(paymentBackfill, first)).ok ? first : null
  }
  if (!eager && known.nextAt > Date.now()) return null
  const claimed = { ...known, version: known.version + 1, nextAt }
  return (await documents.replace(paymentBackfill, claimed, known.version)).ok ? claimed : null
}
