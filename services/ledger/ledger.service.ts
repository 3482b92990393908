// The ledger: every movement of money, once, balanced, for ever. Key: the book, `main`. Any node reads it; one node writes it
// at a time, and safety does not rest on that (see book.ts).
import { service, type Here } from '../../mixins/service.ts'
import type { Call } from '../../mixins/node.ts'
import { opsOf } from '../../mixins/ops.ts'
import { repeated } from '../../mixins/repeated.ts'
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { payableOf, totalsOf, trialRows } from './balances.ts'
import { openBook } from './book.ts'
import { ledger as contract, type LedgerEntry, type Posting, type PublicEntry } from './contract.ts'
import { gauges } from './gauges.ts'
import { batches, checkpoints, entriesAfter, entriesById, entriesOf, indexedEntries, lines } from './journal.ts'
import { verifyBook } from './verification.ts'

const BOOK = 'main'
/** How often the numbers about the books are brought up to date. */
const LOOK_MS = 30_000

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([batches, indexedEntries, lines, checkpoints] as never)
  const book = await openBook(documents, here.log)
  const shown = gauges(opsOf(here.broker).registry)
  const looking = repeated(LOOK_MS, here.log, 'looking at the books', async () => shown.show(await book.current()))

  return {
    actions: {
      post: ({ params, call }) => call('ledger.commit', { book: BOOK, entries: params.entries }),
      commit: async ({ params }) => ({ outcomes: await book.post(params.entries) }),
      balances: async ({ params }) => {
        const { balances } = await book.current()
        return Object.fromEntries(params.accounts.map((account) => [account, balances.sums(account)]))
      },
      payable: async ({ params: { currency, minimum, after, limit = PAYABLE_LIMIT } }) => {
        const { balances } = await book.current()
        return payableOf(balances, { currency, minimum, after, limit })
      },
      of: async ({ params: { account, limit = LIMIT_DEFAULT, cursor, before, book: asked }, call }) => {
        // Only the node that keeps the book knows what is entered and not yet indexed.
        if (!asked && isElsewhere(here))
          return call('ledger.of', { account, limit, ...(cursor && { cursor }), ...(before && { before }), book: BOOK })
        await book.indexed()
        return entriesOf(documents, { account, limit, cursor, before })
      },
      named: async ({ params: { ids } }) => {
        await book.indexed()
        return { entries: await entriesById(documents, ids) }
      },
      after: async ({ params: { seq } }) => ({ data: await entriesAfter(documents, seq) }),
      totals: async () => ({ data: trialRows((await book.current()).balances) }),
      entries: async ({ params: { account, order, payout, dispute, limit = LIMIT_DEFAULT, cursor }, call }) => {
        const asked = [account, ...[order, payout, dispute].map((about) => about && `about:${about}`)].filter(Boolean)
        if (asked.length > 1) throw refuse('validation_failed', 'name one of account, order, payout and dispute')
        const { data, next } = asked[0]
          ? await call('ledger.of', { account: asked[0], limit, ...(cursor && { cursor }) })
          : await entriesOf(documents, { account: '', limit, cursor })
        return { data: data.map(publicEntry), nextCursor: next }
      },
      trialBalance: async ({ params }) => {
        const { balances, position } = await book.current()
        const rows = trialRows(balances, params.account)
        return { data: rows, totals: totalsOf(rows), entries: position.seq, asOf: iso(here.clock.now()) }
      },
      verify: () => verifyBook(documents, book),
    },
    hears: {
      'order.posted': ({ data, call }) => enter(call, data.entries),
      'payout.posted': ({ data, call }) => enter(call, data.entries),
    },
    started: async () => looking.start(),
    stopped: async () => {
      await looking.stop()
      await book.stop()
    },
  }
})

const publicEntry = ({ id, seq, kind, at, about, legs, hash }: LedgerEntry): PublicEntry => ({
  id,
  seq,
  kind,
  at: iso(at),
  about,
  legs: legs.map(({ account, amount, currency }) => ({ account, amount: { amount, currency } })),
  hash,
})

const PAYABLE_LIMIT = 500

const isElsewhere = ({ placement, id }: Here): boolean => (placement.owner('ledger', BOOK) ?? id) !== id

/** What was said must be entered: an entry that can't be is no answer but a fault, tried again and then parked. */
const enter = async (call: Call, entries: readonly Posting[]): Promise<void> => {
  const { outcomes } = await call('ledger.commit', { book: BOOK, entries: [...entries] })
  const refused = entries.filter((_, at) => outcomes[at] === 'insufficient')
  if (refused.length > 0)
    throw new Error(`entries would overdraw an account: ${refused.map(({ id }) => id).join(', ')}`)
}
