// Proves on a running system that what must be true is true: the checks each actor offers, side by side.
import type { Call } from './node.ts'

export type Check = { what: string; counted: Record<string, number>; problems: string[] }
/** A check of a large market takes its time. */
const CHECK_TIMEOUT_MS = 300_000

export const verification = async (call: Call): Promise<Check[]> => {
  const options = { timeoutMs: CHECK_TIMEOUT_MS }
  return Promise.all([
    check('ledger: sums are zero, the chain is whole', async () => {
      const { entries, problems } = await call('ledger.verify', {}, options)
      return { counted: { entries }, problems }
    }),
    check('orders: histories are paths of the table, the books hold what they should', async () => {
      const { orders, problems } = await call('order.verify', {}, options)
      return { counted: { orders }, problems }
    }),
    check('offers: an accepted one is one order at its price', async () => {
      const { offers, problems } = await call('offer.verify', {}, options)
      return { counted: { offers }, problems }
    }),
    check('search: the index has what is live', async () => {
      const { live, indexed, different } = await call('search.difference', {}, options)
      return { counted: { live, indexed }, problems: different.map((id) => `${id} is not indexed as it is`) }
    }),
    check('audit: the chain is whole', async () => {
      const { entries, problems } = await call('audit.verify', {}, options)
      return { counted: { entries }, problems }
    }),
    check('chat: message numbers have no gap', async () => {
      const { conversations, messages, problems } = await call('chat.verify', {}, options)
      return { counted: { conversations, messages }, problems }
    }),
  ])
}

/** A check that can't be made proves nothing: that is a problem, too. */
const check = async (what: string, make: () => Promise<Omit<Check, 'what'>>): Promise<Check> =>
  make().then(
    (made) => ({ what, ...made }),
    (error: unknown) => ({
      what,
      counted: {},
      problems: [`could not be checked: ${error instanceof Error ? error.message : String(error)}`],
    }),
  )
