// Walks every order: its history is a path of the table, and the ledger holds for it exactly what it should.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { chargebacksOf, goneOf, orders, type OrderDoc } from './state.ts'
import { brokenHistory } from './process.ts'

export const PROBLEMS_MAX = 100
const PAGE = 300

export type Verified = { orders: number; problems: string[] }

export const verifyOrders = async (documents: Documents, call: Call): Promise<Verified> => {
  const problems: string[] = []
  let count = 0
  let after: string | null = null
  do {
    const page: { docs: OrderDoc[]; next: string | null } = await documents.scan(orders, { after, limit: PAGE })
    count += page.docs.length
    problems.push(...page.docs.flatMap(brokenHistoryOf), ...(await misheld(documents, call, page.docs)))
    after = page.next
  } while (after && problems.length < PROBLEMS_MAX)
  return { orders: count, problems: problems.slice(0, PROBLEMS_MAX) }
}

const brokenHistoryOf = (order: OrderDoc): string[] => {
  const gap = order.timeline.findIndex(({ seq }, at) => seq !== at + 1)
  const broken = brokenHistory(
    order.timeline.map(({ type }) => type),
    order.status,
  )
  return [
    ...(gap >= 0 ? [`${order.id}: event ${gap + 1} is missing`] : []),
    ...(broken ? [`${order.id}: ${broken}`] : []),
  ]
}

/** Minor units that the books should have for an order, by account; what the platform owes is negative. */
export const heldFor = (order: OrderDoc): Record<string, number> => {
  const { id, status, paidAt, completedAt, price } = order
  const over = paidAt === null || completedAt !== null || status === 'cancelled' || status === 'expired'
  const claims = chargebacksOf(order).map((one): [string, number] => [
    `dispute:${one.id}`,
    one.status === 'open' ? one.taken - one.restored : 0,
  ])
  return { [`escrow:${id}`]: over ? 0 : goneOf(order) - price.total, ...Object.fromEntries(claims) }
}

/** What differs and has nothing left to tell the ledger that could explain it; looked at twice, since orders move meanwhile. */
const misheld = async (documents: Documents, call: Call, docs: readonly OrderDoc[]): Promise<string[]> => {
  const suspects = await differing(call, docs.filter(isTold))
  if (suspects.length === 0) return []
  const again = await documents.getMany(
    orders,
    suspects.map(({ id }) => id),
  )
  const still = again.filter(
    (order): order is OrderDoc =>
      order !== null &&
      isTold(order) &&
      suspects.some(({ id, version }) => id === order.id && version === order.version),
  )
  return (await differing(call, still)).map(({ id, what }) => `${id}: ${what}`)
}
/** Has the ledger heard all of it? */
const isTold = ({ outbox }: OrderDoc): boolean => outbox.every(({ groups }) => !groups.includes('ledger'))

const differing = async (call: Call, docs: readonly OrderDoc[]) => {
  const should = docs.map((order) => ({ order, accounts: Object.entries(heldFor(order)) }))
  const names = should.flatMap(({ accounts }) => accounts.map(([account]) => account))
  const sums = await balancesOf(call, names)
  return should.flatMap(({ order, accounts }) => {
    const wrong = accounts.find(([account, amount]) => (sums[account]?.[order.price.currency] ?? 0) !== amount)
    if (!wrong) return []
    const [account, amount] = wrong
    const has = sums[account]?.[order.price.currency] ?? 0
    return [
      { id: order.id, version: order.version, what: `${account} has ${has} ${order.price.currency}, not ${amount}` },
    ]
  })
}

/** The ledger answers for so many accounts at once. */
const ACCOUNTS_AT_ONCE = 1000

const balancesOf = async (call: Call, accounts: readonly string[]) => {
  const sums: Record<string, Record<string, number>> = {}
  for (let from = 0; from < accounts.length; from += ACCOUNTS_AT_ONCE)
    Object.assign(sums, await call('ledger.balances', { accounts: accounts.slice(from, from + ACCOUNTS_AT_ONCE) }))
  return sums
}
